import html
import re
from dataclasses import replace
from typing import Any

import pytest

from publisher.archive.model import ArticleId, Author, GlossaryTerm, Topic
from publisher.compose.model import EditionKind
from publisher.compose.render import HTML_AT_MOST_BYTES, render_confirmation, render_issue, render_welcome
from publisher.compose.slots import Slot, marker
from publisher.errors import InputError, TemplateTextError
from publisher.intake.model import Image, Section
from tests.compose.issues import (
    RENT_PIECE,
    RIVER_PIECE,
    TERMS,
    VOTE_PIECE,
    a_piece,
    an_article,
    an_edition,
    an_issue,
    furniture,
    rendered,
)

ALERT, DIGEST, GUIDE = EditionKind.ALERT, EditionKind.DIGEST, EditionKind.GUIDE


def words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def body(markup: str) -> str:
    return words(markup[markup.index("<body") :])


# --- the three kinds


def test_an_alert_carries_the_whole_article_with_guide_words_and_related_links() -> None:
    issue = rendered(ALERT, RENT_PIECE)

    for part in (body(issue.html), " ".join(issue.text.split()), words(issue.web_html)):
        for expected in (
            "A Home for a Loan: How Jeonse “Works” & Why It Lasts",
            "By Ara Moon and Ben Okoro · November 4, 2026",
            "My landlord is my bank",
            "800 million won",
            "The second page is the one to read.",
            "A Foreign Fan’s Guide: What You Should Know",
            "Read the register of the building.",
            "A lease without monthly rent",
            "Discover More",
            "Swimming the Han",
            "Once a year the city gives its river back",
        ):
            assert expected in part, expected


def test_a_digest_shows_its_lead_large_and_every_article_with_a_way_to_it() -> None:
    issue = rendered(DIGEST, RENT_PIECE, RIVER_PIECE, VOTE_PIECE)

    assert re.findall(r"<h1[^>]*><a[^>]*>([^<]*)", issue.html) == [html.escape(RENT_PIECE.article.title, quote=False)]
    for part in (issue.html, issue.text, issue.web_html):
        for piece in (RENT_PIECE, RIVER_PIECE, VOTE_PIECE):
            assert piece.url in part
    assert "One district voted on Tuesday. Turnout was low." in body(issue.html)


def test_discover_more_of_a_digest_leads_out_of_it() -> None:
    issue = rendered(DIGEST, RENT_PIECE, RIVER_PIECE, VOTE_PIECE)

    after = issue.text.partition("Discover More")[2]
    assert "https://news.example/articles/ferries" in after
    assert RIVER_PIECE.url not in after


def test_the_guide_tells_the_week_in_a_minute_and_then_each_article() -> None:
    issue = rendered(GUIDE, RENT_PIECE, RIVER_PIECE, VOTE_PIECE)

    for part in (body(issue.html), " ".join(issue.text.split()), words(issue.web_html)):
        minute, *rest = re.split(r"What happened", part)
        assert "This week in one minute" in minute
        assert "Swimming the Han Once a year the city gives its river back" in minute
        assert len(rest) == 3
        assert "What to know: the background By-elections fall on the first Wednesday" in part
        assert "What to know, in the article’s own sentences Swimming here is called a right" in part
        assert "What’s next The limits on loans will come down in spring." in part


def test_a_term_is_explained_once_in_an_issue_where_it_first_occurs() -> None:
    river_too = replace(RENT_PIECE, terms=(TERMS[0], TERMS[1]))

    issue = rendered(GUIDE, river_too, RIVER_PIECE)

    for part in (issue.html, issue.text, issue.web_html):
        assert part.count("The wide river through Seoul") == 1
        assert part.index("The wide river through Seoul") < part.rindex("Swimming the Han")


def test_a_related_link_is_given_once_in_a_guide_and_never_to_an_article_in_it() -> None:
    issue = rendered(GUIDE, RENT_PIECE, RIVER_PIECE, VOTE_PIECE)

    assert issue.html.count('href="https://news.example/articles/ferries"') == 1
    after = issue.text.partition("Where to read on")[2].partition("Swimming")[0]
    assert VOTE_PIECE.url not in after


@pytest.mark.parametrize(("count", "shown"), [(4, False), (5, True)])
def test_a_guide_of_more_than_four_articles_has_contents(count: int, *, shown: bool) -> None:
    pieces = [
        a_piece(an_article(number, topics=(Topic(slug=f"t{number % 2}", name=f"Topic {number % 2}"),)))
        for number in range(1, count + 1)
    ]

    issue = rendered(GUIDE, *pieces)

    assert ("In this issue: Topic 1 · Topic 0" in body(issue.html)) is shown
    assert ('<a href="#topic-t1">' in issue.web_html) is shown


