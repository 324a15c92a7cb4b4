from dataclasses import replace
from typing import Any

import feedparser
import pytest
from lxml import etree

from feeds.document import Entry, FeedAuthor, FeedDocument
from feeds.rss import render, update_rate
from tests.feeds.documents import (
    FIVE_AUTHORS,
    GOLDEN,
    LINKS,
    NINETEEN_SEVENTY,
    NO_AUTHOR,
    PICTURE,
    SIZELESS_PICTURE,
    a_document,
    an_entry,
)

NAMES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}


def select(document: FeedDocument, path: str) -> list[str]:
    """The texts or attributes at an XPath below the channel of the rendered feed."""
    found = etree.fromstring(render(document)).xpath(f"/rss/channel/{path}", namespaces=NAMES)
    assert isinstance(found, list)
    return [str(each) for each in found]


def the_entry(entry: Entry) -> Any:
    """An entry as feedparser hands it to a reader."""
    parsed = feedparser.parse(render(a_document(entry)), response_headers={"content-type": "application/rss+xml"})
    [only] = parsed.entries
    return only


def test_the_channel_has_what_the_profile_asks_for() -> None:
    document = a_document(an_entry(1), copyright="© News Example", icon_url="https://news.example/icon.png")

    assert select(document, "title/text()") == ["News Example"]
    assert select(document, "link/text()") == [LINKS.home_url]
    assert select(document, "description/text()") == ["Everything that the newsroom publishes."]
    assert select(document, "language/text()") == ["en"]
    assert select(document, "copyright/text()") == ["© News Example"]
    assert select(document, "lastBuildDate/text()") == ["Tue, 03 Nov 2026 08:00:00 +0000"]
    assert select(document, "image/*/text()") == ["https://news.example/icon.png", "News Example", LINKS.home_url]


def test_a_channel_without_a_description_is_described_by_its_title() -> None:
    """RSS 2.0 requires one, and feedgen refuses the whole feed without it."""
    assert select(a_document(description=""), "description/text()") == ["News Example"]


def test_the_link_of_the_channel_is_the_page_and_never_the_feed() -> None:
    """feedgen takes the last link that it was given."""
    newsroom = GOLDEN["newsroom"]

    assert select(newsroom, "link/text()") == [newsroom.links.home_url]


def test_the_channel_leads_to_itself_its_hubs_and_its_archives() -> None:
    links = replace(GOLDEN["archive"].links, hubs=("https://hub.example/1", "https://hub.example/2"))
    document = replace(GOLDEN["archive"], links=links)

    for rel, urls in {
        "self": [links.self_url],
        "hub": list(links.hubs),
        "current": [links.current_url],
        "prev-archive": [links.prev_archive_url],
        "next-archive": [links.next_archive_url],
        "alternate": [],
    }.items():
        assert select(document, f"atom:link[@rel='{rel}']/@href") == urls
    assert select(document, "atom:link[@rel='self']/@type") == ["application/rss+xml"]
    assert len(select(document, "fh:archive")) == 1


def test_a_reader_gets_everything_that_the_entry_has() -> None:
    authors = (FeedAuthor(name="Ann"), FeedAuthor(name="Bo"))
    entry = an_entry(1, title="The bridge", content_html="<p>Body &amp; soul ]]></p>", authors=authors)

    read = the_entry(entry)

    assert (read.id, read.guidislink, read.link, read.title) == (entry.id, False, entry.url, "The bridge")
    assert read.summary == "What article number 1 says."
    assert read.content[0].value == "<p>Body &amp; soul ]]></p>"
    assert [author.name for author in read.authors] == ["Ann", "Bo"]
    assert [tag.term for tag in read.tags] == ["Politics"]
    assert read.published == "Tue, 03 Nov 2026 08:00:00 +0000"


def test_the_guid_is_an_identity_and_no_address() -> None:
    assert select(a_document(an_entry(1)), "item/guid/@isPermaLink") == ["false"]


def test_the_first_second_of_1970_has_its_four_digits() -> None:
    assert select(a_document(NINETEEN_SEVENTY), "item/pubDate/text()") == ["Thu, 01 Jan 1970 00:00:00 +0000"]


