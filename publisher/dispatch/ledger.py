"""
Who has been sent what: leases on batches, marks before sending, outcomes after it.

The order of writes is the promise of docs/promise.md: a delivery is marked `sending` in a
committed transaction before its first byte leaves, and its outcome is written only by the
worker whose fence still stands. What is still `sending` when a lease runs out is uncertain.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.tables import subscriber, subscription, suppression
from publisher.compose.model import IssueId
from publisher.database import skip_locked
from publisher.dispatch import rules, tallies
from publisher.dispatch.model import BatchState, DeliveryState, SendState
from publisher.dispatch.subjects import Split
from publisher.dispatch.tables import batch, delivery, send
from publisher.errors import LeaseLostError

LEASE = timedelta(seconds=30)
AN_INSTANT = timedelta(microseconds=1)
WAITING = (DeliveryState.PLANNED, DeliveryState.DEFERRED)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """One batch in one worker's hands. The fence rises with every lease: a late worker's number is too low."""

    issue_id: IssueId
    number: int
    first_seq: int
    last_seq: int
    fence: int
    resend_uncertain: bool
    stale_at: datetime
    held_from: datetime | None = None
    """What is due from then on waits: the best subject of a test has not been chosen."""
    best_subject: int | None = None


class Marked(NamedTuple):
    """One delivery that may now be sent, as it comes from the database (SQLAlchemy's row has the same fields)."""

    seq: int
    subscription_id: int
    attempts: int
    """This one included."""
    address: str
    name: str
    language: str = ""
    bar: str | None = None
    """Why it may not be sent after all."""


class Result(NamedTuple):
    """What is written of one delivery after an attempt. A tuple, because there is one for every mail."""

    seq: int
    state: DeliveryState
    attempts: int
    doubts: int = 0
    due_at: datetime | None = None
    code: int | None = None
    reason: str | None = None
    dead_address: str = ""
    """The reader's address, where the answer says that it is dead."""

    def __repr__(self) -> str:
        return f"Result(seq={self.seq}, state={self.state})"  # without an address


def lease(connection: Connection, *, owner: str, now: datetime) -> Lease | None:
    """
    Lease the next ready batch, or None where nothing is due.

    Batches of the same number go in the order of their issues: an alert to a hundred readers
    does not wait behind a weekly issue to a million.
    """
    wanted = (
        sa.select(batch, send.c.resend_uncertain, send.c.stale_at, send.c.settles_at, send.c.best_subject)
        .join(send, send.c.issue_id == batch.c.issue_id)
        .where(
            batch.c.state == BatchState.READY,
            sa.or_(batch.c.due_at.is_(None), batch.c.due_at <= now),
            send.c.state == SendState.SENDING,
            _knows_its_subject(now),
        )
        .order_by(batch.c.number, batch.c.issue_id)
        .limit(1)
    )
    if connection.dialect.name == "postgresql":
        wanted = wanted.with_for_update(skip_locked=True, of=batch)
    row = connection.execute(wanted).first()
    if row is None:
        return None
    connection.execute(
        sa.update(batch)
        .where(*_is(row.issue_id, row.number))
        .values(state=BatchState.LEASED, owner=owner, fence=row.fence + 1, leased_until=now + LEASE, due_at=None)
    )
    return Lease(
        issue_id=IssueId(row.issue_id),
        number=row.number,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        fence=row.fence + 1,
        resend_uncertain=row.resend_uncertain,
        stale_at=row.stale_at,
        held_from=row.settles_at if row.best_subject is None else None,
        best_subject=row.best_subject,
    )


def _knows_its_subject(now: datetime) -> sa.ColumnElement[bool]:
    """Hold a send between the end of its test of subjects and the choice: a moment, in which nobody may be mailed."""
    return sa.or_(send.c.settles_at.is_(None), send.c.settles_at > now, send.c.best_subject.is_not(None))


class Standing(NamedTuple):
    """How the send of an issue stands."""

    state: SendState
    failures_in_row: int


def renew(connection: Connection, mine: Lease, *, now: datetime) -> Standing:
    """
    Hold the lease on, and return how the send stands: it may have been paused or cancelled.

    Raises:
        LeaseLostError: Another worker has the batch; nothing may be written.

    """
    under = {"in_issue": mine.issue_id, "in_batch": mine.number, "under_fence": mine.fence}
    held = connection.execute(_RENEW, under | {"until": now + LEASE})
    if held.rowcount != 1:
        what = f"batch {mine.number} of issue {mine.issue_id}"
        raise LeaseLostError(what)
    state, failures_in_row = connection.execute(_STANDING, {"of_issue": mine.issue_id}).one()
    return Standing(SendState(state), failures_in_row)


def mark(connection: Connection, mine: Lease, *, after_seq: int, at_most: int, now: datetime) -> list[Marked]:
    """Mark the next deliveries of a leased batch `sending`, and return those that may go; the rest is skipped."""
    marked: list[Marked] = []
    if mine.held_from is not None:
        now = min(now, mine.held_from - AN_INSTANT)
    while not marked:
        rows = _waiting_rows(connection, mine, _reading(mine, after_seq, at_most, now))
        if not rows:
            break
        after_seq = rows[-1].seq
        _set_sending(connection, mine, rows[0].seq, after_seq, now)
        barred = [row for row in rows if row.bar is not None]
        record(connection, mine, [_skipped(row) for row in barred], now=now)
        marked = rows if not barred else [row for row in rows if row.bar is None]
    return marked


def _waiting_rows(connection: Connection, mine: Lease, values: Mapping[str, Any]) -> list[Marked]:
    """
    Read the next deliveries of a batch.

    On SQLite as one row of JSON: Python gives up its lock for every row that is fetched, and would have to
    win it back from the thread that sends five hundred times a load.
    """
    if connection.dialect.name == "sqlite":
        found = connection.execute(_WAITING_AS_JSON[mine.resend_uncertain], values).scalar_one()
        return sorted(map(Marked._make, json.loads(found)))
    return cast("list[Marked]", connection.execute(_WAITING_READERS[mine.resend_uncertain], values).all())


def _set_sending(connection: Connection, mine: Lease, first_seq: int, last_seq: int, now: datetime) -> None:
    stretch = {"in_issue": mine.issue_id, "from_seq": first_seq, "to_seq": last_seq}
    connection.execute(_SET_SENDING[mine.resend_uncertain], stretch | {"now": now})


def record(connection: Connection, mine: Lease, results: Sequence[Result], *, now: datetime) -> None:
    """
    Write the outcomes of deliveries that this worker marked; the caller has renewed its lease just before.

    What was sent without trouble goes in one statement over its range, everything else row by row.
    """
    plain = [each for each in results if each.state is DeliveryState.SENT]
    other = [_row(each, mine.issue_id, now) for each in results if each.state is not DeliveryState.SENT]
    if other:
        connection.execute(_RECORD_ONE, other)
    if plain:
        record_sent(connection, mine, plain[0].seq, plain[-1].seq, now=now)


def record_sent(connection: Connection, mine: Lease, first_seq: int, last_seq: int, *, now: datetime) -> None:
    """Write that all was sent that is marked between two deliveries, as it nearly always is: one statement."""
    stretch = {"in_issue": mine.issue_id, "from_seq": first_seq, "to_seq": last_seq}
    connection.execute(_RECORD_SENT, stretch | {"now": now})


def release(connection: Connection, mine: Lease, *, now: datetime, not_before: datetime | None = None) -> None:
    """Give a batch back: done where all its deliveries have ended, else due again when the first of them is."""
    left = connection.execute(
        sa.select(
            sa.func.count().label("number"),
            sa.func.min(sa.func.coalesce(delivery.c.due_at, sa.literal(now, delivery.c.due_at.type))).label("due_at"),
        ).where(
            *_between(mine.issue_id, mine.first_seq, mine.last_seq),
            delivery.c.state.in_(_waiting(mine.resend_uncertain)),
        )
    ).one()
    values: dict[str, Any]
    if left.number == 0:
        values = {"state": BatchState.DONE, "due_at": None}
    else:
        due_at = max(left.due_at, not_before) if not_before else left.due_at
        values = {"state": BatchState.READY, "due_at": due_at}
    connection.execute(
        sa.update(batch)
        .where(*_is(mine.issue_id, mine.number), batch.c.fence == mine.fence)
        .values(owner=None, leased_until=None, **values)
    )
    tallies.write(connection, mine.issue_id, [mine.number])
    if send_state(connection, mine.issue_id) is SendState.CANCELLED:
        skip_rest(connection, mine.issue_id, reason="cancelled", batch_number=mine.number)


def note_run(connection: Connection, issue_id: IssueId, before: int, states: Sequence[DeliveryState]) -> int:
    """Write down how many deliveries in a row have failed by now, where that is another number than before."""
    run = rules.run_of_failures(before, states)
    if run != before:
        connection.execute(sa.update(send).where(send.c.issue_id == issue_id).values(failures_in_row=run))
    return run


def last_tried(connection: Connection, issue_id: IssueId, seq: int, *, at_most: int) -> tuple[int, int]:
    """Return how many of the last deliveries up to this one were not taken, and of how many that have an answer."""
    tried = (*rules.NOT_TAKEN, DeliveryState.SENT)
    last = (
        sa.select(delivery.c.state)
        .where(delivery.c.issue_id == issue_id, delivery.c.seq <= seq, delivery.c.state.in_(tried))
        .order_by(delivery.c.seq.desc())
        .limit(at_most)
    )
    states = connection.scalars(last).all()
    return sum(each in rules.NOT_TAKEN for each in states), len(states)


def brake(connection: Connection, issue_id: IssueId, reason: str) -> bool:
    """Pause an issue that is being sent, with a reason; False where it is stopped already."""
    paused = sa.update(send).where(send.c.issue_id == issue_id, send.c.state == SendState.SENDING)
    return connection.execute(paused.values(state=SendState.PAUSED, reason=reason, failures_in_row=0)).rowcount == 1


def bring_forward(connection: Connection, issue_id: IssueId) -> None:
    """Let everything that waits for another attempt go at once: somebody has mended what was wrong."""
    _hold_batches(connection, issue_id)
    again = delivery.c.state != DeliveryState.PLANNED  # what was never tried waits for its reader's time of day
    _make_due(connection, issue_id, delivery.c.due_at.is_not(None), again)


def _make_due(connection: Connection, issue_id: IssueId, *which: sa.ColumnElement[bool]) -> None:
    """Let some of an issue's deliveries go at once; the caller holds its batches."""
    connection.execute(sa.update(delivery).where(delivery.c.issue_id == issue_id, *which).values(due_at=None))
    ready = (batch.c.issue_id == issue_id, batch.c.state == BatchState.READY)
    connection.execute(sa.update(batch).where(*ready).values(due_at=None))


def unsettled(connection: Connection, *, now: datetime) -> list[IssueId]:
    """Return the issues whose test of subjects has come to its end, and whose best has not been chosen."""
    ended = (send.c.finished_at.is_(None), send.c.settles_at <= now, send.c.best_subject.is_(None))
    return [IssueId(each) for each in connection.scalars(sa.select(send.c.issue_id).where(*ended))]


def choose_subject(
    connection: Connection, issue_id: IssueId, number: int, *, clicks: Sequence[int], now: datetime
) -> bool:
    """Let the rest of an issue's readers have one subject of its test; False where one was chosen before."""
    _hold_batches(connection, issue_id)  # before the send: so workers take both, and two that wait for each other fail
    row = connection.execute(sa.select(send).where(send.c.issue_id == issue_id).with_for_update()).first()
    if row is None or row.settles_at is None or row.best_subject is not None:
        return False
    split = replace(Split.from_json(row.subject_split), clicks=tuple(clicks))
    values: dict[str, Any] = {"best_subject": number, "subject_split": split.to_json()}
    if now < row.settles_at:
        never_tried = delivery.c.state == DeliveryState.PLANNED
        _make_due(connection, issue_id, never_tried, delivery.c.due_at == row.settles_at)
        values |= {"settles_at": now}
    connection.execute(sa.update(send).where(send.c.issue_id == issue_id).values(values))
    return True


def reopen(connection: Connection, issue_id: IssueId, state: DeliveryState, *, stale_at: datetime) -> int:
    """Plan the deliveries of one state anew, and open the send again for them; return how many there are."""
    _hold_batches(connection, issue_id)
    these = sa.and_(delivery.c.issue_id == issue_id, delivery.c.state == state)
    seqs = list(connection.scalars(sa.select(delivery.c.seq).where(these)))
    if not seqs:
        return 0
    connection.execute(sa.update(delivery).where(these).values(state=DeliveryState.PLANNED, due_at=None))
    touched = sa.exists().where(
        delivery.c.issue_id == issue_id,
        delivery.c.state == DeliveryState.PLANNED,
        delivery.c.seq.between(batch.c.first_seq, batch.c.last_seq),
    )
    done = sa.and_(batch.c.issue_id == issue_id, batch.c.state == BatchState.DONE, touched)
    connection.execute(sa.update(batch).where(done).values(state=BatchState.READY, due_at=None))
    tallies.write(connection, issue_id)
    opened = sa.update(send).where(send.c.issue_id == issue_id)
    later = sa.case((send.c.stale_at > stale_at, send.c.stale_at), else_=sa.literal(stale_at, send.c.stale_at.type))
    connection.execute(
        opened.values(
            state=SendState.SENDING, reason="", finished_at=None, figures_at=None, failures_in_row=0, stale_at=later
        )
    )
    return len(seqs)


def _hold_batches(connection: Connection, issue_id: IssueId) -> None:
    """
    Keep workers from marking any delivery of an issue until this transaction ends.

    `renew` locks the batch before `mark` reads what is due and then marks the range; what became due between the
    two would be marked, never sent, and recorded as sent. SQLite has one writer anyway.
    """
    rows = sa.select(batch.c.number).where(batch.c.issue_id == issue_id).order_by(batch.c.number)
    connection.execute(rows.with_for_update()).all()


def settle(connection: Connection, issue_id: IssueId, seqs: Sequence[int]) -> int:
    """
    Record as sent what a provider has told us of although its answer never came; return how many these were.

    What is `sending` is settled too, for its worker may be gone; one that is not gone records nothing over it.
    """
    between = (batch.c.issue_id == issue_id, batch.c.first_seq <= max(seqs), batch.c.last_seq >= min(seqs))
    held = sa.select(batch.c.number, batch.c.first_seq, batch.c.last_seq).where(*between).order_by(batch.c.number)
    rows = connection.execute(held.with_for_update()).all()  # or a worker may mark what is uncertain, and send it again
    settled = connection.execute(
        sa.update(delivery)
        .where(
            delivery.c.issue_id == issue_id,
            delivery.c.seq.in_(seqs),
            delivery.c.state.in_((DeliveryState.UNCERTAIN, DeliveryState.SENDING)),
        )
        .values(state=DeliveryState.SENT, due_at=None, code=None, reason="settled by what was heard afterwards")
    )
    if settled.rowcount:
        touched = [row.number for row in rows if any(row.first_seq <= seq <= row.last_seq for seq in seqs)]
        tallies.write(connection, issue_id, touched)
        connection.execute(sa.update(send).where(send.c.issue_id == issue_id).values(figures_at=None))
    return settled.rowcount


def take_back_expired(connection: Connection, *, now: datetime) -> int:
    """Make batches ready again whose worker is gone; what it had in flight is uncertain from now on."""
    wanted = sa.select(batch).where(batch.c.state == BatchState.LEASED, batch.c.leased_until < now)
    rows = connection.execute(skip_locked(connection, wanted)).all()
    for row in rows:
        connection.execute(
            sa.update(delivery)
            .where(*_between(row.issue_id, row.first_seq, row.last_seq), delivery.c.state == DeliveryState.SENDING)
            .values(
                state=DeliveryState.UNCERTAIN,
                doubts=delivery.c.doubts + 1,
                reason="the worker stopped before the answer was written",
            )
        )
        connection.execute(
            sa.update(batch)
            .where(*_is(row.issue_id, row.number))
            .values(state=BatchState.READY, owner=None, leased_until=None, fence=row.fence + 1, due_at=None)
        )
        tallies.write(connection, row.issue_id, [row.number])
        if send_state(connection, row.issue_id) is SendState.CANCELLED:
            skip_rest(connection, row.issue_id, reason="cancelled", batch_number=row.number)
    return len(rows)


def counts(connection: Connection, issue_id: IssueId) -> dict[DeliveryState, int]:
    """Return the number of an issue's deliveries in each state; every state is there."""
    return tallies.of_issue(connection, issue_id).states


def has_open(connection: Connection) -> bool:
    """Tell whether any send has not ended."""
    return (
        connection.execute(sa.select(send.c.issue_id).where(send.c.finished_at.is_(None)).limit(1)).first() is not None
    )


def has_due(connection: Connection, *, now: datetime) -> bool:
    """Tell whether a batch waits for a worker."""
    wanted = (
        sa.select(batch.c.number)
        .join(send, send.c.issue_id == batch.c.issue_id)
        .where(
            batch.c.state == BatchState.READY,
            sa.or_(batch.c.due_at.is_(None), batch.c.due_at <= now),
            send.c.state == SendState.SENDING,
            _knows_its_subject(now),
        )
    )
    return connection.execute(wanted.limit(1)).first() is not None


def finish(connection: Connection, issue_id: IssueId, *, now: datetime) -> None:
    """Close the send of an issue whose deliveries have all ended."""
    connection.execute(_closing(now).where(send.c.issue_id == issue_id))


def finish_all(connection: Connection, *, now: datetime) -> None:
    """
    Close every send whose deliveries have all ended.

    On PostgreSQL two workers may release the last two batches at once, each still seeing the
    other's; so the tick looks once more.
    """
    connection.execute(_closing(now))


def _closing(now: datetime) -> sa.Update:
    left = sa.exists().where(batch.c.issue_id == send.c.issue_id, batch.c.state != BatchState.DONE)
    ended = sa.case((send.c.state == SendState.SENDING, sa.literal(SendState.SENT)), else_=send.c.state)
    return (
        sa.update(send)
        .where(
            send.c.finished_at.is_(None),
            sa.or_(sa.and_(send.c.state == SendState.SENDING, send.c.is_planned), send.c.state == SendState.CANCELLED),
            ~left,
        )
        .values(state=ended, finished_at=now)
    )


def send_state(connection: Connection, issue_id: IssueId) -> SendState | None:
    """Return where the send of an issue stands; None where it has not begun."""
    found = connection.scalar(_SEND_STATE, {"of_issue": issue_id})
    return SendState(found) if found else None


def set_state(connection: Connection, issue_id: IssueId, state: SendState, *, reason: str) -> None:
    connection.execute(sa.update(send).where(send.c.issue_id == issue_id).values(state=state, reason=reason))


def skip_rest(connection: Connection, issue_id: IssueId, *, reason: str, batch_number: int | None = None) -> None:
    """Skip every delivery that no worker has in hand, and close its batch."""
    free = sa.and_(batch.c.issue_id == issue_id, batch.c.state == BatchState.READY)
    if batch_number is not None:
        free = sa.and_(free, batch.c.number == batch_number)
    held = sa.select(batch).where(free).order_by(batch.c.number).with_for_update()  # or a worker may mark what we skip
    rows = connection.execute(held).all()
    for row in rows:
        connection.execute(
            sa.update(delivery)
            .where(*_between(issue_id, row.first_seq, row.last_seq), delivery.c.state.in_(WAITING))
            .values(state=DeliveryState.SKIPPED, reason=reason, due_at=None)
        )
    connection.execute(sa.update(batch).where(free).values(state=BatchState.DONE, due_at=None))
    tallies.write(connection, issue_id, [row.number for row in rows])


def _waiting(resend_uncertain: bool) -> tuple[DeliveryState, ...]:  # noqa: FBT001 -- the edition's choice, as stored
    return (*WAITING, DeliveryState.UNCERTAIN) if resend_uncertain else WAITING


def _is(issue_id: int, number: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return batch.c.issue_id == issue_id, batch.c.number == number


def _between(issue_id: int, first_seq: int, last_seq: int) -> tuple[sa.ColumnElement[bool], ...]:
    return delivery.c.issue_id == issue_id, delivery.c.seq >= first_seq, delivery.c.seq <= last_seq


def _skipped(row: Marked) -> Result:
    return Result(seq=row.seq, state=DeliveryState.SKIPPED, attempts=row.attempts - 1, reason=row.bar)


def _row(result: Result, issue_id: int, now: datetime) -> Mapping[str, Any]:
    return {
        "in_issue": issue_id,
        "at_seq": result.seq,
        "to_state": result.state,
        "to_attempts": result.attempts,
        "more_doubts": result.doubts,
        "to_due_at": result.due_at,
        "to_tried_at": now,
        "to_code": result.code,
        "to_reason": result.reason,
    }


def _reading(mine: Lease, after_seq: int, at_most: int, now: datetime) -> dict[str, Any]:
    return {
        "in_issue": mine.issue_id,
        "after_seq": after_seq,
        "last_seq": mine.last_seq,
        "at_most": at_most,
        "now": now,
    }


def _waiting_readers(states: Sequence[DeliveryState]) -> sa.Select[Any]:
    """Return the query for the next deliveries of a batch with their readers, and what bars a reader by now."""
    bar = sa.case(
        (suppression.c.email_key.is_not(None), sa.literal("suppressed: ") + suppression.c.reason),
        (sa.or_(subscription.c.id.is_(None), subscriber.c.email == ""), sa.literal("erased")),
        (subscription.c.state != "confirmed", sa.literal("unsubscribed meanwhile")),
        (subscription.c.paused_until > sa.bindparam("now"), sa.literal("paused by the reader")),
        else_=None,
    )
    return (
        sa.select(
            delivery.c.seq,
            delivery.c.subscription_id,
            (delivery.c.attempts + 1).label("attempts"),
            subscriber.c.email.label("address"),
            subscriber.c.name,
            subscriber.c.language,
            bar.label("bar"),
        )
        .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
        .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(
            delivery.c.issue_id == sa.bindparam("in_issue"),
            delivery.c.seq > sa.bindparam("after_seq"),
            delivery.c.seq <= sa.bindparam("last_seq"),
            delivery.c.state.in_(states),
            sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= sa.bindparam("now")),
        )
        .order_by(delivery.c.seq)
        .limit(sa.bindparam("at_most"))
    )


def _as_json(query: sa.Select[Any]) -> sa.Select[Any]:
    rows = query.subquery()
    return sa.select(sa.func.json_group_array(sa.func.json_array(*rows.c)))


_WAITING_READERS = {resend: _waiting_readers(_waiting(resend)) for resend in (True, False)}
_WAITING_AS_JSON = {resend: _as_json(query) for resend, query in _WAITING_READERS.items()}

# What is executed for every load is built once: building a statement costs as much as running it.

_SEND_STATE = sa.select(send.c.state).where(send.c.issue_id == sa.bindparam("of_issue"))
_STANDING = sa.select(send.c.state, send.c.failures_in_row).where(send.c.issue_id == sa.bindparam("of_issue"))

_RENEW = (
    sa.update(batch)
    .where(
        batch.c.issue_id == sa.bindparam("in_issue"),
        batch.c.number == sa.bindparam("in_batch"),
        batch.c.fence == sa.bindparam("under_fence"),
        batch.c.state == BatchState.LEASED,
    )
    .values(leased_until=sa.bindparam("until"))
)

_STRETCH = sa.and_(
    delivery.c.issue_id == sa.bindparam("in_issue"),
    delivery.c.seq.between(sa.bindparam("from_seq"), sa.bindparam("to_seq")),
)

_SET_SENDING = {
    resend: sa.update(delivery)
    .where(
        _STRETCH,
        delivery.c.state.in_(_waiting(resend)),
        sa.or_(delivery.c.due_at.is_(None), delivery.c.due_at <= sa.bindparam("now")),
    )
    .values(state=DeliveryState.SENDING, attempts=delivery.c.attempts + 1, tried_at=sa.bindparam("now"), due_at=None)
    for resend in (True, False)
}

_RECORD_SENT = (
    sa.update(delivery)
    .where(_STRETCH, delivery.c.state == DeliveryState.SENDING)
    .values(state=DeliveryState.SENT, tried_at=sa.bindparam("now"), code=None, reason=None)
)

_RECORD_ONE = (
    sa.update(delivery)
    .where(
        delivery.c.issue_id == sa.bindparam("in_issue"),
        delivery.c.seq == sa.bindparam("at_seq"),
        delivery.c.state == DeliveryState.SENDING,
    )
    .values(
        state=sa.bindparam("to_state"),
        attempts=sa.bindparam("to_attempts"),
        doubts=delivery.c.doubts + sa.bindparam("more_doubts"),
        due_at=sa.bindparam("to_due_at"),
        tried_at=sa.bindparam("to_tried_at"),
        code=sa.bindparam("to_code"),
        reason=sa.bindparam("to_reason"),
    )
)
