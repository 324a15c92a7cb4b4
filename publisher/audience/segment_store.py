from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.audience import segments
from publisher.audience.model import MailingListId, SubscriberId
from publisher.audience.segments import Conditions, Segment, SegmentId
from publisher.audience.tables import (
    is_confirmed,
    is_known,
    mailing_list,
    segment,
    subscriber,
    subscriber_topic,
    subscription,
)
from publisher.database import insert_or_ignore
from publisher.errors import ConflictError, NotFoundError

COUNTED_AT_MOST = 100_000
"""No more readers than these are counted one by one while an editor waits."""


# --- segments


def segments_saved(connection: Connection) -> list[Segment]:
    """Return every segment, by name."""
    return [_segment(row) for row in connection.execute(sa.select(segment).order_by(segment.c.name, segment.c.id))]


def segment_named(connection: Connection, slug: str) -> Segment:
    """Raises NotFoundError."""
    row = connection.execute(sa.select(segment).where(segment.c.slug == slug)).first()
    if row is None:
        raise NotFoundError("segment", slug)
    return _segment(row)


def segment_of(connection: Connection, segment_id: SegmentId) -> Segment:
    """Raises NotFoundError."""
    row = connection.execute(sa.select(segment).where(segment.c.id == segment_id)).first()
    if row is None:
        raise NotFoundError("segment", segment_id)
    return _segment(row)


def add_segment(connection: Connection, *, slug: str, name: str, conditions: Conditions, now: datetime) -> Segment:
    """Store a new segment. Raises ConflictError where the slug is taken."""
    row = {"slug": slug, "name": name, "conditions": segments.to_json(conditions), "created_at": now}
    added = connection.scalar(insert_or_ignore(connection, segment).values(row).returning(segment.c.id))
    if added is None:
        problem = f"There is a segment {slug!r} already; choose another short name."
        raise ConflictError(problem)
    acts.note(connection, "segment added", slug)
    return Segment(id=SegmentId(added), slug=slug, name=name, conditions=conditions, created_at=now)


def change_segment(connection: Connection, slug: str, *, name: str, conditions: Conditions) -> Segment:
    """Store what a segment is from now on; its slug stays. Raises NotFoundError."""
    changed = sa.update(segment).where(segment.c.slug == slug)
    connection.execute(changed.values(name=name, conditions=segments.to_json(conditions)))
    acts.note(connection, "segment changed", slug)
    return segment_named(connection, slug)


def remove_segment(connection: Connection, found: Segment) -> None:
    connection.execute(sa.delete(segment).where(segment.c.id == found.id))
    acts.note(connection, "segment removed", found.slug)


# --- who belongs to one


def matching(conditions: Conditions, *, now: datetime) -> list[sa.ColumnElement[bool]]:
    """Return the conditions as parts of a query over `subscriber`; a reader has to meet them all."""
    found: list[sa.ColumnElement[bool]] = []
    if conditions.languages:
        found.append(sa.or_(*(_speaks(tag) for tag in conditions.languages)))
    if conditions.countries or conditions.time_zones:
        zones = {*conditions.time_zones, *segments.zones_of(conditions.countries)}
        found.append(subscriber.c.time_zone.in_(sorted(zones)))
    if conditions.topics:
        chosen = subscriber_topic.c.subscriber_id == subscriber.c.id
        found.append(sa.exists().where(chosen, subscriber_topic.c.topic.in_(conditions.topics)))
    if conditions.mailing_lists:
        found.append(_is_on(conditions.mailing_lists))
    if conditions.joined_after:
        found.append(subscriber.c.created_at >= _midnight(conditions.joined_after))
    if conditions.joined_before:
        found.append(subscriber.c.created_at < _midnight(conditions.joined_before))
    if conditions.clicked_within_days:
        found.append(subscriber.c.clicked_at >= now - timedelta(days=conditions.clicked_within_days))
    return found


def count(
    connection: Connection, conditions: Conditions, *, mailing_list_id: MailingListId | None = None, now: datetime
) -> int:
    """Return how many subscribers, or confirmed readers of a mailing list, meet conditions; at most COUNTED_AT_MOST."""
    wanted = sa.select(subscriber.c.id).where(is_known, *matching(conditions, now=now))
    if mailing_list_id is not None:
        on_list = subscription.c.subscriber_id == subscriber.c.id
        wanted = wanted.where(
            sa.exists().where(on_list, subscription.c.mailing_list_id == mailing_list_id, is_confirmed)
        )
    return int(connection.scalar(sa.select(sa.func.count()).select_from(wanted.limit(COUNTED_AT_MOST).subquery())) or 0)


def _speaks(tag: str) -> sa.ColumnElement[bool]:
    return sa.or_(subscriber.c.language == tag, subscriber.c.language.startswith(f"{tag}-", autoescape=True))


def _is_on(slugs: Collection[str]) -> sa.ColumnElement[bool]:
    other, lists = subscription.alias("other"), mailing_list.alias("other_list")
    return sa.exists().where(
        other.c.subscriber_id == subscriber.c.id,
        other.c.state == "confirmed",
        other.c.mailing_list_id == lists.c.id,
        lists.c.slug.in_(slugs),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


# --- what readers tell


def topics_offered(connection: Connection) -> list[str]:
    """Return the topics that a segment asks for: to choose among others would change nothing."""
    return sorted({topic for each in segments_saved(connection) for topic in each.conditions.topics})


def topics_of(connection: Connection, subscriber_id: SubscriberId) -> list[str]:
    """Return the topics that a reader has chosen."""
    wanted = sa.select(subscriber_topic.c.topic).where(subscriber_topic.c.subscriber_id == subscriber_id)
    return sorted(connection.scalars(wanted))


def choose_topics(connection: Connection, subscriber_id: SubscriberId, topics: Iterable[str]) -> None:
    """Store a reader's choice in the place of the one before."""
    chosen = sorted(set(topics))
    connection.execute(sa.delete(subscriber_topic).where(subscriber_topic.c.subscriber_id == subscriber_id))
    if chosen:
        rows = [{"subscriber_id": subscriber_id, "topic": each} for each in chosen]
        connection.execute(insert_or_ignore(connection, subscriber_topic), rows)


def note_click(connection: Connection, subscription_id: int, *, now: datetime) -> None:
    """Write down that the reader of a subscription has followed a link."""
    whose = sa.select(subscription.c.subscriber_id).where(subscription.c.id == subscription_id).scalar_subquery()
    connection.execute(sa.update(subscriber).where(subscriber.c.id == whose).values(clicked_at=now))


def _segment(row: Any) -> Segment:
    return Segment(
        id=SegmentId(row.id),
        slug=row.slug,
        name=row.name,
        conditions=segments.from_json(row.conditions),
        created_at=row.created_at,
    )
