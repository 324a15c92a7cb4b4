from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedparser
import pytest
from lxml import etree

from feeds.atom import render
from feeds.document import Entry, FeedAuthor, FeedDocument
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

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))
NAMES = {
    "a": "http://www.w3.org/2005/Atom",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "xml": "http://www.w3.org/XML/1998/namespace",
}


def select(document: FeedDocument, path: str) -> list[str]:
    """The texts or attributes at an XPath of the rendered feed."""
    found = etree.fromstring(render(document)).xpath(path, namespaces=NAMES)
    assert isinstance(found, list)
    return [str(each) for each in found]


def the_entry(entry: Entry) -> Any:
    """An entry as feedparser hands it to a reader."""
    parsed = feedparser.parse(render(a_document(entry)), response_headers={"content-type": "application/atom+xml"})
    [only] = parsed.entries
    return only


@pytest.mark.parametrize("name", GOLDEN)
def test_a_feed_obeys_the_schema(name: str) -> None:
    SCHEMA.assertValid(etree.fromstring(render(GOLDEN[name])))


@pytest.mark.parametrize("entry", HARD_ENTRIES, ids=lambda entry: entry.id.rpartition("/")[2])
def test_a_hard_article_alone_obeys_the_schema(entry: Entry) -> None:
    SCHEMA.assertValid(etree.fromstring(render(a_document(entry))))


@pytest.mark.parametrize("name", GOLDEN)
def test_no_two_alternate_links_are_of_one_type_and_language(name: str) -> None:
    """RFC 4287, section 4.1.1 and 4.1.2; the schema cannot say it."""
    for parent in etree.fromstring(render(GOLDEN[name])).iter("{*}feed", "{*}entry"):
        links = parent.xpath("a:link[not(@rel) or @rel='alternate']", namespaces=NAMES)
        assert isinstance(links, list)
        kinds = Counter((link.get("type"), link.get("hreflang")) for link in links if isinstance(link, etree._Element))
        assert set(kinds.values()) == {1}


def test_a_reader_gets_everything_that_the_entry_has() -> None:
    entry = an_entry(
        1,
        title="The bridge",
        summary="a < b & c",
        content_html="<p>Body &amp; soul</p>",
        topics=("Politics", "R & D"),
        updated_at=TUESDAY,
    )

    read = the_entry(entry)

    assert (read.id, read.link, read.title) == (entry.id, entry.url, "The bridge")
    assert read.summary == "a < b & c"
    assert (read.content[0].type, read.content[0].value) == ("text/html", "<p>Body &amp; soul</p>")
    assert [tag.term for tag in read.tags] == ["Politics", "R & D"]
    assert (read.published, read.updated) == ("2026-11-03T08:00:00Z", "2026-11-03T09:00:00Z")


def test_a_title_is_plain_text_even_where_it_looks_like_html() -> None:
    assert the_entry(an_entry(1, title='<b> & "quotes" &amp; </b>')).title == '<b> & "quotes" &amp; </b>'


def test_every_author_is_named_with_a_page_where_there_is_one() -> None:
    authors = (FeedAuthor(name="Ann", url="https://news.example/ann"), FeedAuthor(name="Bo"))

    read = the_entry(an_entry(1, authors=authors))

    assert [(author.name, author.get("href", "")) for author in read.authors] == [
        ("Ann", "https://news.example/ann"),
        ("Bo", ""),
    ]
    assert [author.name for author in the_entry(FIVE_AUTHORS).authors] == list("ABCDE")


def test_an_article_that_nobody_signed_is_by_the_feed() -> None:
    """RFC 4287, section 4.1.2, wants an author in every entry, or in the feed."""
    assert select(a_document(NO_AUTHOR), "//a:author/a:name/text()") == ["News Example"]


def test_an_article_that_nobody_signed_in_the_feed_of_one_author_is_by_that_author() -> None:
    document = a_document(NO_AUTHOR, authors=(FeedAuthor(name="Ann"),))

    assert select(document, "/a:feed/a:author/a:name/text()") == ["Ann"]
    assert select(document, "//a:entry/a:author") == []


