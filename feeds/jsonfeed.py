import json
from collections.abc import Iterable
from typing import Any

from feeds.cleaning import presentable
from feeds.document import Entry, FeedAuthor, FeedDocument, FeedImage
from feeds.instants import rfc3339

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def render(document: FeedDocument) -> bytes:
    """
    Return the feed as JSON Feed 1.1 in UTF-8.

    `next_url` leads to the archive before this document, as `prev-archive` does in Atom. What JSON
    Feed has no name for stands in `_feed` and `_image`, objects of our own as the specification allows.

    Source:
        JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

    """
    return json.dumps(_feed(presentable(document)), ensure_ascii=False, separators=(",", ":")).encode()


def _feed(document: FeedDocument) -> dict[str, Any]:
    links = document.links
    return _given(
        version=VERSION,
        title=document.title,
        home_page_url=links.home_url,
        feed_url=links.self_url,
        description=document.description,
        next_url=links.prev_archive_url,
        icon=document.icon_url,
        authors=_authors(document.authors),
        language=document.language,
        hubs=[{"type": "WebSub", "url": hub} for hub in links.hubs],
        _feed=_own(document),
    ) | {"items": [_item(entry) for entry in document.entries]}


def _own(document: FeedDocument) -> dict[str, Any]:
    return _given(
        date_modified=rfc3339(document.updated_at),
        copyright=document.copyright,
        archive=document.is_archive,
        current_url=document.links.current_url,
        next_archive_url=document.links.next_archive_url,
    )


def _item(entry: Entry) -> dict[str, Any]:
    return (
        {"id": entry.id}
        | _given(
            url=entry.url,
            title=entry.title,
            summary=entry.summary,
            image=entry.image.url if entry.image else "",
            date_published=rfc3339(entry.published_at),
            date_modified=rfc3339(entry.updated_at),
            authors=_authors(entry.authors),
            tags=list(entry.topics),
            language=entry.language,
            _image=_image(entry.image),
        )
        | {"content_html": entry.content_html}
    )


def _authors(authors: Iterable[FeedAuthor]) -> list[dict[str, str]]:
    return [_given(name=author.name, url=author.url) for author in authors]


def _image(image: FeedImage | None) -> dict[str, Any]:
    if image is None:
        return {}
    return _given(
        alt=image.alt,
        mime_type=image.media_type,
        width=image.width,
        height=image.height,
        size_in_bytes=image.length_bytes,
    )


def _given(**members: Any) -> dict[str, Any]:
    """Return the members that say something, in the order given."""
    return {name: value for name, value in members.items() if value}
