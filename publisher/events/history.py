"""All that is held about one reader: shown on the desk, handed to the reader, and erased."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.audience import erased, segment_store
from publisher.audience import store as audience
from publisher.audience.model import Consent, Subscriber, SubscriberId, Subscription, Suppression, SuppressionReason
from publisher.audience.rules import email_key
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.compose.model import IssueId
from publisher.database import Database, one_at_a_time
from publisher.dispatch.history import ReaderDelivery, deliveries_of, forget
from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.editors.calls import forget_about
from publisher.errors import NotFoundError
from publisher.events import store
from publisher.events.flow import APPLYING
from publisher.events.model import EventKind
from publisher.events.tables import delivery_event

EVENTS_AT_MOST = 1_000
ISSUES_AT_MOST = 100_000
"""More issues than a mailing list will ever have had."""


@dataclass(frozen=True, kw_only=True)
class ReaderEvent:
    """What became of a delivery, or what its reader did."""

    kind: EventKind
    issue_id: IssueId
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class History:
    """One reader with all that was noted of him."""

    reader: Subscriber
    subscriptions: Sequence[Subscription]
    consents: Sequence[Consent]
    topics: Sequence[str]
    suppression: Suppression | None
    deliveries: Sequence[ReaderDelivery]
    """Newest first."""
    events: Sequence[ReaderEvent]
    """Newest first."""


def history(connection: Connection, reader: Subscriber, *, issues: int, events: int = EVENTS_AT_MOST) -> History:
    """
    Return what is held about a reader.

    Args:
        connection: Where to read.
        reader: Whom it is about.
        issues: In so many of the newest issues his deliveries are looked for.
        events: At most so many, the newest.

    """
    subscriptions = audience.subscriptions_of(connection, [reader.id]).get(reader.id, [])
    return History(
        reader=reader,
        subscriptions=subscriptions,
        consents=[yes for each in subscriptions for yes in audience.consents_of(connection, each.id)],
        topics=segment_store.topics_of(connection, reader.id),
        suppression=audience.suppressions(connection, [reader.email]).get(email_key(reader.email)),
        deliveries=deliveries_of(connection, subscriptions, at_most=issues) if subscriptions else [],
        events=_events(connection, reader.id, events),
    )


def own_data(connection: Connection, reader: Subscriber) -> dict[str, Any]:
    """
    Return all that is held about a reader, as JSON can say it.

    Source:
        Regulation (EU) 2016/679, articles 15 and 20: a copy, in a form that machines read.

    """
    found = history(connection, reader, issues=ISSUES_AT_MOST)
    lists = {each.id: each.slug for each in audience.mailing_lists(connection)}
    subjects = _titles(connection, [each.issue_id for each in found.deliveries])
    on = {each.id: lists[each.mailing_list_id] for each in found.subscriptions}
    return {
        "email": reader.email,
        "name": reader.name,
        "language": reader.language,
        "time_zone": reader.time_zone,
        "since": reader.created_at,
        "topics": list(found.topics),
        "subscriptions": [
            {
                "mailing_list": on[each.id],
                "state": each.state,
                "asked_at": each.asked_at,
                "asked_from": each.asked_from,
                "confirmed_at": each.confirmed_at,
                "ended_at": each.ended_at,
                "paused_until": each.paused_until,
                "chosen": asdict(each.answers) if each.answers else None,
            }
            for each in found.subscriptions
        ],
        "consents": [
            {
                "mailing_list": on[each.subscription_id],
                "at": each.at,
                "how": each.how,
                "from": each.origin,
                "wording": each.wording,
                "form": each.form,
            }
            for each in found.consents
        ],
        "not_mailed": {"reason": found.suppression.reason, "since": found.suppression.at}
        if found.suppression
        else None,
        "mails": [
            {
                "issue": each.issue_id,
                "subject": subjects.get(each.issue_id, ""),
                "state": each.state,
                "tried_at": each.tried_at,
                "reason": each.reason,
            }
            for each in found.deliveries
        ],
        "events": [
            {"issue": each.issue_id, "kind": each.kind, "at": each.at, "reason": each.reason} for each in found.events
        ],
    }


def erase(
    database: Database, outbox: OutboxTransport, subscriber_id: SubscriberId, *, never_again: bool, clock: Clock
) -> None:
    """
    Forget a reader for good: no table holds the address, the name or what was said of them any more, nor the outbox.

    What stays names nobody: that a delivery without an address was sent, in the counts of its issue. His numbers stay
    taken, so that no link in an old mail ever leads to somebody else. A send that is under way passes him over.

    Args:
        database: Where he is forgotten.
        outbox: Of this machine; mails to him are removed from it.
        subscriber_id: Who.
        never_again: Whether a keyed hash of the address is kept, so that no import brings it back among those who are
            mailed; else that is forgotten too, but for a complaint or a dead address, which protects its owner.
        clock: Tells the time.

    Raises:
        NotFoundError: There is no such reader, or no longer.

    Source:
        Regulation (EU) 2016/679, article 17.

    """
    with database.reading() as connection:
        reader = audience.subscriber_with_id(connection, subscriber_id)
        if reader is None:
            raise NotFoundError("subscriber", subscriber_id)
        found = audience.subscriptions_of(connection, [subscriber_id]).get(subscriber_id, [])
        places = deliveries_of(connection, found, at_most=ISSUES_AT_MOST) if found else []
    outbox.forget(reader.email)  # first: after a crash between the two he can be erased once more
    with database.transaction() as connection:
        acts.note(connection, "subscriber erased", f"subscriber {subscriber_id}")
        one_at_a_time(connection, APPLYING)  # or a conclusion about him may be drawn after he is forgotten
        forget(connection, found, places)
        store.forget_reader(connection, reader.id, [(each.issue_id, each.seq) for each in places])
        forget_about(connection, reader.email)
        audience.erase(connection, subscriber_id)
        key = email_key(reader.email)
        asked = Suppression(email_key=key, reason=SuppressionReason.ASKED, at=clock(), detail="")
        erased.settle(database, connection, key, asked if never_again else None)


def _events(connection: Connection, subscriber_id: SubscriberId, at_most: int) -> list[ReaderEvent]:
    table = delivery_event.c
    wanted = sa.select(table.kind, table.issue_id, table.at, table.reason).where(table.subscriber_id == subscriber_id)
    rows = connection.execute(wanted.order_by(table.at.desc()).limit(at_most))
    return [
        ReaderEvent(kind=EventKind(row.kind), issue_id=IssueId(row.issue_id), at=row.at, reason=row.reason)
        for row in rows
    ]


def _titles(connection: Connection, issue_ids: Sequence[IssueId]) -> dict[IssueId, str]:
    return {each: found.subject for each, found in compose.renderings_of(connection, issue_ids).items()}