def test_the_language_of_the_feed_is_said_once_and_an_entry_says_only_another() -> None:
    document = a_document(an_entry(1), an_entry(2, language="en"), an_entry(3, language="ko"))

    assert select(document, "/a:feed/@xml:lang") == ["en"]
    assert select(document, "//a:entry/@xml:lang") == ["ko"]


def test_a_feed_of_no_known_language_says_none() -> None:
    assert select(a_document(an_entry(1), language=""), "//@xml:lang") == []


def test_the_links_of_a_feed_lead_to_itself_its_page_and_its_hubs() -> None:
    links = replace(LINKS, hubs=("https://hub.example/1", "https://hub.example/2"))

    document = a_document(links=links)

    assert select(document, "/a:feed/a:link[@rel='self']/@href") == [links.self_url]
    assert select(document, "/a:feed/a:link[@rel='self']/@type") == ["application/atom+xml"]
    assert select(document, "/a:feed/a:link[@rel='alternate']/@href") == [links.home_url]
    assert select(document, "/a:feed/a:link[@rel='hub']/@href") == list(links.hubs)


def test_an_archive_is_marked_and_linked_to_its_neighbours() -> None:
    """RFC 5005, section 4."""
    archive = GOLDEN["archive"]

    assert len(etree.fromstring(render(archive)).findall("fh:archive", NAMES)) == 1
    for rel, url in {
        "current": archive.links.current_url,
        "prev-archive": archive.links.prev_archive_url,
        "next-archive": archive.links.next_archive_url,
    }.items():
        assert select(archive, f"/a:feed/a:link[@rel='{rel}']/@href") == [url]


def test_a_feed_to_subscribe_to_is_no_archive_and_links_to_the_newest_one() -> None:
    newsroom = GOLDEN["newsroom"]

    assert select(newsroom, "/a:feed/a:link[@rel='prev-archive']/@href") == [newsroom.links.prev_archive_url]
    assert select(newsroom, "//fh:archive | //a:link[@rel='current' or @rel='next-archive']") == []


def test_a_picture_is_media_and_never_an_enclosure() -> None:
    """Podcast programs download enclosures; a second link without rel would make the feed invalid."""
    document = a_document(an_entry(1, image=PICTURE))

    [content] = etree.fromstring(render(document)).findall("a:entry/media:content", NAMES)
    assert dict(content.items()) == {
        "url": PICTURE.url,
        "medium": "image",
        "type": "image/jpeg",
        "fileSize": "184213",
        "width": "1200",
        "height": "800",
    }
    assert select(document, "//a:entry/media:thumbnail/@url") == [PICTURE.url]
    assert select(document, "//a:entry/a:link/@rel") == ["alternate"]


def test_a_picture_of_unknown_size_has_no_size() -> None:
    assert select(a_document(SIZELESS_PICTURE), "//media:content/@*[name() != 'url']") == ["image", "image/webp"]


def test_the_feed_shows_what_it_is_about_its_mark_and_its_rights() -> None:
    document = a_document(icon_url="https://news.example/icon.png", copyright="© News Example")

    assert select(document, "/a:feed/a:subtitle/text()") == ["Everything that the newsroom publishes."]
    assert select(document, "/a:feed/a:icon/text()") == ["https://news.example/icon.png"]
    assert select(document, "/a:feed/a:rights/text()") == ["© News Example"]
    assert select(a_document(description=""), "//a:subtitle | //a:icon | //a:rights") == []


def test_text_and_html_are_told_apart() -> None:
    assert select(a_document(an_entry(1)), "//a:summary/@type") == ["text"]
    assert select(a_document(an_entry(1)), "//a:content/@type") == ["html"]


def test_an_entry_with_nothing_but_a_summary_has_no_empty_content() -> None:
    assert select(a_document(an_entry(1, content_html="")), "//a:content") == []


def test_the_feed_says_nothing_about_the_program_that_wrote_it() -> None:
    """A new version of a library must not change the bytes of every feed."""
    assert b"feedgen" not in render(GOLDEN["newsroom"])
