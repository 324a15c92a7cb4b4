"""An editor's own page: her time zone, the password, and where she is signed in."""

from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience.rules import origin_truncated
from publisher.editors import flow, store
from publisher.editors.calendar_keys import has_calendar_key, make_calendar_key
from publisher.editors.model import SignInRefused
from publisher.editors.rules import PASSWORD_AT_LEAST, email_key
from publisher.errors import InputError
from publisher.web.desk.calendar_feed import PATH as CALENDAR
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go, sit_down
from publisher.web.desk.sign_in import browser_of
from publisher.web.parts import Form, Origin, Room, field
from publisher.web.public.choices import time_zones
from publisher.wiring import Newsroom

router = APIRouter()

PATH = "/desk/me"


@router.get(PATH, include_in_schema=False)
def me(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat)


@router.post(PATH, include_in_schema=False)
def choose(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Keep the time zone in which this editor reads the desk's times."""
    try:
        flow.choose_time_zone(room.database, seat.editor.id, field(form, "time_zone"))
    except InputError as problem:
        return _page(request, room, seat, status=422, wrong_zone=str(problem))
    return go(seat, PATH, Said.CHOSEN)


@router.post(f"{PATH}/calendar", include_in_schema=False)
def make_calendar(request: Request, room: Room, seat: Sender) -> Response:
    """Show a new address of this editor's calendar: now, and never again; the one before it leads nowhere."""
    key = make_calendar_key(room.database, seat.editor.id)
    return _page(request, room, seat, calendar_url=f"{room.settings.base_url}{CALENDAR}/{key}.ics")


@router.post(f"{PATH}/password", include_in_schema=False)
def set_password(request: Request, room: Room, seat: Sender, form: Form, origin: Origin) -> Response:
    """Set a new password; every other session ends, and this one goes on under a new cookie."""
    current, new = (str(form.get(name, "")) for name in ("current", "new"))
    try:
        ending = flow.change_own_password(
            room.database,
            seat.editor.id,
            current=current,
            new=new,
            origin=origin_truncated(origin),
            browser=browser_of(request),
            clock=room.now,
        )
    except InputError as problem:
        return _page(request, room, seat, status=422, problem=str(problem))
    if isinstance(ending, SignInRefused):
        is_late = ending.try_again_at is not None
        said = "There were too many attempts. Please try again later." if is_late else "This is not your password."
        return _page(request, room, seat, status=429 if is_late else 422, problem=said)
    response = go(Seat(editor=seat.editor, token=ending.token), PATH, Said.SIGNED_OUT_ELSEWHERE)
    sit_down(response, room, ending.token)
    return response


@router.post(f"{PATH}/sessions/end", include_in_schema=False)
def end_session(room: Room, seat: Sender, form: Form) -> Response:
    flow.end_session_of(room.database, seat.editor.id, str(form.get("key", "")))
    return go(seat, PATH, Said.SESSION_ENDED)


@router.post(f"{PATH}/sessions/end-others", include_in_schema=False)
def end_others(room: Room, seat: Sender) -> Response:
    flow.end_other_sessions(room.database, seat.editor.id, seat.token)
    return go(seat, PATH, Said.SESSIONS_ENDED)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    status: int = 200,
    problem: str = "",
    wrong_zone: str = "",
    calendar_url: str = "",
) -> Response:
    with room.database.reading() as connection:
        found = store.editor_with_email(connection, email_key(seat.editor.email))
        has_calendar = has_calendar_key(connection, seat.editor.id)
        has_code = store.has_second_factor(connection, seat.editor.id)
    values: dict[str, Any] = {
        "sessions": flow.sessions_of(room.database, seat.editor.id, seat.token, clock=room.now),
        "has_password": found is not None and found[1] is not None,
        "has_code": has_code,
        "has_calendar": has_calendar,
        "calendar_url": calendar_url,
        "password_at_least": PASSWORD_AT_LEAST,
        "problem": problem,
        "wrong_zone": wrong_zone,
        "time_zones": sorted({*time_zones(), *filter(None, [seat.editor.time_zone])}),
    }
    return desk_page(request, room, seat, "desk/me.html", status=status, **values)
