"""Which feeds there are: for the pages that offer them, for the head of every page, and as OPML."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feeds import opml
from feeds.document import Outline, OutlineList
from feeds.formats import FeedFormat
from publisher.archive import store as archive
from publisher.compose import store as compose
from publisher.syndication import names, store
from publisher.syndication.model import OF_ARTICLES, FeedAddress, FeedKey, FeedKind, FeedState, Site
from publisher.syndication.tables import feed, feed_entry, feed_move

OPML_PATH = "/feeds.opml"
FORMAT_NAMES = {FeedFormat.ATOM: "Atom", FeedFormat.RSS: "RSS", FeedFormat.JSON: "JSON Feed"}


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A feed that people may choose."""

    key: FeedKey
    name: str
    """Short, as in a list below a heading: the topic's or author's name."""
    title: str
    """As the feed calls itself; distinct among all."""
    home_url: str
    urls: dict[FeedFormat, str]
    """The best format first."""


@dataclass(frozen=True, kw_only=True)
class FeedLink:
    """A `<link rel="alternate">` in the head of a page."""

    href: str
    media_type: str
    title: str


def offers(connection: Connection, site: Site) -> list[Offer]:
    """Return every feed to choose from: all, guide, editions; then languages, topics, authors, most used first."""
    closed = _closed(connection)
    return [_offer(key, name, site) for key, name in _on_offer(connection, site) if (key.kind, key.slug) not in closed]


def offer(connection: Connection, key: FeedKey, site: Site) -> Offer | None:
    """Return one feed; None where it is unknown, has ended or has moved."""
    known = store.feed_named(connection, key)
    if store.move_target(connection, key) or (known and known.state is FeedState.ENDED):
        return None
    name = names.short_name(connection, key, site)
    return _offer(key, name, site) if name else None


def feeds_with(connection: Connection, article_id: int, site: Site) -> list[Offer]:
    """Return the feeds of articles in which an article stands now, the greatest first."""
    rows = connection.execute(
        sa.select(feed.c.kind, feed.c.slug)
        .join(feed_entry, feed_entry.c.feed_id == feed.c.id)
        .where(feed_entry.c.entry_id == article_id, feed.c.kind.in_(OF_ARTICLES))
        .order_by(feed.c.rank, feed.c.slug)
    ).all()
    keys = [FeedKey(kind=FeedKind(row.kind), slug=row.slug) for row in rows]
    return [found for each in keys if (found := offer(connection, each, site))]


def head_links(found: Iterable[Offer]) -> list[FeedLink]:
    """Return links for the head of a page in the order given, so give the page's own feed first."""
    return [
        FeedLink(href=url, media_type=feed_format.link_type, title=f"{each.title} ({FORMAT_NAMES[feed_format]})")
        for each in found
        for feed_format, url in each.urls.items()
    ]


def as_opml(connection: Connection, site: Site) -> bytes:
    """Return all feeds for a reader to import, in the format that readers understand best."""
    newest = connection.scalar(sa.select(sa.func.max(feed.c.created_at)))
    outlines = [
        Outline(title=each.title, feed_url=each.urls[FeedFormat.ATOM], home_url=each.home_url)
        for each in offers(connection, site)
    ]
    began_at = newest or datetime.fromtimestamp(0, UTC)
    return opml.render(OutlineList(title=site.site_name, created_at=began_at, outlines=tuple(outlines)))


def _on_offer(connection: Connection, site: Site) -> Iterator[tuple[FeedKey, str]]:
    yield FeedKey(kind=FeedKind.ALL), site.site_name
    yield FeedKey(kind=FeedKind.GUIDE), names.GUIDE_NAME
    for edition in compose.editions(connection, active_only=True):
        yield FeedKey(kind=FeedKind.EDITION, slug=edition.slug), edition.name
    for language, _ in archive.languages_in_use(connection):
        yield FeedKey(kind=FeedKind.LANGUAGE, slug=language), names.language_name(language)
    for topic, _ in archive.topics_in_use(connection):
        yield FeedKey(kind=FeedKind.TOPIC, slug=topic.slug), topic.name
    for author, _ in archive.authors_in_use(connection):
        yield FeedKey(kind=FeedKind.AUTHOR, slug=author.slug), author.name


def _offer(key: FeedKey, name: str, site: Site) -> Offer:
    return Offer(
        key=key,
        name=name,
        title=names.titled(key, name, site),
        home_url=names.home_url(key, site),
        urls={each: f"{site.base_url}{FeedAddress(key=key, feed_format=each).path}" for each in FeedFormat},
    )


def _closed(connection: Connection) -> set[tuple[str, str]]:
    ended = connection.execute(sa.select(feed.c.kind, feed.c.slug).where(feed.c.state == FeedState.ENDED))
    moved = connection.execute(sa.select(feed_move.c.kind, feed_move.c.slug))
    return {(row.kind, row.slug) for row in (*ended, *moved)}
