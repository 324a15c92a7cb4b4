import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.csv_table import guarded
from publisher.audience.tables import subscriber, subscription
from publisher.compose import store as compose
from publisher.compose.model import Issue, IssueId, IssueState
from publisher.dispatch import tallies
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.tables import delivery, send

LINES_AT_ONCE = 2_000
COLUMNS = ("seq", "email", "state", "reason", "code", "attempts", "tried_at", "due_at")
"""Of a list of deliveries."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """How the send of an issue stands."""

    issue: Issue
    state: str
    """Of the whole: draft, scheduled, approved, sending, paused, sent, cancelled, skipped."""
    reason: str
    counts: dict[DeliveryState, int]
    total: int
    """Deliveries planned so far."""
    is_planned: bool
    """Whether that is all of them."""
    sent_twice_at_most: int
    """Readers who may have a second copy, with the same Message-ID: the answer to an attempt never came."""
    started_at: datetime | None
    finished_at: datetime | None
    later: tuple[tuple[datetime, int], ...] = ()
    """Instants before which some of the planned are not tried, and how many these are."""

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """Return how many were never tried because their time has not come, and when that of the first comes."""
        ahead = [(at, number) for at, number in self.later if at > now]
        return sum(number for _, number in ahead), min((at for at, _ in ahead), default=None)

    @property
    def is_over(self) -> bool:
        return self.state in {SendState.SENT, SendState.CANCELLED, IssueState.SKIPPED}


def report(connection: Connection, issue_id: IssueId) -> Report:
    """Return how the send of an issue stands. Raises NotFoundError."""
    found = compose.issue_of(connection, issue_id)
    row = connection.execute(sa.select(send).where(send.c.issue_id == issue_id)).first()
    tally = tallies.of_issue(connection, issue_id)
    return Report(
        issue=found,
        state=row.state if row else found.state,
        reason=(row.reason if row else "") or found.reason,
        counts=tally.states,
        total=row.planned if row else 0,
        is_planned=bool(row and row.is_planned),
        sent_twice_at_most=tally.twice,
        started_at=row.started_at if row else None,
        finished_at=row.finished_at if row else None,
        later=tally.later,
    )


@dataclass(frozen=True, kw_only=True)
class ReportLine:
    """One delivery, for who asks who got an issue and who did not."""

    seq: int
    email: str
    """Empty where the reader has been erased."""
    state: DeliveryState
    reason: str
    code: int | None
    attempts: int
    tried_at: datetime | None
    due_at: datetime | None


def lines(
    connection: Connection, issue_id: IssueId, *, states: Collection[DeliveryState] = (), after: int = 0, at_most: int
) -> list[ReportLine]:
    """
    Return deliveries of an issue in the order of their numbers.

    Args:
        connection: Where to read.
        issue_id: Of which issue.
        states: Only in these; empty: all.
        after: Continue after this number: keyset paging.
        at_most: How many.

    """
    wanted = (
        sa.select(delivery, subscriber.c.email)
        .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
        .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .where(delivery.c.issue_id == issue_id, delivery.c.seq > after)
        .order_by(delivery.c.seq)
        .limit(at_most)
    )
    if states:
        wanted = wanted.where(delivery.c.state.in_(states))
    return [
        ReportLine(
            seq=row.seq,
            email=row.email or "",
            state=DeliveryState(row.state),
            reason=row.reason or "",
            code=row.code,
            attempts=row.attempts,
            tried_at=row.tried_at,
            due_at=row.due_at,
        )
        for row in connection.execute(wanted)
    ]


def lines_as_csv(connection: Connection, issue_id: IssueId, *, states: Collection[DeliveryState] = ()) -> Iterator[str]:
    """Yield deliveries of an issue as CSV (RFC 4180), some thousand lines at a time, safe in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    after = 0
    while found := lines(connection, issue_id, states=states, after=after, at_most=LINES_AT_ONCE):
        after = found[-1].seq
        writer.writerows([_cell(getattr(line, name)) for name in COLUMNS] for line in found)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: object) -> str:
    return guarded(str(value if value is not None else ""))


def as_json(found: Report) -> dict[str, Any]:
    """Return a report as plain JSON values; the numbers in `counts` add up to `total`."""
    return {
        "id": found.issue.id,
        "number": found.issue.number,
        "subject": found.issue.subject,
        "state": found.state,
        "reason": found.reason,
        "counts": {state.value: number for state, number in found.counts.items()},
        "total": found.total,
        "is_planned": found.is_planned,
        "sent_twice_at_most": found.sent_twice_at_most,
        "started_at": found.started_at.isoformat() if found.started_at else None,
        "finished_at": found.finished_at.isoformat() if found.finished_at else None,
    }


def states(connection: Connection, issue_ids: list[IssueId]) -> dict[IssueId, str]:
    """Return where the sends of issues stand, for lists; issues without a send are left out."""
    rows = connection.execute(sa.select(send.c.issue_id, send.c.state).where(send.c.issue_id.in_(issue_ids)))
    return {IssueId(row.issue_id): row.state for row in rows}