def test_articles_without_a_topic_are_the_rest() -> None:
    issue = rendered(GUIDE, RENT_PIECE, a_piece(an_article(7, topics=())))

    assert "More Article 7" in words(issue.web_html)


# --- what an editor writes


def test_an_editors_subject_and_introduction_have_their_slots_filled() -> None:
    issue = rendered(
        DIGEST,
        RENT_PIECE,
        RIVER_PIECE,
        subject="{{ name }}, no. {{ issue_number }}: {{ lead_title }}",
        introduction="*{{ edition_name }}* of {{ date }} with {{ article_count }} articles",
    )

    assert issue.subject == f"{marker(Slot.NAME)}, no. 12: {RENT_PIECE.article.title}"
    assert "Monday digest of November 4, 2026 with 2 articles" in body(issue.html)
    assert "Monday digest of November 4, 2026 with 2 articles" in issue.text
    assert "reader, no. 12" in words(issue.web_html)


def test_the_editions_subject_is_used_where_the_issue_has_none() -> None:
    edition = an_edition(DIGEST, subject="{{ edition_name }} {{ issue_number }}")

    issue = render_issue(edition=edition, issue=an_issue(), pieces=[RENT_PIECE], furniture=furniture())

    assert issue.subject == "Monday digest 12"


@pytest.mark.parametrize("values", [{"subject": "{{ nme }}"}, {"introduction": "{{ nme }}"}])
def test_an_unknown_slot_stops_an_issue(values: dict[str, Any]) -> None:
    with pytest.raises(TemplateTextError, match="there is no slot 'nme'"):
        rendered(DIGEST, RENT_PIECE, **values)


def test_a_reader_is_greeted_once() -> None:
    with_name = rendered(DIGEST, RENT_PIECE, introduction="Good morning, {{ name }}!")
    without = rendered(DIGEST, RENT_PIECE, introduction="Good morning!")

    assert "Hello," not in body(with_name.html)
    assert f"Hello, {marker(Slot.NAME)} Good morning!" in body(without.html)
    assert f"Hello, {marker(Slot.NAME)}\n\nGood morning!" in without.text


def test_the_editors_preheader_wins() -> None:
    issue = rendered(DIGEST, RENT_PIECE, RIVER_PIECE, preheader="Read this first")

    assert issue.preheader == "Read this first"
    assert body(issue.html).startswith("Read this first")


# --- what comes from outside

NASTY = "<script>alert(1)</script> \"x\" 'y' & {{ 7 * 7 }} {% raw %} <mj-text> --> ]]> \\"


def test_nothing_from_outside_becomes_markup() -> None:
    """Titles, names and explanations come from anybody who may hand in an article, and from feeds."""
    topic = Topic(slug="x", name=NASTY)
    image = Image(url='https://x.example/a.jpg?"><script>', alt=NASTY, credit=NASTY)
    section = Section(heading=NASTY, html="<p>Clean.</p>")
    article = an_article(
        title=NASTY, summary=NASTY, topics=(topic,), authors=(Author(slug="x", name=NASTY),), image=image,
        sections=(section,), guide=section,
    )  # fmt: skip
    term = GlossaryTerm(slug="x", name=NASTY, hangul=NASTY, explanation=NASTY, link='https://x.example/"><script>')
    piece = a_piece(article, related=(an_article(5, title=NASTY, summary=NASTY),), terms=(term,))

    for kind in EditionKind:
        issue = render_issue(
            edition=an_edition(kind, name=NASTY),
            issue=an_issue(preheader=NASTY),
            pieces=[piece],
            furniture=furniture(site_name=NASTY, postal_address=NASTY, footer=NASTY),
        )
        for part in (issue.html, issue.web_html):
            assert "<script" not in part.lower()
            assert "<mj-" not in part
            assert "{{ 7 * 7 }}" in html.unescape(part)
        assert "alert(1)</script>" in issue.text


