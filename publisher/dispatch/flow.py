from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillSending
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import sqlalchemy as sa
import structlog

from publisher.audience import store as audience
from publisher.audience.model import Suppression, SuppressionReason
from publisher.audience.rules import email_key
from publisher.audience.tokens import Signer
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.compose.model import IssueId, IssueState
from publisher.database import Database, database_now
from publisher.dispatch import ledger, plan, rules
from publisher.dispatch.ledger import Lease, Marked, Result
from publisher.dispatch.letters import compiled, envelopes
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
from publisher.dispatch.tables import send
from publisher.dispatch.transports.transport import Transport
from publisher.errors import ConflictError, InputError, LeaseLostError, TransportUnavailableError
from publisher.settings import Settings

log = structlog.get_logger()

MICRO_BATCH = 250
"""Deliveries marked and sent at once. What a crash can make uncertain is at most two of these a worker."""
TURN = timedelta(seconds=20)
RENEW_EVERY = ledger.LEASE / 3
TRANSPORT_WAIT = timedelta(seconds=5)
UNCERTAIN_WAIT = timedelta(minutes=1)
OPEN_AT_ONCE = 50


# --- plan


def plan_due(database: Database, settings: Settings, *, clock: Clock, planned: Callable[[], None]) -> None:
    """Open the send of every approved issue and plan its deliveries; `planned` is called after each commit."""
    while opened := _open_some(database, settings, clock):
        log.info("sends_opened", issues=opened)
    while _plan_some(database, clock):
        planned()
    with database.transaction() as connection:
        ledger.finish_all(connection, now=database_now(connection, clock))


def _plan_some(database: Database, clock: Clock) -> int:
    """Plan a stretch of deliveries in one commit: of one big issue, or of many small ones; return the issues."""
    with database.transaction() as connection:
        for number in range(OPEN_AT_ONCE):
            stretch = plan.plan_some(connection, now=clock())
            if stretch is None:
                return number
            if stretch >= plan.FIRST_CHUNK:
                return number + 1
        return OPEN_AT_ONCE


def _open_some(database: Database, settings: Settings, clock: Clock) -> list[IssueId]:
    with database.reading() as connection:
        openings = _openings(connection, settings, plan.unopened(connection, at_most=OPEN_AT_ONCE))
    if not openings:
        return []
    with database.transaction() as connection:
        return [each.issue_id for each in openings if plan.open_send(connection, each, now=clock())]


def _openings(connection: sa.Connection, settings: Settings, issue_ids: Sequence[IssueId]) -> list[plan.Opening]:
    if not issue_ids:
        return []
    editions = {each.id: each for each in compose.editions(connection)}
    lists = {each.mailing_list_id for each in editions.values()}
    has_readers = {each: plan.has_readers(connection, each) for each in lists}
    renderings = compose.renderings_of(connection, issue_ids)
    openings = []
    for found in compose.issues_of(connection, issue_ids):
        edition = editions[found.edition_id]
        assert found.approved_at is not None
        is_read = has_readers[edition.mailing_list_id]
        opening = plan.Opening(
            issue_id=found.id,
            mailing_list_id=edition.mailing_list_id,
            message=compiled(settings, edition, found, renderings[found.id]).to_bytes() if is_read else b"",
            stale_at=found.approved_at + edition.stale_after,
            resend_uncertain=True,
        )
        openings.append(opening)
    return openings


# --- send


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
    """Asked between micro-batches: a worker that shuts down ends its turn cleanly, with nothing in doubt."""


def send_due(dispatcher: Dispatcher) -> bool:
    """Send batches for one turn; return whether more may be due. Any number of workers may do so at once."""
    until = dispatcher.clock() + TURN
    while not dispatcher.should_stop() and dispatcher.clock() < until:
        with dispatcher.database.transaction() as connection:
            now = database_now(connection, dispatcher.clock)
            mine = ledger.lease(connection, owner=dispatcher.owner, now=now)
            stored = _stored_message(connection, mine) if mine else b""
        if mine is None:
            return False
        try:
            _send_batch(dispatcher, mine, CompiledMessage.from_bytes(stored))
        except LeaseLostError as lost:
            log.warning("lease_lost", what=lost.what)
    return True


def _stored_message(connection: sa.Connection, mine: Lease) -> bytes:
    found: bytes = connection.execute(sa.select(send.c.message).where(send.c.issue_id == mine.issue_id)).scalar_one()
    return found


