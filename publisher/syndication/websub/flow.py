import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.engine import Connection

from feeds.formats import FeedFormat
from publisher.clock import Clock
from publisher.database import Database
from publisher.errors import InputError
from publisher.syndication import making
from publisher.syndication.documents import body_of
from publisher.syndication.encodings import Encoding
from publisher.syndication.model import FeedAddress, Site
from publisher.syndication.store import feed_named, feed_of
from publisher.syndication.websub import errands, outside, rules, store
from publisher.syndication.websub.errands import Errand, Lane
from publisher.syndication.websub.model import Ending, HubMode, HubRequest
from publisher.syndication.websub.tables import websub_ping, websub_request

log = structlog.get_logger()

THREADS = {Lane.QUICK: 8, Lane.SLOW: 4}
TURN_S = 20.0
AHEAD = timedelta(seconds=1)
"""We wait here for what is due so soon, rather than leave it to the next tick."""
PAUSE_S = 0.05
VERIFICATIONS = 3
PINGS = 5


def ask(database: Database, site: Site, asked: HubRequest, *, clock: Clock) -> None:
    """
    Take up a request to the hub. Its callback is asked later, whether it wants this.

    Raises:
        InputError: There is no such feed, or too many requests wait.

    """
    made = making.make(database, site, asked.topic, Encoding.GZIP, clock=clock)
    if not isinstance(made, making.Made):
        raise InputError("This site has no such feed.", "hub.topic")
    with database.transaction() as connection:
        feed = feed_named(connection, asked.topic.key)
        assert feed
        if not store.add_request(connection, asked, feed.id, clock()):
            raise InputError("Too many requests wait for an answer; try again later.")


def push_due(
    database: Database,
    site: Site,
    *,
    clock: Clock,
    allow_private: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """
    Do every errand that is due, to subscribers and to other hubs; return whether there was any.

    Any number of workers may run it. Each errand is leased, and its row stands until it has succeeded
    or was given up: what a killed worker had in hand is done again.
    """
    with database.reading() as connection:
        is_due = errands.any_due(connection, clock() + AHEAD)
        is_over = store.any_lease_over(connection, clock())
    if is_over:
        with database.transaction() as connection:
            store.end_leases(connection, clock())
    if is_due:
        _Round(database, site, clock, allow_private=allow_private, pause=pause).run()
    return is_due


@dataclass(frozen=True, kw_only=True)
class _Done:
    """An errand that has ended, one way or another."""

    errand: Errand
    ending: Ending
    took_ms: int


class _Round:
    """
    Errands done until none is due: this thread leases and notes, others go out.

    Whoever was slow or failed the last time shares a few threads with his kind, so that quick
    subscribers never wait for slow ones.
    """

    def __init__(
        self, database: Database, site: Site, clock: Clock, *, allow_private: bool, pause: Callable[[float], None]
    ) -> None:
        self._database = database
        self._site = site
        self._clock = clock
        self._allow_private = allow_private
        self._pause = pause
        self._doing: dict[Future[_Done], Lane] = {}

    def run(self) -> None:
        until = time.monotonic() + TURN_S
        with ThreadPoolExecutor(sum(THREADS.values()), "websub") as threads:
            ended: list[_Done] = []
            while time.monotonic() < until:
                for lane, errand in self._noted_and_leased(ended):
                    self._doing[threads.submit(self._do, errand)] = lane
                if not self._doing and not self._is_due_soon():
                    return
                ended = self._some_ended()
            wait(self._doing)
            self._noted_and_leased([*ended, *(each.result() for each in self._doing)], lease=False)

    def _some_ended(self) -> list[_Done]:
        if not self._doing:
            self._pause(PAUSE_S)
            return []
        found = wait(self._doing, timeout=PAUSE_S, return_when=FIRST_COMPLETED).done
        for each in found:
            del self._doing[each]
        return [each.result() for each in found]

    def _noted_and_leased(self, ended: Sequence[_Done], *, lease: bool = True) -> list[tuple[Lane, Errand]]:
        """Note how errands ended and take new ones for the threads that are free, in one transaction if any."""
        busy = Counter(self._doing.values())
        free = {lane: number - busy[lane] for lane, number in THREADS.items() if lease and number > busy[lane]}
        if not ended and not (free and self._is_due(self._clock())):
            return []
        with self._database.transaction() as connection:
            now = self._clock()
            for each in ended:
                settle(connection, each.errand, each.ending, took_ms=each.took_ms, now=now)
            return [
                (lane, errand)
                for lane, number in free.items()
                for errand in errands.lease(connection, lane, now, number)
            ]

    def _is_due(self, until: datetime) -> bool:
        with self._database.reading() as connection:
            return errands.any_due(connection, until)

    def _is_due_soon(self) -> bool:
        return self._is_due(self._clock() + AHEAD)

    # --- in a thread of its own

    def _do(self, errand: Errand) -> _Done:
        start = time.monotonic()
        ending = self._ending(errand)
        return _Done(errand=errand, ending=ending, took_ms=int((time.monotonic() - start) * 1000))

    def _ending(self, errand: Errand) -> Ending:
        row = errand.row
        if errand.table is websub_ping:
            return outside.tell_hub(row.hub, row.url)
        with self._database.reading() as connection:
            feed = feed_of(connection, row.feed_id)
            document = body_of(connection, row.feed_id, row.format)
        topic = FeedAddress(key=feed.key, feed_format=FeedFormat(row.format))
        url = f"{self._site.base_url}{topic.path}"
        if errand.table is websub_request:
            challenge = secrets.token_urlsafe(24)
            asking = rules.verification_url(
                row.callback, mode=row.mode, topic=url, challenge=challenge, lease=timedelta(seconds=row.lease_s)
            )
            return outside.confirm(asking, challenge, allow_private=self._allow_private)
        headers = {
            "Content-Type": topic.feed_format.media_type,
            "Link": f'<{store.own_hub(self._site)}>; rel="hub", <{url}>; rel="self"',
        }
        secret, private = row.secret, self._allow_private
        return outside.hand_over(row.callback, document, headers, secret=secret, allow_private=private)


def settle(connection: Connection, errand: Errand, ending: Ending, *, took_ms: int, now: datetime) -> None:
    """Note how an errand ended; a late worker, whose lease another has, changes nothing."""
    if errand.table is websub_request:
        _settle_request(connection, errand, ending, took_ms=took_ms, now=now)
    elif ending is Ending.DONE:
        errands.done(connection, errand, took_ms=took_ms, now=now)
    elif errand.table is websub_ping:
        if errand.row.failures + 1 < PINGS:
            errands.failed(connection, errand, took_ms=took_ms, now=now)
        else:  # until the document changes again
            errands.done(connection, errand, took_ms=took_ms, now=now)
    elif ending is Ending.REFUSED or not errands.failed(connection, errand, took_ms=took_ms, now=now):
        errands.drop(connection, errand)
        log.info("websub_subscription_dropped", subscription=errand.row.id, ending=ending.value)


def _settle_request(connection: Connection, errand: Errand, ending: Ending, *, took_ms: int, now: datetime) -> None:
    if ending is Ending.FAILED and errand.row.failures + 1 < VERIFICATIONS:
        errands.failed(connection, errand, took_ms=took_ms, now=now)
        return
    if not errands.drop(connection, errand) or ending is not Ending.DONE:
        return
    if errand.row.mode == HubMode.SUBSCRIBE:
        store.subscribe(connection, errand.row, now)
    else:
        store.unsubscribe(connection, errand.row)
