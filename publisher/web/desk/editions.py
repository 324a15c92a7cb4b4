from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.audience import store as audience
from publisher.audience.model import MailingList
from publisher.compose import cadence, store
from publisher.compose.model import Edition
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.parts import Room

router = APIRouter()

NEXT = 3
LATELY = 10


@dataclass(frozen=True, kw_only=True)
class ShownEdition:
    """An edition with whom it goes to, and when."""

    edition: Edition
    mailing_list: MailingList
    readers: int
    """Confirmed subscriptions of its mailing list."""
    when: str
    slots: tuple[datetime, ...]
    """The next ones."""


@router.get("/desk/editions", include_in_schema=False)
def editions(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show what is published again and again, to whom and when next."""
    with room.database.reading() as connection:
        found = _shown(connection, store.editions(connection), room.now())
    return desk_page(request, room, seat, "desk/editions.html", editions=found)


@router.get("/desk/editions/{slug}", include_in_schema=False)
def edition(request: Request, room: Room, seat: AtDesk, slug: str) -> Response:
    """Show one edition with its rules and its last issues."""
    with room.database.reading() as connection:
        (found,) = _shown(connection, [store.edition_named(connection, slug)], room.now())
        issues = store.issues(connection, at_most=LATELY, edition_id=found.edition.id)
        values: dict[str, Any] = {"shown": found, "issues": shown_issues(connection, issues)}
    return desk_page(request, room, seat, "desk/edition.html", **values)


def _shown(connection: Connection, found: list[Edition], now: datetime) -> list[ShownEdition]:
    lists = {each.id: each for each in audience.mailing_lists(connection)}
    readers = audience.confirmed_counts(connection)
    return [
        ShownEdition(
            edition=each,
            mailing_list=lists[each.mailing_list_id],
            readers=readers.get(each.mailing_list_id, 0),
            when=cadence.describe(each.cadence) if each.cadence else "",
            slots=_next_slots(each, now),
        )
        for each in found
    ]


def _next_slots(found: Edition, now: datetime) -> tuple[datetime, ...]:
    if found.cadence is None or not found.is_active:
        return ()
    slots = [cadence.next_slot(found.cadence, now)]
    while len(slots) < NEXT:
        slots.append(cadence.next_slot(found.cadence, slots[-1]))
    return tuple(slots)
