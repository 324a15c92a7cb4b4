"""
One worker's turn of sending.

A *load* (elsewhere a micro-batch) is what goes on the wire together: deliveries of one leased batch. While one load is
on the wire, one transaction writes the outcomes of the load before it and marks the load that follows, in the same
batch or in the next one that is due. So the wire never waits for the ledger, not even from one batch to the next.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillSending
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import NamedTuple, Self, TypeAlias

import sqlalchemy as sa
import structlog

from publisher.audience import store as audience
from publisher.audience.model import Suppression, SuppressionReason
from publisher.audience.rules import email_key
from publisher.audience.tokens import Signer
from publisher.clock import Clock
from publisher.compose.model import IssueId
from publisher.compose.slots import Slot
from publisher.database import Database, database_now
from publisher.dispatch import ledger, rules
from publisher.dispatch.ledger import Lease, Marked, Result, Standing
from publisher.dispatch.letters import envelopes
from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import (
    Deferred,
    DeliveryState,
    Envelope,
    Outcome,
    Refused,
    SendState,
    Sent,
    Uncertain,
    Untried,
)
from publisher.dispatch.pace import UNHURRIED, Pace
from publisher.dispatch.subjects import Split
from publisher.dispatch.tables import send, send_subject, send_translation
from publisher.dispatch.transports.transport import Transport
from publisher.errors import LeaseLostError, TransportUnavailableError
from publisher.languages import closest
from publisher.settings import Settings

log = structlog.get_logger()

TURN = timedelta(seconds=20)
RENEW_EVERY = ledger.LEASE / 3
TRANSPORT_WAIT = timedelta(seconds=5)
UNCERTAIN_WAIT = timedelta(minutes=1)
EMPTY_BATCHES = 10
"""So many batches of which nobody may be mailed any more are passed over in one transaction."""


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """What sending needs, put together once for each process."""

    database: Database
    transport: Transport
    signer: Signer
    settings: Settings
    clock: Clock
    owner: str
    pace: Pace = UNHURRIED
    should_stop: Callable[[], bool] = lambda: False
    """Asked between loads: a worker that shuts down ends its turn cleanly, with nothing in doubt."""


class Messages(NamedTuple):
    """An issue's message in the languages of its readers, and under each subject that is on trial."""

    by_key: dict[tuple[int, str], CompiledMessage]
    """By the number of the subject and the language; empty: the edition's, for whoever has no other."""
    languages: frozenset[str]
    """Besides the edition's."""
    split: Split | None
    """Who gets which subject; None: there is one for all."""
    best_subject: int | None

    @property
    def usual(self) -> CompiledMessage:
        return self.by_key[0, ""]

    def key(self, letter: Envelope) -> tuple[int, str]:
        """Return the subject and the language that a reader gets."""
        language = closest(letter.language, self.languages) if self.languages else None
        return letter.subject, language or ""

    @property
    def subject_for(self) -> Callable[[int], int] | None:
        """What tells the subject that a reader gets, by the subscription; None: it is the same for all."""
        return None if self.split is None else partial(self.split.subject_for, best=self.best_subject)

    @classmethod
    def of(cls, connection: sa.Connection, issue_id: IssueId) -> Self:
        wanted = sa.select(send.c.message, send.c.subject_split, send.c.best_subject)
        usual, split, best = connection.execute(wanted.where(send.c.issue_id == issue_id)).one()
        translated = sa.select(sa.literal(0), send_translation.c.language, send_translation.c.message)
        tried = sa.select(send_subject.c.number, send_subject.c.language, send_subject.c.message)
        found = {(0, ""): usual}
        for number, language, message in (
            *connection.execute(translated.where(send_translation.c.issue_id == issue_id)),
            *(connection.execute(tried.where(send_subject.c.issue_id == issue_id)) if split else ()),
        ):
            found[number, language] = message
        return cls(
            by_key={key: CompiledMessage.from_bytes(message) for key, message in found.items()},
            languages=frozenset(language for _, language in found if language),
            split=Split.from_json(split) if split else None,
            best_subject=best,
        )


