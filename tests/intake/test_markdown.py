from datetime import UTC, datetime

import pytest

from publisher.errors import SubmissionError
from publisher.intake.markdown import read_markdown
from publisher.intake.model import Image, Section, Teaser

WHOLE = """---
title: "A Quiet Stadium: “Louder” Now"
slug: A-Quiet-Stadium
language: ko_KR
authors: [Kim Min-ji, Park Ji-won]
topics: sport, the east coast, sport
published_at: 2026-03-31 09:00:00 +0900
publish_at: 2026-04-01
summary: >
  How a club
  won back its crowd.
image: pictures/stand.jpg
image_alt: The north stand
canonical_url: https://news.example.com/2026/stadium
external_id: desk-17
importance: 2
layout: post
---
# A Quiet Stadium: “Louder” Now

An opening with [a link](/map) & *stress*.

## The Numbers

| Year | Crowd |
|---|---|
| 2024 | 1,100 |

### Below the Numbers

- one
- two

## Foreign Fans' Guide: What to Know

Take the KTX.

## Discover More

- [Night Trains](https://news.example.com/trains): They return.

**Haenyeo School**
Its doors open.

Plain Title
A plain summary that is a sentence.
"""


def test_front_matter_and_markdown_make_a_whole_draft() -> None:
    draft = read_markdown(WHOLE)

    assert draft.title == "A Quiet Stadium: “Louder” Now"
    assert (draft.slug, draft.language, draft.external_id, draft.importance) == (
        "a-quiet-stadium",
        "ko-KR",
        "desk-17",
        2,
    )
    assert draft.authors == ("Kim Min-ji", "Park Ji-won")
    assert draft.topics == ("sport", "the east coast")
    assert draft.published_at == datetime(2026, 3, 31, tzinfo=UTC)
    assert draft.publish_at == datetime(2026, 4, 1, tzinfo=UTC)
    assert draft.summary == "How a club won back its crowd."
    assert draft.canonical_url == "https://news.example.com/2026/stadium"
    assert draft.image == Image(url="pictures/stand.jpg", alt="The north stand")


def test_headings_cut_markdown_into_sections_guide_and_teasers() -> None:
    draft = read_markdown(WHOLE)

    assert [section.heading for section in draft.sections] == ["", "The Numbers"]
    assert draft.sections[0].html == (
        '<p>An opening with <a href="https://news.example.com/map">a link</a> &amp; <em>stress</em>.</p>'
    )
    assert "<h3>Below the Numbers</h3>\n<ul>" in draft.sections[1].html
    assert "<td>1,100</td>" in draft.sections[1].html
    assert draft.guide == Section(heading="Foreign Fans' Guide: What to Know", html="<p>Take the KTX.</p>")
    assert draft.teasers == (
        Teaser(title="Night Trains", summary="They return.", url="https://news.example.com/trains"),
        Teaser(title="Haenyeo School", summary="Its doors open."),
        Teaser(title="Plain Title", summary="A plain summary that is a sentence."),
    )


def test_the_first_h1_is_the_title_where_the_front_matter_has_none() -> None:
    draft = read_markdown("# The *Real* Title\n\nText.\n\n# A Second One\n\nMore.")

    assert draft.title == "The Real Title"
    assert [section.heading for section in draft.sections] == ["", "A Second One"]


def test_the_guide_is_found_below_a_small_heading_too() -> None:
    draft = read_markdown("# T\n\nText.\n\n### Foreign Fans’ Guide\n\nGo.\n\n#### Trains\n\nFast.\n\n### After\n\nEnd.")

    assert draft.guide == Section(heading="Foreign Fans’ Guide", html="<p>Go.</p>\n<h4>Trains</h4>\n<p>Fast.</p>")
    assert [section.heading for section in draft.sections] == ["", "After"]


def test_html_in_markdown_is_cleaned() -> None:
    draft = read_markdown(
        "# T\n\n<p onclick=x()>a <script>evil()</script></p>\n\nb <b onmouseover=x()>c</b> [d](javascript:x)"
    )

    assert draft.sections[0].html == "<p>a </p>\n<p>b <b>c</b> [d](javascript:x)</p>"


def test_a_language_named_no_is_norwegian_and_a_title_of_digits_stays_one() -> None:
    """YAML would read false and 1984."""
    draft = read_markdown("---\ntitle: 1984\nlanguage: no\nslug: 0x10\nsummary: ~\n---\nText.")

    assert (draft.title, draft.language, draft.slug, draft.summary) == ("1984", "no", "0x10", "")


