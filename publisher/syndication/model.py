import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from urllib.parse import quote, urlencode

from feeds.document import Entry
from feeds.formats import FeedFormat

FeedId = NewType("FeedId", int)

ENTRIES = 25
"""Entries of a subscription document, and of a full archive document."""

TOPICS_COMBINED_AT_MOST = 10
QUERY_CHARACTERS_AT_MOST = 200

_SLUG = "[A-Za-z0-9][A-Za-z0-9-]{0,99}"
_ADDRESS = re.compile(
    rf"/feeds/(?:(?P<single>all|guide|search)|(?P<folder>topics|authors|languages|editions)/(?P<slug>{_SLUG}(?:\+{_SLUG})*))"
    r"(?:/archive/(?P<place>[1-9][0-9]{0,8}))?\.(?P<format>atom|rss|json)"
)


class FeedKind(StrEnum):
    """What a feed collects."""

    ALL = "all"
    TOPIC = "topic"
    AUTHOR = "author"
    LANGUAGE = "language"
    GUIDE = "guide"
    """Each issue of the guide editions is an entry."""
    EDITION = "edition"
    """Each back issue is an entry."""
    COMBINED = "combined"
    """Several topics in one; made when asked for."""
    SEARCH = "search"
    """What a query finds; made when asked for."""


OF_ISSUES = (FeedKind.GUIDE, FeedKind.EDITION)
OF_ARTICLES = (FeedKind.ALL, FeedKind.LANGUAGE, FeedKind.TOPIC, FeedKind.AUTHOR)
MADE_WHEN_ASKED = (FeedKind.COMBINED, FeedKind.SEARCH)
ALWAYS_RENDERED = (FeedKind.ALL, FeedKind.GUIDE)
"""Their documents are made before anybody asks; those of the others from the first request on."""

_FOLDERS = {
    FeedKind.TOPIC: "topics",
    FeedKind.AUTHOR: "authors",
    FeedKind.LANGUAGE: "languages",
    FeedKind.EDITION: "editions",
    FeedKind.COMBINED: "topics",
}
_KINDS = {"topics": FeedKind.TOPIC, "authors": FeedKind.AUTHOR, "languages": FeedKind.LANGUAGE}
_KINDS |= {"editions": FeedKind.EDITION}


class FeedState(StrEnum):
    """Whether a feed is published. One without entries is published too; readers mute what answers 410."""

    LIVE = "live"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the feeds say about the house they come from."""

    base_url: str
    """Without a slash at the end."""
    site_name: str
    domain: str
    """Authority of the `tag:` URIs (RFC 4151)."""
    hubs: tuple[str, ...] = ()
    """Addresses of WebSub hubs, absolute."""

    @property
    def fingerprint(self) -> str:
        """Differs when documents made for another site, such as the same one on another port, are of no use."""
        return hashlib.sha256("\n".join((self.base_url, self.site_name, *self.hubs)).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class FeedKey:
    """Which feed."""

    kind: FeedKind
    slug: str = ""
    """Empty for the feeds there is one of; `a+b` for combined topics; the query for a search."""

    @property
    def path(self) -> str:
        """The feed's address without its format."""
        folder = _FOLDERS.get(self.kind)
        return f"/feeds/{folder}/{self.slug}" if folder else f"/feeds/{self.kind}"


@dataclass(frozen=True, kw_only=True)
class FeedAddress:
    """One document: a feed in one format, its subscription document or one of its archives."""

    key: FeedKey
    feed_format: FeedFormat
    archive: int = 0
    """Place of the newest entry that an archive document may hold; 0: the subscription document."""

    @property
    def path(self) -> str:
        archive = f"/archive/{self.archive}" if self.archive else ""
        query = f"?{urlencode({'q': self.key.slug}, quote_via=quote)}" if self.key.kind is FeedKind.SEARCH else ""
        return f"{self.key.path}{archive}{self.feed_format.suffix}{query}"


def address_of(path: str, query: str = "") -> FeedAddress | None:
    """
    Return what a path below /feeds asks for, None if no feed could be there.

    Topics of a combined feed come back in their one order, and a query without needless space, so that
    each has one address; the caller compares.
    """
    found = _ADDRESS.fullmatch(path)
    if found is None:
        return None
    key = _key(found["single"], found["folder"], found["slug"], query)
    archive = int(found["place"] or 0)
    if key is None or (archive and key.kind in MADE_WHEN_ASKED):
        return None
    return FeedAddress(key=key, feed_format=FeedFormat(found["format"]), archive=archive)


def _key(single: str | None, folder: str | None, slug: str | None, query: str) -> FeedKey | None:
    if single:
        slug = " ".join(query.split())[:QUERY_CHARACTERS_AT_MOST] if single == FeedKind.SEARCH else ""
        return FeedKey(kind=FeedKind(single), slug=slug)
    assert folder
    assert slug
    topics = sorted(set(slug.split("+")))
    if "+" not in slug:
        return FeedKey(kind=_KINDS[folder], slug=slug)
    if folder != "topics" or len(topics) > TOPICS_COMBINED_AT_MOST:
        return None
    kind = FeedKind.COMBINED if len(topics) > 1 else FeedKind.TOPIC
    return FeedKey(kind=kind, slug="+".join(topics))


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed that has a place in the database."""

    id: FeedId
    key: FeedKey
    uri: str
    """Its `tag:` URI, minted once."""
    state: FeedState
    version: int
    """Rises whenever what stands in it, or something that it shows of that, has changed."""
    last_place: int
    """The highest place that an entry was ever put at."""
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class FeedListed:
    """A feed in a list of all."""

    key: FeedKey
    state: FeedState
    entries: int
    moved_to: FeedKey | None


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What stands in one document of a feed, before it takes a format."""

    key: FeedKey
    uri: str
    title: str
    description: str
    language: str
    entries: tuple[Entry, ...]
    """Newest first."""
    updated_at: datetime
    archive: int = 0
    previous: int = 0
    """The archive document before this one; 0: there is none."""
    following: int = 0
    mentions: frozenset[int] = frozenset()
    """Articles that the entries link to."""
