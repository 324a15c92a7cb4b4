"""From an approved issue to its deliveries: who gets it, and who does not and why."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience import segments
from publisher.audience.segment_store import matching
from publisher.audience.segments import Conditions
from publisher.audience.tables import is_confirmed, subscriber, subscription, suppression
from publisher.compose import cadence
from publisher.compose.arrival import arrivals
from publisher.compose.model import Cadence, IssueId, IssueState
from publisher.compose.tables import issue
from publisher.database import insert_or_ignore, skip_locked
from publisher.dispatch import tallies
from publisher.dispatch.model import BatchState, DeliveryState, SendState
from publisher.dispatch.subjects import Split
from publisher.dispatch.tables import batch, delivery, send, send_subject, send_translation, tracked_link

BATCH = 2_000
FIRST_CHUNK = 1_000
"""Small, so that the first mails leave while the rest is still being planned."""
CHUNK = 10_000


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What must be known to open the send of an issue."""

    issue_id: IssueId
    mailing_list_id: int
    message: bytes
    """The compiled message; empty where the mailing list has no reader, and the send is over as it opens."""
    stale_at: datetime
    resend_uncertain: bool
    translations: Mapping[str, bytes] = field(default_factory=dict)
    """The compiled message with the furniture in other languages, by language."""
    links: Mapping[int, str] = field(default_factory=dict)
    """Where the tracked links of the message lead, by their numbers."""
    subjects: Mapping[tuple[int, str], bytes] = field(default_factory=dict)
    """The compiled message under the other subjects of a test, by number and language."""
    split: Split | None = None
    """Who gets which of them."""
    settles_at: datetime | None = None
    """When the best of them is chosen."""
    local_time: Cadence | None = None
    """Where each reader gets it at this one's time of day by his own clock."""
    first_at: datetime | None = None
    """Then nobody gets it before this."""
    conditions: Conditions | None = None
    """Of the segment that it goes to."""


def unopened(connection: Connection, *, at_most: int) -> list[IssueId]:
    """Return approved issues that have no send yet, oldest first."""
    wanted = (
        sa.select(issue.c.id)
        .outerjoin(send, send.c.issue_id == issue.c.id)
        .where(issue.c.state == IssueState.APPROVED, send.c.issue_id.is_(None))
        .order_by(issue.c.id)
        .limit(at_most)
    )
    return [IssueId(each) for each in connection.scalars(wanted)]


def open_send(connection: Connection, opening: Opening, *, now: datetime) -> bool:
    """Open the send of an issue; False where it is open already. Opening twice changes nothing."""
    row = {
        "issue_id": opening.issue_id,
        "mailing_list_id": opening.mailing_list_id,
        "state": SendState.SENDING if opening.message else SendState.SENT,
        "reason": "",
        "message": opening.message,
        "stale_at": opening.stale_at,
        "resend_uncertain": opening.resend_uncertain,
        "planned_to": 0,
        "planned": 0,
        "is_planned": not opening.message,
        "failures_in_row": 0,
        "started_at": now,
        "finished_at": None if opening.message else now,
        "local_time": cadence.describe(opening.local_time) if opening.local_time else None,
        "first_at": opening.first_at,
        "conditions": segments.to_json(opening.conditions) if opening.conditions else None,
        "subject_split": opening.split.to_json() if opening.split else None,
        "settles_at": opening.settles_at,
    }
    if connection.scalar(insert_or_ignore(connection, send).returning(send.c.issue_id), row) is None:
        return False
    links = [{"issue_id": opening.issue_id, "number": number, "url": url} for number, url in opening.links.items()]
    if links:
        connection.execute(sa.insert(tracked_link), links)
    translations = [
        {"issue_id": opening.issue_id, "language": language, "message": message}
        for language, message in opening.translations.items()
    ]
    if translations:
        connection.execute(sa.insert(send_translation), translations)
    subjects = [
        {"issue_id": opening.issue_id, "number": number, "language": language, "message": message}
        for (number, language), message in opening.subjects.items()
    ]
    if subjects:
        connection.execute(sa.insert(send_subject), subjects)
    return True


def has_readers(connection: Connection, mailing_list_id: int) -> bool:
    """Tell whether a mailing list has a confirmed reader."""
    wanted = sa.select(subscription.c.id).where(subscription.c.mailing_list_id == mailing_list_id, is_confirmed)
    return connection.execute(wanted.limit(1)).first() is not None


def plan_some(connection: Connection, *, now: datetime) -> int | None:
    """
    Plan the next stretch of one open send, and return its deliveries; None where all are planned.

    The place it has reached stands in the same transaction as the deliveries, so a crash
    repeats nothing and leaves nothing out, and no two workers plan the same stretch.
    """
    columns = [send.c.issue_id, send.c.mailing_list_id, send.c.planned_to, send.c.planned]
    columns += [send.c.local_time, send.c.first_at, send.c.conditions, send.c.started_at]
    columns += [send.c.subject_split, send.c.settles_at]
    wanted = sa.select(*columns).where(
        send.c.finished_at.is_(None), send.c.is_planned.is_(False), send.c.state != SendState.CANCELLED
    )
    row = connection.execute(skip_locked(connection, wanted.order_by(send.c.issue_id).limit(1))).first()
    if row is None:
        return None
    at_most = FIRST_CHUNK if row.planned == 0 else CHUNK
    inserted = connection.execute(_deliveries(row, at_most, now)).rowcount
    last_seq = row.planned + inserted
    _add_batches(connection, row, last_seq)
    values: dict[str, Any] = {"planned": last_seq, "is_planned": inserted < at_most}
    if inserted:
        values["planned_to"] = _subscription_at(connection, row.issue_id, last_seq)
    if row.subject_split is not None:
        values["subject_split"] = _counted(connection, row, last_seq).to_json()
    connection.execute(sa.update(send).where(send.c.issue_id == row.issue_id).values(values))
    return inserted


