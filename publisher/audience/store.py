from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.audience import rules
from publisher.audience.model import (
    Answers,
    Consent,
    How,
    LetterDue,
    MailingList,
    MailingListId,
    Subscriber,
    SubscriberId,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from publisher.audience.tables import (
    consent,
    is_by_form,
    is_confirmed,
    is_known,
    is_pending,
    mailing_list,
    of_erased,
    subscriber,
    subscriber_topic,
    subscription,
    suppression,
)
from publisher.database import insert_or_ignore, upsert
from publisher.errors import NotFoundError

SUBSCRIBER_COLUMNS = [column for column in subscriber.c if column.name != "email_key"]
_LANGUAGES = sa.text("""
    WITH RECURSIVE spoken (tag) AS (
        SELECT min(language) FROM subscriber
        UNION ALL
        SELECT (SELECT min(language) FROM subscriber WHERE language > spoken.tag) FROM spoken WHERE tag IS NOT NULL
    )
    SELECT tag FROM spoken WHERE tag IS NOT NULL
""")


def mailing_lists(connection: Connection) -> list[MailingList]:
    """Return every mailing list, by name."""
    return [_mailing_list(row) for row in connection.execute(sa.select(mailing_list).order_by(mailing_list.c.name))]


def mailing_list_named(connection: Connection, slug: str) -> MailingList:
    """Raises NotFoundError."""
    wanted = sa.select(mailing_list).where(mailing_list.c.slug == slug)
    found = connection.execute(wanted).first() if rules.is_list_slug(slug) else None
    if found is None:
        raise NotFoundError("mailing list", slug)
    return _mailing_list(found)


def confirmed_counts(connection: Connection) -> dict[MailingListId, int]:
    """Return the number of confirmed subscriptions of every mailing list, pauses and suppressions not looked at."""
    joined = sa.and_(subscription.c.mailing_list_id == mailing_list.c.id, is_confirmed)
    counted = sa.select(sa.func.count()).where(joined).correlate(mailing_list).scalar_subquery()
    rows = connection.execute(sa.select(mailing_list.c.id, counted.label("number")))
    return {MailingListId(row.id): row.number for row in rows}


def subscribers(
    connection: Connection,
    *,
    at_most: int,
    beginning: str = "",
    after: str = "",
    mailing_list_id: MailingListId | None = None,
) -> list[Subscriber]:
    """
    Return subscribers by address, capitals not looked at.

    Args:
        connection: Where to read.
        at_most: How many.
        beginning: Only addresses that begin so.
        after: Continue after this address: keyset paging.
        mailing_list_id: Only those with a subscription, in whatever state, to this mailing list.

    """
    wanted = sa.select(*SUBSCRIBER_COLUMNS).where(is_known).order_by(subscriber.c.email_key).limit(at_most)
    if not (beginning + after).isascii() or not (beginning + after).isprintable():
        return []  # no address has such letters, nor could PostgreSQL be asked for all of them
    if beginning:
        first = rules.email_key(beginning.strip())
        wanted = wanted.where(subscriber.c.email_key >= first, subscriber.c.email_key < first + "\x7f")
    if after:
        wanted = wanted.where(subscriber.c.email_key > rules.email_key(after))
    if mailing_list_id is not None:
        on_list = sa.and_(
            subscription.c.subscriber_id == subscriber.c.id, subscription.c.mailing_list_id == mailing_list_id
        )
        wanted = wanted.where(sa.exists().where(on_list))
    return [subscriber_in(row) for row in connection.execute(wanted)]


def subscriber_with_id(connection: Connection, subscriber_id: SubscriberId) -> Subscriber | None:
    wanted = sa.select(*SUBSCRIBER_COLUMNS).where(subscriber.c.id == subscriber_id, is_known)
    found = connection.execute(wanted).first()
    return subscriber_in(found) if found else None


def languages(connection: Connection) -> set[str]:
    """Return every language tag that a reader has, each found by one look into an index, however many have it."""
    return {tag for tag in connection.scalars(_LANGUAGES) if tag}


def subscriber_with_email(connection: Connection, email: str) -> Subscriber | None:
    """Find a subscriber by a normalised address."""
    key = rules.email_key(email)
    found = connection.execute(sa.select(*SUBSCRIBER_COLUMNS).where(subscriber.c.email_key == key)).first()
    return subscriber_in(found) if found else None


def subscription_with_id(connection: Connection, subscription_id: SubscriptionId) -> Subscription | None:
    found = connection.execute(sa.select(subscription).where(subscription.c.id == subscription_id)).first()
    return _subscription(found) if found else None


def subscriptions_of(
    connection: Connection, subscriber_ids: Iterable[SubscriberId]
) -> dict[SubscriberId, list[Subscription]]:
    """Return the subscriptions of each subscriber, in whatever state, by mailing list."""
    wanted = sa.select(subscription).where(subscription.c.subscriber_id.in_(list(subscriber_ids)))
    found: dict[SubscriberId, list[Subscription]] = defaultdict(list)
    for row in connection.execute(wanted.order_by(subscription.c.subscriber_id, subscription.c.mailing_list_id)):
        found[SubscriberId(row.subscriber_id)].append(_subscription(row))
    return dict(found)


def suppressions(connection: Connection, emails: Iterable[str]) -> dict[str, Suppression]:
    """Return the suppressions of normalised addresses, by address key."""
    keys = {rules.email_key(email) for email in emails}
    rows = connection.execute(sa.select(suppression).where(suppression.c.email_key.in_(keys)))
    return {row.email_key: _suppression(row) for row in rows}


def suppressed(connection: Connection, *, at_most: int, beginning: str = "", after: str = "") -> list[Suppression]:
    """Return suppressions by address: those that begin in some way, after an address. None of erased readers."""
    wanted = sa.select(suppression).where(~of_erased).order_by(suppression.c.email_key).limit(at_most)
    if not (beginning + after).isascii() or not (beginning + after).isprintable():
        return []
    if beginning:
        first = rules.email_key(beginning)
        wanted = wanted.where(suppression.c.email_key >= first, suppression.c.email_key < first + "\x7f")
    if after:
        wanted = wanted.where(suppression.c.email_key > rules.email_key(after))
    return [_suppression(row) for row in connection.execute(wanted)]


def consents_of(connection: Connection, subscription_id: SubscriptionId) -> list[Consent]:
    """Return every yes that was given to a subscription, oldest first."""
    columns = [column for column in consent.c if column.name != "id"]
    wanted = sa.select(*columns).where(consent.c.subscription_id == subscription_id).order_by(consent.c.id)
    return [Consent(**{**row._mapping, "how": How(row.how)}) for row in connection.execute(wanted)]  # noqa: SLF001 -- public, says SQLAlchemy


def confirmations_due(
    connection: Connection, *, at_most: int, after: tuple[datetime, SubscriberId] | None = None
) -> list[LetterDue]:
    """
    Return the confirmation mails to send, oldest first: one for all that a subscriber asked for at one instant.

    Addresses that are suppressed for a reason which no yes can lift are left out. Asking is one
    transaction at a time, so `asked_at` rises in the order of commits, but for the difference between
    the clocks of two machines: who keeps a place by it looks back a minute and knows what was sent.

    Args:
        connection: Where to read.
        at_most: How many mails.
        after: Continue after the mail of this instant to this subscriber.

    """
    return _letters(connection, _asked(at_most, after), subscription.c.asked_at, is_pending)


def welcomes_due(
    connection: Connection, *, at_most: int, after: tuple[datetime, SubscriberId] | None = None
) -> list[LetterDue]:
    """
    Return the welcome mails to send, oldest first: one for all that a subscriber said yes to by a form at one instant.

    Who was imported or put on a list by an editor is not welcomed, nor is a suppressed address. Arguments and
    order as for confirmations.
    """
    return _letters(connection, _said_yes(at_most, after), subscription.c.confirmed_at, is_confirmed)


def _asked(at_most: int, after: tuple[datetime, SubscriberId] | None) -> sa.Select[Any]:
    mails = (
        sa.select(subscription.c.asked_at.label("at"), subscription.c.subscriber_id)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(is_pending, subscription.c.asked_at.is_not(None), is_known)
        .where(sa.or_(suppression.c.reason.is_(None), suppression.c.reason.in_(rules.LIFTED_BY_CONFIRMING)))
    )
    return _page_of_mails(mails, subscription.c.asked_at, at_most, after)


def _said_yes(at_most: int, after: tuple[datetime, SubscriberId] | None) -> sa.Select[Any]:
    mails = (
        sa.select(consent.c.at.label("at"), subscription.c.subscriber_id)
        .join(subscription, subscription.c.id == consent.c.subscription_id)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(
            is_by_form,
            is_confirmed,
            is_known,
            subscription.c.confirmed_at == consent.c.at,
            suppression.c.reason.is_(None),
        )
    )
    return _page_of_mails(mails, consent.c.at, at_most, after)


def _page_of_mails(
    mails: sa.Select[Any], at: sa.Column[datetime], at_most: int, after: tuple[datetime, SubscriberId] | None
) -> sa.Select[Any]:
    if after is not None:
        instant = sa.literal(after[0], at.type)
        place = sa.tuple_(at, subscription.c.subscriber_id)
        mails = mails.where(at >= instant, place > sa.tuple_(instant, sa.literal(after[1])))
    return mails.distinct().order_by(at, subscription.c.subscriber_id).limit(at_most)


def _letters(
    connection: Connection, mails: sa.Select[Any], at: sa.Column[datetime], has_state: sa.ColumnElement[bool]
) -> list[LetterDue]:
    """Return a page of letters, each with all subscriptions of its subscriber from the same instant."""
    rows = connection.execute(_with_subscriptions(mails, at, has_state))
    found: dict[tuple[datetime, SubscriberId], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.at, SubscriberId(row.id)].append(row)
    return [
        LetterDue(
            subscription_id=SubscriptionId(asked[0].subscription_id),
            subscriber=subscriber_in(asked[0]),
            at=instant,
            mailing_lists=tuple((MailingListId(row.mailing_list_id), row.mailing_list) for row in asked),
        )
        for (instant, _), asked in found.items()
    ]


def _with_subscriptions(
    mails: sa.Select[Any], at: sa.Column[datetime], has_state: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    mail = mails.subquery()
    together = sa.and_(subscription.c.subscriber_id == mail.c.subscriber_id, at == mail.c.at)
    return (
        sa.select(
            *SUBSCRIBER_COLUMNS,
            at.label("at"),
            subscription.c.id.label("subscription_id"),
            subscription.c.mailing_list_id,
            mailing_list.c.name.label("mailing_list"),
        )
        .select_from(mail)
        .join(subscription, together)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .join(mailing_list, mailing_list.c.id == subscription.c.mailing_list_id)
        .where(has_state)
        .order_by(at, subscription.c.subscriber_id, subscription.c.id)
    )


def add_mailing_list(
    connection: Connection, *, slug: str, name: str, description: str, now: datetime
) -> MailingListId | None:
    """Add a mailing list; None when the slug is taken."""
    added = connection.scalar(
        insert_or_ignore(connection, mailing_list)
        .values(slug=slug, name=name, description=description, created_at=now)
        .returning(mailing_list.c.id)
    )
    return None if added is None else MailingListId(added)


def change_mailing_list(connection: Connection, list_id: MailingListId, *, name: str, description: str) -> None:
    changed = sa.update(mailing_list).where(mailing_list.c.id == list_id)
    connection.execute(changed.values(name=name, description=description))


def put_subscriber(
    connection: Connection, *, email: str, name: str, language: str, time_zone: str, now: datetime
) -> SubscriberId:
    """Add a subscriber, or fill in what is not known yet of the one with this address."""
    insert = upsert(connection, subscriber).values(
        email=email,
        email_key=rules.email_key(email),
        name=name,
        language=language,
        time_zone=time_zone,
        created_at=now,
    )
    filled = {
        column.name: sa.case((column == "", insert.excluded[column.name]), else_=column)
        for column in (subscriber.c.name, subscriber.c.language, subscriber.c.time_zone)
    }
    put = insert.on_conflict_do_update(index_elements=["email_key"], set_=filled).returning(subscriber.c.id)
    return SubscriberId(cast("int", connection.scalar(put)))


def change_subscriber(
    connection: Connection, subscriber_id: SubscriberId, *, name: str, language: str, time_zone: str
) -> None:
    connection.execute(
        sa.update(subscriber)
        .where(subscriber.c.id == subscriber_id)
        .values(name=name, language=language, time_zone=time_zone)
    )


def ask(
    connection: Connection,
    subscriber_id: SubscriberId,
    mailing_list_id: MailingListId,
    *,
    origin: str,
    answers: Answers,
    now: datetime,
) -> None:
    """Make a subscription wait for its confirmation, new or once more."""
    waiting = {
        "state": SubscriptionState.PENDING,
        "asked_at": now,
        "asked_from": origin,
        "answers": asdict(answers),
        "confirmed_at": None,
        "ended_at": None,
        "paused_until": None,
    }
    insert = upsert(connection, subscription).values(
        subscriber_id=subscriber_id, mailing_list_id=mailing_list_id, **waiting
    )
    connection.execute(insert.on_conflict_do_update(index_elements=["subscriber_id", "mailing_list_id"], set_=waiting))


def confirm_asked_together(connection: Connection, asked: Subscription, *, now: datetime) -> list[SubscriptionId]:
    """Confirm a pending subscription and those asked for in the same breath; return which were not confirmed before."""
    together = sa.and_(subscription.c.subscriber_id == asked.subscriber_id, subscription.c.asked_at == asked.asked_at)
    confirmed = connection.scalars(
        sa.update(subscription)
        .where(sa.or_(subscription.c.id == asked.id, together), is_pending)
        .values(state=SubscriptionState.CONFIRMED, confirmed_at=now, answers=None)
        .returning(subscription.c.id)
    )
    return [SubscriptionId(each) for each in confirmed]


def put_confirmed(
    connection: Connection,
    subscriber_id: SubscriberId,
    mailing_list_id: MailingListId,
    *,
    over: Collection[SubscriptionState],
    now: datetime,
) -> SubscriptionId | None:
    """Add a confirmed subscription, or confirm one that is in one of the states; None when it is in another."""
    confirmed = {
        "state": SubscriptionState.CONFIRMED,
        "confirmed_at": now,
        "ended_at": None,
        "paused_until": None,
        "answers": None,
    }
    put = connection.scalar(
        upsert(connection, subscription)
        .values(subscriber_id=subscriber_id, mailing_list_id=mailing_list_id, **confirmed)
        .on_conflict_do_update(
            index_elements=["subscriber_id", "mailing_list_id"],
            set_=confirmed,
            where=subscription.c.state.in_(list(over)),
        )
        .returning(subscription.c.id)
    )
    return None if put is None else SubscriptionId(put)


def end(connection: Connection, ids: Sequence[SubscriptionId], *, now: datetime) -> None:
    """Unsubscribe; what has ended already keeps its date."""
    connection.execute(
        sa.update(subscription)
        .where(subscription.c.id.in_(ids), subscription.c.state != SubscriptionState.UNSUBSCRIBED)
        .values(state=SubscriptionState.UNSUBSCRIBED, ended_at=now, paused_until=None, answers=None)
    )


def pause(connection: Connection, subscription_id: SubscriptionId, until: datetime | None) -> bool:
    """Set or clear a pause; False when there is no such confirmed subscription."""
    changed = connection.execute(
        sa.update(subscription).where(subscription.c.id == subscription_id, is_confirmed).values(paused_until=until)
    )
    return changed.rowcount == 1


def record_consents(connection: Connection, consents: Sequence[Consent]) -> None:
    if consents:
        connection.execute(
            sa.insert(consent),
            [
                {
                    "subscription_id": each.subscription_id,
                    "at": each.at,
                    "how": each.how,
                    "origin": each.origin,
                    "wording": each.wording,
                    "form": each.form,
                }
                for each in consents
            ],
        )


def held_keys(connection: Connection, email_keys: Collection[str]) -> list[str]:
    """Return those of address keys that a subscriber has, who cannot be erased before this transaction ends."""
    wanted = sa.select(subscriber.c.email_key).where(subscriber.c.email_key.in_(list(email_keys)))
    held = wanted.order_by(subscriber.c.email_key).with_for_update(read=True, key_share=True)
    return list(connection.scalars(held))


def erase(connection: Connection, subscriber_id: SubscriberId) -> None:
    """
    Take everything out of a subscriber that tells who it is; the numbers stay taken.

    A number that was free again would be given to the next subscriber, and with it the links in old mails.
    """
    mine = sa.select(subscription.c.id).where(subscription.c.subscriber_id == subscriber_id)
    connection.execute(sa.delete(consent).where(consent.c.subscription_id.in_(mine)))
    connection.execute(sa.delete(subscriber_topic).where(subscriber_topic.c.subscriber_id == subscriber_id))
    ended = {"state": SubscriptionState.UNSUBSCRIBED, "asked_at": None, "asked_from": "", "paused_until": None}
    of_mine = sa.update(subscription).where(subscription.c.subscriber_id == subscriber_id)
    connection.execute(of_mine.values(ended | {"answers": None}))
    nobody = {"email": "", "email_key": f"erased:{subscriber_id}", "name": "", "language": "", "time_zone": ""}
    gone = sa.update(subscriber).where(subscriber.c.id == subscriber_id)
    connection.execute(gone.values(nobody | {"clicked_at": None}))


def suppress(connection: Connection, found: Iterable[Suppression]) -> None:
    """Record suppressions; an address that is suppressed for as strong a reason keeps it, with its date."""
    for each in found:
        weaker = [reason for reason in SuppressionReason if rules.outweighs(each.reason, reason)]
        values = {"reason": each.reason, "at": each.at, "detail": each.detail}
        connection.execute(
            upsert(connection, suppression)
            .values(email_key=each.email_key, **values)
            .on_conflict_do_update(index_elements=["email_key"], set_=values, where=suppression.c.reason.in_(weaker))
        )


def lift_suppression(
    connection: Connection, email_key: str, reasons: Iterable[SuppressionReason] = SuppressionReason
) -> bool:
    """Take a suppression away if it has one of the reasons; return whether there was one."""
    lifted = connection.execute(
        sa.delete(suppression).where(suppression.c.email_key == email_key, suppression.c.reason.in_(list(reasons)))
    )
    return lifted.rowcount == 1


def _mailing_list(row: Row[Any]) -> MailingList:
    return MailingList(
        id=MailingListId(row.id),
        slug=row.slug,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
    )


def subscriber_in(row: Row[Any]) -> Subscriber:
    return Subscriber(
        id=SubscriberId(row.id),
        email=row.email,
        name=row.name,
        language=row.language,
        time_zone=row.time_zone,
        created_at=row.created_at,
    )


def _subscription(row: Row[Any]) -> Subscription:
    return Subscription(
        id=SubscriptionId(row.id),
        mailing_list_id=MailingListId(row.mailing_list_id),
        subscriber_id=SubscriberId(row.subscriber_id),
        state=SubscriptionState(row.state),
        asked_at=row.asked_at,
        asked_from=row.asked_from,
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
        paused_until=row.paused_until,
        answers=_answers(row.answers) if row.answers else None,
    )


def _answers(kept: dict[str, Any]) -> Answers:
    return Answers(**{**kept, "topics": tuple(kept["topics"])})


def _suppression(row: Row[Any]) -> Suppression:
    return Suppression(email_key=row.email_key, reason=SuppressionReason(row.reason), at=row.at, detail=row.detail)
