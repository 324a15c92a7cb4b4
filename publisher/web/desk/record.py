"""Who did what, for those who answer for it."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from publisher import acts
from publisher.editors import powers, store
from publisher.errors import InputError
from publisher.web.desk.seat import AtDesk, ask_for, desk_page
from publisher.web.parts import IdInQuery, Room, number_in
from publisher.web.public.frame import house_zone

router = APIRouter()

PATH = "/desk/record"
ON_A_PAGE = 50


@router.get(PATH, include_in_schema=False)
def record(
    request: Request,
    room: Room,
    seat: AtDesk,
    *,
    before: IdInQuery = None,
    editor: str = "",
    did: Annotated[str, Query(max_length=60)] = "",
    day: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show what was done, newest first: all of it, or one editor's, or one kind, or up to a day."""
    ask_for(seat, powers.RECORD)
    with room.database.reading() as connection:
        until = _end_of(day, ZoneInfo(house_zone(connection)))
        editor_id = number_in(editor) or None
        found = acts.acts(connection, at_most=ON_A_PAGE + 1, before=before, editor_id=editor_id, did=did, until=until)
        kinds, editors = acts.kinds(connection), store.editors(connection)
    values: dict[str, Any] = {
        "acts": found[:ON_A_PAGE],
        "more": found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None,
        "is_first": before is None,
        "kinds": kinds,
        "editors": editors,
        "chosen": {"editor": editor, "did": did, "day": day},
    }
    return desk_page(request, room, seat, "desk/record.html", **values)


def _end_of(day: str, zone: ZoneInfo) -> datetime | None:
    """Return when a day of the house is over. Raises InputError."""
    if not day:
        return None
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), tzinfo=zone)
    except (ValueError, OverflowError):
        raise InputError("This is no day, such as 2026-06-02.", "day") from None
