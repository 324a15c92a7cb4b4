"""Unsubscribing: by one click of a mail program (RFC 8058), or by a button on a page."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.audience import flow
from publisher.audience import store as audience
from publisher.audience.flow import Yes
from publisher.audience.model import How, Subscription, SubscriptionState
from publisher.audience.tokens import Purpose
from publisher.web.parts import Origin, Room
from publisher.web.public.links import broken_link, lists_of, preferences_path, secret_page, subscription_behind
from publisher.wiring import Newsroom

router = APIRouter()

UNDO_WORDING = "I unsubscribed by mistake: put me back on this mailing list."


@router.get("/unsubscribe/{token}/", include_in_schema=False)
@router.get("/unsubscribe/{token}", include_in_schema=False)
def ask(request: Request, room: Room, token: str) -> Response:
    """Show a button. Opening the link never unsubscribes: mail scanners open every link (RFC 8058, section 1)."""
    with room.database.reading() as connection:
        found = subscription_behind(connection, room, Purpose.UNSUBSCRIBE, token)
        if found is None:
            return broken_link(request, room)
        return _page(request, room, connection, found, token)


@router.post("/unsubscribe/{token}/", include_in_schema=False)
@router.post("/unsubscribe/{token}", include_in_schema=False)
def unsubscribe(request: Request, room: Room, token: str) -> Response:
    """
    End the subscription and say so with 200, the second time too: no cookie, no token of a form, no redirect.

    The body is not looked at. Mail programs send `List-Unsubscribe=One-Click` in either form of
    encoding; nobody sends a POST to this address for another reason, and a body that is not quite
    right is no reason to go on mailing.
    """
    if room.signer.read(Purpose.UNSUBSCRIBE, token) is None:
        return broken_link(request, room)
    ended = flow.unsubscribe_by_link(room.database, room.signer, token, clock=room.now)
    if ended is None:
        return secret_page(request, room, "web/unsubscribed.html", lists=[], token="", preferences="")
    with room.database.reading() as connection:
        return _page(request, room, connection, ended, token)


@router.post("/unsubscribe/{token}/undo", include_in_schema=False)
def undo(request: Request, room: Room, token: str, origin: Origin) -> Response:
    """Put a reader back who unsubscribed by mistake; the link has proved the address."""
    with room.database.reading() as connection:
        found = subscription_behind(connection, room, Purpose.UNSUBSCRIBE, token)
        reader = audience.subscriber_with_id(connection, found.subscriber_id) if found else None
        if found is None or reader is None:
            return broken_link(request, room)
        others = audience.subscriptions_of(connection, [reader.id]).get(reader.id, [])
        confirmed = [each for each in others if each.state is SubscriptionState.CONFIRMED]
        lists = lists_of(connection, [found, *confirmed])
    flow.set_preferences(
        room.database,
        reader.id,
        lists=[each.slug for each in lists],
        yes=Yes(how=How.FORM, origin=origin, wording=UNDO_WORDING),
        name=reader.name,
        language=reader.language,
        time_zone=reader.time_zone,
        clock=room.now,
    )
    preferences = preferences_path(room, found.id)
    back = [each for each in lists if each.id == found.mailing_list_id]
    return secret_page(request, room, "web/confirmed.html", lists=back, preferences=preferences)


def _page(request: Request, room: Newsroom, connection: Connection, found: Subscription, token: str) -> Response:
    has_ended = found.state is SubscriptionState.UNSUBSCRIBED
    values: dict[str, Any] = {
        "lists": lists_of(connection, [found]),
        "token": token,
        "preferences": preferences_path(room, found.id),
    }
    return secret_page(request, room, "web/unsubscribed.html" if has_ended else "web/unsubscribe.html", **values)