def _deliveries(row: Any, at_most: int, now: datetime) -> sa.Insert:
    """Return the one statement that turns subscriptions into deliveries, each skip with its reason."""
    stretch = _stretch(row).order_by(subscription.c.id).limit(at_most).subquery()
    reason = sa.case(
        (suppression.c.email_key.is_not(None), sa.literal("suppressed: ") + suppression.c.reason),
        (stretch.c.paused_until > now, sa.literal("paused by the reader")),
        else_=None,
    )
    state = sa.case((reason.is_not(None), sa.literal(DeliveryState.SKIPPED)), else_=DeliveryState.PLANNED)
    number = sa.func.row_number().over(order_by=stretch.c.id)
    chosen = (
        sa.select(
            sa.literal(row.issue_id, sa.BigInteger),
            sa.literal(row.planned, sa.BigInteger) + number,
            stretch.c.id,
            state,
            sa.literal(0),
            sa.literal(0),
            reason,
        )
        .select_from(stretch)
        .join(subscriber, subscriber.c.id == stretch.c.subscriber_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
    )
    columns = ["issue_id", "seq", "subscription_id", "state", "attempts", "doubts", "reason"]
    if row.local_time is not None:
        chosen = chosen.add_columns(sa.case((reason.is_(None), _arrival(row)), else_=None))
        columns.append("due_at")
    elif row.subject_split is not None:
        split = Split.from_json(row.subject_split)
        waits = sa.and_(reason.is_(None), split.place(stretch.c.id) >= split.first_of_rest)
        chosen = chosen.add_columns(sa.case((waits, sa.literal(row.settles_at, send.c.settles_at.type)), else_=None))
        columns.append("due_at")
    return sa.insert(delivery).from_select(columns, chosen).execution_options(preserve_rowcount=True)


def _counted(connection: Connection, row: Any, last_seq: int) -> Split:
    """Return who gets which subject, with the readers of a new stretch counted for each."""
    split = Split.from_json(row.subject_split)
    subject = (split.place(delivery.c.subscription_id) % split.count).label("subject")
    wanted = sa.select(subject, sa.func.count().label("readers")).where(
        delivery.c.issue_id == row.issue_id,
        delivery.c.seq.between(row.planned + 1, last_seq),
        delivery.c.state == DeliveryState.PLANNED,
        split.place(delivery.c.subscription_id) < split.first_of_rest,
    )
    found = {row.subject: row.readers for row in connection.execute(wanted.group_by(sa.text("1")))}
    return split.with_readers([found.get(number, 0) for number in range(split.count)])


def _stretch(row: Any) -> sa.Select[Any]:
    """Return the subscriptions that have no delivery yet; of a segment's readers only, where it goes to one."""
    wanted = sa.select(subscription.c.id, subscription.c.subscriber_id, subscription.c.paused_until).where(
        subscription.c.mailing_list_id == row.mailing_list_id,
        is_confirmed,
        subscription.c.id > row.planned_to,
    )
    if row.conditions is None:
        return wanted
    conditions = matching(segments.from_json(row.conditions), now=row.started_at)
    return wanted.join(subscriber, subscriber.c.id == subscription.c.subscriber_id).where(*conditions)


def _arrival(row: Any) -> sa.Case[Any]:
    """Return when a delivery is due by its reader's clock; whose clock we do not know reads with the edition."""
    zones_of: dict[datetime, list[str]] = defaultdict(list)
    for time_zone, due_at in arrivals(cadence.parse(row.local_time), row.first_at, _time_zones()).items():
        zones_of[due_at].append(time_zone)
    first_at = sa.literal(row.first_at, send.c.first_at.type)
    rules = [
        (subscriber.c.time_zone.in_(zones), sa.literal(due_at, send.c.first_at.type))
        for due_at, zones in sorted(zones_of.items())
    ]
    return sa.case((subscriber.c.time_zone == "", first_at), *rules, else_=first_at)


@cache
def _time_zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _add_batches(connection: Connection, row: Any, last_seq: int) -> None:
    """Cut the new stretch into batches; a batch never grows once it stands, for it may be leased."""
    number = connection.scalar(sa.select(sa.func.max(batch.c.number)).where(batch.c.issue_id == row.issue_id)) or 0
    firsts = range(row.planned + 1, last_seq + 1, BATCH)
    rows = [
        {
            "issue_id": row.issue_id,
            "number": number + place,
            "first_seq": first,
            "last_seq": min(first + BATCH - 1, last_seq),
            "state": BatchState.READY,
            "fence": 0,
        }
        for place, first in enumerate(firsts, start=1)
    ]
    if rows:
        connection.execute(sa.insert(batch), rows)
        tallies.write(connection, row.issue_id, [each["number"] for each in rows])


def _subscription_at(connection: Connection, issue_id: int, seq: int) -> int:
    wanted = sa.select(delivery.c.subscription_id).where(delivery.c.issue_id == issue_id, delivery.c.seq == seq)
    return int(connection.execute(wanted).scalar_one())
