"""The second factor: its page for each editor, and the code after the password."""

from typing import Any

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from publisher.audience.rules import origin_truncated
from publisher.editors import second_factor
from publisher.editors.model import SignedIn, SignInRefused
from publisher.web.desk.said import Said
from publisher.web.desk.seat import SECOND_FACTOR, SEE_OTHER, SIGN_IN, AtDesk, Seat, Sender, cookie_name, desk_page, go
from publisher.web.desk.sign_in import begin, browser_of, onward_of, refuse_foreign_form
from publisher.web.pages import page
from publisher.web.parts import Form, Origin, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

ASK = f"{SIGN_IN}/code"
WRONG = "This code is not right, or was used already. Wait for the next one."
TOO_MANY = "There were too many wrong codes. Please wait, up to an hour."


@router.get(ASK, include_in_schema=False)
def ask(request: Request, room: Room) -> Response:
    return _asked(request, room, onward_of(request.query_params.get("next", "")))


@router.post(ASK, include_in_schema=False)
def sign_in(request: Request, room: Room, form: Form, origin: Origin) -> Response:
    """Begin a session after the password, or the link, and the code."""
    refuse_foreign_form(request)
    onward = onward_of(field(form, "next"))
    ending = second_factor.sign_in(
        room.database,
        request.cookies.get(cookie_name(room), ""),
        field(form, "code"),
        secret_key=room.settings.secret_key,
        origin=origin_truncated(origin),
        browser=browser_of(request),
        clock=room.now,
    )
    if isinstance(ending, SignedIn):
        return begin(request, room, ending, onward)
    if ending is None:
        return RedirectResponse(SIGN_IN, status_code=SEE_OTHER)
    return _asked(request, room, onward, status=_status(ending), problem=_told(ending))


@router.get(SECOND_FACTOR, include_in_schema=False)
def show(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat)


@router.post(SECOND_FACTOR, include_in_schema=False)
def confirm(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Set it up with a first code, and show the recovery codes: now, and never again."""
    key = room.settings.secret_key
    ending = second_factor.confirm(room.database, seat.editor.id, field(form, "code"), secret_key=key, clock=room.now)
    if isinstance(ending, SignInRefused):
        return _page(request, room, seat, status=_status(ending), problem=_told(ending))
    return desk_page(request, room, seat, "desk/recovery_codes.html", codes=ending)


@router.post(f"{SECOND_FACTOR}/off", include_in_schema=False)
def turn_off(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    key = room.settings.secret_key
    ending = second_factor.turn_off(room.database, seat.editor.id, field(form, "code"), secret_key=key, clock=room.now)
    if isinstance(ending, SignInRefused):
        return _page(request, room, seat, status=_status(ending), problem=_told(ending))
    return go(seat, SECOND_FACTOR, Said.SECOND_FACTOR_OFF)


def _page(request: Request, room: Newsroom, seat: Seat, *, status: int = 200, problem: str = "") -> Response:
    with room.database.reading() as connection:
        is_on = second_factor.is_on(connection, seat.editor.id)
        left = second_factor.recovery_codes_left(connection, seat.editor.id)
    values: dict[str, Any] = {"is_on": is_on, "left": left, "problem": problem, "picture": "", "key": ""}
    if not is_on:
        settings = room.settings
        address = second_factor.address_for_app(
            room.database, seat.editor, site_name=settings.site_name, secret_key=settings.secret_key
        )
        values |= {"picture": _picture(address), "secret": _secret_in(address)}
    return desk_page(request, room, seat, "desk/second_factor.html", status=status, **values)


def _asked(request: Request, room: Newsroom, onward: str, *, status: int = 200, problem: str = "") -> Response:
    return page(request, room, "desk/code.html", status=status, onward=onward, problem=problem)


def _picture(address: str) -> Markup:
    """Return a QR code to scan, dark on light also where the page is dark, for so cameras want it."""
    drawn = segno.make(address, error="m").svg_inline(scale=5, border=4, light="#fff", dark="#000", svgclass="qr")
    return Markup(drawn)  # noqa: S704 -- a drawing of squares; nothing of the address stands in it


def _secret_in(address: str) -> str:
    """Return what is typed where nothing can be scanned."""
    return address.partition("secret=")[2].partition("&")[0]


def _status(refused: SignInRefused) -> int:
    return 422 if refused.try_again_at is None else 429


def _told(refused: SignInRefused) -> str:
    return WRONG if refused.try_again_at is None else TOO_MANY
