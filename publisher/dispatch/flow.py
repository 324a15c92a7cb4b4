from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from publisher import acts
from publisher.audience.segment_store import segment_of
from publisher.audience.tokens import Signer
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.compose.arrival import first_arrival
from publisher.compose.model import Arrival, InDoubt, IssueId, IssueState
from publisher.database import Database, database_now
from publisher.dispatch import ledger, plan
from publisher.dispatch.letters import compiled, tracked
from publisher.dispatch.model import (
    DeliveryState,
    SendState,
)
from publisher.dispatch.subjects import Split
from publisher.errors import ConflictError, InputError
from publisher.settings import Settings

log = structlog.get_logger()

OPEN_AT_ONCE = 50
MOVED = {SendState.SENDING: "issue resumed"}
"""What an editor did, where the state does not say it."""
A_DAY = timedelta(days=1)
CAN_BE_RETRIED = frozenset({DeliveryState.FAILED, DeliveryState.UNCERTAIN})


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
        openings = _openings(connection, settings, plan.unopened(connection, at_most=OPEN_AT_ONCE), clock())
    if not openings:
        return []
    with database.transaction() as connection:
        return [each.issue_id for each in openings if plan.open_send(connection, each, now=clock())]


def _openings(
    connection: sa.Connection, settings: Settings, issue_ids: Sequence[IssueId], now: datetime
) -> list[plan.Opening]:
    if not issue_ids:
        return []
    editions = {each.id: each for each in compose.editions(connection)}
    lists = {each.mailing_list_id for each in editions.values()}
    has_readers = {each: plan.has_readers(connection, each) for each in lists}
    renderings = compose.renderings_of(connection, issue_ids)
    translations = compose.translations_of(connection, issue_ids)
    tried = compose.subjects_of(connection, issue_ids)
    openings, signer = [], Signer(settings.secret_key)
    for found in compose.issues_of(connection, issue_ids):
        edition = editions[found.edition_id]
        assert found.approved_at is not None
        is_read = has_readers[edition.mailing_list_id]
        languages = {"": renderings[found.id], **translations[found.id]}
        mails = {(0, language): rendering for language, rendering in languages.items()} | tried[found.id]
        followed, links = tracked(settings, signer, edition, found.id, mails)
        messages = {
            key: compiled(settings, edition, found, rendering).to_bytes()
            for key, rendering in (followed.items() if is_read else ())
        }
        test = found.subject_test if tried[found.id] else None
        wait = timedelta(hours=test.hours) if test else timedelta(0)
        local_time = edition.cadence if edition.arrival is Arrival.LOCAL_TIME else None
        first_at = first_arrival(local_time, found.approved_at) if local_time else None
        opening = plan.Opening(
            issue_id=found.id,
            mailing_list_id=edition.mailing_list_id,
            message=messages.get((0, ""), b""),
            translations={language: each for (number, language), each in messages.items() if language and not number},
            subjects={key: each for key, each in messages.items() if key[0]},
            split=Split.of(test, found.id, settings.secret_key) if test else None,
            settles_at=now + wait if test else None,
            stale_at=_last_arrival(found.approved_at, first_at) + wait + edition.stale_after,
            resend_uncertain=edition.in_doubt is InDoubt.SEND_AGAIN,
            links=links if is_read else {},
            local_time=local_time,
            first_at=first_at,
            conditions=segment_of(connection, edition.segment_id).conditions if edition.segment_id else None,
        )
        openings.append(opening)
    return openings


def _last_arrival(approved_at: datetime, first_at: datetime | None) -> datetime:
    """Return from when an issue grows stale: where it follows the sun, from its last readers' time of day."""
    return max(approved_at, first_at + A_DAY) if first_at else approved_at


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
    """Stop sending an issue after the load on the wire; resume goes on exactly there."""
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
    if state not in CAN_BE_RETRIED:
        raise InputError(f"Deliveries that are {state} need no retry.")
    with database.transaction() as connection:
        if ledger.send_state(connection, issue_id) not in {SendState.SENT, SendState.SENDING, SendState.PAUSED}:
            raise ConflictError(f"Issue {issue_id} has no send that could be tried again.")
        edition = compose.edition_of(connection, compose.issue_of(connection, issue_id).edition_id)
        acts.note(connection, "issue sent again", f"issue {issue_id}, {state}")
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
        [opening] = _openings(connection, settings, [issue_id], clock())
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
        acts.note(connection, MOVED.get(after, f"issue {after}"), f"issue {issue_id}")
        if after is SendState.CANCELLED:
            ledger.skip_rest(connection, issue_id, reason="cancelled")
            ledger.finish_all(connection, now=database_now(connection, clock))