def test_names_of_other_systems_are_understood() -> None:
    draft = read_markdown(
        "---\ntitle: T\nauthor: Kim\ntags: [a]\ndate: 2026-03-31\nlang: en\ndescription: D\n---\nText."
    )

    assert (draft.authors, draft.topics, draft.language, draft.summary) == (("Kim",), ("a",), "en", "D")
    assert draft.published_at == datetime(2026, 3, 31, tzinfo=UTC)


def test_a_picture_is_looked_for_where_the_text_came_from() -> None:
    source = "---\ntitle: T\nimage: p.jpg\n---\nText."

    assert read_markdown(source).image == Image(url="p.jpg")
    assert read_markdown(source, base_url="https://a.example/b/c.md").image == Image(url="https://a.example/b/p.jpg")


def test_three_dashes_below_text_are_a_line_and_no_front_matter() -> None:
    assert read_markdown("# T\n\na\n\n---\n\nb").sections[0].html == "<p>a</p>\n<hr>\n<p>b</p>"


@pytest.mark.parametrize(
    ("front_matter", "sentence"),
    [
        ("- a\n- b", "front matter: It must be lines like “title: …”."),
        ("just words", "front matter: It must be lines like “title: …”."),
        ("title: [a", "line 3: This is not YAML (expected ',' or ']', but got '<stream end>')."),
        ("title: T\npublishd_at: 2026", "front matter: “publishd_at” is not known; is “published_at” meant?"),
        (
            "title: T\npublished_at: next Tuesday",
            "published_at: “next Tuesday” is not a date; write it like 2026-03-31 or 2026-03-31T09:00:00+09:00.",
        ),
        (
            "title: T\npublish_at: 2026-13-45",
            "publish_at: “2026-13-45” is not a date; write it like 2026-03-31 or 2026-03-31T09:00:00+09:00.",
        ),
        ("title: T\nlanguage: Klingon!", "language: “Klingon!” is not a language tag; write one like en, ko or pt-BR."),
        ("title: T\nimportance: 9", "importance: “9” must be a number from 1 (leads everything) to 5."),
        (
            "title: T\nslug: a/b",
            "slug: “a/b” may hold letters, digits and hyphens only; write it like a-year-of-ties.",
        ),
        (
            "title: T\ncanonical_url: http://10.0.0.1/a",
            "canonical_url: “http://10.0.0.1/a” leads into a private network.",
        ),
        (
            "title: T\ncanonical_url: /a",
            "canonical_url: “/a” is not a web address; it must begin with http:// or https://.",
        ),
        ("title: T\nimage: http://2130706433/a.png", "image: “http://2130706433/a.png” leads into a private network."),
        (
            "title: T\nimage: ../../etc/a.png",
            "image: “../../etc/a.png” must be a web address, or a file in or below the folder of the text.",
        ),
        ("title: T\nauthors: {a: b}", "authors: This must be a list of names, or names with commas between them."),
        ("title: {a: b}", "title: This must be text."),
        (
            "title: ''",
            "title: The article has no title; write “title: …” in the front matter or open with “# …”.",
        ),
    ],
)
def test_wrong_front_matter_is_told_in_a_sentence(front_matter: str, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        read_markdown(f"---\n{front_matter}\n---\nText.")

    assert str(refused.value) == sentence


def test_front_matter_that_is_never_closed_is_told() -> None:
    with pytest.raises(SubmissionError, match="no second “---” line closes it"):
        read_markdown("---\ntitle: T\n\nText.")


@pytest.mark.parametrize("deep", [">" * 200 + "x", "".join("  " * level + "- x\n" for level in range(200)), "[" * 5000])
def test_deep_markdown_is_read_or_refused_but_never_cut(deep: str) -> None:
    """The Markdown parser leaves out what stands below its deepest level without a word."""
    try:
        html = read_markdown(f"# T\n\n{deep}").sections[0].html
    except SubmissionError as refused:
        assert "inside each other" in str(refused)  # noqa: PT017 - either ending is right
    else:
        assert html.count("x") == deep.count("x")
        assert html.count("[") == deep.count("[")


def test_a_bomb_of_references_is_harmless() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]

    with pytest.raises(SubmissionError, match="must be a list of names"):
        read_markdown("---\ntitle: T\n" + "\n".join(lines) + "\nauthors: *i\n---\nText.")
