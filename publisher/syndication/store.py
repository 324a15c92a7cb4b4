"""Feeds and what stands in them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.database import insert_or_ignore
from publisher.syndication import rules
from publisher.syndication.model import (
    ALWAYS_RENDERED,
    ENTRIES,
    Feed,
    FeedId,
    FeedKey,
    FeedKind,
    FeedListed,
    FeedState,
)
from publisher.syndication.rules import Standing
from publisher.syndication.tables import feed, feed_document, feed_entry, feed_move, syndicated_issue

RANKS = {
    FeedKind.ALL: 0,
    FeedKind.GUIDE: 1,
    FeedKind.EDITION: 1,
    FeedKind.LANGUAGE: 2,
    FeedKind.TOPIC: 3,
    FeedKind.AUTHOR: 4,
}
"""Whose documents are made first: those that most readers have."""


def feed_named(connection: Connection, key: FeedKey) -> Feed | None:
    row = connection.execute(sa.select(feed).where(feed.c.kind == key.kind, feed.c.slug == key.slug)).first()
    return _feed(row) if row else None


def listed(connection: Connection) -> list[FeedListed]:
    """Return all feeds, those that most readers have first."""
    entries = (
        sa.select(feed_entry.c.feed_id, sa.func.count().label("entries")).group_by(feed_entry.c.feed_id).subquery()
    )
    moved = sa.and_(feed_move.c.kind == feed.c.kind, feed_move.c.slug == feed.c.slug)
    rows = connection.execute(
        sa.select(feed.c.kind, feed.c.slug, feed.c.state, entries.c.entries, feed_move.c.to_slug)
        .outerjoin(entries, entries.c.feed_id == feed.c.id)
        .outerjoin(feed_move, moved)
        .order_by(feed.c.rank, feed.c.kind, feed.c.slug)
    )
    return [
        FeedListed(
            key=FeedKey(kind=FeedKind(row.kind), slug=row.slug),
            state=FeedState(row.state),
            entries=row.entries or 0,
            moved_to=FeedKey(kind=FeedKind(row.kind), slug=row.to_slug) if row.to_slug else None,
        )
        for row in rows
    ]


def feed_of(connection: Connection, feed_id: int) -> Feed:
    return _feed(connection.execute(sa.select(feed).where(feed.c.id == feed_id)).one())


def locked(connection: Connection, feed_id: FeedId) -> Feed:
    """Return a feed that nobody else changes until the transaction ends."""
    return _feed(connection.execute(sa.select(feed).where(feed.c.id == feed_id).with_for_update()).one())


def ensure(connection: Connection, keys: Iterable[FeedKey], *, domain: str, now: datetime) -> dict[FeedKey, FeedId]:
    """Return the ids of feeds; those that are new get their `tag:` URI (RFC 4151), once for all time."""
    wanted = set(keys)
    found = _ids(connection, wanted)
    rows = [_new(key, domain, now) for key in sorted(wanted - set(found), key=lambda key: (key.kind, key.slug))]
    if rows:
        connection.execute(insert_or_ignore(connection, feed), rows)
        found = _ids(connection, wanted)
    return found


def move_target(connection: Connection, key: FeedKey) -> FeedKey | None:
    """Return where a feed has moved to."""
    moved = sa.select(feed_move.c.to_slug).where(feed_move.c.kind == key.kind, feed_move.c.slug == key.slug)
    slug = connection.scalar(moved)
    return FeedKey(kind=key.kind, slug=slug) if slug else None


def touch(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """
    Note that feeds have changed. Due are those whose documents somebody has asked for, and the few we always make.

    In two statements: the first takes the rows' locks, so the second sees a document that a web
    process was just about to store.
    """
    chosen = feed.c.id.in_(sorted(ids))
    connection.execute(sa.update(feed).where(chosen).values(version=feed.c.version + 1))
    asked_for = sa.exists().where(feed_document.c.feed_id == feed.c.id, feed_document.c.archive == 0)
    connection.execute(
        sa.update(feed)
        .where(chosen, feed.c.due_at.is_(None), feed.c.state == FeedState.LIVE)
        .where(sa.or_(feed.c.kind.in_(ALWAYS_RENDERED), asked_for))
        .values(due_at=now)
    )


def due(connection: Connection, *, at_most: int, rendered_before: datetime | None = None) -> list[Feed]:
    """Return feeds whose documents are behind, the most read first; only those that were not rendered just now."""
    wanted = sa.select(feed).where(feed.c.due_at.is_not(None))
    if rendered_before is not None:
        wanted = wanted.where(sa.or_(feed.c.rendered_at.is_(None), feed.c.rendered_at <= rendered_before))
    rows = connection.execute(wanted.order_by(feed.c.rank, feed.c.due_at).limit(at_most))
    return [_feed(row) for row in rows]


def rendered(connection: Connection, found: Feed, now: datetime) -> None:
    """Note that a feed's documents were made as of its version; it stays due where it has changed since."""
    this = feed.c.id == found.id
    connection.execute(sa.update(feed).where(this, feed.c.version == found.version).values(due_at=None))
    connection.execute(sa.update(feed).where(this).values(rendered_at=now))


def set_state(connection: Connection, feed_id: FeedId, state: FeedState) -> None:
    connection.execute(sa.update(feed).where(feed.c.id == feed_id).values(state=state, due_at=None))