class Load(NamedTuple):
    """Deliveries of one lease, marked together, and sent together."""

    lease: Lease
    marked: list[Marked]


class Done(NamedTuple):
    """A load that was on the wire, and what became of it; not written down yet."""

    lease: Lease
    marked: list[Marked]
    outcomes: Sequence[Outcome]
    tried_at: datetime


def send_due(dispatcher: Dispatcher) -> bool:
    """
    Send what is due for one turn, and return whether more may be due at once.

    Any number of workers may do so at the same time.
    """
    with ThreadPoolExecutor(1, "sending") as wire, dispatcher.database.writing() as begin:
        return _Turn(dispatcher, wire, begin).take()


Begin: TypeAlias = Callable[[], AbstractContextManager[sa.Connection]]


class _Turn:
    def __init__(self, dispatcher: Dispatcher, wire: ThreadPoolExecutor, begin: Begin) -> None:
        self._dispatcher = dispatcher
        self._wire = wire
        self._begin = begin
        self._ahead: timedelta | None = None
        """By how much the clock that all workers share is ahead of ours."""
        self._until = dispatcher.clock() + TURN
        self._at_once = rules.LOAD_AT_LEAST
        self._messages: dict[IssueId, Messages] = {}
        self._is_dry = False
        """Whether no further batch was due when we last looked."""
        self._trouble: Untried | None = None
        """Why the transport takes nothing now; the rest of the turn only writes down what is known."""

    def take(self) -> bool:
        done: Done | None = None
        while load := self._turn_over(done, None):
            done = self._send_on(load)
        return not (self._is_dry or self._trouble)

    def _send_on(self, load: Load) -> Done:
        """Send a load, and whatever can be marked while something is on the wire; return the last one."""
        done: Done | None = None
        letters = self._letters(load)
        while True:
            answer = self._wire.submit(self._send, load.lease.issue_id, letters)
            upcoming = self._turn_over(done, load)
            letters = self._letters(upcoming)
            outcomes = self._await(answer, load, upcoming)
            done = Done(load.lease, load.marked, outcomes, self._dispatcher.clock())
            if upcoming is None:
                return done
            load = upcoming

    # --- the ledger's side: one transaction between two loads

    def _turn_over(self, done: Done | None, on_wire: Load | None) -> Load | None:
        """Write what is known of the last load, and mark the next one; None: nothing more in this turn."""
        with self._begin() as connection:
            now = self._now(connection)
            held = self._renew(connection, [each.lease for each in (done, on_wire) if each], now)
            braked = False
            if done and done.lease in held:
                braked = _record(connection, done, held[done.lease], now)
                if on_wire is None or on_wire.lease != done.lease:
                    _release(connection, done.lease, now, done.outcomes)
            is_going = on_wire is not None and on_wire.lease in held and held[on_wire.lease].state is SendState.SENDING
            return self._mark_next(connection, on_wire if is_going and not braked else None, now)

    def _now(self, connection: sa.Connection) -> datetime:
        """Return the instant by the clock that all workers share, which is asked once a turn."""
        if self._ahead is None:
            self._ahead = database_now(connection, self._dispatcher.clock) - self._dispatcher.clock()
        return self._dispatcher.clock() + self._ahead

    def _renew(self, connection: sa.Connection, leases: Iterable[Lease], now: datetime) -> dict[Lease, Standing]:
        """Hold on those leases that are still ours, and return them. All workers lock batches in the same order."""
        held = {}
        for lease in sorted(set(leases), key=_place):
            try:
                held[lease] = ledger.renew(connection, lease, now=now)
            except LeaseLostError as lost:
                log.warning("lease_lost", what=lost.what)
        return held

    def _mark_next(self, connection: sa.Connection, on_wire: Load | None, now: datetime) -> Load | None:
        if self._trouble or self._dispatcher.should_stop() or self._dispatcher.clock() >= self._until:
            return None
        if on_wire and (marked := self._mark(connection, on_wire.lease, on_wire.marked[-1].seq, now)):
            return Load(on_wire.lease, marked)
        for _ in range(EMPTY_BATCHES):
            lease = ledger.lease(connection, owner=self._dispatcher.owner, now=now)
            self._is_dry = lease is None
            if lease is None:
                return None
            if marked := self._mark(connection, lease, lease.first_seq - 1, now):
                self._read_message(connection, lease)
                return Load(lease, marked)
            _release(connection, lease, now, ())
        return None

    def _mark(self, connection: sa.Connection, lease: Lease, after_seq: int, now: datetime) -> list[Marked]:
        at_most = self._dispatcher.pace.at_once(self._at_once)
        return ledger.mark(connection, lease, after_seq=after_seq, at_most=at_most, now=now)

    def _read_message(self, connection: sa.Connection, lease: Lease) -> None:
        known = self._messages.get(lease.issue_id)
        if known is None or known.best_subject != lease.best_subject:
            self._messages[lease.issue_id] = Messages.of(connection, lease.issue_id)

    # --- the wire's side

    def _letters(self, load: Load | None) -> Sequence[Envelope]:
        if load is None:
            return ()
        dispatcher, issue_id = self._dispatcher, load.lease.issue_id
        return envelopes(
            dispatcher.settings,
            dispatcher.signer,
            issue_id,
            load.marked,
            date=format_datetime(dispatcher.clock()),
            by_reader=Slot.READER in self._messages[issue_id].usual.needs,
            subject_for=self._messages[issue_id].subject_for,
        )

    def _send(self, issue_id: IssueId, letters: Sequence[Envelope]) -> Sequence[Outcome]:
        messages, outcomes = self._messages[issue_id], list[Outcome]()
        began_at = time.monotonic()
        for some in self._dispatcher.pace.portions(letters):
            outcomes += self._send_some(messages, some)
        self._at_once = rules.load_size(len(letters), took_s=time.monotonic() - began_at)
        return outcomes

    def _send_some(self, messages: Messages, letters: Sequence[Envelope]) -> Sequence[Outcome]:
        """Send each reader the message in a language of theirs and under their subject; those alike go together."""
        if len(messages.by_key) == 1:
            return self._send_alike(messages.usual, letters)
        places: dict[tuple[int, str], list[int]] = defaultdict(list)
        for place, letter in enumerate(letters):
            places[messages.key(letter)].append(place)
        outcomes: dict[int, Outcome] = {}
        for key, those in places.items():
            outcomes |= zip(
                those, self._send_alike(messages.by_key[key], [letters[place] for place in those]), strict=True
            )
        return [outcomes[place] for place in range(len(letters))]

    def _send_alike(self, message: CompiledMessage, letters: Sequence[Envelope]) -> Sequence[Outcome]:
        if self._trouble:
            return [self._trouble] * len(letters)
        try:
            return self._dispatcher.transport.send_all(message, letters)
        except TransportUnavailableError as problem:
            return [Untried(reason=problem.reason)] * len(letters)

    def _await(self, answer: Future[Sequence[Outcome]], load: Load, upcoming: Load | None) -> Sequence[Outcome]:
        """Wait for the wire as long as it takes, holding the leases on."""
        while True:
            try:
                outcomes = answer.result(timeout=RENEW_EVERY.total_seconds())
                break
            except StillSending:
                with self._begin() as connection:
                    self._renew(connection, [each.lease for each in (load, upcoming) if each], self._now(connection))
        untried = [each for each in outcomes if isinstance(each, Untried)]
        if len(untried) == len(outcomes):
            self._trouble = untried[0]
        return outcomes


