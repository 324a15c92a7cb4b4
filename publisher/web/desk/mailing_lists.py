"""Mailing lists at the desk: whose readers an edition goes to."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience import flow
from publisher.audience import store as audience
from publisher.compose import store as compose
from publisher.editors import powers
from publisher.errors import ConflictError, InputError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

LISTS = "/desk/mailing-lists"
FIELDS = ("slug", "name", "description")


@router.get(LISTS, include_in_schema=False)
def mailing_lists(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show the mailing lists with their readers and editions, and a form for another one."""
    return _page(request, room, seat)


@router.post(LISTS, include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Add a mailing list; what is wrong with it is said, and nothing is stored."""
    ask_for(seat, powers.AUDIENCE)
    typed = {name: field(form, name) for name in FIELDS}
    try:
        flow.add_mailing_list(room.database, **typed, clock=room.now)
    except (InputError, ConflictError) as problem:
        return _page(request, room, seat, typed=typed, problem=str(problem))
    return go(seat, LISTS, Said.LIST_ADDED)


@router.post(f"{LISTS}/{{slug}}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, slug: str) -> Response:
    """Change what readers see of a mailing list; its short name stands in mails that are out, and stays."""
    ask_for(seat, powers.AUDIENCE)
    try:
        flow.change_mailing_list(room.database, slug, name=field(form, "name"), description=field(form, "description"))
    except InputError as problem:
        return _page(request, room, seat, problem=str(problem))
    return go(seat, LISTS, Said.LIST_CHANGED)


def _page(
    request: Request, room: Newsroom, seat: Seat, *, typed: Mapping[str, str] | None = None, problem: str = ""
) -> Response:
    with room.database.reading() as connection:
        numbers = audience.confirmed_counts(connection)
        editions = compose.editions(connection)
        found = [
            (each, numbers.get(each.id, 0), [edition for edition in editions if edition.mailing_list_id == each.id])
            for each in audience.mailing_lists(connection)
        ]
    values: dict[str, Any] = {
        "found": found,
        "typed": typed or dict.fromkeys(FIELDS, ""),
        "is_typed": typed is not None,
        "problem": problem,
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/mailing_lists.html", status=422 if problem else 200, **values)
