"""Keys for programs: an editor's own, and for operators everybody's."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from publisher.editors import powers, store
from publisher.editors.api_tokens import add_api_token, revoke_api_token
from publisher.editors.model import ApiTokenId, Scope
from publisher.errors import InputError, NotFoundError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field, fields, number_in
from publisher.wiring import Newsroom

router = APIRouter()

PATH = "/desk/tokens"
DAYS = (30, 90, 365)
SHOWS = {
    Scope.READ: "see articles, issues and the glossary",
    Scope.ARTICLES: "hand in and withdraw articles, keep the glossary",
    Scope.ISSUES: "lay out, approve and send issues",
    Scope.SUBSCRIBERS: "add, end and see subscriptions",
    Scope.READ_SUBSCRIBERS: "see subscribers, and who got what",
    Scope.WEBHOOKS: "say where webhooks go",
}


@router.get(PATH, include_in_schema=False)
def tokens(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat)


@router.post(PATH, include_in_schema=False)
def make(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Make a token and show it: now, and never again."""
    try:
        token = add_api_token(
            room.database,
            name=field(form, "name"),
            scopes=_scopes(form),
            lasts=_lasts(field(form, "days")),
            by=seat.editor.id,
            clock=room.now,
        )
    except InputError as problem:
        return _page(request, room, seat, status=422, problem=str(problem))
    return desk_page(request, room, seat, "desk/token.html", token=token)


@router.post(f"{PATH}/{{token_id}}/revoke", include_in_schema=False)
def revoke(room: Room, seat: Sender, token_id: IdInPath) -> Response:
    """End a token; to who is no operator, that of somebody else is not there."""
    only_of = None if seat.may(powers.TOKENS) else seat.editor.id
    if not revoke_api_token(room.database, ApiTokenId(token_id), only_of=only_of, clock=room.now):
        raise NotFoundError("token in force with the id", token_id)
    return go(seat, PATH, Said.REVOKED)


def _page(request: Request, room: Newsroom, seat: Seat, *, status: int = 200, problem: str = "") -> Response:
    sees_all = seat.may(powers.TOKENS)
    with room.database.reading() as connection:
        found = store.api_tokens(connection) if sees_all else store.api_tokens_of(connection, seat.editor.id)
        names = {each.id: each.name for each in store.editors(connection)} if sees_all else {}
    allowed = powers.scopes_of(seat.editor)
    values: dict[str, Any] = {
        "tokens": found,
        "names": names,
        "sees_all": sees_all,
        "now": room.now(),
        "scopes": [(scope, SHOWS[scope]) for scope in Scope if scope in allowed],
        "days": DAYS,
        "problem": problem,
    }
    return desk_page(request, room, seat, "desk/tokens.html", status=status, **values)


def _scopes(form: FormData) -> list[Scope]:
    wanted = fields(form, "scope")
    if not set(wanted) <= set(Scope):
        raise InputError(f"Choose among the scopes: {', '.join(Scope)}.")
    return [Scope(each) for each in wanted]


def _lasts(text: str) -> timedelta | None:
    days = number_in(text)
    return timedelta(days=days) if days in DAYS else None
