"""One test per fault of feedgen 1.0.0; each fails with feedgen alone."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import feedgen.entry
import feedgen.feed
import pytest
from lxml import etree

from feeds.feedgen_adapter import Extra, append, begin
from tests.feeds.documents import LINKS, TUESDAY, a_document, an_entry

ATOM = "{http://www.w3.org/2005/Atom}"
ROOT = Path(__file__).parents[2]


def a_feed(**changes: Any) -> Any:
    feed = begin(a_document(**changes), media_type="application/example+xml", prefixes=("sy", "media"))
    feed.description("All about bridges.")
    return feed


def test_the_links_of_an_entry_keep_what_they_are() -> None:
    """An enclosure without its rel would be a second alternate link: an invalid feed, a lost recording."""
    feed = a_feed()
    entry = append(feed, an_entry(1))
    entry.link(href="https://news.example/1.mp3", rel="enclosure", type="audio/mpeg", length="4096")

    alternate, enclosure = etree.fromstring(feed.atom_str()).findall(f"{ATOM}entry/{ATOM}link")

    assert dict(alternate.items()) == {
        "href": "https://news.example/articles/1",
        "rel": "alternate",
        "type": "text/html",
    }
    assert dict(enclosure.items()) == {
        "href": "https://news.example/1.mp3",
        "rel": "enclosure",
        "type": "audio/mpeg",
        "length": "4096",
    }


@pytest.mark.parametrize("module", [feedgen.feed, feedgen.entry])
def test_dates_are_written_without_the_locale_of_the_process(module: Any) -> None:
    assert module.formatRFC2822.__module__ == "email.utils"
    assert module.formatRFC2822(TUESDAY) == "Tue, 03 Nov 2026 09:00:00 +0000"


def test_dates_of_many_threads_do_not_mix() -> None:
    feed = a_feed()
    for number in range(20):
        append(feed, an_entry(number))
    alone = feed.rss_str()

    with ThreadPoolExecutor(max_workers=8) as threads:
        together = set(threads.map(lambda _: feed.rss_str(), range(40)))

    assert together == {alone}


def test_entries_are_written_in_the_order_in_which_they_were_added() -> None:
    feed = a_feed()
    for number in (1, 2, 3):
        append(feed, an_entry(number))

    titles = [title.text for title in etree.fromstring(feed.rss_str()).iterfind("channel/item/title")]

    assert titles == ["Article number 1", "Article number 2", "Article number 3"]


def test_the_link_of_the_channel_is_the_html_page() -> None:
    feed = a_feed(links=replace(LINKS, hubs=("https://hub.example/",), prev_archive_url="https://news.example/2"))

    assert etree.fromstring(feed.rss_str()).findtext("channel/link") == LINKS.home_url


def test_every_link_of_the_feed_reaches_rss_once() -> None:
    """feedgen writes the first link with rel="self", and no other."""
    feed = a_feed(links=replace(LINKS, hubs=("https://hub.example/1", "https://hub.example/2")))
    feed.link({"href": "https://other.example/feed", "rel": "self"})

    links = [(link.get("rel"), link.get("href")) for link in etree.fromstring(feed.rss_str()).iter(f"{ATOM}link")]

    assert links == [
        ("self", LINKS.self_url),
        ("hub", "https://hub.example/1"),
        ("hub", "https://hub.example/2"),
        ("self", "https://other.example/feed"),
    ]


def test_the_instants_are_those_of_the_document() -> None:
    feed = a_feed(updated_at=TUESDAY)
    append(feed, an_entry(1, updated_at=TUESDAY))

    updated = [element.text for element in etree.fromstring(feed.atom_str()).iter(f"{ATOM}updated")]

    assert updated == ["2026-11-03T09:00:00Z"] * 2
    assert etree.fromstring(feed.rss_str()).findtext("channel/lastBuildDate") == "Tue, 03 Nov 2026 09:00:00 +0000"


def test_an_extra_element_is_written_as_it_is_named_and_where_it_belongs() -> None:
    """feedgen's own extensions write sy:UpdatePeriod, and wrap media:content in a media:group."""
    extras = (Extra(name="media:content", attributes={"url": "x:1"}), Extra(name="sy:updatePeriod", text="daily"))
    feed = begin(a_document(), media_type="x/x", prefixes=("media", "sy"), extras=extras)
    feed.description("All about bridges.")
    append(feed, an_entry(1), extras=extras)

    written = b'<media:content url="x:1"/><sy:updatePeriod>daily</sy:updatePeriod>'

    assert feed.atom_str().count(written) == 2
    assert feed.rss_str().count(written) == 2


def test_a_rendered_feed_can_be_rendered_again() -> None:
    extras = (Extra(name="media:content", attributes={"url": "x:1"}),)
    feed = begin(a_document(), media_type="x/x", prefixes=("media",), extras=extras)

    assert feed.atom_str() == feed.atom_str()


def test_the_program_that_wrote_the_feed_is_not_named() -> None:
    feed = a_feed()
    append(feed, an_entry(1))

    assert b"generator" not in feed.atom_str() + feed.rss_str()
    assert b"<docs>" not in feed.rss_str()


def test_the_adapter_can_be_the_first_module_that_a_process_imports() -> None:
    """feedgen's own modules fail in one order of imports."""
    subprocess.run([sys.executable, "-c", "import feeds.feedgen_adapter"], check=True, timeout=60, cwd=ROOT)
