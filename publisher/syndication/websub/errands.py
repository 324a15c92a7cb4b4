"""Errands to other servers, in rows: leased by one worker at a time, tried again later, never lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.database import skip_locked
from publisher.syndication.websub.rules import next_attempt_at
from publisher.syndication.websub.tables import websub_ping, websub_request, websub_subscription

TABLES = (websub_subscription, websub_ping, websub_request)
LEASE = timedelta(seconds=30)
"""Three times as long as any errand may take."""
SLOW_MS = 1_000


class Lane(Enum):
    """Who is slow or failing waits among his kind, and keeps nobody else waiting."""

    QUICK = "quick"
    SLOW = "slow"


@dataclass(frozen=True, kw_only=True)
class Errand:
    """A leased row."""

    table: sa.Table
    row: Any
    """With the new fence."""


def lease(connection: Connection, lane: Lane, now: datetime, at_most: int) -> list[Errand]:
    """Take errands of a lane, those first that have been due for longest of their kind."""
    taken: list[Errand] = []
    for table in TABLES:
        is_slow = sa.or_(table.c.failures > 0, table.c.took_ms > SLOW_MS)
        due = sa.select(table.c.id).where(_is_due(table, now), is_slow if lane is Lane.SLOW else ~is_slow)
        due = due.order_by(table.c.due_at, table.c.id).limit(at_most - len(taken))
        chosen = list(connection.scalars(skip_locked(connection, due)))
        leased = sa.update(table).where(table.c.id.in_(chosen))
        leased = leased.values(leased_until=now + LEASE, fence=table.c.fence + 1)
        if chosen:
            taken += [Errand(table=table, row=row) for row in connection.execute(leased.returning(*table.c))]
    return taken


def any_due(connection: Connection, until: datetime) -> bool:
    """Tell whether an errand is due by an instant and nobody is on it."""
    return any(
        connection.scalar(sa.select(table.c.id).where(_is_due(table, until)).limit(1)) is not None for table in TABLES
    )


def done(connection: Connection, errand: Errand, *, took_ms: int, now: datetime) -> None:
    """Note a success; what has come up meanwhile is due at once."""
    table, row = errand.table, errand.row
    again = sa.case((table.c.wanted == row.wanted, sa.null()), else_=sa.literal(now, table.c.due_at.type))
    values = {"due_at": again, "failures": 0, "failing_since": None, "took_ms": took_ms, "leased_until": None}
    connection.execute(_mine(sa.update(table), errand).values(values))


def failed(connection: Connection, errand: Errand, *, took_ms: int, now: datetime) -> bool:
    """Note a failure, and return whether it will be tried again."""
    row = errand.row
    since = row.failing_since or now
    due_at = next_attempt_at(tried_at=now, failures=row.failures + 1, failing_since=since)
    values = {"due_at": due_at, "failures": row.failures + 1, "failing_since": since, "took_ms": took_ms}
    connection.execute(_mine(sa.update(errand.table), errand).values(leased_until=None, **values))
    return due_at is not None


def drop(connection: Connection, errand: Errand) -> bool:
    """Delete a leased row; return whether it was still ours."""
    return connection.execute(_mine(sa.delete(errand.table), errand)).rowcount == 1


def _mine(statement: Any, errand: Errand) -> Any:
    return statement.where(errand.table.c.id == errand.row.id, errand.table.c.fence == errand.row.fence)


def _is_due(table: sa.Table, now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.due_at <= now, sa.or_(table.c.leased_until.is_(None), table.c.leased_until < now))
