"""
From what happened to what an endpoint is to be told.

Each endpoint has a place of its own in each table that tells what happened, and a queue of bounded length. While the
queue is full its places stand still: a million bounces are a million rows where they are, and a thousand here.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.tables import consent, is_by_form, subscription
from publisher.database import Database
from publisher.events.model import EventKind
from publisher.events.tables import delivery_event
from publisher.turn import Turn
from publisher.webhooks import facts, store
from publisher.webhooks.model import Endpoint, Happening, Places
from publisher.webhooks.rules import OFF_AFTER, message_id
from publisher.webhooks.tables import webhook_news

QUEUE = 1_000
"""Webhooks of one endpoint that wait to be sent."""
AT_ONCE = 200
PASSED_AT_ONCE = 5_000
"""Of what an endpoint does not want to know."""
SETTLED = timedelta(seconds=15)
"""
By then every transaction that wrote something has ended, so that nothing with an earlier place appears later.

As long as one waits for SQLite's lock. What the archive and compose tell has an order of its own, and does not wait.
"""
OF_EVENTS = {
    EventKind.BOUNCED: Happening.DELIVERY_BOUNCED,
    EventKind.COMPLAINED: Happening.DELIVERY_COMPLAINED,
}
Row = dict[str, Any]
Found = tuple[list[Row], Places, bool]
"""What to tell, the place after it, and whether more may follow."""
Source = Callable[[Connection, Places, datetime, datetime, int], Found]


def gather(database: Database, turn: Turn, endpoint: Endpoint, *, base_url: str, now: datetime) -> bool:
    """Fill an endpoint's queue by some; return whether more may follow."""
    with database.reading() as connection:
        room = QUEUE - store.waiting(connection, endpoint.id)
        if room <= 0:
            return False
        rows, places, is_more = _next(connection, endpoint, base_url, now, min(room, AT_ONCE))
    if places == endpoint.places:
        return False
    with database.transaction() as connection:
        turn.hold(connection)
        store.put(connection, [each | {"endpoint_id": endpoint.id} for each in rows], now=now)
        store.move(connection, endpoint.id, places)
        store.forget_old(connection, endpoint.id)
    return is_more


def _next(connection: Connection, endpoint: Endpoint, base_url: str, now: datetime, room: int) -> Found:
    since = max(endpoint.created_at, now - OFF_AFTER)
    rows: list[Row] = []
    places, is_more = endpoint.places, False
    for source, happenings in SOURCES:
        left = room - len(rows) if endpoint.happenings & happenings else PASSED_AT_ONCE
        if left <= 0:
            is_more = True
            continue
        found, places, more = source(connection, places, since, now, left)
        rows += [each for each in found if each["kind"] in endpoint.happenings]
        is_more = is_more or more
    return _with_facts(connection, rows, base_url), places, is_more


def _news(connection: Connection, places: Places, since: datetime, now: datetime, at_most: int) -> Found:
    del now  # one at a time writes them, in the order of their seq
    wanted = sa.select(webhook_news).where(webhook_news.c.seq > places.news_seq)
    found = connection.execute(wanted.order_by(webhook_news.c.seq).limit(at_most)).all()
    rows = [_row(row.kind, row.at, row, row.kind, row.about_id, row.at.isoformat()) for row in found if row.at >= since]
    return rows, replace(places, news_seq=found[-1].seq if found else places.news_seq), len(found) == at_most


def _events(connection: Connection, places: Places, since: datetime, now: datetime, at_most: int) -> Found:
    """Return what came back, up to the first that nobody has drawn the conclusions from."""
    wanted = sa.select(
        *(delivery_event.c[name] for name in ("id", "kind", "issue_id", "seq", "at", "status", "is_dead")),
        *(delivery_event.c[name] for name in ("subscriber_id", "received_at", "applied_at")),
    ).where(delivery_event.c.id > places.event_id)
    found = connection.execute(wanted.order_by(delivery_event.c.id).limit(at_most)).all()
    done = list(_until(lambda row: row.applied_at is None or row.received_at > now - SETTLED, found))
    rows = [
        _row(OF_EVENTS[EventKind(row.kind)], row.at, row, "event", row.id)
        for row in done
        if row.kind in OF_EVENTS and row.subscriber_id is not None and row.received_at >= since
    ]
    return rows, replace(places, event_id=done[-1].id if done else places.event_id), len(done) == at_most


