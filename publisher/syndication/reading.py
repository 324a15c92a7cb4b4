"""How a web process reads documents: a few prepared statements on the bare driver, for this is all that it does."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from feeds.formats import FeedFormat
from publisher.database import Database
from publisher.errors import DatabaseBusyError
from publisher.syndication.encodings import Encoding, body_in
from publisher.syndication.model import FeedAddress, FeedKey, FeedKind, FeedState
from publisher.syndication.tables import feed, feed_body, feed_document, feed_generation

WAIT_S = 0.5
"""How long a request waits for the database before it gets what is at hand."""
SQLITE_WAIT_MS = 100
"""SQLite lets a reader wait only while a database is opened, closed or recovered."""
READERS = 4

_DOCUMENT = (
    sa.select(
        feed_document.c.id,
        feed_document.c.etag,
        feed_document.c.modified_s,
        feed_document.c.is_current,
        feed_document.c.made_for,
        feed.c.state,
        feed_body.c.bytes,
    )
    .join_from(feed, feed_document, feed_document.c.feed_id == feed.c.id)
    .join(feed_body, feed_body.c.document_id == feed_document.c.id)
    .where(feed.c.kind == sa.bindparam("kind"), feed.c.slug == sa.bindparam("slug"))
    .where(feed_document.c.archive == sa.bindparam("archive"), feed_document.c.format == sa.bindparam("format"))
    .where(feed_body.c.encoding == sa.bindparam("encoding"))
)
_BODY = (
    sa.select(feed_body.c.bytes)
    .join_from(feed_document, feed_body, feed_body.c.document_id == feed_document.c.id)
    .where(feed_document.c.id == sa.bindparam("document_id"), feed_document.c.etag == sa.bindparam("etag"))
    .where(feed_body.c.encoding == sa.bindparam("encoding"))
)
_GENERATION = sa.select(feed_generation.c.value)
_CHANGED = (
    sa.select(feed.c.kind, feed.c.slug, feed_document.c.archive, feed_document.c.format)
    .join_from(feed_document, feed, feed.c.id == feed_document.c.feed_id)
    .where(feed_document.c.generation > sa.bindparam("seen"))
)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A stored document in one coding."""

    document_id: int
    etag: str
    modified_s: int
    is_current: bool
    """No: it may be served while a new one is made, and only then."""
    encoding: Encoding
    data: bytes = field(repr=False)

    def body(self, encoding: Encoding) -> bytes:
        return body_in({self.encoding: self.data}, encoding)


class Reading:
    """
    Reads documents without holding up the event loop.

    With SQLite a look takes some 20 µs and never waits for a writer (WAL): less than handing it to a
    thread, so it is done on the spot. PostgreSQL is asked in threads.
    """

    def __init__(self, database: Database, made_for: str) -> None:
        self._database = database
        self._made_for = made_for
        self._compiled = {each: each.compile(database.engine) for each in (_DOCUMENT, _BODY, _GENERATION, _CHANGED)}
        self._own: sa.PoolProxiedConnection | None = None
        self._threads = None if database.is_sqlite else ThreadPoolExecutor(READERS, "feeds-read")

    async def leaf(self, address: FeedAddress, encoding: Encoding) -> Leaf | None:
        """Return a stored document. Raises DatabaseBusyError."""
        rows = await self._ask(
            _DOCUMENT,
            kind=address.key.kind,
            slug=address.key.slug,
            archive=address.archive,
            format=address.feed_format,
            encoding=encoding,
        )
        for document_id, etag, modified_s, is_current, made_for, state, data in rows:
            if made_for == self._made_for and state == FeedState.LIVE:
                return Leaf(
                    document_id=document_id,
                    etag=etag,
                    modified_s=modified_s,
                    is_current=bool(is_current),
                    encoding=encoding,
                    data=bytes(data),
                )
        return None

    async def body(self, document_id: int, etag: str, encoding: Encoding) -> bytes | None:
        """Return the bytes of a document; None: it is another by now. Raises DatabaseBusyError."""
        rows = await self._ask(_BODY, document_id=document_id, etag=etag, encoding=encoding)
        return bytes(rows[0][0]) if rows else None

    def body_now(self, document_id: int, etag: str, encoding: Encoding) -> bytes | None:
        """Return the same where the database is so near that nobody waits, else None. Raises DatabaseBusyError."""
        if self._threads is not None:
            return None
        rows = self._rows(_BODY, {"document_id": document_id, "etag": etag, "encoding": encoding})
        return bytes(rows[0][0]) if rows else None

    async def generation(self) -> int:
        """Return a number that rises whenever a document changes. Raises DatabaseBusyError."""
        rows = await self._ask(_GENERATION)
        return rows[0][0] if rows else 0

    async def changed(self, seen: int) -> list[str]:
        """Return the paths of all documents that have changed since a generation. Raises DatabaseBusyError."""
        return [_path(*row) for row in await self._ask(_CHANGED, seen=seen)]

    def close(self) -> None:
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._own:
            self._own.close()

    async def _ask(self, statement: sa.Select[Any], **values: object) -> Sequence[Any]:
        if self._threads is None:
            return self._rows(statement, values)
        asked = asyncio.get_running_loop().run_in_executor(self._threads, self._rows, statement, values)
        try:
            return await asyncio.wait_for(asyncio.shield(asked), WAIT_S)
        except TimeoutError:
            asked.add_done_callback(lambda late: late.exception())
            raise DatabaseBusyError("it did not answer in time") from None

    def _rows(self, statement: sa.Select[Any], values: dict[str, object]) -> Sequence[Any]:
        compiled = self._compiled[statement]
        given = [values[name] for name in compiled.positiontup] if compiled.positiontup else values
        try:
            with self._connected() as connection:
                cursor = connection.cursor()
                cursor.execute(compiled.string, given)
                return cursor.fetchall()
        except (self._database.engine.dialect.loaded_dbapi.Error, sa.exc.SQLAlchemyError) as problem:
            raise DatabaseBusyError(str(problem)) from problem

    @contextmanager
    def _connected(self) -> Iterator[sa.PoolProxiedConnection]:
        if self._threads is not None:
            with closing(self._database.engine.raw_connection()) as connection:
                yield connection
            return
        if self._own is None:
            self._own = self._database.engine.raw_connection()
            self._own.detach()
            self._own.cursor().execute(f"PRAGMA busy_timeout={SQLITE_WAIT_MS}")
        yield self._own


def _path(kind: str, slug: str, archive: int, feed_format: str) -> str:
    key = FeedKey(kind=FeedKind(kind), slug=slug)
    return FeedAddress(key=key, feed_format=FeedFormat(feed_format), archive=archive).path
