from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.database import insert_or_ignore, skip_locked
from publisher.errors import NotFoundError
from publisher.events.tables import delivery_event
from publisher.webhooks.model import Attempt, Endpoint, EndpointId, Happening, Places, Webhook, WebhookId, WebhookState
from publisher.webhooks.tables import webhook, webhook_endpoint, webhook_news

ATTEMPTS_KEPT = 20
KEPT = 1_000
"""Webhooks of an endpoint that have come to an end."""
LEASE = timedelta(seconds=60)
"""Four times as long as any attempt may take."""
PLACES = tuple(each.name for each in fields(Places))


def endpoints(connection: Connection, *, only_on: bool = False) -> list[Endpoint]:
    """Return the endpoints, the oldest first."""
    wanted = sa.select(webhook_endpoint).order_by(webhook_endpoint.c.id)
    if only_on:
        wanted = wanted.where(webhook_endpoint.c.is_on)
    return [_endpoint(row) for row in connection.execute(wanted)]


def endpoint_of(connection: Connection, endpoint_id: EndpointId) -> Endpoint:
    """Raises NotFoundError."""
    row = connection.execute(sa.select(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id)).first()
    if row is None:
        raise NotFoundError("webhook endpoint", endpoint_id)
    return _endpoint(row)


def add_endpoint(connection: Connection, values: Mapping[str, Any], *, now: datetime) -> EndpointId:
    """Store an endpoint that will be told of what happens from now on."""
    fresh = {"former_secret": "", "is_on": True, "off_reason": "", "created_at": now, "failures": 0, "took_ms": 0}
    row = fresh | asdict(present(connection, now)) | dict(values)
    found = connection.execute(sa.insert(webhook_endpoint).values(row).returning(webhook_endpoint.c.id))
    return EndpointId(found.scalar_one())


def present(connection: Connection, now: datetime) -> Places:
    """Return the end of everything that has happened so far."""
    return Places(
        news_seq=connection.scalar(sa.select(sa.func.max(webhook_news.c.seq))) or 0,
        event_id=connection.scalar(sa.select(sa.func.max(delivery_event.c.id))) or 0,
        yes_at=now,
        yes_id=0,
        end_at=now,
        end_id=0,
    )


def change_endpoint(connection: Connection, endpoint_id: EndpointId, values: Mapping[str, Any]) -> None:
    """Raises NotFoundError."""
    changed = sa.update(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id).values(**values)
    if not connection.execute(changed).rowcount:
        raise NotFoundError("webhook endpoint", endpoint_id)


def remove_endpoint(connection: Connection, endpoint_id: EndpointId) -> None:
    """Forget an endpoint with all that was to be told to it. Raises NotFoundError."""
    connection.execute(sa.delete(webhook).where(webhook.c.endpoint_id == endpoint_id))
    gone = connection.execute(sa.delete(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id))
    if not gone.rowcount:
        raise NotFoundError("webhook endpoint", endpoint_id)


def move(connection: Connection, endpoint_id: EndpointId, places: Places) -> None:
    """Note how far an endpoint has been told, in the transaction that puts what it is to be told."""
    connection.execute(sa.update(webhook_endpoint).where(webhook_endpoint.c.id == endpoint_id).values(**asdict(places)))


# --- webhooks


