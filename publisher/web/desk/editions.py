import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.audience import store as audience
from publisher.audience.model import MailingList
from publisher.audience.segment_store import segments_saved
from publisher.audience.segments import Segment, SegmentId
from publisher.compose import cadence, flow, store, timetable
from publisher.compose.arrival import check_arrival
from publisher.compose.looks import check_look
from publisher.compose.model import Approval, Arrival, Cadence, Edition, InDoubt, Tracking
from publisher.compose.text import SLOTS
from publisher.editors import powers
from publisher.errors import InputError
from publisher.rendering import furniture_language, languages
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.pages import language_name
from publisher.web.parts import Form, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

NEXT = 3
LATELY = 10
NAME_AT_MOST = 200
ARTICLES_AT_MOST = 100
HOURS_AT_MOST = 24 * 365
FIELDS = (
    "name",
    "cadence",
    "approval",
    "at_least",
    "at_most",
    "stale_after_hours",
    "tracking",
    "in_doubt",
    "arrival",
    "segment",
    "is_active",
    "subject",
    "language",
    "accent",
    "logo",
    "footer",
    "languages",
)

Word = TypeVar("Word", bound=StrEnum)


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
    return desk_page(request, room, seat, "desk/editions.html", editions=found, may_change=seat.may(powers.EDITIONS))


@router.get("/desk/editions/{slug}", include_in_schema=False)
def edition(request: Request, room: Room, seat: AtDesk, slug: str) -> Response:
    """Show one edition with its rules and its last issues."""
    return _page(request, room, seat, slug)


@router.post("/desk/editions/{slug}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, slug: str) -> Response:
    """Store an edition's new rules; what is wrong with them is said, and nothing changes."""
    ask_for(seat, powers.EDITIONS)
    typed = {name: field(form, name) for name in FIELDS}
    try:
        with room.database.transaction() as connection:
            saved = segments_saved(connection)
            store.change_edition(connection, _changed(store.edition_named(connection, slug), typed, saved))
    except InputError as problem:
        return _page(request, room, seat, slug, typed=typed, problem=problem)
    return go(seat, f"/desk/editions/{slug}", Said.CHANGED)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    slug: str,
    *,
    typed: dict[str, str] | None = None,
    problem: InputError | None = None,
) -> Response:
    with room.database.reading() as connection:
        (found,) = _shown(connection, [store.edition_named(connection, slug)], room.now())
        issues = store.issues(connection, at_most=LATELY, edition_id=found.edition.id)
        saved = segments_saved(connection)
        values: dict[str, Any] = {"shown": found, "issues": shown_issues(connection, issues), "segments": saved}
        has_articles = flow.has_articles(connection, found.edition, now=room.now())
    segment = next((each for each in saved if each.id == found.edition.segment_id), None)
    values |= {
        "segment": segment,
        "typed": typed or _written(found.edition) | {"segment": segment.slug if segment else ""},
        "furniture": [(each, language_name(each)) for each in languages()],
        "slots": SLOTS,
        "has_articles": has_articles,
        "is_typed": typed is not None,
        "problem": f"{problem.problem} Nothing has been changed." if problem else "",
        "wrong": problem.where if problem else "",
        "may_change": seat.may(powers.EDITIONS),
    }
    return desk_page(request, room, seat, "desk/edition.html", status=422 if problem else 200, **values)


def _written(found: Edition) -> dict[str, str]:
    """Return an edition's rules as its form shows them."""
    return {
        "name": found.name,
        "cadence": cadence.describe(found.cadence) if found.cadence else "",
        "approval": found.approval,
        "at_least": str(found.at_least),
        "at_most": str(found.at_most),
        "stale_after_hours": f"{found.stale_after / timedelta(hours=1):g}",
        "tracking": found.tracking,
        "in_doubt": found.in_doubt,
        "arrival": found.arrival,
        "is_active": "yes" if found.is_active else "",
        "subject": found.subject,
        "language": furniture_language(found.language),
        "accent": found.accent,
        "logo": found.logo,
        "footer": found.footer,
        "languages": ", ".join(found.languages),
    }


def _changed(found: Edition, typed: dict[str, str], saved: Sequence[Segment]) -> Edition:
    """Return an edition with the rules of its form. Raises InputError with the field."""
    if not typed["name"] or len(typed["name"]) > NAME_AT_MOST:
        raise InputError(f"An edition needs a name of at most {NAME_AT_MOST} characters.", "name")
    at_least = _number(typed, "at_least", at_most=ARTICLES_AT_MOST)
    at_most = _number(typed, "at_most", at_most=ARTICLES_AT_MOST)
    if at_least > at_most:
        raise InputError("An issue cannot need more articles than it may have.", "at_least")
    changed = replace(
        found,
        name=typed["name"],
        cadence=_cadence(typed["cadence"]),
        approval=_one_of(Approval, typed, "approval"),
        at_least=at_least,
        at_most=at_most,
        stale_after=timedelta(hours=_number(typed, "stale_after_hours", at_most=HOURS_AT_MOST)),
        tracking=_one_of(Tracking, typed, "tracking"),
        in_doubt=_one_of(InDoubt, typed, "in_doubt"),
        arrival=_one_of(Arrival, typed, "arrival"),
        segment_id=_segment_id(typed["segment"], saved),
        is_active=bool(typed["is_active"]),
        subject=typed["subject"],
        language=typed["language"],
        accent=typed["accent"],
        logo=typed["logo"],
        footer=typed["footer"].replace("\r\n", "\n"),
        languages=tuple(filter(None, re.split(r"[\s,;]+", typed["languages"]))),
    )
    check_look(changed)
    check_arrival(changed)
    return changed


def _segment_id(slug: str, saved: Sequence[Segment]) -> SegmentId | None:
    found = {each.slug: each.id for each in saved}
    if slug and slug not in found:
        raise InputError("There is no such segment any more; choose one of what is offered.", "segment")
    return found[slug] if slug else None


def _cadence(text: str) -> Cadence | None:
    try:
        return cadence.parse(text) if text else None
    except InputError as wrong:
        raise InputError(wrong.problem[:1].upper() + wrong.problem[1:] + ".", "cadence") from None


def _number(typed: dict[str, str], name: str, *, at_most: int) -> int:
    text = typed[name]
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= at_most):
        raise InputError(f"This takes a whole number from 1 to {at_most:,}.", name)
    return int(text)


def _one_of(kinds: type[Word], typed: dict[str, str], name: str) -> Word:
    if typed[name] not in set(kinds):
        raise InputError("Choose one of what is offered.", name)
    return kinds(typed[name])


def _shown(connection: Connection, found: list[Edition], now: datetime) -> list[ShownEdition]:
    lists = {each.id: each for each in audience.mailing_lists(connection)}
    readers = audience.confirmed_counts(connection)
    return [
        ShownEdition(
            edition=each,
            mailing_list=lists[each.mailing_list_id],
            readers=readers.get(each.mailing_list_id, 0),
            when=cadence.describe(each.cadence) if each.cadence else "",
            slots=_next_slots(connection, each, now),
        )
        for each in found
    ]


def _next_slots(connection: Connection, found: Edition, now: datetime) -> tuple[datetime, ...]:
    slots: list[datetime] = []
    while len(slots) < NEXT and (slot := timetable.next_slot(connection, found, slots[-1] if slots else now)):
        slots.append(slot)
    return tuple(slots)