def _send_batch(dispatcher: Dispatcher, mine: Lease, message: CompiledMessage) -> None:
    """
    Send one leased batch in micro-batches: while one is on the wire, the next is marked and the last recorded.

    Raises:
        LeaseLostError: The batch was taken over; what we did since is not recorded.

    """
    results: list[Result] = []
    with ThreadPoolExecutor(1, "sending") as wire:
        marked = _record_and_mark(dispatcher, mine, results, after_seq=mine.first_seq - 1)
        letters = _letters(dispatcher, mine, marked)
        while marked:
            answer = wire.submit(_send, dispatcher, message, letters)
            upcoming = _record_and_mark(dispatcher, mine, results, after_seq=marked[-1].seq)
            letters = _letters(dispatcher, mine, upcoming)
            outcomes = _await(dispatcher, mine, answer)
            tried_at = dispatcher.clock()
            results = [_result(mine, each, outcome, tried_at) for each, outcome in zip(marked, outcomes, strict=True)]
            if all(isinstance(outcome, Untried) for outcome in outcomes):
                results += [_result(mine, each, outcomes[0], tried_at) for each in upcoming]
                upcoming = []
            marked = upcoming
        _record_and_release(dispatcher, mine, results)


def _record_and_mark(dispatcher: Dispatcher, mine: Lease, results: list[Result], *, after_seq: int) -> list[Marked]:
    """Write what is known and mark what goes next, in one commit; nothing more once the issue is stopped."""
    with dispatcher.database.transaction() as connection:
        now = database_now(connection, dispatcher.clock)
        going = ledger.renew(connection, mine, now=now) and not dispatcher.should_stop()
        braked = _record(connection, mine, results, now)
        if braked or not going:
            return []
        return ledger.mark(connection, mine, after_seq=after_seq, at_most=dispatcher.pace.at_once(MICRO_BATCH), now=now)


def _record(connection: sa.Connection, mine: Lease, results: Sequence[Result], now: datetime) -> bool:
    """Write outcomes, and pull the brake where too many failed; tell whether it was pulled."""
    ledger.record(connection, mine, results, now=now)
    _suppress_dead(connection, results, now)
    states = [each.state for each in results]
    run = ledger.note_run(connection, mine.issue_id, states) if results else 0
    failed = [each for each in results if each.state in rules.NOT_TAKEN]
    if not rules.brakes(run, failed=len(failed), tried=len(results)):
        return False
    many = f"{run} in a row" if run >= rules.BRAKE_IN_A_ROW else f"{len(failed)} of {len(results)}"
    reason = f"The mail server did not take {many}. Its last answer: {failed[-1].reason}. Mend that, then resume."
    log.error("send_paused", issue_id=mine.issue_id, reason=reason)
    return ledger.brake(connection, mine.issue_id, reason)


def _suppress_dead(connection: sa.Connection, results: Sequence[Result], now: datetime) -> None:
    """Mail dead addresses no more, in the commit that says so. Two workers take them in the same order."""
    dead = {email_key(each.dead_address): each for each in results if each.dead_address}
    audience.suppress(
        connection,
        [
            Suppression(email_key=key, reason=SuppressionReason.BOUNCED, at=now, detail=dead[key].reason or "")
            for key in sorted(dead)
        ],
    )


def _letters(dispatcher: Dispatcher, mine: Lease, marked: Sequence[Marked]) -> Sequence[Envelope]:
    date = format_datetime(dispatcher.clock())
    return envelopes(dispatcher.settings, dispatcher.signer, mine.issue_id, marked, date=date)


def _send(dispatcher: Dispatcher, message: CompiledMessage, letters: Sequence[Envelope]) -> Sequence[Outcome]:
    outcomes: list[Outcome] = []
    for some in dispatcher.pace.portions(letters):
        outcomes += _send_some(dispatcher.transport, message, some)
    return outcomes


def _send_some(transport: Transport, message: CompiledMessage, letters: Sequence[Envelope]) -> Sequence[Outcome]:
    try:
        return transport.send_all(message, letters)
    except TransportUnavailableError as problem:
        return [Untried(reason=problem.reason)] * len(letters)


def _await(dispatcher: Dispatcher, mine: Lease, answer: Future[Sequence[Outcome]]) -> Sequence[Outcome]:
    """Wait for the wire as long as it takes, holding the lease on."""
    while True:
        try:
            return answer.result(timeout=RENEW_EVERY.total_seconds())
        except StillSending:
            with dispatcher.database.transaction() as connection:
                ledger.renew(connection, mine, now=database_now(connection, dispatcher.clock))


def _record_and_release(dispatcher: Dispatcher, mine: Lease, results: list[Result]) -> None:
    blocked = any(each.state is DeliveryState.PLANNED for each in results)
    with dispatcher.database.transaction() as connection:
        now = database_now(connection, dispatcher.clock)
        ledger.renew(connection, mine, now=now)
        _record(connection, mine, results, now)
        ledger.release(connection, mine, now=now, not_before=now + TRANSPORT_WAIT if blocked else None)
        ledger.finish(connection, mine.issue_id, now=now)


