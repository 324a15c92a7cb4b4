"""What an editor chooses for herself."""

from fastapi import APIRouter, Request, Response

from publisher.editors import flow
from publisher.errors import InputError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, Room, field
from publisher.web.public.preferences import time_zones
from publisher.wiring import Newsroom

router = APIRouter()


@router.get("/desk/me", include_in_schema=False)
def me(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat)


@router.post("/desk/me", include_in_schema=False)
def choose(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Keep the time zone in which this editor reads the desk's times."""
    try:
        flow.choose_time_zone(room.database, seat.editor.id, field(form, "time_zone"))
    except InputError as problem:
        return _page(request, room, seat, status=422, problem=str(problem))
    return go(seat, "/desk/me", Said.CHOSEN)


def _page(request: Request, room: Newsroom, seat: Seat, *, status: int = 200, problem: str = "") -> Response:
    zones = sorted({*time_zones(), *filter(None, [seat.editor.time_zone])})
    return desk_page(request, room, seat, "desk/me.html", status=status, time_zones=zones, problem=problem)
