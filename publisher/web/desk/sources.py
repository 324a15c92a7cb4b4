"""Sources at the desk: newsrooms' own feeds that we read."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience.rules import clean_line
from publisher.bell import Job
from publisher.editors import powers
from publisher.errors import ConflictError, InputError
from publisher.intake import polling
from publisher.intake.model import SourceId
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

SOURCES = "/desk/sources"
FIELDS = ("url", "name", "minutes", "topics")
NAME_AT_MOST = 200
USUAL_MINUTES = str(polling.USUAL_S // 60)


@router.get(SOURCES, include_in_schema=False)
def sources(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show what is read, how it went last, and a form for another one."""
    return _page(request, room, seat)


@router.post(SOURCES, include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Read a feed from now on; what is wrong with it is said, and nothing is stored."""
    ask_for(seat, powers.SOURCES)
    typed = {name: field(form, name) for name in FIELDS}
    try:
        polling.add_source(
            room.database,
            room.settings,
            typed["url"],
            name=clean_line(typed["name"], NAME_AT_MOST),
            every_s=_minutes(typed["minutes"]) * 60,
            topics=tuple(filter(None, map(str.strip, re.split(r"[,;]", typed["topics"])))),
            clock=room.now,
        )
    except (InputError, ConflictError) as problem:
        return _page(request, room, seat, typed=typed, problem=str(problem))
    room.bell.ring(Job.POLL)
    return go(seat, SOURCES, Said.SOURCE_ADDED)


@router.post(f"{SOURCES}/{{source_id}}/read", include_in_schema=False)
def read_now(room: Room, seat: Sender, source_id: IdInPath) -> Response:
    """Read a source at the next moment a worker has."""
    polling.make_due(room.database, SourceId(source_id), clock=room.now)
    room.bell.ring(Job.POLL)
    return go(seat, SOURCES, Said.SOURCE_READ)


@router.post(f"{SOURCES}/{{source_id}}/remove", include_in_schema=False)
def remove(room: Room, seat: Sender, source_id: IdInPath) -> Response:
    """Read a source no longer."""
    ask_for(seat, powers.SOURCES)
    polling.remove_source(room.database, SourceId(source_id))
    return go(seat, SOURCES, Said.SOURCE_REMOVED)


def _page(
    request: Request, room: Newsroom, seat: Seat, *, typed: Mapping[str, str] | None = None, problem: str = ""
) -> Response:
    values: dict[str, Any] = {
        "sources": polling.sources(room.database),
        "typed": typed or dict.fromkeys(FIELDS, "") | {"minutes": USUAL_MINUTES},
        "is_typed": typed is not None,
        "problem": problem,
        "may_change": seat.may(powers.SOURCES),
    }
    return desk_page(request, room, seat, "desk/sources.html", status=422 if problem else 200, **values)


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= 24 * 60):
        raise InputError("A source is read every 1 to 1,440 minutes.")
    return int(text)
