import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.errors import SubmissionError
from publisher.intake.model import Draft
from publisher.intake.plain_text import read_plain_text

REAL_ARTICLES = Path(__file__).parents[3] / "shared" / "articles"
PARAGRAPH = "This is a paragraph, long enough to be one, and it ends as paragraphs do: with a full stop."


def test_an_article_is_read_into_sections_guide_and_teasers(own_article: str) -> None:
    draft = read_plain_text(own_article)

    assert draft.title == "A Quiet Stadium by the Sea: How Gangneung’s Club Won Back Its Crowd"
    assert [section.heading for section in draft.sections] == [
        "Empty Seats on a Saturday",
        "A Bus, a Band, and Free Soup",
        "What Did the Players Think?",
        "The Numbers Behind the Noise",
    ]
    assert draft.guide is not None
    assert draft.guide.heading == "Foreign Fans’ Guide: What You Should Know"
    assert draft.guide.html.startswith("<p>Gangneung is two hours from Seoul")
    assert [teaser.title for teaser in draft.teasers] == [
        "Night Trains Return to the East Coast: What Riders Can Expect",
        "Haenyeo School Opens Its Doors to Men for the First Time",
    ]
    assert draft.teasers[1].summary.endswith("say the sea does not ask.")


def test_no_word_of_an_article_is_lost(own_article: str, words_of: Callable[[Draft], list[str]]) -> None:
    assert Counter(words_of(read_plain_text(own_article))) == Counter(
        own_article.replace("Discover More\n", "").split()
    )


def test_the_newsrooms_real_article_is_read_whole(words_of: Callable[[Draft], list[str]]) -> None:
    """It stays outside this repository, for it is another newsroom's text."""
    found = sorted(REAL_ARTICLES.glob("*.txt")) if REAL_ARTICLES.is_dir() else []
    if not found:
        pytest.skip(f"NOT TESTED: the real article is not here; put it in {REAL_ARTICLES}")
    source = found[0].read_text(encoding="utf-8")

    draft = read_plain_text(source)

    assert (len(draft.sections), draft.guide is not None, len(draft.teasers)) == (7, True, 2)
    assert all(section.heading and section.html.count("<p>") == 1 for section in draft.sections)
    assert all(teaser.title and teaser.summary for teaser in draft.teasers)
    assert Counter(words_of(draft)) == Counter(source.replace("Discover More\n", "").split())


def test_typographic_quotes_and_dashes_survive() -> None:
    draft = read_plain_text("It’s ‘Here’ – “Now”\n\nShe said: “wait—what…?” and left it at that.")

    assert draft.title == "It’s ‘Here’ – “Now”"
    assert draft.sections[0].html == "<p>She said: “wait—what…?” and left it at that.</p>"


def test_markup_in_a_plain_text_is_shown_and_not_obeyed() -> None:
    draft = read_plain_text("Title\n\n<script>alert(1)</script> is how it began, if a < b & c.")

    assert (
        draft.sections[0].html == "<p>&lt;script&gt;alert(1)&lt;/script&gt; is how it began, if a &lt; b &amp; c.</p>"
    )


def test_text_before_the_first_heading_is_the_opening() -> None:
    draft = read_plain_text(f"Title\n\n{PARAGRAPH}\n\nA Heading\n\n{PARAGRAPH}")

    assert [section.heading for section in draft.sections] == ["", "A Heading"]


def test_a_short_paragraph_with_a_full_stop_is_no_heading() -> None:
    draft = read_plain_text(f"Title\n\nIt rained.\n\n{PARAGRAPH}\n\n“It always rains.”\n\n{PARAGRAPH}")

    assert [section.heading for section in draft.sections] == [""]


def test_a_list_of_names_is_no_row_of_headings() -> None:
    draft = read_plain_text(f"Title\n\n{PARAGRAPH}\nKim Min-ji\nLee Do-yun\nPark Ji-won\n{PARAGRAPH}")

    assert [section.heading for section in draft.sections] == [""]


def test_bullets_become_a_list() -> None:
    draft = read_plain_text(f"Title\nWhat to Bring\n- A ticket & a scarf\n- Patience\n{PARAGRAPH}")

    assert draft.sections[0].heading == "What to Bring"
    assert draft.sections[0].html.startswith("<ul><li>A ticket &amp; a scarf</li><li>Patience</li></ul>\n<p>")


