"""Documents as they are served: bytes, validators, and the count by which web processes notice new ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import floor

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feeds.formats import FeedFormat
from publisher.database import insert_or_ignore, upsert
from publisher.syndication.encodings import Encoding, body_in
from publisher.syndication.model import ENTRIES, FeedId
from publisher.syndication.tables import feed_body, feed_document, feed_generation, feed_mention

FORGOTTEN_AT_ONCE = 2_000

THE_COUNT = 1


@dataclass(frozen=True, kw_only=True)
class Print:
    """A document in one format, as bytes."""

    feed_format: FeedFormat
    etag: str
    length_bytes: int
    """Of the plain bytes."""
    bodies: Mapping[Encoding, bytes] = field(repr=False)
    """In the codings that are stored; none where these bytes are stored already."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What is known of a document that was stored before."""

    etag: str
    modified_s: int
    made_for: str
    is_current: bool
    has_bodies: bool


def stored(connection: Connection, feed_id: FeedId, archive: int = 0) -> dict[FeedFormat, Stored]:
    """Return what is stored of a feed's document, by format."""
    has_bodies = sa.exists().where(feed_body.c.document_id == feed_document.c.id).label("has_bodies")
    rows = connection.execute(
        sa.select(feed_document, has_bodies).where(
            feed_document.c.feed_id == feed_id, feed_document.c.archive == archive
        )
    )
    return {
        FeedFormat(row.format): Stored(
            etag=row.etag,
            modified_s=row.modified_s,
            made_for=row.made_for,
            is_current=row.is_current,
            has_bodies=row.has_bodies,
        )
        for row in rows
    }


def put(
    connection: Connection,
    feed_id: FeedId,
    archive: int,
    prints: Sequence[Print],
    *,
    updated_at: datetime,
    made_for: str,
    is_current: bool = True,
) -> list[FeedFormat]:
    """
    Store documents and return the formats in which the bytes are new; the same bytes again are not written.

    Last-Modified is when the newest entry was updated, but at least a second after that of other
    bytes at the same address: some readers keep an old ETag while it stands still.
    """
    known = stored(connection, feed_id, archive)
    news = [each for each in prints if _is_news(known.get(each.feed_format), each.etag, (made_for, is_current))]
    number = next_generation(connection) if news else 0
    for each in news:
        row = {
            "feed_id": feed_id,
            "format": each.feed_format,
            "archive": archive,
            "etag": each.etag,
            "modified_s": _modified_s(known.get(each.feed_format), each.etag, updated_at),
            "length_bytes": each.length_bytes,
            "made_for": made_for,
            "is_current": is_current,
            "generation": number,
        }
        _put_bodies(connection, _put_row(connection, row), each.bodies)
    return [each.feed_format for each in news if _is_new(known.get(each.feed_format), each.etag)]


def body_of(connection: Connection, feed_id: FeedId, feed_format: FeedFormat) -> bytes:
    """Return the plain bytes of a feed's subscription document; empty if there is none."""
    wanted = sa.select(feed_body.c.encoding, feed_body.c.bytes).join(feed_document)
    wanted = wanted.where(feed_document.c.feed_id == feed_id, feed_document.c.archive == 0)
    found = connection.execute(wanted.where(feed_document.c.format == feed_format).limit(1)).first()
    return body_in({Encoding(found.encoding): found.bytes}, Encoding.IDENTITY) if found else b""


def mention(connection: Connection, feed_id: FeedId, archive: int, article_ids: Collection[int]) -> None:
    """Note which articles a document links to: it is to be made again when one of them changes."""
    here = sa.and_(feed_mention.c.feed_id == feed_id, feed_mention.c.archive == archive)
    known = set(connection.scalars(sa.select(feed_mention.c.article_id).where(here)))
    gone, new = known - set(article_ids), set(article_ids) - known
    if gone:
        connection.execute(sa.delete(feed_mention).where(here, feed_mention.c.article_id.in_(gone)))
    if new:
        rows = [{"feed_id": feed_id, "archive": archive, "article_id": each} for each in sorted(new)]
        connection.execute(insert_or_ignore(connection, feed_mention), rows)