def test_the_whole_body_is_escaped_and_not_wrapped() -> None:
    """A body with ]]> would end a CDATA section."""
    rendered = render(a_document(an_entry(1, content_html="<p>]]></p>")))

    assert b"<content:encoded>&lt;p&gt;]]&gt;&lt;/p&gt;</content:encoded>" in rendered
    assert b"<![CDATA[" not in rendered


def test_a_summary_is_text_where_readers_expect_html() -> None:
    """An item's description is HTML to every reader: a bare "a < b" would lose its end."""
    assert select(a_document(an_entry(1, summary='a < b & "c"')), "item/description/text()") == ['a &lt; b &amp; "c"']


def test_an_article_without_a_summary_keeps_its_body_where_it_always_is() -> None:
    document = a_document(an_entry(1, summary=""))

    assert select(document, "item/description") == []
    assert select(document, "item/content:encoded/text()") == ["<p>The whole of article number 1.</p>"]


def test_each_author_is_a_creator_and_nobody_needs_an_email_address() -> None:
    assert select(a_document(FIVE_AUTHORS), "item/dc:creator/text()") == list("ABCDE")
    assert select(a_document(FIVE_AUTHORS), "item/author") == []
    assert select(a_document(NO_AUTHOR), "item/dc:creator") == []


def test_an_unsigned_article_in_the_feed_of_one_author_is_by_that_author() -> None:
    assert select(a_document(NO_AUTHOR, authors=(FeedAuthor(name="Ann"),)), "item/dc:creator/text()") == ["Ann"]


def test_each_item_says_its_language() -> None:
    document = a_document(an_entry(1), an_entry(2, language="ko"))

    assert select(document, "item/dc:language/text()") == ["en", "ko"]
    assert select(replace(document, language=""), "item/dc:language/text()") == ["ko"]


def test_a_picture_stands_straight_below_the_item() -> None:
    """A media:group is for one thing in several versions; many readers do not look into it."""
    document = a_document(an_entry(1, image=PICTURE))

    assert select(document, "item/media:content/@*") == [
        PICTURE.url,
        "image",
        "image/jpeg",
        "184213",
        "1200",
        "800",
    ]
    assert select(document, "item/media:thumbnail/@*") == [PICTURE.url, "1200", "800"]
    assert select(document, "item/enclosure") == []
    assert the_entry(an_entry(1, image=PICTURE)).media_thumbnail[0]["url"] == PICTURE.url


def test_a_picture_of_unknown_size_has_no_size() -> None:
    assert select(a_document(SIZELESS_PICTURE), "item/media:content/@*[name() != 'url']") == ["image", "image/webp"]


def test_the_words_for_a_picture_do_not_become_the_summary() -> None:
    """feedparser takes a media:description for the description of the item."""
    read = the_entry(an_entry(1, image=PICTURE))

    assert read.summary == "What article number 1 says."
    assert [content.value for content in read.content] == ["<p>The whole of article number 1.</p>"]


@pytest.mark.parametrize(
    ("ttl_minutes", "rate"),
    [
        (0, ("hourly", 60)),
        (15, ("hourly", 4)),
        (60, ("hourly", 1)),
        (61, ("daily", 23)),
        (1440, ("daily", 1)),
        (10_080, ("weekly", 1)),
        (20_000, ("monthly", 2)),
        (100_000, ("yearly", 5)),
        (1_000_000, ("yearly", 1)),
    ],
)
def test_how_often_to_come_back_follows_from_the_time_to_live(ttl_minutes: int, rate: tuple[str, int]) -> None:
    assert update_rate(ttl_minutes) == rate


def test_the_channel_says_how_often_to_come_back_in_both_ways() -> None:
    """The syndication module's names are in lower camel case; feedgen's own extension has them wrong."""
    document = a_document(ttl_minutes=15)

    assert select(document, "ttl/text()") == ["15"]
    assert select(document, "sy:updatePeriod/text()") == ["hourly"]
    assert select(document, "sy:updateFrequency/text()") == ["4"]
