from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.archive.model import Article, ArticleState, Topic
from publisher.compose import rules
from publisher.compose.model import EditionKind, RelatedLink, Window
from publisher.compose.rules import Origin
from publisher.intake.model import Section
from publisher.rendering import translations
from tests.compose.issues import CITY, POLITICS, TUESDAY, an_article, an_edition

A_DAY = Window(start=TUESDAY - timedelta(hours=12), end=TUESDAY + timedelta(hours=12))


def paragraphs(*texts: str, heading: str = "") -> Section:
    return Section(heading=heading, html="".join(f"<p>{text}</p>" for text in texts))


# --- which articles


def test_leads_come_first_then_the_newer_then_the_lower_id() -> None:
    old, new, twin = an_article(1), an_article(2, published_at=TUESDAY + timedelta(hours=1)), an_article(3)
    lead = an_article(4, importance=1, published_at=TUESDAY - timedelta(hours=2))

    for order in permutations((old, new, twin, lead)):
        assert rules.choose(order, window=A_DAY, at_most=5) == (lead, new, old, twin)


def test_an_issue_has_no_more_articles_than_its_edition_wants() -> None:
    articles = [an_article(number) for number in range(1, 9)]

    assert len(rules.choose(articles, window=A_DAY, at_most=3)) == 3


def test_the_end_of_the_window_belongs_to_the_next_issue() -> None:
    """An article on the boundary is in exactly one issue, never in two or none."""
    on_the_boundary = an_article(published_at=A_DAY.end)
    following = rules.window_for_slot(A_DAY.end, A_DAY.end + timedelta(days=1))

    assert rules.choose([on_the_boundary], window=A_DAY, at_most=5) == ()
    assert rules.choose([on_the_boundary], window=following, at_most=5) == (on_the_boundary,)


def test_only_published_articles_are_chosen() -> None:
    hidden = [an_article(1, state=ArticleState.EMBARGOED), an_article(2, state=ArticleState.WITHDRAWN)]

    assert rules.choose(hidden, window=A_DAY, at_most=5) == ()


def test_an_edition_takes_articles_that_have_any_of_its_topics() -> None:
    both, city, none = an_article(1, topics=(CITY, POLITICS)), an_article(2), an_article(3, topics=())

    assert rules.choose([both, city, none], window=A_DAY, at_most=5, topics=["politics"]) == (both,)
    assert rules.choose([both, city, none], window=A_DAY, at_most=5) == (both, city, none)


def test_an_edition_in_english_takes_british_english_too() -> None:
    british, korean = an_article(1, language="en-gb"), an_article(2, language="ko")

    assert rules.choose([british, korean], window=A_DAY, at_most=5, languages=["en"]) == (british,)
    assert rules.choose([british, korean], window=A_DAY, at_most=5, languages=["en-gb", "ko"]) == (british, korean)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-30, 30)), max_size=8), st.integers(1, 8))
def test_what_is_left_out_never_outranks_what_is_chosen(articles: list[tuple[int, int]], at_most: int) -> None:
    archive = [
        an_article(number, importance=importance, published_at=TUESDAY + timedelta(hours=hours))
        for number, (importance, hours) in enumerate(articles, 1)
    ]

    chosen = rules.choose(archive, window=A_DAY, at_most=at_most)

    left_out = [each for each in archive if each.published_at in A_DAY and each not in chosen]
    assert not left_out or len(chosen) == at_most
    for rest in left_out:
        assert all((each.importance, -each.published_at.timestamp()) <= rank_of(rest) for each in chosen)


def rank_of(article: Article) -> tuple[int, float]:
    return article.importance, -article.published_at.timestamp()