def _result(mine: Lease, marked: Marked, outcome: Outcome, tried_at: datetime) -> Result:
    """Return what an outcome means for a delivery."""
    match outcome:
        case Sent():
            return Result(seq=marked.seq, state=DeliveryState.SENT, attempts=marked.attempts)
        case Untried(reason=reason):
            return Result(seq=marked.seq, state=DeliveryState.PLANNED, attempts=marked.attempts - 1, reason=reason)
        case Uncertain(reason=reason):
            due_at = tried_at + UNCERTAIN_WAIT if mine.resend_uncertain else None
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
            due_at = rules.next_attempt_at(outcome, tried_at=tried_at, failures=marked.attempts, stale_at=mine.stale_at)
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


# --- upkeep, and an editor's hand


def upkeep(database: Database, *, clock: Clock) -> bool:
    """Take back what a vanished worker left, close what has ended; return whether a batch is due."""
    with database.reading() as connection:
        if not ledger.has_open(connection):
            return False
    with database.transaction() as connection:
        now = database_now(connection, clock)
        taken = ledger.take_back_expired(connection, now=now)
        ledger.finish_all(connection, now=now)
        if taken:
            log.warning("batches_taken_back", batches=taken)
        return ledger.has_due(connection, now=now)


def pause(database: Database, settings: Settings, issue_id: IssueId, *, reason: str, clock: Clock) -> None:
    """Stop sending an issue after the micro-batch on the wire; resume goes on exactly there."""
    _ensure_open(database, settings, issue_id, clock)
    _move(database, issue_id, (SendState.SENDING,), SendState.PAUSED, reason=reason, clock=clock)


def resume(database: Database, issue_id: IssueId, *, clock: Clock) -> None:
    """Go on with a paused issue at once, also with what waited for another attempt."""
    _move(database, issue_id, (SendState.PAUSED,), SendState.SENDING, reason="", clock=clock)
    with database.transaction() as connection:
        ledger.bring_forward(connection, issue_id)


def retry(database: Database, issue_id: IssueId, state: DeliveryState, *, clock: Clock) -> int:
    """
    Send again what failed, or what is uncertain and held; return how many deliveries that is.

    Whoever is suppressed by now is skipped. The issue stays news for the edition's time, from now.

    Raises:
        ConflictError: The issue was cancelled, or has not been sent.
        InputError: Deliveries of this state are not ended.

    """
    if state not in {DeliveryState.FAILED, DeliveryState.UNCERTAIN}:
        raise InputError(f"Deliveries that are {state} need no retry.")
    with database.transaction() as connection:
        if ledger.send_state(connection, issue_id) not in {SendState.SENT, SendState.SENDING, SendState.PAUSED}:
            raise ConflictError(f"Issue {issue_id} has no send that could be tried again.")
        edition = compose.edition_of(connection, compose.issue_of(connection, issue_id).edition_id)
        return ledger.reopen(connection, issue_id, state, stale_at=clock() + edition.stale_after)


def cancel(database: Database, settings: Settings, issue_id: IssueId, *, reason: str, clock: Clock) -> None:
    """Stop an issue for good: who has it keeps it, who has not is skipped."""
    _ensure_open(database, settings, issue_id, clock)
    states = (SendState.SENDING, SendState.PAUSED)
    _move(database, issue_id, states, SendState.CANCELLED, reason=reason, clock=clock)


def _ensure_open(database: Database, settings: Settings, issue_id: IssueId, clock: Clock) -> None:
    """Open the send of an issue that was approved a moment ago, so that it can be stopped before it began."""
    with database.reading() as connection:
        approved = compose.issue_of(connection, issue_id).state is IssueState.APPROVED
        if not approved or ledger.send_state(connection, issue_id) is not None:
            return
        [opening] = _openings(connection, settings, [issue_id])
    with database.transaction() as connection:
        plan.open_send(connection, opening, now=clock())


def _move(
    database: Database, issue_id: IssueId, before: Sequence[SendState], after: SendState, *, reason: str, clock: Clock
) -> None:
    with database.transaction() as connection:
        state = ledger.send_state(connection, issue_id)
        if state is after:
            return
        if state not in before:
            problem = f"Issue {issue_id} is {state or 'not being sent'}; it cannot become {after} now."
            raise ConflictError(problem)
        ledger.set_state(connection, issue_id, after, reason=reason)
        if after is SendState.CANCELLED:
            ledger.skip_rest(connection, issue_id, reason="cancelled")
            ledger.finish_all(connection, now=database_now(connection, clock))