@pytest.mark.parametrize("kind", EditionKind)
def test_no_text_from_outside_can_pass_for_a_slot(kind: EditionKind) -> None:
    """A picture at https://stranger.example/?MARKER would tell a stranger every reader's address."""
    trap = f'<p><img src="https://stranger.example/{marker(Slot.ADDRESS)}.gif" alt="">{marker(Slot.NAME)}</p>'
    image = Image(url=f"https://stranger.example/?a={marker(Slot.ADDRESS)}", alt=marker(Slot.NAME))
    article = an_article(
        title=f"T {marker(Slot.NAME)}",
        summary=marker(Slot.UNSUBSCRIBE_URL),
        sections=(Section(heading=marker(Slot.NAME), html=trap),),
        guide=Section(heading="Guide", html=trap),
        image=image,
    )
    term = replace(TERMS[0], explanation=marker(Slot.ADDRESS), link=f"https://x.example/{marker(Slot.ADDRESS)}")
    trapped, harmless = a_piece(article, terms=(term,)), a_piece(an_article())

    with_traps = rendered(kind, trapped, introduction=marker(Slot.NAME))
    without = rendered(kind, harmless)

    for slot in Slot:
        assert with_traps.html.count(marker(slot)) == without.html.count(marker(slot)), slot
        assert with_traps.text.count(marker(slot)) == without.text.count(marker(slot)), slot
        assert marker(slot) not in with_traps.subject + with_traps.preheader + with_traps.web_html


def test_an_accent_that_is_no_colour_stops_the_issue_rather_than_its_style_sheet() -> None:
    with pytest.raises(InputError, match="is not a colour"):
        render_issue(
            edition=an_edition(), issue=an_issue(), pieces=[RENT_PIECE], furniture=furniture(accent="red;}body{x:y")
        )


def test_a_picture_of_ours_gets_an_absolute_address() -> None:
    assert 'src="https://news.example/media/key.jpg"' in rendered(ALERT, RENT_PIECE).html


def test_an_own_opening_is_not_said_twice() -> None:
    """Where the newsroom wrote no summary, the archive takes the first sentences: they are no standfirst."""
    article = an_article(
        summary="The city council met on Tuesday in the old hall, as it always does.",
        sections=(
            Section(heading="", html="<p>The city council met on Tuesday in the old hall, as it always does.</p>"),
        ),
    )

    assert body(rendered(ALERT, a_piece(article)).html).count("met on Tuesday") == 2  # preheader and article


# --- length


