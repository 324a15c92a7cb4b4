"""Who else is told of what happens here: endpoints, and the log of what was told to each."""

from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.bell import Job
from publisher.editors.model import Role
from publisher.errors import InputError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field, fields
from publisher.webhooks import flow, store
from publisher.webhooks.flow import Wanted
from publisher.webhooks.model import EndpointId, Happening, WebhookId
from publisher.webhooks.rules import FORMER_SECRET_FOR
from publisher.wiring import Newsroom

router = APIRouter()

PATH = "/desk/webhooks"
ON_A_PAGE = 40
AN_HOUR_S = 3_600


@router.get(PATH, include_in_schema=False)
def endpoints(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show every endpoint, and the form for a new one."""
    ask_for(seat, Role.OPERATOR)
    return _list(request, room, seat)


@router.post(PATH, include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Add an endpoint, and show its secret, this once."""
    ask_for(seat, Role.OPERATOR)
    wanted = _wanted(form)
    try:
        added = flow.add_endpoint(
            room.database, wanted, clock=room.now, allow_private=room.settings.allow_private_fetch
        )
    except InputError as problem:
        return _list(request, room, seat, typed=wanted, problem=problem)
    return _one(request, room, seat, added.endpoint.id, secret=added.secret)


@router.get(f"{PATH}/{{endpoint_id}}", include_in_schema=False)
def endpoint(request: Request, room: Room, seat: AtDesk, endpoint_id: IdInPath, before: str = "") -> Response:
    """Show one endpoint, and what was told to it, newest first."""
    ask_for(seat, Role.OPERATOR)
    return _one(request, room, seat, EndpointId(endpoint_id), before=before)


@router.post(f"{PATH}/{{endpoint_id}}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, endpoint_id: IdInPath) -> Response:
    ask_for(seat, Role.OPERATOR)
    wanted = _wanted(form)
    try:
        flow.change_endpoint(
            room.database, EndpointId(endpoint_id), wanted, allow_private=room.settings.allow_private_fetch
        )
    except InputError as problem:
        return _one(request, room, seat, EndpointId(endpoint_id), typed=wanted, problem=problem)
    return go(seat, f"{PATH}/{endpoint_id}", Said.ENDPOINT_CHANGED)


@router.post(f"{PATH}/{{endpoint_id}}/test", include_in_schema=False)
def test(room: Room, seat: Sender, endpoint_id: IdInPath) -> Response:
    ask_for(seat, Role.OPERATOR)
    flow.send_test(room.database, EndpointId(endpoint_id), clock=room.now)
    room.bell.ring(Job.TELL)
    return go(seat, f"{PATH}/{endpoint_id}", Said.WEBHOOK_TESTED)


@router.post(f"{PATH}/{{endpoint_id}}/again/{{webhook_id}}", include_in_schema=False)
def again(room: Room, seat: Sender, endpoint_id: IdInPath, webhook_id: IdInPath) -> Response:
    ask_for(seat, Role.OPERATOR)
    flow.send_again(room.database, EndpointId(endpoint_id), WebhookId(webhook_id), clock=room.now)
    room.bell.ring(Job.TELL)
    return go(seat, f"{PATH}/{endpoint_id}", Said.WEBHOOK_AGAIN)


@router.post(f"{PATH}/{{endpoint_id}}/secret", include_in_schema=False)
def rotate(request: Request, room: Room, seat: Sender, endpoint_id: IdInPath) -> Response:
    """Make a new secret, and show it, this once."""
    ask_for(seat, Role.OPERATOR)
    secret = flow.rotate_secret(room.database, EndpointId(endpoint_id), clock=room.now)
    return _one(request, room, seat, EndpointId(endpoint_id), secret=secret)


@router.post(f"{PATH}/{{endpoint_id}}/switch", include_in_schema=False)
def switch(room: Room, seat: Sender, form: Form, endpoint_id: IdInPath) -> Response:
    ask_for(seat, Role.OPERATOR)
    on = field(form, "on") == "yes"
    flow.switch(room.database, EndpointId(endpoint_id), on=on)
    room.bell.ring(Job.TELL)
    return go(seat, f"{PATH}/{endpoint_id}", Said.SWITCHED_ON if on else Said.SWITCHED_OFF)


@router.post(f"{PATH}/{{endpoint_id}}/delete", include_in_schema=False)
def delete(room: Room, seat: Sender, endpoint_id: IdInPath) -> Response:
    ask_for(seat, Role.OPERATOR)
    flow.remove_endpoint(room.database, EndpointId(endpoint_id))
    return go(seat, PATH, Said.ENDPOINT_DELETED)


def _wanted(form: Form) -> Wanted:
    return Wanted(
        url=field(form, "url"),
        name=field(form, "name"),
        happenings=tuple(fields(form, "event")),
        with_addresses=field(form, "with_addresses") == "yes",
    )


def _list(
    request: Request, room: Newsroom, seat: Seat, *, typed: Wanted | None = None, problem: InputError | None = None
) -> Response:
    with room.database.reading() as connection:
        found = [(each, store.waiting(connection, each.id)) for each in store.endpoints(connection)]
    values = _typed(typed or Wanted(url=""), problem) | {"endpoints": found, "is_typed": typed is not None}
    return desk_page(request, room, seat, "desk/webhooks.html", status=422 if problem else 200, **values)


def _one(
    request: Request,
    room: Newsroom,
    seat: Seat,
    endpoint_id: EndpointId,
    *,
    before: str = "",
    secret: str = "",
    typed: Wanted | None = None,
    problem: InputError | None = None,
) -> Response:
    place = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None  # noqa: PLR2004 -- digits of 2**63
    with room.database.reading() as connection:
        found = store.endpoint_of(connection, endpoint_id)
        told = store.webhooks(connection, endpoint_id, at_most=ON_A_PAGE + 1, before=place)
        waiting = store.waiting(connection, endpoint_id)
    shown = typed or Wanted(
        url=found.url, name=found.name, happenings=found.happenings, with_addresses=found.with_addresses
    )
    values: dict[str, Any] = _typed(shown, problem) | {
        "endpoint": found,
        "told": told[:ON_A_PAGE],
        "more": told[ON_A_PAGE - 1].id if len(told) > ON_A_PAGE else 0,
        "is_first": place is None,
        "waiting": waiting,
        "secret": secret,
        "former_hours": int(FORMER_SECRET_FOR.total_seconds() // AN_HOUR_S),
        "has_former": found.former_until is not None and found.former_until > room.now(),
        "is_typed": typed is not None,
    }
    answer = desk_page(request, room, seat, "desk/webhook.html", status=422 if problem else 200, **values)
    if secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _typed(typed: Wanted, problem: InputError | None) -> dict[str, Any]:
    return {
        "typed": typed,
        "events": list(Happening),
        "problem": f"{problem.problem} Nothing has been changed." if problem else "",
        "wrong": problem.where if problem else "",
    }
