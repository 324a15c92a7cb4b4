import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from publisher.audience.tables import subscriber
from publisher.clock import Clock
from publisher.database import Database
from publisher.webhooks import outside, rules, store
from publisher.webhooks.model import Attempt, Ending, Endpoint, EndpointId, Webhook, WebhookState

log = structlog.get_logger()


class Lane(Enum):
    """Which is slow or failing waits among its kind, and keeps no other waiting."""

    QUICK = "quick"
    SLOW = "slow"


THREADS = {Lane.QUICK: 8, Lane.SLOW: 4}
AT_ONCE = {Lane.QUICK: 4, Lane.SLOW: 1}
"""On the way to one endpoint."""
SLOW_MS = 2_000
TURN_S = 20.0
AHEAD = timedelta(seconds=1)
"""We wait here for what is due so soon, rather than leave it to the next tick."""
PAUSE_S = 0.05
REFILL_EVERY_S = 0.5
"""A round that a slow endpoint keeps going must not keep the others' queues empty meanwhile."""


def send_due(
    database: Database,
    *,
    clock: Clock,
    allow_private: bool,
    refill: Callable[[], None] = lambda: None,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """
    Send every webhook that is due; return whether there was any.

    Any number of workers may run it. Each webhook is leased, and its row says that it waits until an attempt has
    ended: what a killed worker had in hand is sent again, with the same id.
    """
    with database.reading() as connection:
        is_due = bool(store.endpoints_due(connection, clock() + AHEAD))
    if is_due:
        _Round(database, clock, allow_private=allow_private, refill=refill, pause=pause).run()
    return is_due


@dataclass(frozen=True, kw_only=True)
class _Taken:
    """A webhook in hand, with its endpoint as it was when it was taken."""

    endpoint: Endpoint
    webhook: Webhook
    lane: Lane


@dataclass(frozen=True, kw_only=True)
class _Done:
    taken: _Taken
    ending: Ending


class _Round:
    """
    Webhooks sent until none is due: this thread leases and notes, others go out.

    Endpoints take turns, each has a few threads at most, and those which were slow or failed share a few of their own.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        allow_private: bool,
        refill: Callable[[], None],
        pause: Callable[[float], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._allow_private = allow_private
        self._refill = refill
        self._pause = pause
        self._doing: dict[Future[_Done], _Taken] = {}
        self._last = EndpointId(0)

    def run(self) -> None:
        begun = refilled = time.monotonic()
        with ThreadPoolExecutor(sum(THREADS.values()), "webhooks") as threads:
            ended: list[_Done] = []
            while time.monotonic() < begun + TURN_S:
                if time.monotonic() > refilled + REFILL_EVERY_S:
                    self._refill()
                    refilled = time.monotonic()
                for taken in self._noted_and_leased(ended):
                    self._doing[threads.submit(self._do, taken)] = taken
                if not self._doing and not self._due(self._clock() + AHEAD):
                    return
                ended = self._some_ended()
            wait(self._doing)
            self._note([*ended, *(each.result() for each in self._doing)])

    def _some_ended(self) -> list[_Done]:
        if not self._doing:
            self._pause(PAUSE_S)
            return []
        found = wait(self._doing, timeout=PAUSE_S, return_when=FIRST_COMPLETED).done
        for each in found:
            del self._doing[each]
        return [each.result() for each in found]

    def _noted_and_leased(self, ended: Sequence[_Done]) -> list[_Taken]:
        """Note how attempts ended and take new webhooks for the threads that are free, in one transaction if any."""
        if not ended and not self._due(self._clock()):
            return []
        with self._database.transaction() as connection:
            now = self._clock()
            for each in ended:
                settle(connection, each.taken.endpoint, each.taken.webhook, each.ending, now=now)
            return self._leased(connection, now)

    def _note(self, ended: Sequence[_Done]) -> None:
        with self._database.transaction() as connection:
            for each in ended:
                settle(connection, each.taken.endpoint, each.taken.webhook, each.ending, now=self._clock())

    def _leased(self, connection: Connection, now: datetime) -> list[_Taken]:
        """Take one webhook of each endpoint in turn, as long as there is a thread for it."""
        busy = Counter(each.lane for each in self._doing.values())
        taken: list[_Taken] = []
        due = store.endpoints_due(connection, now)
        room = {each.id: AT_ONCE[lane_of(each)] - store.in_hand(connection, each.id, now) for each in due}
        while True:
            able = [each for each in due if room[each.id] > 0 and busy[lane_of(each)] < THREADS[lane_of(each)]]
            if not able:
                return taken
            chosen = min(able, key=lambda each: (each.id <= self._last, each.id))
            self._last = chosen.id
            found = store.lease(connection, chosen.id, now, 1)
            room[chosen.id] = room[chosen.id] - 1 if found else 0
            for each in found:
                lane = lane_of(chosen)
                busy[lane] += 1
                taken.append(_Taken(endpoint=chosen, webhook=each, lane=lane))

    def _due(self, until: datetime) -> bool:
        with self._database.reading() as connection:
            return any(
                store.in_hand(connection, each.id, until) < AT_ONCE[lane_of(each)]
                for each in store.endpoints_due(connection, until)
            )

    # --- in a thread of its own

    def _do(self, taken: _Taken) -> _Done:
        endpoint, found, now = taken.endpoint, taken.webhook, self._clock()
        facts = dict(found.facts)
        if endpoint.with_addresses and "subscriber_id" in facts:
            facts["email"] = self._address(facts["subscriber_id"])
        former = endpoint.former_secret if endpoint.former_until and endpoint.former_until > now else ""
        ending = outside.hand_over(
            endpoint.url,
            rules.body(found.kind, found.at, facts),
            message_id=found.message_id,
            secrets=[each for each in (endpoint.secret, former) if each],
            at=now,
            allow_private=self._allow_private,
        )
        return _Done(taken=taken, ending=ending)

    def _address(self, subscriber_id: int) -> str | None:
        """Return a reader's address as it is now; None: the reader has been erased."""
        with self._database.reading() as connection:
            found: str | None = connection.scalar(sa.select(subscriber.c.email).where(subscriber.c.id == subscriber_id))
            return found


def lane_of(endpoint: Endpoint) -> Lane:
    return Lane.SLOW if endpoint.failures or endpoint.took_ms > SLOW_MS else Lane.QUICK


def settle(connection: Connection, endpoint: Endpoint, found: Webhook, ending: Ending, *, now: datetime) -> None:
    """Note how an attempt ended, of the webhook and of its endpoint; a late worker changes neither."""
    attempt = Attempt(at=now, status=ending.status, took_ms=ending.took_ms, said=ending.said)
    state, due_at, failures = _standing(found, ending, now)
    if store.settle(connection, found, attempt, state=state, due_at=due_at, failures=failures):
        # Others may have ended since this one was taken: what counts is how the endpoint stands now.
        _judge(connection, store.endpoint_of(connection, endpoint.id), ending, now)


def _standing(found: Webhook, ending: Ending, now: datetime) -> tuple[WebhookState, datetime | None, int]:
    if ending.is_delivered:
        return WebhookState.DELIVERED, None, 0
    if ending.is_gone:  # it goes first, should the endpoint be switched on again
        return WebhookState.WAITING, now, found.failures
    failures = found.failures + 1
    due_at = rules.next_attempt_at(tried_at=now, failures=failures, chance=random.random())  # noqa: S311 -- no secret
    if due_at is None:
        return WebhookState.GIVEN_UP, None, failures
    return WebhookState.WAITING, max(due_at, now + (ending.retry_after or timedelta())), failures


def _judge(connection: Connection, endpoint: Endpoint, ending: Ending, now: datetime) -> None:
    if ending.is_delivered:
        well = {"failures": 0, "failing_since": None, "rest_until": None, "took_ms": ending.took_ms}
        store.change_endpoint(connection, endpoint.id, well)
        return
    failures, since = endpoint.failures + 1, endpoint.failing_since or now
    rest = max(filter(None, (rules.rest_after(failures), ending.retry_after)), default=None)
    values = {"failures": failures, "failing_since": since, "took_ms": ending.took_ms}
    values["rest_until"] = now + rest if rest else None
    reason = ""
    if ending.is_gone:
        reason = "It answered 410 Gone, so nobody is there any more."
    elif rules.is_hopeless(since, now):
        reason = f"Nothing has arrived there for {rules.OFF_AFTER.days} days."
    if reason:
        values |= {"is_on": False, "off_reason": reason}
        log.warning("webhook_endpoint_off", endpoint=endpoint.id, reason=reason)
    store.change_endpoint(connection, endpoint.id, values)