def a_long_article(paragraphs: int, length: int = 800) -> Any:
    sections = tuple(
        Section(
            heading=f"Part {part}", html="".join(f"<p>{part}.{n} {'word ' * (length // 5)}END</p>" for n in range(10))
        )
        for part in range(paragraphs // 10)
    )
    return an_article(sections=sections, guide=Section(heading="Guide", html="<p>Take cash.</p>"))


def test_a_long_article_is_cut_after_a_whole_paragraph_and_goes_on_on_the_web() -> None:
    """Gmail would clip it in the middle, and the way out with it."""
    piece = a_piece(a_long_article(300))

    issue = rendered(ALERT, piece)

    size = len(issue.html.encode())
    assert HTML_AT_MOST_BYTES * 0.95 < size <= HTML_AT_MOST_BYTES
    text = body(issue.html)
    before, _, after = text.partition("Read the rest on the web")
    assert before.rstrip().endswith("END")
    assert "Take cash." in after
    assert marker(Slot.UNSUBSCRIBE_URL) in issue.html
    assert "29.9 word" in issue.text
    assert "29.9 word" in issue.web_html


def test_a_cut_leaves_no_heading_without_what_it_announces() -> None:
    blocks = "".join(f"<h3>Heading {n}</h3><p>{'word ' * 160}END</p>" for n in range(150))

    issue = rendered(ALERT, a_piece(an_article(sections=(Section(heading="", html=blocks),))))

    assert body(issue.html).partition("Read the rest on the web")[0].rstrip().endswith("END")


def test_an_article_that_is_one_endless_paragraph_leaves_its_opening_to_the_web() -> None:
    article = an_article(sections=(Section(heading="", html=f"<p>{'word ' * 30_000}</p>"),))

    issue = rendered(ALERT, a_piece(article))

    assert len(issue.html.encode()) <= HTML_AT_MOST_BYTES
    assert "Read the rest on the web" in issue.html


def test_a_short_article_is_not_cut() -> None:
    assert "Read the rest on the web" not in rendered(ALERT, RENT_PIECE).html


@pytest.mark.parametrize("kind", [DIGEST, GUIDE])
def test_an_issue_of_very_many_articles_goes_on_on_the_web(kind: EditionKind) -> None:
    pieces = [
        replace(RENT_PIECE, article=replace(RENT_PIECE.article, id=ArticleId(n), slug=f"n{n}")) for n in range(1, 121)
    ]

    issue = rendered(kind, *pieces)

    assert HTML_AT_MOST_BYTES * 0.9 < len(issue.html.encode()) <= HTML_AT_MOST_BYTES
    assert "Read the rest on the web" in issue.html
    assert issue.text.count("https://news.example/articles/how-jeonse-works") == 120


def test_a_long_guide_section_of_a_digest_is_one_link_away() -> None:
    guide = Section(heading="Guide", html="".join(f"<p>Habit {n}: {'careful ' * 40}</p>" for n in range(20)))
    piece = a_piece(replace(RENT_PIECE.article, guide=guide))

    issue = rendered(GUIDE, piece)

    assert "Habit 0:" in issue.html
    assert "Habit 19:" not in issue.html
    assert "Habit 19:" in issue.web_html
    assert "Read the rest on the web" in issue.html


# --- languages and dates


def test_the_furniture_speaks_the_language_of_the_edition() -> None:
    issue = rendered(GUIDE, RENT_PIECE, RIVER_PIECE, language="ko")

    for word in ("1분으로 보는 이번 주", "알아 둘 점", "앞으로는", "인물과 용어", "구독 해지", "2026년 11월 4일"):
        assert word in body(issue.html), word
    assert "Unsubscribe" not in issue.html


def test_furniture_in_a_language_we_do_not_have_is_english() -> None:
    assert "Unsubscribe" in rendered(ALERT, RENT_PIECE, language="fi").html
    assert "구독 해지" in rendered(ALERT, RENT_PIECE, language="ko-KR").html


def test_dates_are_those_of_the_editions_time_zone() -> None:
    """TUESDAY is 23:00 in Greenwich and already Wednesday in Seoul."""
    in_utc = render_issue(
        edition=an_edition(ALERT, cadence=None), issue=an_issue(), pieces=[RENT_PIECE], furniture=furniture()
    )

    assert "November 4, 2026" in rendered(ALERT, RENT_PIECE).text
    assert "November 3, 2026" in in_utc.text


# --- letters to one reader


def test_a_confirmation_has_one_button_and_the_address_in_plain() -> None:
    subject, text, markup = render_confirmation(
        furniture=furniture(),
        mailing_list="Readers",
        confirm_url="https://news.example/confirm/abc?x=1&y=2",
        days_valid=1,
    )

    assert subject == "Please confirm: Readers"
    assert "\nhttps://news.example/confirm/abc?x=1&y=2\n" in text
    assert markup.count('href="https://news.example/confirm/abc?x=1&amp;y=2"') == 2
    assert "works for 1 day." in text
    assert "Hello, reader" in text


def test_a_name_from_a_form_stays_a_name() -> None:
    """Anybody can type anybody's address and any name into a form."""
    name = "Win\r\nhttps://spam.example <b>now</b>"

    _, text, markup = render_confirmation(
        furniture=furniture(), mailing_list="Readers", confirm_url="https://news.example/c", name=name
    )

    assert "Hello, Win https://spam.example <b>now</b>\n" in text
    assert "<b>" not in markup


def test_a_welcome_says_what_comes_and_when() -> None:
    editions = [an_edition(kind) for kind in EditionKind]

    subject, text, markup = render_welcome(furniture=furniture(), mailing_list="Readers", editions=editions)

    assert subject == "Welcome to Readers"
    assert "* Morning alert\n  As soon as an article is out" in text
    assert "* Monday digest\n  Every Monday at 08:00 (Asia/Seoul)" in text
    assert "Read back issues" not in markup
    for part in (text, markup):
        assert marker(Slot.UNSUBSCRIBE_URL) in part
        assert marker(Slot.READ_URL) not in part


@pytest.mark.parametrize(
    ("days", "language", "expected"),
    [
        ({1, 3}, "en", "Every Monday and Wednesday at 08:00 (Asia/Seoul)"),
        ({1, 2, 3, 4, 5}, "en", "Monday to Friday at 08:00 (Asia/Seoul)"),
        ({1, 2, 3, 4, 5, 6, 7}, "ko", "매일 08:00 (Asia/Seoul)"),
        ({6, 7}, "ko", "매주 토요일 및 일요일 08:00 (Asia/Seoul)"),
        (None, "en", "From time to time"),
    ],
)
def test_a_cadence_is_told_in_the_readers_words(days: set[int] | None, language: str, expected: str) -> None:
    edition = an_edition(DIGEST)
    assert edition.cadence is not None
    cadence = None if days is None else replace(edition.cadence, weekdays=frozenset(days))

    _, text, _ = render_welcome(
        furniture=furniture(language), mailing_list="Readers", editions=[replace(edition, cadence=cadence)]
    )

    assert expected in text


def test_a_logo_stands_in_the_place_of_the_sites_name_and_says_it() -> None:
    logo = "https://news.example/logo.png"
    looks = furniture(logo=logo)

    mail = render_issue(edition=an_edition(DIGEST), issue=an_issue(), pieces=[RENT_PIECE], furniture=looks).html

    [picture] = re.findall(rf'<img[^>]*src="{logo}"[^>]*>', mail)
    assert 'alt="The Han River Letter"' in picture
    assert 'width="180"' in picture
