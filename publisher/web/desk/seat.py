"""Who sits at the desk: sessions in a cookie, forms that only our own pages can send, and what a role may do."""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from publisher.editors import flow
from publisher.editors.model import Editor, Role
from publisher.editors.rules import SESSION_AT_MOST
from publisher.web.pages import page
from publisher.web.parts import Form, Room
from publisher.web.parts import field as field_of
from publisher.wiring import Newsroom

SIGN_IN = "/desk/sign-in"
SEE_OTHER = 303
FORM_KEY = "form_key"


@dataclass(frozen=True, kw_only=True)
class Seat:
    """An editor at work."""

    editor: Editor
    token: str = field(repr=False)

    @property
    def form_key(self) -> str:
        """What every form of this session carries; a page elsewhere cannot know it (OWASP: synchroniser token)."""
        return hmac.new(self.token.encode(), b"publisher desk form", sha256).hexdigest()[:40]

    def may(self, role: Role) -> bool:
        return self.editor.role.includes(role)


def seat_of(request: Request, room: Room) -> Seat:
    """Return who is signed in, or send the browser to the sign-in page and back again afterwards."""
    token = request.cookies.get(cookie_name(room), "")
    editor = flow.session_editor(room.database, token, clock=room.now) if token else None
    if editor is None:
        back = request.url.path if request.method == "GET" else "/desk"
        raise HTTPException(SEE_OTHER, headers={"Location": f"{SIGN_IN}?next={quote(back)}"})
    return Seat(editor=editor, token=token)


def own_form(seat: Annotated[Seat, Depends(seat_of)], form: Form) -> Seat:
    """Return who sent a form, once it is sure that the form is ours."""
    if not hmac.compare_digest(field_of(form, FORM_KEY).encode(), seat.form_key.encode()):
        raise HTTPException(
            403, "This form has expired or came from elsewhere. Go back, reload the page and try again."
        )
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
    """Return a page of the desk; `said` in the address shows one line of what has just been done."""
    common = {"seat": seat, "form_key": seat.form_key, "said": request.query_params.get("said", "")[:300]}
    return page(request, room, template, status=status, **(common | values))


def go(path: str, said: str = "") -> RedirectResponse:
    """Return the way to a page after a form was acted upon, with a line on what was done."""
    return RedirectResponse(f"{path}?said={quote(said)}" if said else path, status_code=SEE_OTHER)


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
        path="/desk" if not secure else "/",
    )


def stand_up(response: Response, room: Newsroom) -> None:
    secure = room.settings.base_url.startswith("https:")
    response.delete_cookie(cookie_name(room), path="/desk" if not secure else "/", secure=secure, httponly=True)


def cookie_name(room: Newsroom) -> str:
    """`__Host-` binds a cookie to this very host over HTTPS (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-desk" if room.settings.base_url.startswith("https:") else "desk"
