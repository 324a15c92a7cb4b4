from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feeds.formats import FeedFormat
from publisher.database import upsert
from publisher.syndication.model import Feed, FeedAddress, FeedId, Site
from publisher.syndication.websub.errands import SLOW_MS
from publisher.syndication.websub.model import HUB_PATH, HubRequest
from publisher.syndication.websub.tables import websub_ping, websub_request, websub_subscription

SETTLING = timedelta(milliseconds=200)
"""Twice the time in which every web process notices new bytes: who is told fetches the new ones."""
REQUESTS_AT_MOST = 10_000
FRESH = {"wanted": 1, "failures": 0, "took_ms": 0, "fence": 0}


def own_hub(site: Site) -> str:
    return f"{site.base_url}{HUB_PATH}"


def note_changed(
    connection: Connection, feed: Feed, formats: Collection[FeedFormat], site: Site, now: datetime
) -> None:
    """Let subscribers and other hubs be told of new documents, in the transaction that stores them."""
    if not formats:
        return
    due_at = now + SETTLING
    these = sa.and_(websub_subscription.c.feed_id == feed.id, websub_subscription.c.format.in_(formats))
    connection.execute(
        sa.update(websub_subscription)
        .where(these, websub_subscription.c.lease_until > now)
        .values(wanted=websub_subscription.c.wanted + 1, due_at=_at_once_or_as_planned(websub_subscription, due_at))
    )
    urls = [f"{site.base_url}{FeedAddress(key=feed.key, feed_format=each).path}" for each in formats]
    _ping(connection, [(hub, url) for hub in site.hubs if hub != own_hub(site) for url in urls], due_at)


def add_request(connection: Connection, asked: HubRequest, feed_id: FeedId, now: datetime) -> bool:
    """Store a request until the callback's server has said whether it wants it; False: too many wait already."""
    waiting = sa.select(sa.func.count()).select_from(websub_request)
    if connection.execute(waiting).scalar_one() >= REQUESTS_AT_MOST:
        return False
    row = {
        "feed_id": feed_id,
        "format": asked.topic.feed_format,
        "callback": asked.callback,
        "mode": asked.mode,
        "secret": asked.secret,
        "lease_s": int(asked.lease.total_seconds()),
        "due_at": now,
        "took_ms": SLOW_MS + 1,
    }
    _put(connection, websub_request, FRESH | row, keep=())
    return True


def subscribe(connection: Connection, request: Any, now: datetime) -> None:
    """Make or renew the subscription that a verified request asks for."""
    row = {name: getattr(request, name) for name in ("feed_id", "format", "callback", "secret")}
    row |= {"lease_until": now + timedelta(seconds=request.lease_s), "due_at": None}
    _put(connection, websub_subscription, FRESH | row, keep=("due_at", "took_ms", "wanted"))


def unsubscribe(connection: Connection, request: Any) -> None:
    this = (websub_subscription.c[name] == getattr(request, name) for name in ("feed_id", "format", "callback"))
    connection.execute(sa.delete(websub_subscription).where(*this))


def any_lease_over(connection: Connection, now: datetime) -> bool:
    over = sa.select(websub_subscription.c.id).where(websub_subscription.c.lease_until <= now)
    return connection.scalar(over.limit(1)) is not None


def end_leases(connection: Connection, now: datetime) -> None:
    connection.execute(sa.delete(websub_subscription).where(websub_subscription.c.lease_until <= now))


def _ping(connection: Connection, pairs: Iterable[tuple[str, str]], due_at: datetime) -> None:
    for hub, url in pairs:
        insert = upsert(connection, websub_ping).values(hub=hub, url=url, due_at=due_at, **FRESH)
        changed = {"wanted": websub_ping.c.wanted + 1, "due_at": _at_once_or_as_planned(websub_ping, due_at)}
        connection.execute(insert.on_conflict_do_update(index_elements=["hub", "url"], set_=changed))


def _at_once_or_as_planned(table: sa.Table, due_at: datetime) -> sa.ColumnElement[Any]:
    """Whoever failed is tried again as planned; new documents do not make him any better."""
    soon = sa.literal(due_at, table.c.due_at.type)
    return sa.case((sa.and_(table.c.failures > 0, table.c.due_at.is_not(None)), table.c.due_at), else_=soon)


def _put(connection: Connection, table: sa.Table, row: dict[str, Any], *, keep: Collection[str]) -> None:
    """Insert, or replace what is known of the same callback and document; a lease on the old row no longer holds."""
    key = ["feed_id", "format", "callback"]
    insert = upsert(connection, table).values(row)
    changed = {name: insert.excluded[name] for name in row if name not in {*key, *keep, "fence"}}
    changed |= {"fence": table.c.fence + 1, "leased_until": None, "failing_since": None}
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed))
