from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience import store as audience
from publisher.compose import cadence, store
from publisher.compose.model import Edition
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.parts import Room

router = APIRouter()

NEXT = 3
LATELY = 10


@router.get("/desk/editions", include_in_schema=False)
def editions(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show what is published again and again, to whom and when next."""
    with room.database.reading() as connection:
        found = store.editions(connection)
        lists = {each.id: each for each in audience.mailing_lists(connection)}
        readers = audience.confirmed_counts(connection)
    values: dict[str, Any] = {
        "editions": [(each, lists[each.mailing_list_id], _when(each)) for each in found],
        "next": {each.id: _next(each, room) for each in found},
        "readers": readers,
    }
    return desk_page(request, room, seat, "desk/editions.html", **values)


@router.get("/desk/editions/{slug}", include_in_schema=False)
def edition(request: Request, room: Room, seat: AtDesk, slug: str) -> Response:
    with room.database.reading() as connection:
        found = store.edition_named(connection, slug)
        lists = {each.id: each for each in audience.mailing_lists(connection)}
        issues = shown_issues(connection, store.issues(connection, at_most=LATELY, edition_id=found.id))
        readers = audience.confirmed_counts(connection).get(lists[found.mailing_list_id].id, 0)
    values: dict[str, Any] = {
        "edition": found,
        "mailing_list": lists[found.mailing_list_id],
        "when": _when(found),
        "next": _next(found, room),
        "issues": issues,
        "readers": readers,
    }
    return desk_page(request, room, seat, "desk/edition.html", **values)


def _when(found: Edition) -> str:
    return cadence.describe(found.cadence) if found.cadence else ""


def _next(found: Edition, room: Room) -> list[object]:
    if found.cadence is None or not found.is_active:
        return []
    slots, after = [], room.now()
    for _ in range(NEXT):
        after = cadence.next_slot(found.cadence, after)
        slots.append(after)
    return list(slots)
