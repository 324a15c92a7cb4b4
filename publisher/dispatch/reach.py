from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.segment_store import matching, segment_of
from publisher.audience.tables import is_confirmed, subscriber, subscription, suppression
from publisher.compose.model import Edition


def reach(connection: Connection, edition: Edition, *, now: datetime) -> int:
    """
    Return how many readers an issue of an edition would be sent to at this moment.

    What `plan` would decide, counted from the few who are left out: of a million readers it takes as long as
    counting them in an index. Where the edition goes to a segment, each of them has to be looked at.
    """
    of_list = sa.and_(subscription.c.mailing_list_id == edition.mailing_list_id, is_confirmed)
    confirmed = sa.select(sa.func.count()).select_from(subscription).where(of_list)
    if edition.segment_id is not None:
        conditions = matching(segment_of(connection, edition.segment_id).conditions, now=now)
        of_list = sa.and_(of_list, *conditions)
        whose = subscriber.c.id == subscription.c.subscriber_id
        confirmed = sa.select(sa.func.count()).select_from(subscription).join(subscriber, whose).where(of_list)
    suppressed = (
        sa.select(sa.func.count())
        .select_from(suppression)
        .join(subscriber, subscriber.c.email_key == suppression.c.email_key)
        .join(subscription, subscription.c.subscriber_id == subscriber.c.id)
        .where(of_list)
    )
    paused = (
        sa.select(sa.func.count())
        .select_from(subscription)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(of_list, subscription.c.paused_until > now, suppression.c.email_key.is_(None))
    )
    counts = [connection.execute(each).scalar_one() for each in (confirmed, suppressed, paused)]
    return int(counts[0] - counts[1] - counts[2])