def mentioning(connection: Connection, article_ids: Collection[int]) -> set[tuple[FeedId, int]]:
    """Return the documents, by feed and archive, that link to one of these articles."""
    rows = connection.execute(
        sa.select(feed_mention.c.feed_id, feed_mention.c.archive)
        .where(feed_mention.c.article_id.in_(article_ids))
        .distinct()
    )
    return {(FeedId(row.feed_id), row.archive) for row in rows}


def outdate(connection: Connection, first_places: Iterable[tuple[FeedId, int]]) -> None:
    """Let the archive documents that begin at these places be made again when someone asks for them."""
    rows = [{"of": feed_id, "low": first, "high": first + ENTRIES - 1} for feed_id, first in sorted(first_places)]
    if not rows:
        return
    these = sa.and_(
        feed_document.c.feed_id == sa.bindparam("of"),
        feed_document.c.archive.between(sa.bindparam("low"), sa.bindparam("high")),
    )
    values = {"is_current": False, "generation": next_generation(connection)}
    connection.execute(sa.update(feed_document).where(these).values(values), rows)


def outdate_all(connection: Connection, feed_id: FeedId) -> None:
    """Let every document of a feed be looked at again by the web processes: the feed has ended, moved or come back."""
    values = {"is_current": False, "generation": next_generation(connection)}
    connection.execute(sa.update(feed_document).where(feed_document.c.feed_id == feed_id).values(values))


def archives_beyond(connection: Connection, kept: int) -> list[int]:
    """Return the archive documents with bytes, all but the newest made, at most some thousand at once."""
    archives = sa.select(feed_document.c.id).where(feed_document.c.archive > 0, _has_body())
    extra = archives.order_by(feed_document.c.generation.desc()).offset(kept).limit(FORGOTTEN_AT_ONCE)
    return list(connection.scalars(extra))


def forget_bodies(connection: Connection, document_ids: Collection[int]) -> None:
    """Drop the bytes of documents, not their validators."""
    connection.execute(sa.delete(feed_body).where(feed_body.c.document_id.in_(document_ids)))


def next_generation(connection: Connection) -> int:
    """Return a number above all that were committed; whoever else wants one waits for this transaction."""
    count = upsert(connection, feed_generation).values(id=THE_COUNT, value=1)
    counted = count.on_conflict_do_update(index_elements=["id"], set_={"value": feed_generation.c.value + 1})
    return int(connection.execute(counted.returning(feed_generation.c.value)).scalar_one())


def _has_body() -> sa.ColumnElement[bool]:
    return sa.exists().where(feed_body.c.document_id == feed_document.c.id)


def _is_new(known: Stored | None, etag: str) -> bool:
    return known is None or known.etag != etag


def _is_news(known: Stored | None, etag: str, made: tuple[str, bool]) -> bool:
    if known is None or _is_new(known, etag):
        return True
    return not known.has_bodies or (known.made_for, known.is_current) != made


def _modified_s(known: Stored | None, etag: str, updated_at: datetime) -> int:
    updated_s = floor(updated_at.timestamp())
    if known is None:
        return updated_s
    return known.modified_s if known.etag == etag else max(updated_s, known.modified_s + 1)


def _put_row(connection: Connection, row: dict[str, object]) -> int:
    insert = upsert(connection, feed_document).values(row)
    changed = {name: insert.excluded[name] for name in row if name not in {"feed_id", "format", "archive"}}
    put_row = insert.on_conflict_do_update(index_elements=["feed_id", "archive", "format"], set_=changed)
    return int(connection.execute(put_row.returning(feed_document.c.id)).scalar_one())


def _put_bodies(connection: Connection, document_id: int, bodies: Mapping[Encoding, bytes]) -> None:
    for encoding, data in bodies.items():
        insert = upsert(connection, feed_body).values(document_id=document_id, encoding=encoding, bytes=data)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["document_id", "encoding"], set_={"bytes": insert.excluded.bytes}
            )
        )