@pytest.mark.parametrize(
    ("values", "hours", "expected"),
    [
        ({}, 1, True),
        ({}, 0, True),
        ({}, 12, False),
        ({}, -1, False),
        ({"state": ArticleState.EMBARGOED}, 1, False),
        ({"topics": ()}, 1, False),
    ],
)
def test_an_alert_is_for_what_is_visible_and_fresh_and_asked_for(
    values: dict[str, Any], hours: int, *, expected: bool
) -> None:
    """An archive handed in for the first time must not alert anybody of last year."""
    edition = an_edition(EditionKind.ALERT, topics=("city",))

    assert rules.is_news(an_article(**values), edition, now=TUESDAY + timedelta(hours=hours)) is expected


def test_articles_are_grouped_by_their_main_topic_in_the_order_of_the_issue() -> None:
    sport = Topic(slug="sport", name="Sport")
    articles = [
        an_article(1, topics=()),
        an_article(2, topics=(sport, CITY)),
        an_article(3, topics=(CITY,)),
        an_article(4, topics=(sport,)),
    ]

    groups = [
        (topic.name if topic else None, [each.id for each in group]) for topic, group in rules.group_by_topic(articles)
    ]

    assert groups == [("Sport", [2, 4]), ("City", [3]), (None, [1])]


def test_preferred_articles_find_room_before_others_and_stand_where_they_would_stand_anyway() -> None:
    articles = [an_article(number, importance=number) for number in (1, 2, 3, 4)]

    chosen = rules.choose(articles, window=A_DAY, at_most=3, preferred={articles[3].id, articles[1].id})

    assert [article.importance for article in chosen] == [1, 2, 4]


def test_reading_on_leads_out_of_the_issue_and_to_each_article_once() -> None:
    shown, other, third = an_article(1), an_article(2), an_article(3)
    links = [RelatedLink(lead=lead, reason="") for lead in (shown, other, other, third)]

    assert [link.lead for link in rules.read_on(links, shown=[shown])] == [other, third]
    assert [link.lead for link in rules.read_on(links, shown=[shown], at_most=1)] == [other]


# --- what stands in the inbox


def test_an_alert_says_its_title() -> None:
    assert rules.make_subject(EditionKind.ALERT, [an_article(title="Rain Over Busan")]) == "Rain Over Busan"


@pytest.mark.parametrize(
    ("kind", "language", "expected"),
    [
        (EditionKind.DIGEST, "en", "Article 1 · 3 articles"),
        (EditionKind.DIGEST, "ko", "Article 1 · 기사 3건"),
        (EditionKind.GUIDE, "en", "Article 1, and 2 more"),
        (EditionKind.GUIDE, "ko", "Article 1 외 2건"),
    ],
)
def test_the_other_editions_say_their_lead_and_how_many_there_are(
    kind: EditionKind, language: str, expected: str
) -> None:
    articles = [an_article(number) for number in (1, 2, 3)]

    assert rules.make_subject(kind, articles, translations(language)) == expected


def test_an_issue_of_one_article_counts_nothing() -> None:
    for kind in EditionKind:
        assert rules.make_subject(kind, [an_article(1)]) == "Article 1"


def test_a_long_title_leaves_room_for_the_count() -> None:
    long = an_article(1, title="Very long titles are cut between two words " * 5)

    subject = rules.make_subject(EditionKind.DIGEST, [long, an_article(2)])

    assert subject.endswith("… · 2 articles")
    assert len(subject) < 100


def test_a_title_with_braces_is_no_template() -> None:
    """The subject is stored where an editor's template would be; a title must not become one."""
    for sign in ("{{ name }}", "{% if x %}", "{# note #}", "{{{{"):
        subject = rules.make_subject(EditionKind.ALERT, [an_article(title=f"About {sign}")])

        assert "{{" not in subject
        assert "{%" not in subject
        assert "{#" not in subject
        assert subject.replace("\u2060", "") == f"About {sign}"


def test_the_preheader_says_what_the_subject_has_not() -> None:
    articles = [an_article(number) for number in (1, 2, 3)]

    assert rules.make_preheader(EditionKind.ALERT, articles[:1]) == "What article 1 says, in one sentence."
    assert rules.make_preheader(EditionKind.DIGEST, articles) == "Article 2 · Article 3"
    assert rules.make_preheader(EditionKind.GUIDE, articles) == "This week in one minute: Article 2 · Article 3"