def _yeses(connection: Connection, places: Places, since: datetime, now: datetime, at_most: int) -> Found:
    """Return who said yes by a form: whom an editor put on a list, or a file, has confirmed nothing to us."""
    at, key = max((places.yes_at, places.yes_id), (since, 0))
    wanted = sa.select(consent.c.id, consent.c.at, consent.c.subscription_id).where(
        is_by_form, consent.c.at >= at, consent.c.at <= now - SETTLED, _after(consent, consent.c.at, at, key)
    )
    found = connection.execute(wanted.order_by(consent.c.at, consent.c.id).limit(at_most)).all()
    rows = [_row(Happening.SUBSCRIBER_CONFIRMED, row.at, row, "yes", row.id) for row in found]
    if found:
        places = replace(places, yes_at=found[-1].at, yes_id=found[-1].id)
    return rows, places, len(found) == at_most


def _ends(connection: Connection, places: Places, since: datetime, now: datetime, at_most: int) -> Found:
    at, key = max((places.end_at, places.end_id), (since, 0))
    ended = subscription.c.ended_at
    wanted = sa.select(subscription.c.id, subscription.c.id.label("subscription_id"), ended.label("at")).where(
        ended.is_not(None), ended >= at, ended <= now - SETTLED, _after(subscription, ended, at, key)
    )
    found = connection.execute(wanted.order_by(ended, subscription.c.id).limit(at_most)).all()
    rows = [_row(Happening.SUBSCRIBER_UNSUBSCRIBED, row.at, row, "end", row.id, row.at.isoformat()) for row in found]
    if found:
        places = replace(places, end_at=found[-1].at, end_id=found[-1].id)
    return rows, places, len(found) == at_most


SOURCES: tuple[tuple[Source, frozenset[Happening]], ...] = (
    (
        _news,
        frozenset(
            {
                Happening.ARTICLE_PUBLISHED,
                Happening.ARTICLE_WITHDRAWN,
                Happening.ISSUE_APPROVED,
                Happening.ISSUE_SENT,
            }
        ),
    ),
    (_events, frozenset(OF_EVENTS.values())),
    (_yeses, frozenset({Happening.SUBSCRIBER_CONFIRMED})),
    (_ends, frozenset({Happening.SUBSCRIBER_UNSUBSCRIBED})),
)


def _after(table: sa.Table, column: sa.Column[Any], at: datetime, key: int) -> sa.ColumnElement[bool]:
    return sa.or_(column > at, table.c.id > key)


def _until(stop: Callable[[Any], bool], rows: Iterable[Any]) -> Iterable[Any]:
    for row in rows:
        if stop(row):
            return
        yield row


def _row(kind: str, at: datetime, source: Any, *named: object) -> Row:
    return {"kind": str(kind), "at": at, "message_id": message_id(*named), "source": source}


def _with_facts(connection: Connection, rows: list[Row], base_url: str) -> list[Row]:
    """Return rows with what they say in the place of where they came from; what is gone is left out."""
    news = [each["source"] for each in rows if hasattr(each["source"], "about_id")]
    people = [each["source"].subscription_id for each in rows if hasattr(each["source"], "subscription_id")]
    of_news = facts.of_news(connection, news, base_url)
    of_people = facts.of_subscriptions(connection, people)
    made: list[Row] = []
    for each in rows:
        source = each.pop("source")
        if hasattr(source, "about_id"):
            said = of_news.get(source.seq)
        elif hasattr(source, "subscription_id"):
            said = of_people.get(source.subscription_id)
        else:
            said = facts.of_event(source)
        if said is not None:
            made.append(each | {"facts": said})
    return made
