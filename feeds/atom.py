from collections.abc import Iterable, Iterator
from typing import Any

from feeds import feedgen_adapter
from feeds.cleaning import presentable
from feeds.document import Entry, FeedAuthor, FeedDocument
from feeds.feedgen_adapter import Extra
from feeds.media import media_extras

MEDIA_TYPE = "application/atom+xml"


def render(document: FeedDocument) -> bytes:
    """
    Return the feed as Atom 1.0 in UTF-8.

    Source:
        RFC 4287; RFC 5005, section 4, for archives.

    """
    document = presentable(document)
    feed = feedgen_adapter.begin(
        document, media_type=MEDIA_TYPE, prefixes=_prefixes(document), extras=_archive_mark(document)
    )
    feed.subtitle(document.description)
    feed.icon(document.icon_url)
    feed.author(_persons(document.authors))
    for entry in document.entries:
        _append(feed, entry, document)
    rendered: bytes = feed.atom_str()
    return rendered


def _append(feed: Any, entry: Entry, document: FeedDocument) -> None:
    language = "" if entry.language == document.language else entry.language
    added = feedgen_adapter.append(feed, entry, language=language, extras=media_extras(entry.image))
    added.author(_persons(entry.authors) or _stand_in(document))
    if entry.summary:
        added.summary(entry.summary, type="text")
    if entry.content_html:
        added.content(entry.content_html, type="html")


def _stand_in(document: FeedDocument) -> list[dict[str, str]]:
    """
    Return who is named where an entry names nobody: no one if the feed has authors, else the feed itself.

    Source:
        RFC 4287, section 4.1.2: an entry has an author, or its feed has.

    """
    return [] if document.authors else [{"name": document.title}]


def _persons(authors: Iterable[FeedAuthor]) -> list[dict[str, str]]:
    return [{"name": author.name, "uri": author.url} for author in authors]


def _prefixes(document: FeedDocument) -> Iterator[str]:
    if document.is_archive:
        yield "fh"
    if any(entry.image for entry in document.entries):
        yield "media"


def _archive_mark(document: FeedDocument) -> tuple[Extra, ...]:
    return (Extra(name="fh:archive"),) if document.is_archive else ()
