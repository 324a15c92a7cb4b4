import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from publisher.clock import Clock
from publisher.database import Database
from publisher.errors import DatabaseBusyError
from publisher.syndication import encodings
from publisher.syndication.encodings import Encoding
from publisher.syndication.making import Absence, Made, Moved, make
from publisher.syndication.model import MADE_WHEN_ASKED, FeedAddress, Site
from publisher.syndication.pages import Page, make_page
from publisher.syndication.reading import Leaf, Reading
from publisher.syndication.responses import Sheet, sheet
from publisher.syndication.shelf import BYTES_AT_MOST, Place, Shelf

log = structlog.get_logger()

Value = TypeVar("Value")

LOOK_EVERY_S = 0.1
"""A document at hand is behind the database by this much at most."""
LOOK_AGAIN_S = 2.0
"""When to look again after the database has not answered."""
ASKED_SECONDS = 60
"""How long a combined feed or a search stays as it is."""
MAKERS = 2
MAKING_AT_MOST = 64
MAKING_WAIT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A document to be sent."""

    sheet: Sheet
    body: bytes | None = field(repr=False)
    """None: ask for it where it is needed."""


class Supply:
    """
    The documents that one web process serves: those at hand, else those in the database, else made.

    What the database has changed is dropped within 100 ms. While the database does not answer, what
    is at hand is served as it is.
    """

    def __init__(
        self,
        database: Database,
        site: Site,
        *,
        clock: Clock,
        bytes_at_most: int = BYTES_AT_MOST,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._database = database
        self._site = site
        self._clock = clock
        self._shelf = Shelf(bytes_at_most)
        self._reading = Reading(database, site.fingerprint)
        self._look_every_s = look_every_s
        self._seen: int | None = None
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._threads = ThreadPoolExecutor(MAKERS, "feeds-make")
        self._making: dict[Place, asyncio.Future[Any]] = {}

    def at_hand(self, place: Place) -> Sheet | None:
        """Return what is to be said of a document, if that needs no look at the database; None: ask for it."""
        now = monotonic()
        if now > self._look_at:
            return None
        return self._good(self._shelf.sheet(place), now)

    def body_now(self, place: Place, sheet: Sheet) -> bytes | None:
        """Return the bytes that belong to a sheet, if nobody has to wait for them."""
        found = self._shelf.body(place)
        if found is None and sheet.document_id is not None and place[1] is not Encoding.IDENTITY:
            with suppress(DatabaseBusyError):
                found = self._reading.body_now(sheet.document_id, _plain(sheet.etag, place[1]), place[1])
            if found is not None:
                self._shelf.put_body(place, found)
        return found

    async def body(self, place: Place, sheet: Sheet) -> bytes | None:
        """Return the bytes that belong to a sheet; None: the document is another by now. Raises DatabaseBusyError."""
        found = self._shelf.body(place)
        if found is None and sheet.document_id is not None:
            encoding = place[1]
            stored = _stored(encoding)
            found = await self._reading.body(sheet.document_id, _plain(sheet.etag, encoding), stored)
            if found is not None:
                found = encodings.body_in({stored: found}, encoding)
                self._shelf.put_body(place, found)
        return found

    def forget(self, place: Place) -> None:
        """Drop a sheet whose bytes are gone."""
        self._shelf.drop([place[0]])

    async def feed(self, address: FeedAddress, encoding: Encoding) -> Ready | Moved | Absence:
        """Return a document of a feed. Raises DatabaseBusyError."""
        place = (address.path, encoding)
        found = await self._looked_up(place)
        if found:
            return found
        if address.key.kind in MADE_WHEN_ASKED:
            made = await self._made(place, lambda: self._make(address, encoding))
            until = monotonic() + ASKED_SECONDS
            return self._kept(place, self._ready(place, address, made, until)) if isinstance(made, Made) else made
        leaf = await self._leaf(address, encoding)
        if leaf and leaf.is_current:
            return self._kept(place, self._ready(place, address, leaf))
        return await self._made_to_stay(place, address, leaf)

    async def page(self, path: str, page: Page, encoding: Encoding) -> Ready | None:
        """Return one of the other pages; None where there is none. Raises DatabaseBusyError."""
        place = (path, encoding)
        found = await self._looked_up(place)
        if found:
            return found
        made = await self._made(place, lambda: self._make_page(page, encoding))
        if made is None:
            return None
        until = monotonic() + page.seconds
        etag, data = made.etag, made.body(encoding)
        head = sheet(len(data), encoding, etag=etag, modified_s=None, media_type=page.media_type, until=until)
        return self._kept(place, Ready(sheet=head, body=data))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reading.close()

    # --- what has changed

    async def _looked_up(self, place: Place) -> Ready | None:
        """Return what is at hand once it is known that nothing newer is in the database."""
        if monotonic() > self._look_at:
            self._looking = self._looking or asyncio.create_task(self._look())
            await asyncio.shield(self._looking)
        found = self._good(self._shelf.sheet(place), monotonic())
        if found is None:
            return None
        body = self._shelf.body(place)
        return Ready(sheet=found, body=body) if body is not None or found.document_id is not None else None

    def _good(self, found: Sheet | None, now: float) -> Sheet | None:
        return found if found is not None and now <= found.until else None

    async def _look(self) -> None:
        try:
            newest = await self._reading.generation()
            if self._seen is not None and newest > self._seen:
                self._shelf.drop(await self._reading.changed(self._seen))
            elif self._seen is not None and newest < self._seen:
                self._shelf.clear()
            self._seen = newest
            self._look_at = monotonic() + self._look_every_s
        except DatabaseBusyError as problem:
            self._look_at = monotonic() + LOOK_AGAIN_S
            log.warning("feeds_served_as_they_are", problem=str(problem))
        finally:
            self._looking = None

    def _kept(self, place: Place, ready: Ready) -> Ready:
        assert ready.body is not None
        self._shelf.put(place, ready.sheet, ready.body)
        return ready

    # --- documents

    async def _leaf(self, address: FeedAddress, encoding: Encoding) -> Leaf | None:
        """Return a stored document that is as new as the last look; if there was a look meanwhile, read it again."""
        while True:
            seen = self._seen
            leaf = await self._reading.leaf(address, _stored(encoding))
            if seen == self._seen:
                return leaf

    async def _made_to_stay(self, place: Place, address: FeedAddress, outdated: Leaf | None) -> Ready | Moved | Absence:
        """Have a document made and stored; what is outdated is served only while that takes too long."""
        try:
            made = await self._made((address.path, Encoding.IDENTITY), lambda: self._make(address, place[1]))
        except DatabaseBusyError:
            if outdated is None:
                raise
            return self._ready(place, address, outdated)
        if not isinstance(made, Made):
            return made
        leaf = await self._leaf(address, place[1])
        if leaf and leaf.is_current:
            return self._kept(place, self._ready(place, address, leaf))
        return self._ready(place, address, made)

    async def _made(self, place: Place, work: Callable[[], Value]) -> Value:
        """Return what is made in a thread; who asks for the same at the same time gets the same."""
        making = self._making.get(place)
        if making is None:
            if len(self._making) >= MAKING_AT_MOST:
                raise DatabaseBusyError("too much is being made at once")
            making = asyncio.get_running_loop().run_in_executor(self._threads, work)
            self._making[place] = making
            making.add_done_callback(lambda done: self._done(place, done))
        try:
            return await asyncio.wait_for(asyncio.shield(making), MAKING_WAIT_S)
        except (TimeoutError, SQLAlchemyError) as problem:
            raise DatabaseBusyError("a document could not be made in time") from problem

    def _done(self, place: Place, done: asyncio.Future[Any]) -> None:
        del self._making[place]
        if not done.cancelled() and done.exception():
            log.warning("document_not_made", path=place[0], problem=repr(done.exception()))

    def _make(self, address: FeedAddress, encoding: Encoding) -> Made | Moved | Absence:
        return make(self._database, self._site, address, encoding, clock=self._clock)

    def _make_page(self, page: Page, encoding: Encoding) -> Made | None:
        data = make_page(self._database, self._site, page, self._clock())
        if data is None:
            return None
        return Made(etag=encodings.etag_of(data), modified_s=None, bodies={encoding: encodings.encoded(data, encoding)})

    def _ready(self, place: Place, address: FeedAddress, found: Leaf | Made, until: float = inf) -> Ready:
        path, encoding = place
        hubs = self._site.hubs if not address.archive and address.key.kind not in MADE_WHEN_ASKED else ()
        links = [f'<{self._site.base_url}{path}>; rel="self"', *(f'<{hub}>; rel="hub"' for hub in hubs)]
        body = found.body(encoding)
        head = sheet(
            len(body),
            encoding,
            etag=found.etag,
            modified_s=found.modified_s,
            media_type=address.feed_format.media_type,
            links=", ".join(links),
            document_id=found.document_id if isinstance(found, Leaf) else None,
            until=until,
        )
        return Ready(sheet=head, body=body)


def _stored(encoding: Encoding) -> Encoding:
    """Return the stored coding from which another is made."""
    return Encoding.GZIP if encoding is Encoding.IDENTITY else encoding


def _plain(etag: str, encoding: Encoding) -> str:
    """Return a document's own ETag, without what tells its codings apart."""
    return etag.removesuffix(encoding.etag_suffix)