def _place(lease: Lease) -> tuple[int, int]:
    return lease.issue_id, lease.number


def _record(connection: sa.Connection, done: Done, standing: Standing, now: datetime) -> bool:
    """Write outcomes, nearly always in one statement: all was sent. Return whether the brake was pulled."""
    lease, marked = done.lease, done.marked
    if all(isinstance(each, Sent) for each in done.outcomes):
        ledger.record_sent(connection, lease, marked[0].seq, marked[-1].seq, now=now)
        ledger.note_run(connection, lease.issue_id, standing.failures_in_row, (DeliveryState.SENT,))
        return False
    results = [
        _result(lease, each, outcome, done.tried_at) for each, outcome in zip(marked, done.outcomes, strict=True)
    ]
    ledger.record(connection, lease, results, now=now)
    _suppress_dead(connection, results, now)
    run = ledger.note_run(connection, lease.issue_id, standing.failures_in_row, [each.state for each in results])
    return _brake(connection, lease.issue_id, run, results)


def _brake(connection: sa.Connection, issue_id: IssueId, run: int, results: Sequence[Result]) -> bool:
    """Pause the issue where too much failed, and return whether it was paused."""
    failures = [each for each in results if each.state in rules.NOT_TAKEN]
    failed, tried = len(failures), len(results)
    if failed > rules.BRAKE_SHARE * tried and tried < rules.BRAKE_SHARE_OF:
        failed, tried = ledger.last_tried(connection, issue_id, results[-1].seq, at_most=rules.BRAKE_SHARE_OF)
    if not rules.brakes(run, failed=failed, tried=tried):
        return False
    many = f"{run} in a row" if run >= rules.BRAKE_IN_A_ROW else f"{failed} of {tried}"
    reason = f"The mail server did not take {many}. Its last answer: {failures[-1].reason}. Mend that, then resume."
    log.error("send_paused", issue_id=issue_id, reason=reason)
    return ledger.brake(connection, issue_id, reason)


