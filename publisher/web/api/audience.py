"""Mailing lists, subscribers and suppressions."""

from collections.abc import Iterable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import JSONResponse, Response
from sqlalchemy.engine import Connection

from publisher.audience import flow, rules, store
from publisher.audience.flow import Yes
from publisher.audience.model import How, Subscriber, SubscriberId, Subscription, SuppressionReason
from publisher.audience.tables import of_erased, suppression
from publisher.bell import Job
from publisher.errors import InputError, NotFoundError
from publisher.events.history import erase, own_data
from publisher.web.api.access import MAY_READ_LISTS, MAY_READ_SUBSCRIBERS, MAY_WRITE_SUBSCRIBERS, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.forms import (
    Asked,
    EndForm,
    MailingListForm,
    MailingLists,
    MailingListShown,
    SubscriberForm,
    Subscribers,
    SubscriberShown,
    SuppressionForm,
    Suppressions,
    SuppressionShown,
)
from publisher.web.cursors import page_of, read, written
from publisher.web.parts import IdInPath, Origin, Room

mailing_lists = APIRouter(prefix="/mailing-lists", tags=["Mailing lists"])
subscribers = APIRouter(prefix="/subscribers", tags=["Subscribers"])
suppressions = APIRouter(prefix="/suppressions", tags=["Suppressions"])


# --- mailing lists


@mailing_lists.get("", response_model=MailingLists, dependencies=[MAY_READ_LISTS])
def list_mailing_lists(room: Room, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """List the mailing lists by slug, with the numbers of their confirmed subscriptions."""
    with room.database.reading() as connection:
        found = _lists(connection)
    page, after = page_of(found, lambda each: str(each["slug"]), limit=limit, cursor=cursor)
    return {"data": page, "next": after}


@mailing_lists.post(
    "", status_code=201, response_model=MailingListShown, dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON]
)
def add_mailing_list(room: Room, form: MailingListForm) -> dict[str, Any]:
    """Add a mailing list. Its slug stands in every mail (List-Id), so it never changes."""
    added = flow.add_mailing_list(
        room.database, slug=form.slug, name=form.name, description=form.description, clock=room.now
    )
    with room.database.reading() as connection:
        return next(each for each in _lists(connection) if each["id"] == added)


def _lists(connection: Connection) -> list[dict[str, Any]]:
    numbers = store.confirmed_counts(connection)
    return [
        {
            "id": each.id,
            "slug": each.slug,
            "name": each.name,
            "description": each.description,
            "confirmed": numbers.get(each.id, 0),
            "created_at": each.created_at,
        }
        for each in store.mailing_lists(connection)
    ]


# --- subscribers


@subscribers.get("", response_model=Subscribers, dependencies=[MAY_READ_SUBSCRIBERS])
def list_subscribers(
    room: Room,
    mailing_list: Annotated[str, Query(description="Slug.")] = "",
    beginning: Annotated[str, Query(description="Only addresses that begin so.")] = "",
    limit: Limit = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """List subscribers by address."""
    with room.database.reading() as connection:
        only = store.mailing_list_named(connection, mailing_list).id if mailing_list else None
        found = store.subscribers(
            connection, at_most=limit + 1, beginning=beginning, after=read(cursor), mailing_list_id=only
        )
        data = _subscribers(connection, found[:limit])
    return {"data": data, "next": written(found[limit - 1].email) if len(found) > limit else None}


@subscribers.post(
    "",
    status_code=201,
    response_model=SubscriberShown,
    responses={202: {"model": Asked}},
    dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON],
)
def add_subscriber(room: Room, form: SubscriberForm, origin: Origin) -> Any:
    """
    Put a person on mailing lists.

    202: a mail asks for a yes first. 201: `confirmed`, with the sentence of the `consent` that you have already.
    """
    person = {"email": form.email, "name": form.name, "language": form.language, "time_zone": form.timezone}
    if not form.confirmed:
        flow.ask_to_subscribe(room.database, lists=form.mailing_lists, origin=origin, clock=room.now, **person)
        room.bell.ring(Job.NOTIFY)
        return JSONResponse(Asked().model_dump(), status_code=202)
    if not form.consent.strip():
        raise InputError("Say in which words the person has agreed, or leave out “confirmed”.", "consent")
    yes = Yes(how=How.API, wording=form.consent.strip())
    added = flow.add_subscriber(room.database, lists=form.mailing_lists, yes=yes, clock=room.now, **person)
    with room.database.reading() as connection:
        found = store.subscriber_with_id(connection, added)
        return _subscribers(connection, [found] if found else [])[0]


@subscribers.get("/{subscriber_id}", response_model=SubscriberShown, dependencies=[MAY_READ_SUBSCRIBERS])
def show_subscriber(room: Room, subscriber_id: IdInPath) -> dict[str, Any]:
    """Show one subscriber, with every subscription."""
    with room.database.reading() as connection:
        return _one(connection, SubscriberId(subscriber_id))


