"""Readers at the desk: found by address, added, imported and exported."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.engine import Connection
from starlette.datastructures import FormData, UploadFile

from publisher.audience import finding, flow, rules
from publisher.audience import store as audience
from publisher.audience.csv_form import exported
from publisher.audience.imports import FILE_NAME_AT_MOST, newest_imports, put_import
from publisher.audience.model import How, MailingListId, Subscriber, SubscriptionState
from publisher.bell import Job
from publisher.editors import powers
from publisher.errors import ConflictError, InputError, NotFoundError
from publisher.web.cursors import cursor_at, place_of
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go, own_form
from publisher.web.parts import Form, Origin, Room, field, fields
from publisher.wiring import Newsroom

router = APIRouter()

READERS = "/desk/subscribers"
ON_A_PAGE = 50
IMPORTS = f"{READERS}/imports"
IMPORTS_SHOWN = 5
NAMED_SHOWN = 20
NEWEST_FIRST = frozenset({SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED})
DETAILS = ("name", "language", "time_zone")
NEW = ("email", *DETAILS, "consent")


async def _file_of(request: Request) -> AsyncIterator[FormData]:
    async with request.form(max_files=1, max_fields=10) as form:
        yield form


async def _file_sender(
    seat: AtDesk, form: Annotated[FormData, Depends(_file_of)], origin: Origin
) -> tuple[Seat, FormData]:
    """Return who sent a form with a file, once it is sure that the form is ours."""
    return await own_form(seat, form, origin), form


FileSender = Annotated[tuple[Seat, FormData], Depends(_file_sender)]


@router.get(READERS, include_in_schema=False)
def subscribers(
    *,
    request: Request,
    room: Room,
    seat: AtDesk,
    q: Annotated[str, Query(max_length=254)] = "",
    mailing_list: Annotated[str, Query(alias="list", max_length=60)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    after: Annotated[str, Query(max_length=254)] = "",
) -> Response:
    """Show readers by address: those whose address or name begins in some way, those of a mailing list, in a state."""
    return _list_page(request, room, seat, beginning=q.strip(), mailing_list=mailing_list, state=state, after=after)


@router.get(f"{READERS}.csv", include_in_schema=False)
def export(room: Room, seat: AtDesk, mailing_list: Annotated[str, Query(alias="list", max_length=60)] = "") -> Response:
    """Return every subscription, or those to one mailing list, as CSV."""
    ask_for(seat, powers.AUDIENCE)
    if mailing_list:
        with room.database.reading() as connection:
            audience.mailing_list_named(connection, mailing_list)
    headers = {"Content-Disposition": 'attachment; filename="subscribers.csv"', "Cache-Control": "no-store"}
    pieces = exported(room.database, mailing_list=mailing_list or None)
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


@router.post(f"{READERS}/new", include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Put somebody on mailing lists: after a mail that asks for a yes, or with the yes that is at hand."""
    ask_for(seat, powers.AUDIENCE)
    typed = {name: field(form, name) for name in NEW}
    lists = fields(form, "mailing_list")
    person = {name: typed[name] for name in DETAILS}
    try:
        if typed["consent"]:
            yes = flow.Yes(how=How.DESK, wording=typed["consent"])
            added = flow.add_subscriber(
                room.database, email=typed["email"], lists=lists, yes=yes, clock=room.now, **person
            )
            return go(seat, f"{READERS}/{added}", Said.READER_ADDED)
        flow.ask_to_subscribe(room.database, email=typed["email"], lists=lists, clock=room.now, **person)
    except (InputError, NotFoundError, ConflictError) as problem:
        return _list_page(request, room, seat, typed=typed | {"lists": lists}, problem=str(problem))
    room.bell.ring(Job.NOTIFY)
    return go(seat, READERS, Said.READER_ASKED)


