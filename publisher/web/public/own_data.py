"""What a reader may do with his data without asking anybody: take it along, and be forgotten."""

from fastapi import APIRouter, Request, Response

from publisher.events.history import erase as erase_reader
from publisher.events.history import own_data
from publisher.web.downloads import data_file
from publisher.web.parts import Form, Room, field
from publisher.web.public.links import broken_link, secret_page, subscriber_behind

router = APIRouter()


@router.get("/preferences/{token}/my-data.json", include_in_schema=False)
def download(request: Request, room: Room, token: str) -> Response:
    """Return all that is held about the reader who holds a PREFERENCES token."""
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
        if reader is None:
            return broken_link(request, room)
        answer = data_file(own_data(connection, reader))
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@router.get("/preferences/{token}/erase", include_in_schema=False)
def ask(request: Request, room: Room, token: str) -> Response:
    """Say what will be forgotten, and show a button: programs that open every link erase nobody."""
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
    if reader is None:
        return broken_link(request, room)
    return secret_page(request, room, "web/erase.html", reader=reader, token=token)


@router.post("/preferences/{token}/erase", include_in_schema=False)
def erase(request: Request, room: Room, token: str, form: Form) -> Response:
    """Forget the reader for good."""
    with room.database.reading() as connection:
        reader = subscriber_behind(connection, room, token)
    if reader is None:
        return broken_link(request, room)
    erase_reader(room.database, room.outbox, reader.id, never_again=field(form, "never_again") == "yes", clock=room.now)
    return secret_page(request, room, "web/erased.html")
