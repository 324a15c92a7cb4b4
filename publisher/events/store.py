from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.model import SubscriberId, SubscriptionId
from publisher.audience.tables import subscriber, subscription
from publisher.compose.model import IssueId
from publisher.database import insert_or_ignore
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.tables import delivery
from publisher.events import rules
from publisher.events.model import DeliveryEvent, EventKind
from publisher.events.rules import Bounce
from publisher.events.tables import delivery_event

ERASED = ""
"""The address of a subscriber who has been erased."""
NAMELESS = {"raw": "", "reason": "", "address": ""}


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """An event as it stands in the table, with the delivery and the reader that it is about."""

    id: int
    kind: EventKind
    issue_id: IssueId
    seq: int
    status: str
    is_dead: bool
    reason: str
    delivery_state: DeliveryState
    subscription_id: SubscriptionId
    subscriber_id: SubscriberId
    email_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """Events that were not applied yet."""

    ids: list[int]
    """Of all of them."""
    about_readers: list[Heard]
    about_erased: list[int]
    """The ids of those that are about a delivery whose reader has been erased since."""


def add(connection: Connection, events: Iterable[DeliveryEvent], *, now: datetime) -> None:
    """Write events down as they came; one that was told before is not written again."""
    # Always in the same order, so that two calls with the same events never wait for each other in a circle.
    rows = [_row(each, now) for each in sorted(events, key=lambda each: each.event_id)]
    if rows:
        connection.execute(insert_or_ignore(connection, delivery_event), rows)


def waiting(connection: Connection, *, at_most: int, after: int = 0) -> Waiting:
    """
    Return the next events that were not applied yet, oldest first.

    An event is about the reader of its delivery only if the address in it is that reader's, for another newsroom may
    share the provider's account and count its issues from 1 as well.

    Args:
        connection: Where to read.
        at_most: How many events.
        after: Only ids above this one: PostgreSQL would else step over every event that it has just seen applied.

    """
    rows = connection.execute(_WAITING, {"at_most": at_most, "after": after}).all()
    return Waiting(
        ids=[row.id for row in rows],
        about_readers=[_heard(row) for row in rows if _is_about_reader(row)],
        about_erased=[row.id for row in rows if row.email == ERASED],
    )


def set_applied(connection: Connection, ids: Sequence[int], known: Iterable[Heard], *, now: datetime) -> None:
    """Close events, naming the readers they were about."""
    readers: dict[int, SubscriberId | None] = dict.fromkeys(ids) | {each.id: each.subscriber_id for each in known}
    rows = [{"of_event": each, "of_subscriber": reader, "now": now} for each, reader in readers.items()]
    if rows:
        connection.execute(_SET_APPLIED, rows)


def forget(connection: Connection, ids: Sequence[int]) -> None:
    """Keep of events only that there were such: the words in them may name who it was."""
    connection.execute(sa.update(delivery_event).where(delivery_event.c.id.in_(ids)).values(NAMELESS))


def forget_reader(connection: Connection, subscriber_id: SubscriberId, places: Iterable[tuple[IssueId, int]]) -> None:
    """Keep of what was told of a reader only that it was: what has been applied, and what waits at his deliveries."""
    values = NAMELESS | {"subscriber_id": None}
    connection.execute(sa.update(delivery_event).where(delivery_event.c.subscriber_id == subscriber_id).values(values))
    waits = [{"of_issue": issue_id, "at_seq": seq} for issue_id, seq in places]
    if waits:
        connection.execute(_FORGET_AT.values(values), waits)


def bounces_of(connection: Connection, subscriber_id: SubscriberId, *, since: datetime) -> list[Bounce]:
    """Return what came back from a reader whose address is not dead, as far as it counts against the address."""
    wanted = sa.select(delivery_event.c.issue_id, delivery_event.c.at, delivery_event.c.status).where(
        delivery_event.c.subscriber_id == subscriber_id,
        delivery_event.c.at > since,
        delivery_event.c.kind == EventKind.BOUNCED,
    )
    return [
        Bounce(issue_id=IssueId(row.issue_id), at=row.at)
        for row in connection.execute(wanted)
        if rules.counts_against_address(row.status)
    ]


