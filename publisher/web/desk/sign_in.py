from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience.rules import origin_truncated
from publisher.editors import flow
from publisher.editors.model import SignedIn
from publisher.web.desk.seat import Sender, go, sit_down, stand_up
from publisher.web.pages import page
from publisher.web.parts import Form, Origin, Room, field

router = APIRouter()


@router.get("/desk/sign-in", include_in_schema=False)
def ask(request: Request, room: Room) -> Response:
    return page(request, room, "desk/sign_in.html", onward=_onward(request.query_params.get("next", "")), problem="")


@router.post("/desk/sign-in", include_in_schema=False)
def sign_in(request: Request, room: Room, form: Form, origin: Origin) -> Response:
    """Begin a session; a wrong address and a wrong password look the same from outside."""
    onward = _onward(field(form, "next"))
    email, password = field(form, "email"), form.get("password")
    ending = flow.sign_in(
        room.database,
        email=email,
        password=password if isinstance(password, str) else "",
        origin=origin_truncated(origin),
        clock=room.now,
    )
    if isinstance(ending, SignedIn):
        response = go(onward)
        sit_down(response, room, ending.token)
        return response
    problem = "The address or the password is not right."
    if ending.try_again_at is not None:
        seconds = max(1, round((ending.try_again_at - room.now()).total_seconds()))
        problem = f"Too many attempts. Please wait {seconds} seconds."
    values: dict[str, Any] = {"onward": onward, "problem": problem, "email": email}
    return page(request, room, "desk/sign_in.html", status=401, **values)


@router.get("/desk/sign-in/{token}", include_in_schema=False)
def sign_in_by_link(request: Request, room: Room, token: str) -> Response:
    """Begin a session by a link that works once and for minutes."""
    ending = flow.use_sign_in_link(room.database, token, clock=room.now)
    if ending is None:
        problem = "This link has been used, or is too old. Sign in with your password, or ask for a new link."
        return page(request, room, "desk/sign_in.html", status=410, onward="/desk", problem=problem)
    response = go("/desk")
    sit_down(response, room, ending.token)
    return response


@router.post("/desk/sign-out", include_in_schema=False)
def sign_out(room: Room, seat: Sender) -> Response:
    flow.sign_out(room.database, seat.token)
    response = go("/desk/sign-in")
    stand_up(response, room)
    return response


def _onward(wanted: str) -> str:
    """Return a path of the desk, and nothing else: a link must not lead out of it after signing in."""
    return wanted if wanted == "/desk" or (wanted.startswith("/desk/") and "\\" not in wanted) else "/desk"
