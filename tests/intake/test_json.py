import json
from datetime import UTC, datetime
from typing import Any

import pytest

from publisher.errors import SubmissionError
from publisher.intake.json import read_json, read_values
from publisher.intake.model import Draft, Image, Section, Teaser

WHOLE: dict[str, Any] = {
    "title": "A Quiet Stadium",
    "sections": [
        {"heading": "", "html": "<p>Opening.</p>"},
        {"heading": "The Numbers", "html": "<h2>6,300</h2><p onclick=x()>people <a href='/map'>map</a></p>"},
    ],
    "guide": {"heading": "Foreign Fans’ Guide", "html": "<p>Take the KTX.</p>"},
    "teasers": [{"title": "Night Trains", "summary": "They return.", "url": "/trains"}, {"title": "Haenyeo"}],
    "summary": "How a club won back its crowd.",
    "language": "en",
    "authors": ["Kim Min-ji"],
    "topics": ["sport"],
    "image": {"url": "/p.jpg", "alt": "a", "credit": "c", "width": 640, "height": 480},
    "slug": "a-quiet-stadium",
    "canonical_url": "https://coast.example/2026/stadium",
    "external_id": "17",
    "importance": 1,
    "published_at": "2026-03-31T00:00:00Z",
    "publish_at": None,
}


def test_every_field_of_the_api_reaches_the_draft() -> None:
    assert read_json(json.dumps(WHOLE)) == Draft(
        title="A Quiet Stadium",
        sections=(
            Section(heading="", html="<p>Opening.</p>"),
            Section(
                heading="The Numbers",
                html='<h3>6,300</h3>\n<p>people <a href="https://coast.example/map">map</a></p>',
            ),
        ),
        guide=Section(heading="Foreign Fans’ Guide", html="<p>Take the KTX.</p>"),
        teasers=(
            Teaser(title="Night Trains", summary="They return.", url="https://coast.example/trains"),
            Teaser(title="Haenyeo"),
        ),
        summary="How a club won back its crowd.",
        language="en",
        authors=("Kim Min-ji",),
        topics=("sport",),
        image=Image(url="https://coast.example/p.jpg", alt="a", credit="c", width=640, height=480),
        slug="a-quiet-stadium",
        canonical_url="https://coast.example/2026/stadium",
        external_id="17",
        importance=1,
        published_at=datetime(2026, 3, 31, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (None, "Text.\n\n## Foreign Fans' Guide\n\nGo.\n\n## Discover More\n\n- T"),
        ("markdown", "# Title\n\nText.\n\n## Foreign Fans' Guide\n\nGo.\n\n## Discover More\n\n- T"),
        ("html", "<h1>Title</h1>Text.<h2>Foreign Fans' Guide</h2><p>Go.</p><h2>Discover More</h2><ul><li>T</li></ul>"),
        ("text", "Text.\nForeign Fans' Guide\nGo.\nDiscover More\nT"),
    ],
)
def test_a_body_in_any_format_is_cut_into_sections_guide_and_teasers(form: str | None, body: str) -> None:
    values = {"title": "Title", "body": body} | ({"format": form} if form else {})

    assert read_values(values) == Draft(
        title="Title",
        sections=(Section(heading="", html="<p>Text.</p>"),),
        guide=Section(heading="Foreign Fans' Guide", html="<p>Go.</p>"),
        teasers=(Teaser(title="T"),),
    )


def test_guide_and_teasers_are_found_among_the_sections_too() -> None:
    sections = [
        {"html": "<p>Text.</p>"},
        {"heading": "A Guide for Foreign Fans", "html": "<p>Go.</p>"},
        {"heading": "Discover More", "html": "<ul><li><a href='https://a.example/'>T</a> – S.</li></ul>"},
    ]

    draft = read_values({"title": "Title", "sections": sections})

    assert [section.html for section in draft.sections] == ["<p>Text.</p>"]
    assert draft.guide is not None
    assert draft.teasers == (Teaser(title="T", summary="S.", url="https://a.example/"),)


def test_a_guide_that_is_given_leaves_the_text_as_it_stands() -> None:
    body = "<h2>One</h2><p>1</p><h2>What to Know</h2><p>2</p><h2>Three</h2><p>3</p>"

    draft = read_values({"title": "T", "body": body, "format": "html", "guide": {"heading": "G", "html": "<p>g</p>"}})

    assert [section.heading for section in draft.sections] == ["One", "What to Know", "Three"]
    assert draft.guide == Section(heading="G", html="<p>g</p>")


def test_half_a_surrogate_pair_does_not_reach_the_archive() -> None:
    assert read_json('{"title": "T\\ud800", "body": "x\\udfff y"}').sections[0].html == "<p>x y</p>"


def test_an_image_may_be_its_address_alone() -> None:
    assert read_values({"title": "T", "body": "x", "image": "https://a.example/p"}).image == Image(
        url="https://a.example/p"
    )


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('{"title" "T"}', "line 1, column 10: This is not JSON (Expecting ':' delimiter)."),
        ("[]", "This must be an object: {“name”: value, …}."),
        ("[" * 100_000, "This JSON has too many levels or digits to be an article."),
        ('{"titel": "T"}', "“titel” is not known; is “title” meant?"),
        ('{"body": "x"}', "title: The article has no title; give it a “title”."),
        ('{"title": 7}', "title: This must be text."),
        ('{"title": "T"}', "The article has a title, but no text below it."),
        ('{"title": "T", "sections": []}', "The article has a title, but no text below it."),
        ('{"title": "T", "sections": {}}', "sections: This must be a list."),
        ('{"title": "T", "sections": ["x"]}', "sections[0]: This must be an object: {“name”: value, …}."),
        ('{"title": "T", "sections": [{"html": 1}]}', "sections[0].html: This must be text."),
        (
            '{"title": "T", "sections": [{"text": "x"}]}',
            "sections[0]: “text” is not known; there are heading, html.",
        ),
        ('{"title": "T", "sections": [], "body": "x"}', "body: Give either “sections” or “body”, not both."),
        ('{"title": "T", "body": []}', "body: This must be text."),
        ('{"title": "T", "body": "x", "format": "rtf"}', "format: “rtf” is not one of markdown, html and text."),
        ('{"title": "T", "body": "x", "teasers": [{}]}', "teasers[0]: The teaser has no title."),
        ('{"title": "T", "body": "x", "guide": {"heading": "G"}}', "guide: The guide section has no text."),
        ('{"title": "T", "body": "x", "image": {}}', "image.url: The image has no address."),
        (
            '{"title": "T", "body": "x", "image": {"url": "https://a.example/", "width": -1}}',
            "image.width: “-1” must be a number of pixels.",
        ),
        (
            '{"title": "T", "body": "x", "image": "http://169.254.169.254/latest"}',
            "image.url: “http://169.254.169.254/latest” leads into a private network.",
        ),
        (
            '{"title": "T", "body": "x", "image": "p.jpg"}',
            "image.url: “p.jpg” is not a web address; it must begin with http:// or https://.",
        ),
        (
            '{"title": "T", "body": "x", "importance": true}',
            "importance: “True” must be a number from 1 (leads everything) to 5.",
        ),
        (
            '{"title": "T", "body": "x", "publish_at": 1774915200}',
            "publish_at: “1774915200” is not a date; write it like 2026-03-31 or 2026-03-31T09:00:00+09:00.",
        ),
    ],
)
def test_json_that_is_no_article_is_told_why(source: str, sentence: str) -> None:
    with pytest.raises(SubmissionError) as refused:
        read_json(source)

    assert str(refused.value) == sentence
