from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.engine import Connection

from publisher.audience import flow
from publisher.audience import store as audience
from publisher.audience.flow import Yes
from publisher.audience.model import How, Subscriber, SubscriberId, SubscriptionState
from publisher.audience.segment_store import topics_of
from publisher.errors import InputError, NotFoundError
from publisher.web.parts import Form, Origin, Room, field, fields
from publisher.web.public import choices
from publisher.web.public.links import broken_link, secret_page, subscriber_behind
from publisher.wiring import Newsroom

router = APIRouter()

PAUSE = timedelta(weeks=2)
WORDING = "I chose these mailing lists on my preferences page."


@router.get("/preferences/{token}", include_in_schema=False)
def preferences(request: Request, room: Room, token: str) -> Response:
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
        if reader is None:
            return broken_link(request, room)
        values = _values(connection, room, reader)
    return secret_page(request, room, "web/preferences.html", token=token, problem="", is_saved=False, **values)


@router.post("/preferences/{token}", include_in_schema=False)
def save(request: Request, room: Room, token: str, form: Form, origin: Origin) -> Response:
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
    if reader is None:
        return broken_link(request, room)
    problem = ""
    try:
        _save(room, reader, form, origin)
    except (InputError, NotFoundError) as error:
        problem = str(error)
    with room.database.reading() as connection:
        values = _values(connection, room, subscriber_behind(connection, room, token) or reader)
    status = 422 if problem else 200
    return secret_page(
        request,
        room,
        "web/preferences.html",
        status=status,
        token=token,
        problem=problem,
        is_saved=not problem,
        **values,
    )


@router.post("/preferences/{token}/resume", include_in_schema=False)
def resume(request: Request, room: Room, token: str) -> Response:
    """End the pause now; everything else stays as it is."""
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
    if reader is None:
        return broken_link(request, room)
    _pause(room, reader.id, wanted=False)
    return RedirectResponse(f"/preferences/{token}", status_code=303, headers={"Referrer-Policy": "no-referrer"})


def _save(room: Newsroom, reader: Subscriber, form: Form, origin: str) -> None:
    flow.set_preferences(
        room.database,
        reader.id,
        lists=fields(form, "list"),
        yes=Yes(how=How.FORM, origin=origin, wording=WORDING),
        name=field(form, "name"),
        language=field(form, "language"),
        time_zone=field(form, "time_zone"),
        topics=fields(form, "topic"),
        clock=room.now,
    )
    _pause(room, reader.id, wanted=bool(field(form, "pause")))


def _pause(room: Newsroom, subscriber_id: SubscriberId, *, wanted: bool) -> None:
    """Begin or end the pause of every subscription; one that lasts goes on as it was, and holds for a new one too."""
    now = room.now()
    with room.database.reading() as connection:
        mine = audience.subscriptions_of(connection, [subscriber_id]).get(subscriber_id, [])
    until = max(
        (each.paused_until for each in mine if each.paused_until and each.paused_until > now), default=now + PAUSE
    )
    for each in mine:
        is_paused = each.paused_until is not None and each.paused_until > now
        if each.state is SubscriptionState.CONFIRMED and is_paused != wanted:
            flow.pause(room.database, each.id, until=until if wanted else None, clock=room.now)


def _values(connection: Connection, room: Newsroom, reader: Subscriber) -> dict[str, Any]:
    mine = audience.subscriptions_of(connection, [reader.id]).get(reader.id, [])
    on = {each.mailing_list_id for each in mine if each.state is SubscriptionState.CONFIRMED}
    pauses = [each.paused_until for each in mine if each.paused_until and each.paused_until > room.now()]
    return {
        "reader": reader,
        "choices": [(each, each.id in on) for each in audience.mailing_lists(connection)],
        "paused_until": max(pauses, default=None),
        "languages": choices.languages(connection, also=reader.language),
        "topics": choices.topics(connection, chosen=topics_of(connection, reader.id)),
        "time_zones": choices.time_zones(also=reader.time_zone),
    }