def put(connection: Connection, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Put webhooks up to be sent; one that is there already is not put again."""
    fresh = {"state": WebhookState.WAITING.value, "due_at": now, "failures": 0, "attempts": [], "fence": 0}
    if rows:
        connection.execute(insert_or_ignore(connection, webhook), [fresh | dict(each) for each in rows])


def waiting(connection: Connection, endpoint_id: EndpointId) -> int:
    """Return how many webhooks of an endpoint are to be sent; never more than a queue holds."""
    counted = sa.select(sa.func.count()).where(webhook.c.endpoint_id == endpoint_id, webhook.c.due_at.is_not(None))
    return connection.scalar(counted) or 0


def webhooks(
    connection: Connection,
    endpoint_id: EndpointId,
    *,
    at_most: int,
    before: int | None = None,
    state: WebhookState | None = None,
) -> list[Webhook]:
    """Return webhooks of an endpoint, newest first, continuing before an id."""
    wanted = sa.select(webhook).where(webhook.c.endpoint_id == endpoint_id).order_by(webhook.c.id.desc()).limit(at_most)
    if before is not None:
        wanted = wanted.where(webhook.c.id < before)
    if state is not None:
        wanted = wanted.where(webhook.c.state == state)
    return [_webhook(row) for row in connection.execute(wanted)]


def webhook_of(connection: Connection, endpoint_id: EndpointId, webhook_id: WebhookId) -> Webhook:
    """Raises NotFoundError, also for another endpoint's."""
    wanted = sa.select(webhook).where(webhook.c.id == webhook_id, webhook.c.endpoint_id == endpoint_id)
    row = connection.execute(wanted).first()
    if row is None:
        raise NotFoundError("webhook", webhook_id)
    return _webhook(row)


def put_again(connection: Connection, found: Webhook, *, now: datetime) -> None:
    """Let a webhook be sent at once, and from the first attempt on; whoever has it in hand has it no longer."""
    fresh = {"state": WebhookState.WAITING, "due_at": now, "failures": 0, "leased_until": None}
    connection.execute(sa.update(webhook).where(webhook.c.id == found.id).values(fence=webhook.c.fence + 1, **fresh))


def endpoints_due(connection: Connection, until: datetime) -> list[Endpoint]:
    """Return the endpoints that have a webhook to be sent by an instant, and may be spoken to."""
    due = sa.exists().where(webhook.c.endpoint_id == webhook_endpoint.c.id, *_is_due(until))
    awake = sa.or_(webhook_endpoint.c.rest_until.is_(None), webhook_endpoint.c.rest_until <= until)
    wanted = sa.select(webhook_endpoint).where(webhook_endpoint.c.is_on, awake, due).order_by(webhook_endpoint.c.id)
    return [_endpoint(row) for row in connection.execute(wanted)]


def in_hand(connection: Connection, endpoint_id: EndpointId, now: datetime) -> int:
    """Return how many webhooks of an endpoint are on the way at this moment, from any worker."""
    counted = sa.select(sa.func.count()).where(
        webhook.c.endpoint_id == endpoint_id, webhook.c.due_at.is_not(None), webhook.c.leased_until >= now
    )
    return connection.scalar(counted) or 0


def lease(connection: Connection, endpoint_id: EndpointId, now: datetime, at_most: int) -> list[Webhook]:
    """Take webhooks of an endpoint, those first that have been due for longest."""
    due = sa.select(webhook.c.id).where(webhook.c.endpoint_id == endpoint_id, *_is_due(now))
    due = due.order_by(webhook.c.due_at, webhook.c.id).limit(at_most)
    chosen = list(connection.scalars(skip_locked(connection, due)))
    leased = sa.update(webhook).where(webhook.c.id.in_(chosen))
    leased = leased.values(leased_until=now + LEASE, fence=webhook.c.fence + 1).returning(*webhook.c)
    return sorted((_webhook(row) for row in connection.execute(leased)), key=lambda each: each.id) if chosen else []


def settle(
    connection: Connection,
    found: Webhook,
    attempt: Attempt,
    *,
    state: WebhookState,
    due_at: datetime | None,
    failures: int,
) -> bool:
    """Note an attempt; return whether the webhook was still ours, for a late worker changes nothing."""
    kept = [*found.attempts, attempt][-ATTEMPTS_KEPT:]
    values = {"state": state, "due_at": due_at, "failures": failures, "leased_until": None}
    mine = sa.update(webhook).where(webhook.c.id == found.id, webhook.c.fence == found.fence)
    return connection.execute(mine.values(attempts=[_written(each) for each in kept], **values)).rowcount == 1


def forget_old(connection: Connection, endpoint_id: EndpointId) -> None:
    """Keep the last webhooks of an endpoint that have come to an end, and those that are still to be sent."""
    ended = sa.and_(webhook.c.endpoint_id == endpoint_id, webhook.c.due_at.is_(None))
    newest = sa.select(webhook.c.id).where(ended).order_by(webhook.c.id.desc()).offset(KEPT).limit(1)
    last = connection.scalar(newest)
    if last is not None:
        connection.execute(sa.delete(webhook).where(ended, webhook.c.id <= last))


def troubled(connection: Connection) -> list[Endpoint]:
    """Return the endpoints that were switched off because nothing arrived there."""
    wanted = sa.select(webhook_endpoint).where(~webhook_endpoint.c.is_on, webhook_endpoint.c.failing_since.is_not(None))
    return [_endpoint(row) for row in connection.execute(wanted.order_by(webhook_endpoint.c.id))]


def _is_due(until: datetime) -> Iterable[sa.ColumnElement[bool]]:
    return webhook.c.due_at <= until, sa.or_(webhook.c.leased_until.is_(None), webhook.c.leased_until < until)


def _endpoint(row: Any) -> Endpoint:
    values = dict(row._mapping)  # noqa: SLF001 -- public, says SQLAlchemy
    places = Places(**{name: values.pop(name) for name in PLACES})
    happenings = frozenset(Happening(each) for each in values.pop("happenings"))
    return Endpoint(**values | {"id": EndpointId(row.id)}, happenings=happenings, places=places)


def _webhook(row: Any) -> Webhook:
    return Webhook(
        id=WebhookId(row.id),
        endpoint_id=EndpointId(row.endpoint_id),
        message_id=row.message_id,
        kind=row.kind,
        at=row.at,
        facts=row.facts,
        state=WebhookState(row.state),
        due_at=row.due_at,
        failures=row.failures,
        attempts=tuple(Attempt(**each | {"at": datetime.fromisoformat(each["at"])}) for each in row.attempts),
        fence=row.fence,
    )


def _written(attempt: Attempt) -> dict[str, Any]:
    return asdict(attempt) | {"at": attempt.at.isoformat()}
