from collections.abc import Iterator
from html import escape
from typing import Any

from feeds import feedgen_adapter
from feeds.cleaning import presentable
from feeds.document import Entry, FeedDocument
from feeds.feedgen_adapter import Extra
from feeds.media import media_extras

MEDIA_TYPE = "application/rss+xml"

PERIODS = {"hourly": 60, "daily": 24 * 60, "weekly": 7 * 24 * 60, "monthly": 30 * 24 * 60, "yearly": 365 * 24 * 60}
"""Minutes in each value of `sy:updatePeriod` (RSS 1.0 Modules: Syndication)."""


def render(document: FeedDocument) -> bytes:
    """
    Return the feed as RSS 2.0 in UTF-8, with the Atom, Content, Dublin Core, Media and Syndication modules.

    Source:
        RSS 2.0.11 and the RSS Advisory Board's Best Practices Profile; RFC 5005 for archives.

    """
    document = presentable(document)
    feed = feedgen_adapter.begin(
        document, media_type=MEDIA_TYPE, prefixes=_prefixes(document), extras=_channel_extras(document)
    )
    feed.description(document.description or document.title)
    feed.ttl(document.ttl_minutes)
    feed.image(document.icon_url or None)
    for entry in document.entries:
        _append(feed, entry, document)
    rendered: bytes = feed.rss_str()
    return rendered


def _append(feed: Any, entry: Entry, document: FeedDocument) -> None:
    added = feedgen_adapter.append(feed, entry, extras=_item_extras(entry, document))
    if entry.summary:
        added.description(_as_html(entry.summary), isSummary=True)


def _channel_extras(document: FeedDocument) -> Iterator[Extra]:
    period, frequency = update_rate(document.ttl_minutes)
    yield Extra(name="sy:updatePeriod", text=period)
    yield Extra(name="sy:updateFrequency", text=str(frequency))
    if document.is_archive:
        yield Extra(name="fh:archive")


def _item_extras(entry: Entry, document: FeedDocument) -> Iterator[Extra]:
    """
    Yield what RSS has no element for.

    The body is always `content:encoded`, even without a summary before it, so that readers find it
    in one place. Authors are `dc:creator`: RSS's own `author` is an email address.
    """
    if entry.content_html:
        yield Extra(name="content:encoded", text=entry.content_html)
    for author in entry.authors or document.authors:
        yield Extra(name="dc:creator", text=author.name)
    language = entry.language or document.language
    if language:
        yield Extra(name="dc:language", text=language)
    yield from media_extras(entry.image)


def _as_html(text: str) -> str:
    """Return plain text as HTML: readers take an item's description for HTML, so "a < b" would lose its end."""
    return escape(text, quote=False)


def _prefixes(document: FeedDocument) -> Iterator[str]:
    yield from ("dc", "sy")
    if document.is_archive:
        yield "fh"
    if any(entry.image for entry in document.entries):
        yield "media"


def update_rate(ttl_minutes: int) -> tuple[str, int]:
    """
    Return the syndication module's period, and how often a feed changes in it, from its time to live.

    The shortest period that is not shorter than the time to live; a year at most.
    """
    for period, minutes in PERIODS.items():
        if ttl_minutes <= minutes:
            return period, minutes // max(1, ttl_minutes)
    return "yearly", 1
