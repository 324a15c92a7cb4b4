"""One reader at the desk: what he said yes to, what he got, what became of it; changed, and erased on request."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.audience import flow, rules
from publisher.audience import store as audience
from publisher.audience.model import Subscriber, SubscriberId
from publisher.bell import Job
from publisher.compose import store as compose
from publisher.editors import powers
from publisher.errors import InputError, NotFoundError
from publisher.events.history import erase as erase_reader
from publisher.events.history import history, own_data
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.desk.subscribers import DETAILS, READERS
from publisher.web.downloads import data_file
from publisher.web.parts import Form, IdInPath, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

ISSUES_SHOWN = 20
EVENTS_SHOWN = 50


@router.get(f"{READERS}/{{subscriber_id}}", include_in_schema=False)
def subscriber(request: Request, room: Room, seat: AtDesk, subscriber_id: IdInPath) -> Response:
    """Show one reader: what he said yes to, what he got, what became of it."""
    return _reader_page(request, room, seat, SubscriberId(subscriber_id))


@router.get(f"{READERS}/{{subscriber_id}}/data.json", include_in_schema=False)
def data(room: Room, seat: AtDesk, subscriber_id: IdInPath) -> Response:
    """Return all that is held about a reader, to be handed to him."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        return data_file(own_data(connection, _known(connection, subscriber_id)))


@router.post(f"{READERS}/{{subscriber_id}}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, subscriber_id: IdInPath) -> Response:
    """Change a reader's name, language and time zone."""
    ask_for(seat, powers.AUDIENCE)
    typed = {name: field(form, name) for name in DETAILS}
    try:
        flow.change_details(room.database, SubscriberId(subscriber_id), **typed)
    except InputError as problem:
        return _reader_page(request, room, seat, SubscriberId(subscriber_id), problem=str(problem), typed=typed)
    return go(seat, f"{READERS}/{subscriber_id}", Said.READER_CHANGED)


@router.post(f"{READERS}/{{subscriber_id}}/unsubscribe", include_in_schema=False)
def unsubscribe(room: Room, seat: Sender, form: Form, subscriber_id: IdInPath) -> Response:
    """End one of a reader's subscriptions, as he asked for."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        wanted = audience.mailing_list_named(connection, field(form, "list"))
        mine = audience.subscriptions_of(connection, [SubscriberId(subscriber_id)]).get(SubscriberId(subscriber_id), [])
    for each in mine:
        if each.mailing_list_id == wanted.id:
            flow.unsubscribe(room.database, each.id, clock=room.now)
    return go(seat, f"{READERS}/{subscriber_id}", Said.READER_LEFT)


@router.post(f"{READERS}/{{subscriber_id}}/ask", include_in_schema=False)
def ask(room: Room, seat: Sender, form: Form, subscriber_id: IdInPath) -> Response:
    """Ask a reader by mail for a yes, once more or after he had left."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        reader = _known(connection, subscriber_id)
    flow.ask_to_subscribe(
        room.database,
        email=reader.email,
        name=reader.name,
        language=reader.language,
        time_zone=reader.time_zone,
        lists=[field(form, "list")],
        clock=room.now,
    )
    room.bell.ring(Job.NOTIFY)
    return go(seat, f"{READERS}/{subscriber_id}", Said.READER_ASKED)


@router.post(f"{READERS}/{{subscriber_id}}/erase", include_in_schema=False)
def erase(request: Request, room: Room, seat: Sender, form: Form, subscriber_id: IdInPath) -> Response:
    """Erase a reader for good, once his address has been typed."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        reader = _known(connection, subscriber_id)
    if rules.email_key(field(form, "address")) != rules.email_key(reader.email):
        problem = "That is another address. To erase this reader, type the address above as it is."
        return _reader_page(request, room, seat, reader.id, problem=problem)
    erase_reader(room.database, room.outbox, reader.id, never_again=field(form, "never_again") == "yes", clock=room.now)
    return go(seat, READERS, Said.READER_ERASED)


def _known(connection: Connection, subscriber_id: int) -> Subscriber:
    found = audience.subscriber_with_id(connection, SubscriberId(subscriber_id))
    if found is None:
        raise NotFoundError("subscriber", subscriber_id)
    return found


def _reader_page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    subscriber_id: SubscriberId,
    *,
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    with room.database.reading() as connection:
        reader = _known(connection, subscriber_id)
        found = history(connection, reader, issues=ISSUES_SHOWN, events=EVENTS_SHOWN)
        lists = audience.mailing_lists(connection)
        issue_ids = [*{*(each.issue_id for each in found.deliveries), *(each.issue_id for each in found.events)}]
        subjects = {each: one.subject for each, one in compose.renderings_of(connection, issue_ids).items()}
    on = {each.mailing_list_id: each for each in found.subscriptions}
    values: dict[str, Any] = {
        "reader": reader,
        "found": found,
        "lists": [(each, on.get(each.id)) for each in lists],
        "list_of": {each.id: next(one.name for one in lists if one.id == each.mailing_list_id) for each in on.values()},
        "subjects": subjects,
        "typed": typed or {name: getattr(reader, name) for name in DETAILS},
        "now": room.now(),
        "problem": problem,
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/subscriber.html", status=422 if problem else 200, **values)
