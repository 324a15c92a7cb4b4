import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from feeds.document import Entry, FeedAuthor, FeedDocument
from feeds.jsonfeed import render
from tests.feeds.documents import (
    FIVE_AUTHORS,
    GOLDEN,
    HARD_ENTRIES,
    LINKS,
    NO_AUTHOR,
    PICTURE,
    SIZELESS_PICTURE,
    TUESDAY,
    a_document,
    an_entry,
)

SCHEMA_FILE = Path(__file__).with_name("jsonfeed.schema.json")
obeys: Callable[[Any], Any] = fastjsonschema.compile(json.loads(SCHEMA_FILE.read_text("utf-8")))


def read(document: FeedDocument) -> dict[str, Any]:
    """The rendered feed as an object; its members in the order of the bytes."""
    feed = json.loads(render(document))
    assert isinstance(feed, dict)
    return feed


def the_item(entry: Entry) -> dict[str, Any]:
    [item] = read(a_document(entry))["items"]
    assert isinstance(item, dict)
    return item


@pytest.mark.parametrize("name", GOLDEN)
def test_a_feed_obeys_the_schema(name: str) -> None:
    obeys(read(GOLDEN[name]))


@pytest.mark.parametrize("entry", HARD_ENTRIES, ids=lambda entry: entry.id.rpartition("/")[2])
def test_a_hard_article_alone_obeys_the_schema(entry: Entry) -> None:
    obeys(read(a_document(entry)))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("version", "https://jsonfeed.org/version/1"),
        ("title", " "),
        ("author", {"name": "Ann"}),
        ("authors", []),
        ("_feed", "text"),
        ("_.dotted", {}),
        ("next_url", "/feeds/2"),
        ("items", [{"content_html": "<p>No id</p>"}]),
        ("items", [{"id": 7, "content_html": "<p>A number</p>"}]),
        ("items", [{"id": "1"}]),
        ("items", [{"id": "1", "content_html": "", "date_published": "2026-11-03 09:00"}]),
    ],
)
def test_the_schema_refuses_what_the_specification_forbids(member: str, value: object) -> None:
    """A schema that lets everything through would make every feed look right."""
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        obeys(read(GOLDEN["newsroom"]) | {member: value})


def test_the_version_is_the_first_thing_that_a_program_sees() -> None:
    assert render(a_document()).startswith(b'{"version":"https://jsonfeed.org/version/1.1",')


def test_a_reader_gets_everything_that_the_entry_has() -> None:
    entry = an_entry(1, title="<b> & co", topics=("Politics", "R & D"), language="ko", updated_at=TUESDAY)

    assert the_item(entry) == {
        "id": "tag:news.example,2026:article/1",
        "url": "https://news.example/articles/1",
        "title": "<b> & co",
        "summary": "What article number 1 says.",
        "date_published": "2026-11-03T08:00:00Z",
        "date_modified": "2026-11-03T09:00:00Z",
        "authors": [{"name": "Ann Reporter", "url": "https://news.example/authors/ann"}],
        "tags": ["Politics", "R & D"],
        "language": "ko",
        "content_html": "<p>The whole of article number 1.</p>",
    }


def test_letters_of_all_scripts_are_themselves() -> None:
    """Escapes would make a Korean feed twice as long."""
    assert "다리가 열렸다".encode() in render(a_document(an_entry(1, title="다리가 열렸다")))


def test_a_feed_of_several_authors_names_none_at_the_top() -> None:
    """Miniflux would put them on every item."""
    feed = read(a_document(an_entry(1), FIVE_AUTHORS, NO_AUTHOR))

    assert "authors" not in feed
    assert [len(item.get("authors", ())) for item in feed["items"]] == [1, 5, 0]


def test_a_feed_of_one_author_names_that_author_at_the_top() -> None:
    assert read(a_document(authors=(FeedAuthor(name="Ann"),)))["authors"] == [{"name": "Ann"}]


def test_the_next_page_is_the_archive_before() -> None:
    earlier = "https://news.example/feeds/all/archives/2.json"

    assert read(a_document(links=replace(LINKS, prev_archive_url=earlier)))["next_url"] == earlier
    assert "next_url" not in read(a_document())


def test_hubs_are_named_for_their_protocol() -> None:
    hubs = ("https://hub.example/1", "https://hub.example/2")

    assert read(a_document(links=replace(LINKS, hubs=hubs)))["hubs"] == [
        {"type": "WebSub", "url": "https://hub.example/1"},
        {"type": "WebSub", "url": "https://hub.example/2"},
    ]


def test_what_the_format_has_no_name_for_stands_in_objects_of_our_own() -> None:
    feed = read(replace(GOLDEN["archive"], copyright="© News Example"))

    assert feed["_feed"] == {
        "date_modified": "2026-11-01T07:00:00Z",
        "copyright": "© News Example",
        "archive": True,
        "current_url": "https://news.example/feeds/all",
        "next_archive_url": "https://news.example/feeds/all/archives/3",
    }


def test_a_picture_comes_with_its_words_and_size_where_they_are_known() -> None:
    with_size, without = the_item(an_entry(1, image=PICTURE)), the_item(SIZELESS_PICTURE)

    assert with_size["image"] == PICTURE.url
    assert with_size["_image"] == {
        "alt": "The bridge at dawn",
        "mime_type": "image/jpeg",
        "width": 1200,
        "height": 800,
        "size_in_bytes": 184_213,
    }
    assert without["_image"] == {"mime_type": "image/webp"}


def test_an_article_without_a_body_still_has_the_member_that_readers_need() -> None:
    assert the_item(an_entry(1, content_html=""))["content_html"] == ""
