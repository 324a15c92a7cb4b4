"""Who works at the desk, for those who lead them."""

from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.dispatch.invitation import send_invitation
from publisher.editors import powers, second_factor, staff, store
from publisher.editors.model import Editor, EditorId, Role
from publisher.errors import ConflictError, InputError, NotFoundError, PublisherError
from publisher.rendering import DEFAULT_LANGUAGE, languages
from publisher.web.desk.said import Said
from publisher.web.desk.seat import SIGN_IN, AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.pages import language_name
from publisher.web.parts import Form, IdInPath, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

PATH = "/desk/editors"
TYPED = ("email", "name", "role", "language")


@router.get(PATH, include_in_schema=False)
def editors(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show everybody who may sign in, and the form that invites somebody."""
    ask_for(seat, powers.EDITORS)
    return _list(request, room, seat)


@router.post(PATH, include_in_schema=False)
def invite(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Add an editor and show the link that signs her in: now, and never again."""
    ask_for(seat, powers.EDITORS)
    typed = {name: field(form, name) for name in TYPED}
    try:
        role, language = _role(typed["role"]), _language(typed["language"])
        invited, token = staff.invite(
            room.database, by=seat.editor.id, email=typed["email"], name=typed["name"], role=role, clock=room.now
        )
    except (InputError, ConflictError) as problem:
        return _list(request, room, seat, typed=typed, problem=str(problem), status=422)
    link = _address(room, token)
    is_mailed = send_invitation(room.transport, room.settings, invited, link, language=language, clock=room.now)
    return _link_page(request, room, seat, invited, link, is_mailed=is_mailed, lasts="a week")


@router.get(f"{PATH}/{{editor_id}}", include_in_schema=False)
def editor(request: Request, room: Room, seat: AtDesk, editor_id: IdInPath) -> Response:
    ask_for(seat, powers.EDITORS)
    return _editor_page(request, room, seat, EditorId(editor_id))


@router.post(f"{PATH}/{{editor_id}}/role", include_in_schema=False)
def give_role(request: Request, room: Room, seat: Sender, form: Form, editor_id: IdInPath) -> Response:
    ask_for(seat, powers.EDITORS)
    found = EditorId(editor_id)
    try:
        staff.set_role(room.database, found, _role(field(form, "role")), by=seat.editor.id)
    except (InputError, ConflictError) as problem:
        return _editor_page(request, room, seat, found, problem=problem)
    return _after(seat, found, Said.ROLE_GIVEN)


@router.post(f"{PATH}/{{editor_id}}/disable", include_in_schema=False)
def disable(request: Request, room: Room, seat: Sender, editor_id: IdInPath) -> Response:
    ask_for(seat, powers.EDITORS)
    try:
        staff.disable_editor(room.database, EditorId(editor_id), by=seat.editor.id, clock=room.now)
    except ConflictError as problem:
        return _editor_page(request, room, seat, EditorId(editor_id), problem=problem)
    return _after(seat, EditorId(editor_id), Said.SHUT_OUT)


@router.post(f"{PATH}/{{editor_id}}/enable", include_in_schema=False)
def enable(room: Room, seat: Sender, editor_id: IdInPath) -> Response:
    ask_for(seat, powers.EDITORS)
    staff.enable_editor(room.database, EditorId(editor_id), by=seat.editor.id)
    return _after(seat, EditorId(editor_id), Said.LET_IN)


@router.post(f"{PATH}/{{editor_id}}/reset-code", include_in_schema=False)
def reset_code(room: Room, seat: Sender, editor_id: IdInPath) -> Response:
    """Take a lost second factor away."""
    ask_for(seat, powers.EDITORS)
    second_factor.reset(room.database, EditorId(editor_id), by=seat.editor.id)
    return _after(seat, EditorId(editor_id), Said.SECOND_FACTOR_RESET)


@router.post(f"{PATH}/{{editor_id}}/link", include_in_schema=False)
def link(request: Request, room: Room, seat: Sender, editor_id: IdInPath) -> Response:
    """Make a new link, for a forgotten password or an invitation that ran out."""
    ask_for(seat, powers.EDITORS)
    try:
        token = staff.make_link(room.database, EditorId(editor_id), by=seat.editor.id, clock=room.now)
    except ConflictError as problem:
        return _editor_page(request, room, seat, EditorId(editor_id), problem=problem)
    found = _found(room, EditorId(editor_id))
    return _link_page(request, room, seat, found, _address(room, token), is_mailed=False, lasts="15 minutes")


def _list(request: Request, room: Newsroom, seat: Seat, *, status: int = 200, **values: Any) -> Response:
    with room.database.reading() as connection:
        found = store.editors(connection)
    roles = powers.roles_to_give(seat.editor)
    usual = {
        "editors": found,
        "roles": roles,
        "languages": [(tag, language_name(tag)) for tag in languages()],
        "typed": dict.fromkeys(TYPED, "") | {"language": DEFAULT_LANGUAGE},
        "problem": "",
    }
    return desk_page(request, room, seat, "desk/editors.html", status=status, **(usual | values))


def _editor_page(
    request: Request, room: Newsroom, seat: Seat, editor_id: EditorId, *, problem: PublisherError | None = None
) -> Response:
    found = _found(room, editor_id)
    with room.database.reading() as connection:
        has_code = second_factor.is_on(connection, editor_id)
    values: dict[str, Any] = {
        "editor": found,
        "may_change": powers.may_lead(seat.editor, found.role),
        "roles": powers.roles_to_give(seat.editor),
        "may_reset": has_code and editor_id != seat.editor.id,
        "problem": problem,
    }
    return desk_page(request, room, seat, "desk/editor.html", status=409 if problem else 200, **values)


def _link_page(request: Request, room: Newsroom, seat: Seat, invited: Editor, link: str, **values: Any) -> Response:
    return desk_page(request, room, seat, "desk/editor_link.html", editor=invited, link=link, **values)


def _found(room: Newsroom, editor_id: EditorId) -> Editor:
    with room.database.reading() as connection:
        found = store.editor_with_id(connection, editor_id)
    if found is None:
        raise NotFoundError("editor", editor_id)
    return found


def _after(seat: Seat, editor_id: EditorId, said: Said) -> Response:
    """Return the way back; who has just given away her own powers goes to the first page."""
    return go(seat, "/desk" if editor_id == seat.editor.id else f"{PATH}/{editor_id}", said)


def _role(text: str) -> Role:
    if text not in set(Role):
        raise InputError(f"Choose a role: {', '.join(Role)}.")
    return Role(text)


def _language(text: str) -> str:
    """Return the language of an invitation; where none was chosen it is English."""
    if text and text not in languages():
        raise InputError("Choose a language from the list.")
    return text or DEFAULT_LANGUAGE


def _address(room: Newsroom, token: str) -> str:
    return f"{room.settings.base_url}{SIGN_IN}/{token}"