@router.post(f"{READERS}/import", include_in_schema=False)
def import_file(request: Request, room: Room, sender: FileSender) -> Response:
    """Keep a CSV file of people for a worker, and lead to the page that tells how it goes."""
    seat, form = sender
    ask_for(seat, powers.AUDIENCE)
    file, wanted = form.get("file"), field(form, "mailing_list")
    if not isinstance(file, UploadFile) or not file.filename:
        return _list_page(request, room, seat, problem="Choose a CSV file first.")
    is_confirmed = field(form, "confirmed") == "yes"
    name = rules.clean_line(file.filename, FILE_NAME_AT_MOST)
    try:
        added = put_import(
            room.database,
            file.file,
            name=name,
            list_slug=wanted,
            confirmed=is_confirmed,
            clock=room.now,
            wording=f"On the list that {seat.editor.name} imported from {name} as confirmed." if is_confirmed else "",
        )
    except (InputError, NotFoundError) as problem:
        return _list_page(request, room, seat, problem=str(problem))
    room.bell.ring(Job.IMPORT)
    return go(seat, f"{IMPORTS}/{added}", Said.IMPORT_BEGUN)


def _list_page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    beginning: str = "",
    mailing_list: str = "",
    state: str = "",
    after: str = "",
    typed: dict[str, Any] | None = None,
    problem: str = "",
) -> Response:
    with room.database.reading() as connection:
        lists = audience.mailing_lists(connection)
        only = audience.mailing_list_named(connection, mailing_list).id if mailing_list else None
        chosen = SubscriptionState(state) if state in set(SubscriptionState) else None
        shown, following = _found(connection, beginning, only, chosen, after)
        named = [] if after else _named(connection, beginning, only, chosen)
        shown = [*named, *(each for each in shown if each not in named)]
        held = audience.subscriptions_of(connection, [each.id for each in shown])
        suppressed = audience.suppressions(connection, [each.email for each in shown])
        imports = newest_imports(connection, at_most=IMPORTS_SHOWN) if seat.may(powers.AUDIENCE) else []
    names = {each.id: each.name for each in lists}
    values: dict[str, Any] = {
        "mailing_lists": lists,
        "beginning": beginning,
        "mailing_list": mailing_list,
        "rows": [
            (
                each,
                [(names[one.mailing_list_id], one.state) for one in held.get(each.id, [])],
                suppressed.get(rules.email_key(each.email)),
            )
            for each in shown
        ],
        "chosen_state": chosen or "",
        "states": list(SubscriptionState),
        "next": following,
        "is_first": not after,
        "imports": imports,
        "typed": typed or dict.fromkeys(NEW, "") | {"lists": [each.slug for each in lists[:1]]},
        "is_typed": typed is not None,
        "problem": problem,
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/subscribers.html", status=422 if problem else 200, **values)


def _found(
    connection: Connection, beginning: str, only: MailingListId | None, state: SubscriptionState | None, after: str
) -> tuple[list[Subscriber], str]:
    """Return a page of readers, and the word for the next one; who asks for the rare states has the newest first."""
    if state in NEWEST_FIRST and not beginning:
        latest = finding.by_state(connection, state, at_most=ON_A_PAGE, mailing_list_id=only, before=_place(after))
        return latest.subscribers, cursor_at(latest.next) if latest.next else ""
    found = finding.by_address(
        connection, at_most=ON_A_PAGE, beginning=beginning, after=after, mailing_list_id=only, state=state
    )
    return found.subscribers, found.next or ""


def _named(
    connection: Connection, beginning: str, only: MailingListId | None, state: SubscriptionState | None
) -> list[Subscriber]:
    """Return readers whose name begins so, where all readers are looked at."""
    if not beginning or only is not None or state is not None:
        return []
    return finding.by_name(connection, beginning, at_most=NAMED_SHOWN)


def _place(after: str) -> finding.Instant | None:
    try:
        return place_of(after)
    except InputError:
        raise HTTPException(404) from None
