import re
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from publisher.audience.rules import origin_truncated
from publisher.editors import flow
from publisher.editors.model import SignedIn, SignInRefused
from publisher.editors.rules import browser_named
from publisher.web.desk.seat import DESK, SEE_OTHER, SIGN_IN, Sender, cookie_name, sit_down, stand_up
from publisher.web.pages import page
from publisher.web.parts import Form, Origin, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

OF_THE_DESK = re.compile(r"/desk(?:/[a-z0-9._/-]*)?(?:\?[A-Za-z0-9=&%._+-]*)?")
"""Never a second slash at the front, a backslash or a scheme, which lead elsewhere."""
USED_UP = "This link has been used, or is too old. Sign in with your password, or ask for a new link."


@router.get(SIGN_IN, include_in_schema=False)
def ask(request: Request, room: Room) -> Response:
    onward = onward_of(request.query_params.get("next", ""))
    if flow.session_editor(room.database, request.cookies.get(cookie_name(room), ""), clock=room.now):
        return RedirectResponse(onward, status_code=SEE_OTHER)
    return _form(request, room, onward=onward)


@router.post(SIGN_IN, include_in_schema=False)
def sign_in(request: Request, room: Room, form: Form, origin: Origin) -> Response:
    """Begin a session; a wrong address and a wrong password look the same from outside."""
    refuse_foreign_form(request)
    onward, password = onward_of(field(form, "next")), form.get("password")
    ending = flow.sign_in(
        room.database,
        email=field(form, "email"),
        password=password if isinstance(password, str) else "",
        origin=origin_truncated(origin),
        browser=browser_of(request),
        clock=room.now,
    )
    if isinstance(ending, SignedIn):
        return begin(request, room, ending, onward)
    return _again(request, room, ending, onward=onward, email=field(form, "email"))


@router.get("/desk/sign-in/{token}", include_in_schema=False)
def open_link(request: Request, room: Room, token: str, origin: Origin) -> Response:
    """
    Begin a session by a link that works once and for minutes; elsewhere than on one's own machine by its button.

    A link that travels is opened by chat programs and virus scanners before its reader sees it. They press
    no buttons.
    """
    is_ahead = "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", ""))
    if room.settings.is_local and not is_ahead:
        return use_link(request, room, token, origin)
    return page(request, room, "desk/sign_in_link.html")


@router.post("/desk/sign-in/{token}", include_in_schema=False)
def use_link(request: Request, room: Room, token: str, origin: Origin) -> Response:
    refuse_foreign_form(request)
    network = origin_truncated(origin)
    ending = flow.use_sign_in_link(room.database, token, origin=network, browser=browser_of(request), clock=room.now)
    if ending is None:
        return _form(request, room, status=410, problem=USED_UP)
    return begin(request, room, ending, DESK)


@router.post("/desk/sign-out", include_in_schema=False)
def sign_out(room: Room, seat: Sender) -> Response:
    flow.sign_out(room.database, seat.token, of=seat.editor.id)
    response = RedirectResponse(SIGN_IN, status_code=SEE_OTHER)
    stand_up(response, room)
    return response


def browser_of(request: Request) -> str:
    return browser_named(request.headers.get("User-Agent", ""))


def begin(request: Request, room: Newsroom, signed_in: SignedIn, onward: str) -> Response:
    """Sit down with a new session; the one that the browser came with, whoever put it there, ends."""
    flow.sign_out(room.database, request.cookies.get(cookie_name(room), ""))
    if signed_in.needs_code:
        onward = f"{SIGN_IN}/code?next={quote(onward, safe='/')}"
    response = RedirectResponse(onward, status_code=SEE_OTHER)
    sit_down(response, room, signed_in.token)
    return response


def _again(request: Request, room: Newsroom, refused: SignInRefused, *, onward: str, email: str) -> Response:
    problem = "The address or the password is not right."
    if refused.try_again_at is None:
        return _form(request, room, status=401, onward=onward, email=email, problem=problem)
    seconds = max(1, round((refused.try_again_at - room.now()).total_seconds()))
    problem = f"There were too many attempts. Please wait {_told(seconds)}."
    response = _form(request, room, status=429, onward=onward, email=email, problem=problem)
    response.headers["Retry-After"] = str(seconds)
    return response


def _form(request: Request, room: Newsroom, *, status: int = 200, **values: Any) -> Response:
    usual = {"onward": DESK, "email": "", "problem": ""}
    return page(request, room, "desk/sign_in.html", status=status, **(usual | values))


def refuse_foreign_form(request: Request) -> None:
    """Refuse a form that another site has sent: it would sign an editor in as somebody else, unnoticed."""
    if request.headers.get("Sec-Fetch-Site", "none") in {"cross-site", "same-site"} and request.method == "POST":
        raise HTTPException(403, "This form came from another site. Open the sign-in page and try again.")


def onward_of(wanted: str) -> str:
    """Return a path of the desk, and nothing else: a link must not lead out of it after signing in."""
    return wanted if OF_THE_DESK.fullmatch(wanted) and ".." not in wanted else DESK


def _told(seconds: int) -> str:
    if seconds < 120:  # noqa: PLR2004 -- two minutes and more are told in minutes
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
