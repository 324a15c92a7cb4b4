"""What was sent to one reader; found without an index over deliveries, which would cost each send more than this."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.model import Subscription, SubscriptionId
from publisher.compose.model import IssueId
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.tables import delivery, notice, send


@dataclass(frozen=True, kw_only=True)
class ReaderDelivery:
    """One delivery of a reader."""

    issue_id: IssueId
    seq: int
    state: DeliveryState
    attempts: int
    tried_at: datetime | None
    due_at: datetime | None
    code: int | None
    reason: str


def deliveries_of(
    connection: Connection, subscriptions: Sequence[Subscription], *, at_most: int
) -> list[ReaderDelivery]:
    """Return the deliveries of a reader in the newest issues of his mailing lists, newest first."""
    found = []
    for row in _sends(connection, subscriptions, at_most):
        mine = next(each.id for each in subscriptions if each.mailing_list_id == row.mailing_list_id)
        seq = _seq_of(connection, IssueId(row.issue_id), row.planned, mine)
        if seq is not None:
            found.append(_delivery(connection, IssueId(row.issue_id), seq))
    return found


def forget(connection: Connection, subscriptions: Sequence[Subscription], places: Sequence[ReaderDelivery]) -> None:
    """Take out what servers said of a reader, for their answers often name the address, and letters not sent yet."""
    for each in places:
        one = sa.and_(delivery.c.issue_id == each.issue_id, delivery.c.seq == each.seq)
        connection.execute(sa.update(delivery).where(one, delivery.c.reason.is_not(None)).values(reason="erased"))
    ids = [each.id for each in subscriptions]
    connection.execute(sa.delete(notice).where(notice.c.subscription_id.in_(ids)))


def _sends(connection: Connection, subscriptions: Sequence[Subscription], at_most: int) -> Sequence[Any]:
    lists = [each.mailing_list_id for each in subscriptions]
    wanted = sa.select(send.c.issue_id, send.c.mailing_list_id, send.c.planned)
    wanted = wanted.where(send.c.mailing_list_id.in_(lists), send.c.planned > 0)
    return connection.execute(wanted.order_by(send.c.issue_id.desc()).limit(at_most)).all()


def _seq_of(connection: Connection, issue_id: IssueId, last: int, wanted: SubscriptionId) -> int | None:
    def at(seq: int) -> int:
        return int(connection.execute(_AT, {"in_issue": issue_id, "at_seq": seq}).scalar_one())

    return place_of(wanted, at, last)


def place_of(wanted: int, at: Callable[[int], int], last: int) -> int | None:
    """
    Return the place, from 1 to `last`, at which a number stands among rising ones; None where it does not.

    Deliveries are planned in the order of subscriptions, so a few looks are enough: where one would expect it, and in
    the middle of what is left, in turn.
    """
    low, high = 1, last
    low_found, high_found = at(low), at(high)
    for guess_by in _turns():
        if low > high or not low_found <= wanted <= high_found:
            return None
        guess = guess_by(low, high, low_found, high_found, wanted)
        found = at(guess)
        if found == wanted:
            return guess
        if found < wanted:
            low = guess + 1
            low_found = at(low) if low <= high else found
        else:
            high = guess - 1
            high_found = at(high) if low <= high else found
    return None


def _turns() -> Iterator[Callable[[int, int, int, int, int], int]]:
    while True:
        yield _expected
        yield _middle


def _expected(low: int, high: int, low_found: int, high_found: int, wanted: int) -> int:
    return low + (wanted - low_found) * (high - low) // (high_found - low_found) if high_found > low_found else low


def _middle(low: int, high: int, _low_found: int, _high_found: int, _wanted: int) -> int:
    return (low + high) // 2


def _delivery(connection: Connection, issue_id: IssueId, seq: int) -> ReaderDelivery:
    one = sa.and_(delivery.c.issue_id == issue_id, delivery.c.seq == seq)
    row = connection.execute(sa.select(delivery).where(one)).one()
    return ReaderDelivery(
        issue_id=issue_id,
        seq=seq,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        tried_at=row.tried_at,
        due_at=row.due_at,
        code=row.code,
        reason=row.reason or "",
    )


_AT = sa.select(delivery.c.subscription_id).where(
    delivery.c.issue_id == sa.bindparam("in_issue"), delivery.c.seq == sa.bindparam("at_seq")
)