def newest(connection: Connection, feed_id: FeedId) -> tuple[list[Standing], list[Standing]]:
    """Return all entries of a feed without a place, and those with the highest places, highest first."""
    mine = sa.select(feed_entry).where(feed_entry.c.feed_id == feed_id)
    unplaced = connection.execute(mine.where(feed_entry.c.place.is_(None)))
    with_places = mine.where(feed_entry.c.place.is_not(None)).order_by(feed_entry.c.place.desc())
    tail = connection.execute(with_places.limit(ENTRIES + 1))
    return [_standing(row) for row in unplaced], [_standing(row) for row in tail]


def placed(connection: Connection, feed_id: FeedId, first: int, last: int) -> list[Standing]:
    """Return the entries at these places, both ends included."""
    rows = connection.execute(
        sa.select(feed_entry).where(feed_entry.c.feed_id == feed_id, feed_entry.c.place.between(first, last))
    )
    return [_standing(row) for row in rows]


def standing_in(
    connection: Connection, entry_ids: Collection[int], kinds: Collection[FeedKind]
) -> dict[tuple[FeedId, int], int | None]:
    """Return in which feeds of some kinds entries stand, and at which places."""
    rows = connection.execute(
        sa.select(feed_entry.c.feed_id, feed_entry.c.entry_id, feed_entry.c.place)
        .join(feed)
        .where(feed_entry.c.entry_id.in_(entry_ids), feed.c.kind.in_(kinds))
    )
    return {(FeedId(row.feed_id), row.entry_id): row.place for row in rows}


def put_in(connection: Connection, standings: Mapping[tuple[FeedId, int], datetime]) -> None:
    """Let entries stand in feeds, by feed and entry; the value is when the entry was published."""
    rows = [{"feed_id": each[0], "entry_id": each[1], "at": at} for each, at in sorted(standings.items())]
    if rows:
        connection.execute(sa.insert(feed_entry), rows)


def take_out(connection: Connection, standings: Iterable[tuple[FeedId, int]]) -> None:
    rows = [{"of": feed_id, "entry": entry_id} for feed_id, entry_id in standings]
    this = sa.and_(feed_entry.c.feed_id == sa.bindparam("of"), feed_entry.c.entry_id == sa.bindparam("entry"))
    if rows:
        connection.execute(sa.delete(feed_entry).where(this), rows)


def give_places(connection: Connection, feed_ids: Collection[FeedId]) -> dict[FeedId, tuple[int, int]]:
    """Move what is too much for the subscription documents into the archives; return last places, before and after."""
    crowded = (
        sa.select(feed_entry.c.feed_id)
        .where(feed_entry.c.feed_id.in_(feed_ids), feed_entry.c.place.is_(None))
        .group_by(feed_entry.c.feed_id)
        .having(sa.func.count() > ENTRIES)
    )
    return {FeedId(each): _give_places(connection, FeedId(each)) for each in sorted(connection.scalars(crowded))}


def issue_uris(connection: Connection, issue_ids: Collection[int]) -> dict[int, str]:
    """Return the `tag:` URIs of issues that feeds have."""
    rows = connection.execute(sa.select(syndicated_issue).where(syndicated_issue.c.issue_id.in_(issue_ids)))
    return {row.issue_id: row.uri for row in rows}


def _give_places(connection: Connection, feed_id: FeedId) -> tuple[int, int]:
    last = connection.execute(sa.select(feed.c.last_place).where(feed.c.id == feed_id)).scalar_one()
    leaving = rules.leaving(newest(connection, feed_id)[0])
    this = sa.and_(feed_entry.c.feed_id == feed_id, feed_entry.c.entry_id == sa.bindparam("entry"))
    connection.execute(
        sa.update(feed_entry).where(this).values(place=sa.bindparam("at_place")),
        [{"entry": each.entry_id, "at_place": place} for place, each in enumerate(leaving, last + 1)],
    )
    connection.execute(sa.update(feed).where(feed.c.id == feed_id).values(last_place=last + len(leaving)))
    return last, last + len(leaving)


def _new(key: FeedKey, domain: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": key.kind,
        "slug": key.slug,
        "uri": f"tag:{domain},{now:%Y-%m-%d}:feed/{key.path.removeprefix('/feeds/')}",
        "state": FeedState.LIVE,
        "version": 1,
        "last_place": 0,
        "rank": RANKS[key.kind],
        "created_at": now,
    }


def _ids(connection: Connection, keys: Collection[FeedKey]) -> dict[FeedKey, FeedId]:
    named = sa.tuple_(feed.c.kind, feed.c.slug).in_([(key.kind, key.slug) for key in keys])
    rows = connection.execute(sa.select(feed.c.id, feed.c.kind, feed.c.slug).where(named))
    return {FeedKey(kind=FeedKind(row.kind), slug=row.slug): FeedId(row.id) for row in rows}


def _feed(row: Any) -> Feed:
    return Feed(
        id=FeedId(row.id),
        key=FeedKey(kind=FeedKind(row.kind), slug=row.slug),
        uri=row.uri,
        state=FeedState(row.state),
        version=row.version,
        last_place=row.last_place,
        created_at=row.created_at,
    )


def _standing(row: Any) -> Standing:
    return Standing(entry_id=row.entry_id, at=row.at, place=row.place)