def alive_at(connection: Connection, subscriber_id: SubscriberId) -> datetime | None:
    """Return when a mail last arrived at a reader, as far as we were told."""
    wanted = sa.select(sa.func.max(delivery_event.c.at, type_=delivery_event.c.at.type)).where(
        delivery_event.c.subscriber_id == subscriber_id, delivery_event.c.kind.in_(rules.SIGNS_OF_LIFE)
    )
    found: datetime | None = connection.scalar(wanted)
    return found


def standings(connection: Connection, issue_id: IssueId) -> dict[EventKind, int]:
    """Return how many deliveries of an issue stand where; only those that we were told of, every kind is there."""
    place = sa.case({kind.value: at for at, kind in enumerate(EventKind)}, value=delivery_event.c.kind)
    furthest = (
        sa.select(sa.func.max(place).label("place"))
        .where(delivery_event.c.issue_id == issue_id, delivery_event.c.subscriber_id.is_not(None))
        .group_by(delivery_event.c.seq)
        .subquery()
    )
    rows = connection.execute(sa.select(furthest.c.place, sa.func.count()).group_by(furthest.c.place))
    found: Mapping[int, int] = {row[0]: row[1] for row in rows}
    return {kind: found.get(at, 0) for at, kind in enumerate(EventKind)}


def _row(event: DeliveryEvent, now: datetime) -> dict[str, Any]:
    return {
        "provider": event.provider,
        "provider_event_id": event.event_id,
        "received_at": now,
        "kind": event.kind,
        "issue_id": event.issue_id,
        "seq": event.seq,
        "at": event.at,
        "address": event.address.lower(),
        "status": event.status,
        "is_dead": event.is_dead,
        "reason": event.reason,
        "raw": event.raw,
    }


def _is_about_reader(row: Any) -> bool:
    return row.email_key is not None and row.email != ERASED and row.address in {"", row.email_key}


def _heard(row: Any) -> Heard:
    return Heard(
        id=row.id,
        kind=EventKind(row.kind),
        issue_id=IssueId(row.issue_id),
        seq=row.seq,
        status=row.status,
        is_dead=row.is_dead,
        reason=row.reason,
        delivery_state=DeliveryState(row.delivery_state),
        subscription_id=SubscriptionId(row.subscription_id),
        subscriber_id=SubscriberId(row.reader),
        email_key=row.email_key,
    )


_WAITING = (
    sa.select(
        delivery_event.c.id,
        delivery_event.c.kind,
        delivery_event.c.issue_id,
        delivery_event.c.seq,
        delivery_event.c.status,
        delivery_event.c.is_dead,
        delivery_event.c.reason,
        delivery_event.c.address,
        delivery.c.state.label("delivery_state"),
        delivery.c.subscription_id,
        subscriber.c.id.label("reader"),
        subscriber.c.email,
        subscriber.c.email_key,
    )
    .outerjoin(
        delivery, sa.and_(delivery.c.issue_id == delivery_event.c.issue_id, delivery.c.seq == delivery_event.c.seq)
    )
    .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
    .outerjoin(subscriber, subscriber.c.id == subscription.c.subscriber_id)
    .where(delivery_event.c.applied_at.is_(None), delivery_event.c.id > sa.bindparam("after"))
    .order_by(delivery_event.c.id)
    .limit(sa.bindparam("at_most"))
)

_FORGET_AT = sa.update(delivery_event).where(
    delivery_event.c.issue_id == sa.bindparam("of_issue"),
    delivery_event.c.seq == sa.bindparam("at_seq"),
    delivery_event.c.applied_at.is_(None),
)

_SET_APPLIED = (
    sa.update(delivery_event)
    .where(delivery_event.c.id == sa.bindparam("of_event"))
    .values(subscriber_id=sa.bindparam("of_subscriber"), applied_at=sa.bindparam("now"), address="")
)
