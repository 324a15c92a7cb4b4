"""Who sits at the desk: sessions in a cookie, forms that only our own pages can send, and what a role may do."""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from publisher import acts
from publisher.audience.rules import origin_truncated
from publisher.editors import flow, powers, second_factor
from publisher.editors.model import Editor, Role
from publisher.editors.rules import SESSION_AT_MOST
from publisher.web.desk.said import Said
from publisher.web.pages import page
from publisher.web.parts import Form, Origin, Room
from publisher.web.parts import field as field_of
from publisher.web.public.frame import house_zone
from publisher.wiring import Newsroom

DESK = "/desk"
SIGN_IN = "/desk/sign-in"
SECOND_FACTOR = "/desk/me/second-factor"
SEE_OTHER = 303
FORM_KEY = "form_key"
SEAL_CHARACTERS = 32


@dataclass(frozen=True, kw_only=True)
class Seat:
    """An editor at work."""

    editor: Editor
    token: str = field(repr=False)

    @property
    def form_key(self) -> str:
        """What every form of this session carries; a page elsewhere cannot know it (OWASP: synchroniser token)."""
        return self.seal("form")

    def seal(self, text: str) -> str:
        """Return what shows that a text was written for this session."""
        return hmac.new(self.token.encode(), f"publisher desk {text}".encode(), sha256).hexdigest()[:SEAL_CHARACTERS]

    def may(self, role: Role) -> bool:
        return self.editor.role.includes(role)


def seat_of(request: Request, room: Room) -> Seat:
    """Return who is signed in, or send the browser to the sign-in page and back again afterwards."""
    token = request.cookies.get(cookie_name(room), "")
    editor = flow.session_editor(room.database, token, clock=room.now) if token else None
    if editor is None:
        raise HTTPException(SEE_OTHER, headers={"Location": f"{SIGN_IN}?next={quote(_back(request), safe='/')}"})
    if _lacks_second_factor(request, room, editor):
        raise HTTPException(SEE_OTHER, headers={"Location": SECOND_FACTOR})
    return Seat(editor=editor, token=token)


def _lacks_second_factor(request: Request, room: Newsroom, editor: Editor) -> bool:
    """Tell whether the newsroom wants a second factor that an editor has not set up; the way to it stays open."""
    path = request.url.path
    is_open = path == "/desk/sign-out" or path.startswith(SECOND_FACTOR)
    if is_open or not room.settings.require_second_factor or not editor.role.includes(powers.SENDING):
        return False
    with room.database.reading() as connection:
        return not second_factor.is_on(connection, editor.id)


async def own_form(seat: Annotated[Seat, Depends(seat_of)], form: Form, origin: Origin) -> Seat:
    """
    Return who sent a form, once it is sure that the form is ours; what follows is noted as theirs.

    Not in a thread, which would say who acts to itself alone.
    """
    if not hmac.compare_digest(field_of(form, FORM_KEY).encode(), seat.form_key.encode()):
        raise HTTPException(
            403, "This form has expired, or came from elsewhere. Go back, reload the page and try again."
        )
    who, network = seat.editor, origin_truncated(origin)
    acts.begin(acts.Actor(via="desk", who=who.name, editor_id=who.id, origin=network))
    return seat


AtDesk = Annotated[Seat, Depends(seat_of)]
"""Whoever is signed in; for pages."""
Sender = Annotated[Seat, Depends(own_form)]
"""Whoever is signed in and has sent one of our own forms; for everything that changes anything."""


def ask_for(seat: Seat, role: Role) -> None:
    """Refuse what a role may not do."""
    if not seat.may(role):
        raise HTTPException(403, f"This takes the role of {role}; yours is {seat.editor.role}.")


def desk_page(
    request: Request, room: Newsroom, seat: Seat, template: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page of the desk, with times as the editor's own clock shows them, or the house's."""
    time_zone = seat.editor.time_zone
    if not time_zone:
        with room.database.reading() as connection:
            time_zone = house_zone(connection)
    leads = seat.may(powers.EDITORS)
    common = {
        "seat": seat,
        "leads": leads,
        "may_look_back": seat.may(powers.RECORD),
        "form_key": seat.form_key,
        "said": _said(request, seat),
        "time_zone": time_zone,
    }
    return page(request, room, template, status=status, **(common | values))


def go(seat: Seat, path: str, said: Said) -> RedirectResponse:
    """Return the way to a page after a form was acted upon; the page will say what was done."""
    return RedirectResponse(f"{path}?said={said.word}.{_seal(seat, path, said)}", status_code=SEE_OTHER)


def sit_down(response: Response, room: Newsroom, token: str) -> None:
    """Put a session into the browser: for this site only, unseen by scripts, sent along by links from elsewhere."""
    secure = room.settings.base_url.startswith("https:")
    response.set_cookie(
        cookie_name(room),
        token,
        max_age=int(SESSION_AT_MOST.total_seconds()),
        httponly=True,
        secure=secure,
        samesite="lax",
        path="/" if secure else DESK,
    )


def stand_up(response: Response, room: Newsroom) -> None:
    secure = room.settings.base_url.startswith("https:")
    response.delete_cookie(
        cookie_name(room), path="/" if secure else DESK, secure=secure, httponly=True, samesite="lax"
    )


def cookie_name(room: Newsroom) -> str:
    """`__Host-` binds a cookie to this very host over HTTPS (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-desk" if room.settings.base_url.startswith("https:") else "desk"


def _back(request: Request) -> str:
    """Return where to go on after signing in; a form's answer cannot be asked for again."""
    if request.method != "GET":
        return DESK
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _said(request: Request, seat: Seat) -> str:
    word, _, seal = request.query_params.get("said", "").partition(".")
    found = next((each for each in Said if each.word == word), None)
    if found is None or not hmac.compare_digest(seal.encode(), _seal(seat, request.url.path, found).encode()):
        return ""
    return found.value


def _seal(seat: Seat, path: str, said: Said) -> str:
    return seat.seal(f"said {said.word} {path}")
