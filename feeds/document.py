from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class FeedAuthor:
    """Who wrote it."""

    name: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class FeedImage:
    """A picture; width and height in pixels where known, length in bytes where known."""

    url: str
    media_type: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    length_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One article in a feed."""

    id: str
    """A `tag:` URI (RFC 4151), the same for ever and in every format."""
    url: str
    title: str
    """Plain text."""
    content_html: str
    """The whole article, absolute URLs only."""
    published_at: datetime
    updated_at: datetime
    summary: str = ""
    """Plain text."""
    authors: tuple[FeedAuthor, ...] = ()
    topics: tuple[str, ...] = ()
    language: str = ""
    image: FeedImage | None = None


@dataclass(frozen=True, kw_only=True)
class FeedLinks:
    """Absolute addresses of one feed in one format."""

    self_url: str
    home_url: str
    """The HTML page that shows the same entries."""
    hubs: tuple[str, ...] = ()
    current_url: str = ""
    """RFC 5005: the subscription document, set in archive documents only."""
    prev_archive_url: str = ""
    next_archive_url: str = ""


@dataclass(frozen=True, kw_only=True)
class FeedDocument:
    """A feed as a value; rendering the same document twice gives the same bytes."""

    id: str
    title: str
    description: str
    language: str
    links: FeedLinks
    entries: tuple[Entry, ...]
    """Newest first."""
    updated_at: datetime
    """The newest entry's `updated_at`; for a feed without entries, when the feed began."""
    authors: tuple[FeedAuthor, ...] = ()
    """Only for a feed written by these alone."""
    icon_url: str = ""
    copyright: str = ""
    ttl_minutes: int = 30
    is_archive: bool = False


@dataclass(frozen=True, kw_only=True)
class Outline:
    """One feed in an OPML list."""

    title: str
    feed_url: str
    home_url: str


@dataclass(frozen=True, kw_only=True)
class OutlineList:
    """Feeds to subscribe to at once."""

    title: str
    created_at: datetime
    outlines: tuple[Outline, ...] = field(default=())
