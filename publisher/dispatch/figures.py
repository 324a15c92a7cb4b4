"""What a report shows of a send in figures: counted by a worker once it is over, and kept."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from publisher.audience.tables import subscriber, subscription
from publisher.clock import Clock
from publisher.compose.model import IssueId
from publisher.database import Database
from publisher.dispatch import rules, tallies
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.tables import delivery, send, send_figure
from publisher.turn import Turn, rest, take_turns

log = structlog.get_logger()

STAGE = "figures"
STRETCH = 20_000
"""Deliveries that are counted in one look; between two of them others get at the database."""
ANEW_AFTER = timedelta(minutes=15)
"""So often the figures of a send are counted that is not over yet: the last retries may take hours."""
DOMAINS = 10
REASONS = 10
THE_REST = ""
"""The label of all others together."""


class Figure(StrEnum):
    """What is counted."""

    TIME = "time"
    """Label: the start of a span, in seconds since 1970."""
    DOMAIN = "domain"
    REASON = "reason"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row of figures."""

    label: str
    sent: int
    failed: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What is known of a send."""

    counted_at: datetime
    by_time: list[tuple[datetime, int]]
    """Deliveries that were sent from an instant on; the spans are equally long, and none is left out."""
    span: timedelta
    by_domain: list[Line]
    by_reason: list[Line]


@dataclass(kw_only=True)
class Counts:
    """What has been counted so far."""

    seconds: Counter[int] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)


def figures_of(connection: Connection, issue_id: IssueId) -> Figures | None:
    """Return the figures of a send; None while they have not been counted."""
    counted_at = connection.scalar(sa.select(send.c.figures_at).where(send.c.issue_id == issue_id))
    if counted_at is None:
        return None
    wanted = sa.select(send_figure).where(send_figure.c.issue_id == issue_id)
    rows = connection.execute(wanted.order_by(send_figure.c.kind, send_figure.c.place)).all()
    times = [(int(row.label), row.sent) for row in rows if row.kind == Figure.TIME]
    return Figures(
        counted_at=counted_at,
        by_time=[(datetime.fromtimestamp(second, UTC), sent) for second, sent in times],
        span=timedelta(seconds=times[1][0] - times[0][0] if len(times) > 1 else rules.SPANS_S[0]),
        by_domain=_lines(rows, Figure.DOMAIN),
        by_reason=_lines(rows, Figure.REASON),
    )


def as_json(found: Figures | None) -> dict[str, Any] | None:
    """Return figures as plain JSON values; None while they have not been counted."""
    if found is None:
        return None
    return {
        "counted_at": found.counted_at.isoformat(),
        "span_s": int(found.span.total_seconds()),
        "by_time": [{"from": at.isoformat(), "sent": number} for at, number in found.by_time if number],
        "by_domain": [{"domain": each.label, "sent": each.sent, "failed": each.failed} for each in found.by_domain],
        "by_reason": [{"reason": each.label, "failed": each.failed} for each in found.by_reason],
    }


def _lines(rows: Iterable[Any], kind: Figure) -> list[Line]:
    return [Line(label=row.label, sent=row.sent, failed=row.failed) for row in rows if row.kind == kind]


def count_due(database: Database, *, clock: Clock, should_stop: Callable[[], bool] = lambda: False) -> None:
    """Count the figures of every send that needs them, one worker at a time; a crash repeats the one it was at."""
    with database.reading() as connection:
        if next(_due(connection, clock()), None) is None:
            return
    take_turns(database, STAGE, clock, lambda turn: _count_one(database, turn, clock, should_stop))


def _count_one(database: Database, turn: Turn, clock: Clock, should_stop: Callable[[], bool]) -> bool:
    with database.reading() as connection:
        row = next(_due(connection, clock()), None)
    if row is None:
        return False
    counts, began_at = Counts(), clock()
    for first_seq in range(1, row.planned + 1, STRETCH):
        with database.reading() as connection:
            _count(connection, counts, row.issue_id, first_seq, first_seq + STRETCH - 1)
        turn.renew()
        if should_stop():
            return False
        rest(0)
    with database.transaction() as connection:
        turn.hold(connection)
        _keep(connection, row, counts, began_at)
    return True


def _due(connection: Connection, now: datetime) -> Iterator[Any]:
    """Yield the sends whose figures are missing, are those of before its end, or of long ago."""
    columns = (send.c.issue_id, send.c.planned, send.c.finished_at)
    ended = sa.and_(
        send.c.finished_at.is_not(None),
        sa.or_(send.c.figures_at.is_(None), send.c.figures_at < send.c.finished_at),
    )
    yield from connection.execute(
        sa.select(*columns).where(ended, send.c.planned > 0).order_by(send.c.issue_id).limit(1)
    )
    long_ago = now - ANEW_AFTER
    going = sa.and_(
        send.c.finished_at.is_(None),
        send.c.is_planned,
        send.c.started_at < long_ago,
        sa.or_(send.c.figures_at.is_(None), send.c.figures_at < long_ago),
    )
    yield from connection.execute(sa.select(*columns).where(going).order_by(send.c.issue_id).limit(1))


def _count(connection: Connection, counts: Counts, issue_id: int, first_seq: int, last_seq: int) -> None:
    stretch = {"in_issue": issue_id, "first": first_seq, "last": last_seq}
    sqlite = connection.dialect.name == "sqlite"
    for second, number in connection.execute(_SECONDS[sqlite], stretch):
        counts.seconds[int(second)] += number
    for domain, state, number in connection.execute(_DOMAINS[sqlite], stretch):
        (counts.sent if state == DeliveryState.SENT else counts.failed)[domain or ""] += number
    for code, reason, number in connection.execute(_REASONS, stretch):
        counts.reasons[rules.kind_of_failure(code, reason or "")] += number


def _keep(connection: Connection, row: Any, counts: Counts, counted_at: datetime) -> None:
    """Write the figures, unless the send was opened again meanwhile: then they are counted once more."""
    values = {"figures_at": max(counted_at, row.finished_at) if row.finished_at else counted_at}
    same = send.c.finished_at == row.finished_at if row.finished_at else send.c.finished_at.is_(None)
    if not connection.execute(sa.update(send).where(send.c.issue_id == row.issue_id, same).values(values)).rowcount:
        return
    if row.finished_at:
        tallies.write(connection, row.issue_id)  # an older worker may have changed what it did not tally
    connection.execute(sa.delete(send_figure).where(send_figure.c.issue_id == row.issue_id))
    rows = [
        {
            "issue_id": row.issue_id,
            "kind": kind,
            "place": place,
            "label": each.label,
            "sent": each.sent,
            "failed": each.failed,
        }
        for kind, lines in _figures(counts).items()
        for place, each in enumerate(lines)
    ]
    if rows:
        connection.execute(sa.insert(send_figure), rows)


def _figures(counts: Counts) -> Mapping[Figure, list[Line]]:
    times = rules.spans(counts.seconds)
    return {
        Figure.TIME: [Line(label=str(second), sent=number, failed=0) for second, number in times],
        Figure.DOMAIN: _largest(counts.sent, counts.failed, DOMAINS),
        Figure.REASON: _largest(Counter(), counts.reasons, REASONS),
    }


def _largest(sent: Counter[str], failed: Counter[str], at_most: int) -> list[Line]:
    """Return the labels with the most deliveries, and the rest in one line; what has no label belongs to the rest."""
    totals = sent + failed
    named = sorted((each for each in totals if each), key=lambda each: (-totals[each], each))[:at_most]
    lines = [Line(label=each, sent=sent[each], failed=failed[each]) for each in named]
    rest = Line(
        label=THE_REST,
        sent=sent.total() - sum(each.sent for each in lines),
        failed=failed.total() - sum(each.failed for each in lines),
    )
    return [*lines, rest] if rest.sent or rest.failed else lines


_STRETCH = sa.and_(
    delivery.c.issue_id == sa.bindparam("in_issue"),
    delivery.c.seq.between(sa.bindparam("first"), sa.bindparam("last")),
)
_ENDED_BADLY = (DeliveryState.FAILED, DeliveryState.UNCERTAIN)


def _seconds(second: sa.ColumnElement[Any]) -> sa.Select[Any]:
    sent = sa.and_(_STRETCH, delivery.c.state == DeliveryState.SENT, delivery.c.tried_at.is_not(None))
    return sa.select(second, sa.func.count()).where(sent).group_by(sa.text("1"))


def _domains(domain: sa.ColumnElement[Any]) -> sa.Select[Any]:
    tried = delivery.c.state.in_((DeliveryState.SENT, DeliveryState.FAILED))
    return (
        sa.select(domain, delivery.c.state, sa.func.count())
        .select_from(delivery)
        .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
        .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .where(_STRETCH, tried)
        .group_by(sa.text("1"), delivery.c.state)
    )


_AT = subscriber.c.email_key
_SECONDS = {
    True: _seconds(sa.cast(sa.func.strftime("%s", delivery.c.tried_at), sa.Integer)),
    False: _seconds(sa.cast(sa.func.floor(sa.extract("epoch", delivery.c.tried_at)), sa.BigInteger)),
}
_DOMAINS = {
    True: _domains(sa.func.substr(_AT, sa.func.instr(_AT, "@") + 1)),
    False: _domains(sa.func.split_part(_AT, "@", 2)),
}
_REASONS = (
    sa.select(delivery.c.code, delivery.c.reason, sa.func.count())
    .where(_STRETCH, delivery.c.state == DeliveryState.FAILED)
    .group_by(delivery.c.code, delivery.c.reason)
)