def _suppress_dead(connection: sa.Connection, results: Sequence[Result], now: datetime) -> None:
    """Mail dead addresses no more, in the commit that says so. Two workers take them in the same order."""
    dead = {email_key(each.dead_address): each for each in results if each.dead_address}
    if not dead:
        return
    audience.suppress(
        connection,
        [
            Suppression(email_key=key, reason=SuppressionReason.BOUNCED, at=now, detail=dead[key].reason or "")
            for key in sorted(audience.held_keys(connection, dead))  # of who was erased meanwhile nothing is kept
        ],
    )


def _release(connection: sa.Connection, lease: Lease, now: datetime, outcomes: Sequence[Outcome]) -> None:
    """Give a batch back whose last load is written down; what the transport did not take now waits a little."""
    is_blocked = any(isinstance(each, Untried) for each in outcomes)
    ledger.release(connection, lease, now=now, not_before=now + TRANSPORT_WAIT if is_blocked else None)
    ledger.finish(connection, lease.issue_id, now=now)


def _result(lease: Lease, marked: Marked, outcome: Outcome, tried_at: datetime) -> Result:
    """Return what an outcome means for a delivery."""
    match outcome:
        case Sent():
            return Result(seq=marked.seq, state=DeliveryState.SENT, attempts=marked.attempts)
        case Untried(reason=reason):
            return Result(seq=marked.seq, state=DeliveryState.PLANNED, attempts=marked.attempts - 1, reason=reason)
        case Uncertain(reason=reason):
            due_at = tried_at + UNCERTAIN_WAIT if lease.resend_uncertain else None
            return Result(
                seq=marked.seq,
                state=DeliveryState.UNCERTAIN,
                attempts=marked.attempts,
                doubts=1,
                due_at=due_at,
                reason=reason,
            )
        case Refused():
            return _ended(marked, outcome, DeliveryState.FAILED, due_at=None)
        case Deferred():
            due_at = rules.next_attempt_at(
                outcome, tried_at=tried_at, failures=marked.attempts, stale_at=lease.stale_at
            )
            state = DeliveryState.DEFERRED if due_at else DeliveryState.FAILED
            return _ended(marked, outcome, state, due_at=due_at)


def _ended(marked: Marked, outcome: Refused | Deferred, state: DeliveryState, *, due_at: datetime | None) -> Result:
    return Result(
        seq=marked.seq,
        state=state,
        attempts=marked.attempts,
        due_at=due_at,
        code=outcome.code,
        reason=f"{outcome.enhanced} {outcome.reason}".strip(),
        dead_address=marked.address if rules.is_dead_address(outcome) else "",
    )
