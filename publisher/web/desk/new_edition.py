"""A new edition, in three steps: what it is, how it would look with today's articles, and then its start."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from slugify import slugify
from sqlalchemy.engine import Connection

from publisher.audience import rules
from publisher.audience import store as audience
from publisher.compose import cadence as cadences
from publisher.compose import flow, store
from publisher.compose.looks import check_look
from publisher.compose.model import Approval, Cadence, Edition, EditionId, EditionKind
from publisher.editors import powers
from publisher.errors import InputError
from publisher.rendering import languages
from publisher.web.desk.previews import darkened, filled_html, framed
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.pages import language_name
from publisher.web.parts import Form, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

FIELDS = ("name", "kind", "mailing_list", "cadence", "approval", "language", "languages")
NAME_AT_MOST = 200
SLUG_AT_MOST = 60
STALE_AFTER = timedelta(hours=24)


@router.get("/desk/editions/new", include_in_schema=False)
def new_edition(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show an empty form."""
    ask_for(seat, powers.EDITIONS)
    empty = dict.fromkeys(FIELDS, "") | {"kind": EditionKind.DIGEST, "approval": Approval.EDITOR, "language": "en"}
    return _page(request, room, seat, typed=empty)


@router.post("/desk/editions/new", include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Store a new edition, which makes no issue before it is started; what is wrong with it is said."""
    ask_for(seat, powers.EDITIONS)
    typed = {name: field(form, name) for name in FIELDS}
    try:
        with room.database.transaction() as connection:
            added = store.add_edition(connection, _edition(connection, typed), now=room.now())
    except InputError as problem:
        return _page(request, room, seat, typed=typed, problem=problem)
    return go(seat, f"/desk/editions/{added.slug}", Said.EDITION_ADDED)


@router.post("/desk/editions/{slug}/start", include_in_schema=False)
def start(room: Room, seat: Sender, slug: str) -> Response:
    """Let issues come about by themselves."""
    ask_for(seat, powers.EDITIONS)
    return _set_active(room, seat, slug, is_active=True, said=Said.EDITION_STARTED)


@router.post("/desk/editions/{slug}/stop", include_in_schema=False)
def stop(room: Room, seat: Sender, slug: str) -> Response:
    """Let no more issues come about by themselves."""
    ask_for(seat, powers.EDITIONS)
    return _set_active(room, seat, slug, is_active=False, said=Said.EDITION_STOPPED)


@router.get("/desk/editions/{slug}/mail", include_in_schema=False)
def sample(*, room: Room, _seat: AtDesk, slug: str, dark: bool = False) -> Response:
    """Return, for a frame, the mail that the edition would be with today's articles."""
    rendering = flow.sample(room.database, room.settings, slug, clock=room.now)
    html = filled_html(rendering, room, None)
    return framed(darkened(html) if dark else html, room)


def _set_active(room: Newsroom, seat: Seat, slug: str, *, is_active: bool, said: Said) -> Response:
    with room.database.transaction() as connection:
        found = store.edition_named(connection, slug)
        store.change_edition(connection, replace(found, is_active=is_active))
    return go(seat, f"/desk/editions/{slug}", said)


def _page(
    request: Request, room: Newsroom, seat: Seat, *, typed: dict[str, str], problem: InputError | None = None
) -> Response:
    with room.database.reading() as connection:
        lists = audience.mailing_lists(connection)
    values: dict[str, Any] = {
        "typed": typed,
        "mailing_lists": lists,
        "spoken": [(each, language_name(each)) for each in languages()],
        "problem": problem.problem if problem else "",
        "wrong": problem.where if problem else "",
    }
    return desk_page(request, room, seat, "desk/new_edition.html", status=422 if problem else 200, **values)


def _edition(connection: Connection, typed: dict[str, str]) -> Edition:
    """Raises InputError with the field."""
    name = rules.clean_line(typed["name"], NAME_AT_MOST)
    if not name:
        raise InputError("An edition needs a name.", "name")
    lists = {each.slug: each.id for each in audience.mailing_lists(connection)}
    if typed["mailing_list"] not in lists:
        raise InputError("Choose the mailing list whose readers get it.", "mailing_list")
    if typed["kind"] not in set(EditionKind) or typed["approval"] not in set(Approval):
        raise InputError("Choose one of what is offered.", "kind")
    kind = EditionKind(typed["kind"])
    edition = Edition(
        id=EditionId(0),
        slug=_free_slug(connection, name),
        name=name,
        kind=kind,
        mailing_list_id=lists[typed["mailing_list"]],
        cadence=None if kind is EditionKind.ALERT else _cadence(typed["cadence"]),
        languages=tuple(filter(None, typed["languages"].replace(",", " ").split())),
        approval=Approval(typed["approval"]),
        stale_after=STALE_AFTER,
        language=typed["language"],
        is_active=False,
    )
    check_look(edition)
    return edition


def _cadence(text: str) -> Cadence | None:
    try:
        return cadences.parse(text) if text else None
    except InputError as wrong:
        raise InputError(f"{wrong.problem[:1].upper()}{wrong.problem[1:]}.", "cadence") from None


def _free_slug(connection: Connection, name: str) -> str:
    """Return a short name made of the long one, with a number where it is taken."""
    wanted = slugify(name)[:SLUG_AT_MOST].strip("-") or "edition"
    taken = {each.slug for each in store.editions(connection)} | {"new"}
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (wanted, *numbered) if each not in taken)