@subscribers.post(
    "/{subscriber_id}/unsubscribe", response_model=SubscriberShown, dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON]
)
def end_subscriptions(room: Room, subscriber_id: IdInPath, form: EndForm) -> dict[str, Any]:
    """End subscriptions, as the reader wishes; only the reader can begin them again."""
    with room.database.transaction() as connection:
        _one(connection, SubscriberId(subscriber_id))
        only = {store.mailing_list_named(connection, each).id for each in form.mailing_lists}
        found = store.subscriptions_of(connection, [SubscriberId(subscriber_id)])
        ids = [
            each.id for each in found.get(SubscriberId(subscriber_id), []) if not only or each.mailing_list_id in only
        ]
        store.end(connection, ids, now=room.now())
        return _one(connection, SubscriberId(subscriber_id))


def _one(connection: Connection, subscriber_id: SubscriberId) -> dict[str, Any]:
    found = store.subscriber_with_id(connection, subscriber_id)
    if found is None:
        raise NotFoundError("subscriber", subscriber_id)
    return _subscribers(connection, [found])[0]


def _subscribers(connection: Connection, found: Iterable[Subscriber]) -> list[dict[str, Any]]:
    people = list(found)
    slugs = {each.id: each.slug for each in store.mailing_lists(connection)}
    subscriptions = store.subscriptions_of(connection, [each.id for each in people])
    return [
        {
            "id": each.id,
            "email": each.email,
            "name": each.name,
            "language": each.language,
            "timezone": each.time_zone,
            "created_at": each.created_at,
            "subscriptions": [_subscription(one, slugs[one.mailing_list_id]) for one in subscriptions.get(each.id, [])],
        }
        for each in people
    ]


def _subscription(found: Subscription, slug: str) -> dict[str, Any]:
    return {
        "mailing_list": slug,
        "state": found.state,
        "confirmed_at": found.confirmed_at,
        "ended_at": found.ended_at,
        "paused_until": found.paused_until,
    }


@subscribers.get("/{subscriber_id}/data", dependencies=[MAY_READ_SUBSCRIBERS])
def show_data(room: Room, subscriber_id: IdInPath) -> dict[str, Any]:
    """Show all that is held about one person: what was agreed to, what was sent, what came of it."""
    with room.database.reading() as connection:
        found = store.subscriber_with_id(connection, SubscriberId(subscriber_id))
        if found is None:
            raise NotFoundError("subscriber", subscriber_id)
        return own_data(connection, found)


@subscribers.delete("/{subscriber_id}", status_code=204, dependencies=[MAY_WRITE_SUBSCRIBERS])
def erase_subscriber(
    *,
    room: Room,
    subscriber_id: IdInPath,
    never_again: Annotated[
        bool, Query(description="Keep a keyed hash of the address, by which it is known should it come back.")
    ] = True,
) -> Response:
    """Erase a person for good (GDPR, article 17); this cannot be undone."""
    erase(room.database, room.outbox, SubscriberId(subscriber_id), never_again=never_again, clock=room.now)
    return Response(status_code=204)


# --- suppressions


@suppressions.get("", response_model=Suppressions, dependencies=[MAY_READ_SUBSCRIBERS])
def list_suppressions(room: Room, limit: Limit = 50, cursor: str = "") -> dict[str, Any]:
    """List the addresses that we must not mail. Those of erased readers are not known, and not listed."""
    wanted = sa.select(suppression).where(~of_erased).order_by(suppression.c.email_key).limit(limit + 1)
    if cursor:
        wanted = wanted.where(suppression.c.email_key > read(cursor))
    with room.database.reading() as connection:
        found = [_suppressed(row) for row in connection.execute(wanted)]
    return {"data": found[:limit], "next": written(found[limit - 1]["email"]) if len(found) > limit else None}


@suppressions.post(
    "", status_code=201, response_model=SuppressionShown, dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON]
)
def suppress(room: Room, form: SuppressionForm) -> dict[str, Any]:
    """Mail an address no more, whether we know it or not."""
    flow.suppress(room.database, form.email, reason=SuppressionReason.MANUAL, detail=form.detail, clock=room.now)
    key = rules.email_key(rules.normalise_email(form.email))
    with room.database.reading() as connection:
        return _suppressed(connection.execute(sa.select(suppression).where(suppression.c.email_key == key)).one())


@suppressions.delete("/{email}", status_code=204, dependencies=[MAY_WRITE_SUBSCRIBERS])
def lift_suppression(room: Room, email: str) -> Response:
    """Let an address be mailed again, whatever the reason was."""
    try:
        lifted = flow.lift_suppression(room.database, email)
    except InputError:
        lifted = False
    if not lifted:
        raise HTTPException(404, "This address is not suppressed.")
    return Response(status_code=204)


def _suppressed(row: sa.Row[Any]) -> dict[str, Any]:
    return {"email": row.email_key, "reason": row.reason, "detail": row.detail, "at": row.at}
