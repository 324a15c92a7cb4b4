"""
How many deliveries stand where, without counting a million of them each time somebody asks.

A batch keeps the tally of its deliveries from when it was last given back. What is in a worker's hands is counted, and
so is a batch that somebody has had since: its fence is another one then.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.compose.model import IssueId
from publisher.dispatch.model import BatchState, DeliveryState
from publisher.dispatch.tables import batch, delivery

TWICE = "twice"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How the deliveries of an issue stand."""

    states: dict[DeliveryState, int]
    """Every state is there."""
    twice: int
    """Deliveries tried again after an attempt whose answer never came."""
    later: tuple[tuple[datetime, int], ...] = ()
    """Instants before which batches are not looked at again, and how many of their deliveries were never tried."""


def of_issue(connection: Connection, issue_id: IssueId) -> Tally:
    wanted = sa.select(batch).where(batch.c.issue_id == issue_id).order_by(batch.c.number)
    rows = connection.execute(wanted).all()
    found: Counter[str] = Counter()
    for row in rows:
        if _holds(row):
            found.update(row.tally)
    for first_seq, last_seq in _stretches(rows):
        found.update(_counted(connection, issue_id, first_seq, last_seq))
    later = tuple(
        (row.due_at, int(row.tally[DeliveryState.PLANNED]))
        for row in rows
        if _holds(row) and row.due_at is not None and row.tally.get(DeliveryState.PLANNED)
    )
    return Tally(states={state: found[state] for state in DeliveryState}, twice=found[TWICE], later=later)


def write(connection: Connection, issue_id: IssueId | int, numbers: Sequence[int] | None = None) -> None:
    """
    Keep the tallies of batches as they stand in this transaction; None: of all of an issue.

    The batches are held before their deliveries are counted: whoever changes a delivery holds its batch, and would
    else write a newer tally first, and have it overwritten with an older one.
    """
    wanted = sa.select(batch).where(batch.c.issue_id == issue_id).order_by(batch.c.number).with_for_update()
    if numbers is not None:
        wanted = wanted.where(batch.c.number.between(min(numbers, default=0), max(numbers, default=-1)))
    chosen = None if numbers is None else set(numbers)
    values = [
        {
            "in_issue": issue_id,
            "in_batch": row.number,
            "now": _counted(connection, issue_id, row.first_seq, row.last_seq),
            "under": row.fence,
        }
        for row in connection.execute(wanted).all()
        if chosen is None or row.number in chosen
    ]
    if values:
        connection.execute(_WRITE, values)


def _holds(row: Any) -> bool:
    return row.tally is not None and row.tallied_fence == row.fence and row.state != BatchState.LEASED


def _stretches(rows: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """Yield from where to where must be counted; batches that follow each other together."""
    for holds, group in groupby(rows, key=_holds):
        if not holds:
            some = list(group)
            yield some[0].first_seq, some[-1].last_seq


def _counted(connection: Connection, issue_id: int, first_seq: int, last_seq: int) -> dict[str, int]:
    stretch = {"in_issue": issue_id, "first": first_seq, "last": last_seq}
    found: Counter[str] = Counter()
    for state, number, twice in connection.execute(_COUNT, stretch):
        found[state] = number
        found[TWICE] += twice
    return {word: number for word, number in found.items() if number}


_COUNT = (
    sa.select(
        delivery.c.state,
        sa.func.count(),
        sa.func.sum(sa.case((sa.and_(delivery.c.doubts > 0, delivery.c.attempts > 1), 1), else_=0)),
    )
    .where(
        delivery.c.issue_id == sa.bindparam("in_issue"),
        delivery.c.seq.between(sa.bindparam("first"), sa.bindparam("last")),
    )
    .group_by(delivery.c.state)
)

_WRITE = (
    sa.update(batch)
    .where(batch.c.issue_id == sa.bindparam("in_issue"), batch.c.number == sa.bindparam("in_batch"))
    .values(tally=sa.bindparam("now"), tallied_fence=sa.bindparam("under"))
)