# --- what an article says


def test_what_happened_is_the_summary() -> None:
    assert rules.what_happened(an_article(summary="A bridge opened.")) == "A bridge opened."


def test_without_a_summary_the_first_two_sentences_of_the_opening_tell_it() -> None:
    article = an_article(summary="", sections=(paragraphs("One &amp; only. Two went on. Three came late.", "Four."),))

    assert rules.what_happened(article) == "One & only. Two went on."


def test_an_article_in_one_line_is_one_sentence() -> None:
    article = an_article(summary="A bridge opened. It was late.")

    (line,) = rules.one_minute([article])

    assert (line.article, line.text) == (article, "A bridge opened.")


def test_the_guide_section_is_what_to_know() -> None:
    guide = paragraphs("Take cash.", heading="Guide")
    article = an_article(guide=guide, sections=(paragraphs("Long ago.", heading="Background"),))

    explanation = rules.what_to_know(article)

    assert explanation is not None
    assert (explanation.html, explanation.origin) == ("<p>Take cash.</p>", Origin.GUIDE)


@pytest.mark.parametrize("heading", ["Cultural and Historical Context: Why", "Background", "배경: 왜 지금인가"])
def test_without_a_guide_section_the_background_explains(heading: str) -> None:
    article = an_article(
        sections=(paragraphs("A history.", heading="A Short History"), paragraphs("Why.", heading=heading))
    )

    explanation = rules.what_to_know(article)

    assert explanation is not None
    assert (explanation.html, explanation.origin) == ("<p>Why.</p>", Origin.BACKGROUND)


def test_without_either_the_explaining_sentences_are_shown_as_the_articles_own() -> None:
    """Nothing is invented: every word stands in the article."""
    article = an_article(
        sections=(
            paragraphs(
                "The hall was full at nine. The mayor spoke for an hour without notes.",
                "The custom is called pumasi, which literally means trading labour among neighbours. "
                "Farmers have relied on it for centuries because no family could plant rice alone. It rained.",
            ),
        )
    )

    explanation = rules.what_to_know(article)

    assert explanation is not None
    assert explanation.origin is Origin.EXTRACTED
    assert explanation.html == (
        "<p>The custom is called pumasi, which literally means trading labour among neighbours. "
        "Farmers have relied on it for centuries because no family could plant rice alone.</p>"
    )


def test_extracted_sentences_stay_text() -> None:
    article = an_article(
        sections=(paragraphs("The sign &lt;b&gt; means bold in the old printers’ shops of Chungmuro."),)
    )

    explanation = rules.what_to_know(article)

    assert explanation is not None
    assert "&lt;b&gt;" in explanation.html


def test_where_nothing_explains_nothing_is_said() -> None:
    article = an_article(summary="It rained.", sections=(paragraphs("It rained. It rained more."),))

    assert rules.what_to_know(article) is None


@pytest.mark.parametrize("heading", ["What’s Next? Prospects", "What's next", "Looking Ahead", "앞으로의 전망"])
def test_the_section_that_looks_ahead_says_what_is_next(heading: str) -> None:
    article = an_article(
        sections=(paragraphs("Now."), paragraphs("In May. In June. In July. In August.", heading=heading))
    )

    assert rules.whats_next(article) == "In May. In June. In July."


def test_an_article_that_does_not_look_ahead_promises_nothing() -> None:
    assert rules.whats_next(an_article()) == ""


@given(st.text(max_size=120), st.integers(10, 60))
def test_a_shortened_text_is_short_and_begins_as_it_did(text: str, at_most: int) -> None:
    short = rules.shorten(text, at_most)

    assert len(short) <= at_most
    assert " ".join(text.split()).startswith(short.removesuffix("…"))
