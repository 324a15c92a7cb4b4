"""
The only module that imports feedgen: a feed and an entry without the faults of feedgen 1.0.0.

    feedgen                                                       here
    calls `setlocale` for every date, in a process full of threads  `format_datetime` takes its place
    an entry's links lose rel, type, length in Atom                 written again after feedgen
    entries come out in reverse                                     appended
    a channel's link is the last link added, whatever it is         the HTML page is added last
    RSS gets the first link with rel="self" and no other            the others are written here
    `updated` is the present instant unless set                     always set
    instants carry microseconds and "+00:00"                        whole seconds and "Z" in Atom
    its own extensions misname and wrap elements                    `Extra` says exactly what is written

Elements that feedgen has no method for are `Extra` values. What must never reach feedgen (an empty
title, a content type "CDATA", a length of None) is not passed by `feeds.atom` and `feeds.rss`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import partial
from typing import Any

import feedgen.entry
import feedgen.feed
from lxml import etree

from feeds.document import Entry, FeedDocument, FeedLinks
from feeds.instants import rfc3339, utc_second

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "fh": "http://purl.org/syndication/history/1.0",
    "media": "http://search.yahoo.com/mrss/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "xml": "http://www.w3.org/XML/1998/namespace",
}
"""Prefix to namespace. In RSS feedgen itself declares `atom` and `content`."""

feedgen.feed.formatRFC2822 = format_datetime
feedgen.entry.formatRFC2822 = format_datetime


@dataclass(frozen=True, kw_only=True)
class Extra:
    """One element straight below feed, channel, entry or item."""

    name: str
    """With its prefix, as in `dc:creator`."""
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def begin(document: FeedDocument, *, media_type: str, prefixes: Iterable[str], extras: Iterable[Extra] = ()) -> Any:
    """
    Return a feedgen feed with all that Atom and RSS have in common.

    Args:
        document: As `presentable` returns it.
        media_type: Type of the feed itself, for its links to itself and its archives.
        prefixes: Those of `NAMESPACES` that the feed declares.
        extras: Elements of the feed or channel.

    """
    feed = feedgen.feed.FeedGenerator()
    feed.id(document.id)
    feed.title(document.title)
    feed.updated(utc_second(document.updated_at))
    feed.language(document.language)
    feed.rights(document.copyright)
    feed.generator("")
    feed.docs("")
    feed.link(_links(document.links, media_type))
    namespaces = {prefix: NAMESPACES[prefix] for prefix in prefixes}
    feed.register_extension("mend", partial(_FeedMend, feed, namespaces, tuple(extras)))
    return feed


def append(feed: Any, entry: Entry, *, language: str = "", extras: Iterable[Extra] = ()) -> Any:
    """
    Return a feedgen entry, added at the end of a feed, with all that Atom and RSS have in common.

    Args:
        feed: What `begin` returned.
        entry: As `presentable` returns it.
        language: Atom: the entry's own language where it is not the feed's.
        extras: Elements of the entry or item.

    """
    added = feed.add_entry(order="append")
    added.id(entry.id)
    added.title(entry.title)
    added.updated(utc_second(entry.updated_at))
    added.published(utc_second(entry.published_at))
    added.link(href=entry.url, rel="alternate", type="text/html")
    added.category([{"term": topic} for topic in entry.topics])
    added.register_extension("mend", partial(_EntryMend, added, language, tuple(extras)))
    return added


def _links(links: FeedLinks, media_type: str) -> list[dict[str, str]]:
    """Return a feed's links, the HTML page last: feedgen takes the last one as the channel's link."""
    feeds = {
        "self": links.self_url,
        "current": links.current_url,
        "prev-archive": links.prev_archive_url,
        "next-archive": links.next_archive_url,
    }
    return [
        *({"href": url, "rel": rel, "type": media_type} for rel, url in feeds.items() if url),
        *({"href": url, "rel": "hub"} for url in links.hubs),
        {"href": links.home_url, "rel": "alternate", "type": "text/html"},
    ]


class _FeedMend:
    """Works on a feed's element once feedgen has written its own part, before the entries."""

    def __init__(self, feed: Any, namespaces: dict[str, str], extras: tuple[Extra, ...]) -> None:
        self._feed = feed
        self._namespaces = namespaces
        self._extras = extras

    def extend_ns(self) -> dict[str, str]:
        return dict(self._namespaces)

    def extend_atom(self, element: etree._Element) -> None:
        _set_text(element, "updated", rfc3339(self._feed.updated()))
        _write(element, self._extras)

    def extend_rss(self, element: etree._Element) -> None:
        channel = element[0]
        links = [link for link in self._feed.link() if link["rel"] != "alternate"]
        written = next(link for link in links if link["rel"] == "self")
        for link in links:
            if link is not written:
                etree.SubElement(channel, _qualified("atom:link"), link)
        _write(channel, self._extras)


class _EntryMend:
    """Works on an entry's element once feedgen has written it."""

    def __init__(self, entry: Any, language: str, extras: tuple[Extra, ...]) -> None:
        self._entry = entry
        self._language = language
        self._extras = extras

    def extend_atom(self, element: etree._Element) -> None:
        if self._language:
            element.set(_qualified("xml:lang"), self._language)
        _set_text(element, "updated", rfc3339(self._entry.updated()))
        _set_text(element, "published", rfc3339(self._entry.published()))
        for written, link in zip(element.findall("link"), self._entry.link(), strict=True):
            written.attrib.update(link)
        _write(element, self._extras)

    def extend_rss(self, element: etree._Element) -> None:
        _write(element, self._extras)


def _set_text(parent: etree._Element, name: str, text: str) -> None:
    element = parent.find(name)
    assert element is not None, name
    element.text = text


def _write(parent: etree._Element, extras: Iterable[Extra]) -> None:
    for extra in extras:
        element = etree.SubElement(parent, _qualified(extra.name), dict(extra.attributes))
        element.text = extra.text or None


def _qualified(name: str) -> str:
    """Return `prefix:name` the way lxml wants it: `{namespace}name`."""
    prefix, _, local = name.partition(":")
    return f"{{{NAMESPACES[prefix]}}}{local}"