def test_a_byline_names_the_authors() -> None:
    assert read_plain_text(f"Title\nBy Kim Min-ji and Guido van Rossum\n{PARAGRAPH}").authors == (
        "Kim Min-ji",
        "Guido van Rossum",
    )
    assert read_plain_text(f"제목\n김민지 기자\n{PARAGRAPH}").authors == ("김민지",)
    assert read_plain_text(f"Title\nBy the Numbers\n{PARAGRAPH}").sections[0].heading == "By the Numbers"


def test_a_text_wrapped_by_a_program_is_read_like_any_other() -> None:
    """Without this, every line of a wrapped paragraph would be a paragraph or even a heading."""
    wrapped = (
        "Title\n\nThe First Heading\n\n"
        "Two years ago the north stand in Gangneung held more gulls than people on\n"
        "most days. The club had lost eleven matches in a row, its sponsor and its\n"
        "Saturday habit.\n\n"
        "The Second Heading\n"
        "The first idea was not about football. A retired driver offered his bus for\n"
        "the villages along the coast.\n"
    )

    draft = read_plain_text(wrapped)

    assert [section.heading for section in draft.sections] == ["The First Heading", "The Second Heading"]
    assert all(section.html.count("<p>") == 1 for section in draft.sections)


@pytest.mark.parametrize("columns", [60, 72, 80])
def test_the_whole_article_survives_being_wrapped(columns: int, own_article: str) -> None:
    unwrapped = read_plain_text(own_article)
    paragraphs = own_article.split("\n")
    wrapped = "\n\n".join(
        "\n".join(textwrap.wrap(each, columns)) if len(each) > 90 else each for each in paragraphs[1:]
    )

    assert read_plain_text(f"{paragraphs[0]}\n{wrapped}") == unwrapped


def test_the_guide_may_stand_below_the_teasers() -> None:
    draft = read_plain_text(
        f"Title\n{PARAGRAPH}\nDiscover More\n\nA Title\nA summary.\n\nA Guide for Foreign Readers\n{PARAGRAPH}"
    )

    assert draft.guide is not None
    assert draft.guide.heading == "A Guide for Foreign Readers"
    assert len(draft.teasers) == 1


@pytest.mark.parametrize(
    "below",
    [
        "First Title\nIts summary.\nSecond Title\nIts summary.",
        "First Title\n\nIts summary.\n\nSecond Title\n\nIts summary.",
        "First Title\nIts summary\n\nSecond Title\nIts summary",
        "First Title\nIts summary.\n\n\nSecond Title\nhttps://news.example.com/2",
    ],
)
def test_teasers_are_found_however_the_lines_are_spaced(below: str) -> None:
    draft = read_plain_text(f"Title\n{PARAGRAPH}\nDiscover More\n{below}")

    assert [teaser.title for teaser in draft.teasers] == ["First Title", "Second Title"]
    assert draft.teasers[0].summary.startswith("Its summary")
    assert draft.teasers[1].summary or draft.teasers[1].url == "https://news.example.com/2"


def test_teasers_may_be_titles_alone() -> None:
    draft = read_plain_text(f"Title\n{PARAGRAPH}\n더 알아보기\n- First Title\n- Second Title")

    assert [(teaser.title, teaser.summary) for teaser in draft.teasers] == [("First Title", ""), ("Second Title", "")]


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (" \n\u200b\n", "title: The article has no title; its first line is taken for the title."),
        ("A title alone", "The article has a title, but no text below it."),
        ("A" * 1001 + "\nText.", "title: This has 1,001 characters; at most 1,000 are possible."),
    ],
)
def test_a_text_that_is_no_article_is_told_why(source: str, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        read_plain_text(source)

    assert str(refused.value) == sentence


words = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12)
lines = st.lists(words, min_size=1, max_size=30).map(" ".join)
endings = st.sampled_from(["", ".", "?", ",", ".”", ":"])
articles = st.lists(st.builds(str.__add__, lines, endings), min_size=2, max_size=15)


@settings(deadline=None)
@given(articles, st.lists(st.sampled_from(["\n", "\n\n", "\r\n"]), min_size=15, max_size=15))
def test_whatever_the_lines_are_no_word_of_them_is_lost(written: list[str], gaps: list[str]) -> None:
    source = "".join(line + gap for line, gap in zip(written, gaps, strict=False))

    draft = read_plain_text(source)

    texts = [draft.title, *(section.heading + " " + section.html for section in draft.sections)]
    texts += [f"{teaser.title} {teaser.summary}" for teaser in draft.teasers]
    texts += [f"{draft.guide.heading} {draft.guide.html}"] if draft.guide else []
    seen = Counter(" ".join(texts).replace("<p>", "").replace("</p>", " ").split())
    assert seen == Counter(source.split())
