"""
Readers found by what an editor knows of them, in pages that take a bounded time however many readers there are.

A page looks at so many readers at most, and tells where it stopped: what is rare is found in a few pages, and nobody
waits for a walk through a million.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.audience import rules
from publisher.audience.model import MailingListId, Subscriber, SubscriptionState
from publisher.audience.store import SUBSCRIBER_COLUMNS, subscriber_in
from publisher.audience.tables import is_known, is_pending, lowered_name, subscriber, subscription

LOOK_AT = 3_000
LAST = "\U0010ffff"
"""Behind every letter, by bytes."""

Place = TypeVar("Place")
Instant = tuple[datetime, int]


@dataclass(frozen=True, kw_only=True)
class Found(Generic[Place]):
    """A page of readers."""

    subscribers: list[Subscriber]
    next: Place | None
    """Where to go on; None at the end. The page may be short, or empty, and the next one not."""


def by_address(
    connection: Connection,
    *,
    at_most: int,
    beginning: str = "",
    after: str = "",
    mailing_list_id: MailingListId | None = None,
    state: SubscriptionState | None = None,
) -> Found[str]:
    """Find readers by the beginning of their address, those with a subscription to a list, or in a state, only."""
    if not (beginning + after).isascii() or not (beginning + after).isprintable():
        return Found(subscribers=[], next=None)
    key = subscriber.c.email_key
    fits = _subscription_that(mailing_list_id, state)
    wanted: sa.Select[Any] = sa.select(
        *SUBSCRIBER_COLUMNS, key, (fits if fits is not None else sa.true()).label("fits")
    )
    first, last = rules.email_key(beginning), rules.email_key(after)
    # One bound below: of two, SQLite begins at the first that it is told, and walks from there.
    wanted = wanted.where(is_known, key > last if last >= first else key >= first, key < first + "\x7f")
    return _page(connection, wanted.order_by(key), at_most, order=["email_key"], place=lambda row: str(row.email_key))


def by_name(connection: Connection, beginning: str, *, at_most: int) -> list[Subscriber]:
    """Find readers by the beginning of their name; small and capital letters are one, in Latin script."""
    if not beginning.isprintable():
        return []
    low, high = sa.func.lower(beginning), sa.func.lower(beginning + LAST)
    if connection.dialect.name == "postgresql":  # by bytes, as the index is
        within = sa.and_(lowered_name.op("~>=~")(low), lowered_name.op("~<~")(high))
    else:
        within = sa.and_(lowered_name >= low, lowered_name < high)
    wanted = sa.select(*SUBSCRIBER_COLUMNS).where(within, is_known).limit(at_most)
    return sorted(map(subscriber_in, connection.execute(wanted)), key=lambda each: (each.name.lower(), each.email))


def by_state(
    connection: Connection,
    state: SubscriptionState,
    *,
    at_most: int,
    mailing_list_id: MailingListId | None = None,
    before: Instant | None = None,
) -> Found[Instant]:
    """Find readers who have not said yes yet, or have left; who did so last comes first."""
    if state is SubscriptionState.PENDING:
        at, number, has_state = subscription.c.asked_at, subscription.c.subscriber_id, is_pending
    else:
        at, number = subscription.c.ended_at, subscription.c.id
        has_state = subscription.c.state == state
    fits = sa.true() if mailing_list_id is None else subscription.c.mailing_list_id == mailing_list_id
    wanted: sa.Select[Any] = (
        sa.select(*SUBSCRIBER_COLUMNS, at.label("at"), number.label("number"), sa.and_(fits, is_known).label("fits"))
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .where(at.is_not(None), has_state)
        .order_by(at.desc(), number.desc())
    )
    if before is not None:
        instant = sa.literal(before[0], at.type)
        wanted = wanted.where(at <= instant, sa.tuple_(at, number) < sa.tuple_(instant, sa.literal(before[1])))
    latest_first = ["at DESC", "number DESC"]
    return _page(connection, wanted, at_most, order=latest_first, place=lambda row: (row.at, row.number))


def _subscription_that(
    mailing_list_id: MailingListId | None, state: SubscriptionState | None
) -> sa.ColumnElement[bool] | None:
    if mailing_list_id is None and state is None:
        return None
    wanted = sa.exists().where(subscription.c.subscriber_id == subscriber.c.id)
    if mailing_list_id is not None:
        wanted = wanted.where(subscription.c.mailing_list_id == mailing_list_id)
    return wanted if state is None else wanted.where(subscription.c.state == state)


def _page(
    connection: Connection,
    looked_at: sa.Select[Any],
    at_most: int,
    *,
    order: Sequence[str],
    place: Callable[[Row[Any]], Place],
) -> Found[Place]:
    """Take those that fit from the readers to be looked at, in their order, each reader once."""
    these = looked_at.limit(LOOK_AT).subquery()
    fitting = sa.select(these).where(these.c.fits).order_by(*map(sa.text, order)).limit(at_most + 1)
    rows = connection.execute(fitting).all()
    shown = list({row.id: subscriber_in(row) for row in rows[:at_most]}.values())
    if len(rows) > at_most:
        return Found(subscribers=shown, next=place(rows[at_most - 1]))
    last = connection.execute(looked_at.offset(LOOK_AT - 1).limit(1)).first()
    return Found(subscribers=shown, next=place(last) if last is not None else None)
