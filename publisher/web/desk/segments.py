"""Segments at the desk: who belongs to one is put together in a form, and counted before anything is stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from slugify import slugify
from sqlalchemy.engine import Connection
from starlette.datastructures import FormData

from publisher.audience import segment_store as store
from publisher.audience import segments
from publisher.audience import store as audience
from publisher.audience.segments import Conditions, Segment
from publisher.compose import store as compose
from publisher.editors import powers
from publisher.errors import InputError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.pages import language_name
from publisher.web.parts import Form, Room, field, fields
from publisher.wiring import Newsroom

router = APIRouter()

TEXTS = ("name", "languages", "countries", "time_zones", "topics", "joined_after", "joined_before", "clicked")
LISTED = ("languages", "countries", "time_zones", "topics")


@dataclass(frozen=True, kw_only=True)
class ShownSegment:
    """A segment in words, with the editions that go to it."""

    segment: Segment
    told: tuple[str, ...]
    editions: tuple[str, ...]
    """Their names."""


@router.get("/desk/segments", include_in_schema=False)
def all_segments(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show the segments, and who goes to them."""
    with room.database.reading() as connection:
        found = [_shown(connection, each) for each in store.segments_saved(connection)]
    return desk_page(request, room, seat, "desk/segments.html", segments=found, may_change=seat.may(powers.AUDIENCE))


@router.get("/desk/segments/new", include_in_schema=False)
def new_segment(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show an empty form."""
    ask_for(seat, powers.AUDIENCE)
    return _page(request, room, seat, typed=_written("", Conditions()))


@router.post("/desk/segments/count", include_in_schema=False)
def count(room: Room, seat: Sender, form: Form) -> Response:
    """Say in one line how many readers a form as it stands would hold; nothing is stored."""
    ask_for(seat, powers.AUDIENCE)
    try:
        return PlainTextResponse(_counted(room, _conditions(form)))
    except InputError as problem:
        return PlainTextResponse(problem.problem, status_code=422)


@router.post("/desk/segments/new", include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Store a new segment, or only count it; what is wrong with it is said, and nothing is stored."""
    ask_for(seat, powers.AUDIENCE)
    try:
        conditions = _conditions(form)
        if field(form, "count"):
            return _page(request, room, seat, typed=_typed(form), counted=_counted(room, conditions))
        name = segments.clean_segment_name(field(form, "name"))
        with room.database.transaction() as connection:
            slug = _free_slug(connection, name)
            store.add_segment(connection, slug=slug, name=name, conditions=conditions, now=room.now())
    except InputError as problem:
        return _page(request, room, seat, typed=_typed(form), problem=problem)
    return go(seat, f"/desk/segments/{slug}", Said.SEGMENT_ADDED)


@router.get("/desk/segments/{slug}", include_in_schema=False)
def one_segment(request: Request, room: Room, seat: AtDesk, slug: str) -> Response:
    """Show one segment with its form."""
    with room.database.reading() as connection:
        found = store.segment_named(connection, slug)
    return _page(request, room, seat, typed=_written(found.name, found.conditions), slug=slug)


@router.post("/desk/segments/{slug}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, slug: str) -> Response:
    """Store who belongs to it from now on, or only count; what is wrong is said, and nothing changes."""
    ask_for(seat, powers.AUDIENCE)
    try:
        conditions = _conditions(form)
        if field(form, "count"):
            return _page(request, room, seat, typed=_typed(form), slug=slug, counted=_counted(room, conditions))
        name = segments.clean_segment_name(field(form, "name"))
        with room.database.transaction() as connection:
            store.change_segment(connection, slug, name=name, conditions=conditions)
    except InputError as problem:
        return _page(request, room, seat, typed=_typed(form), slug=slug, problem=problem)
    return go(seat, f"/desk/segments/{slug}", Said.SEGMENT_CHANGED)


@router.post("/desk/segments/{slug}/remove", include_in_schema=False)
def remove(room: Room, seat: Sender, slug: str) -> Response:
    ask_for(seat, powers.AUDIENCE)
    with room.database.transaction() as connection:
        compose.remove_segment(connection, store.segment_named(connection, slug))
    return go(seat, "/desk/segments", Said.SEGMENT_REMOVED)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    typed: Mapping[str, Any],
    slug: str = "",
    counted: str = "",
    problem: InputError | None = None,
) -> Response:
    with room.database.reading() as connection:
        stored = store.segment_named(connection, slug) if slug else None
        values: dict[str, Any] = {
            "shown": _shown(connection, stored) if stored else None,
            "mailing_lists": audience.mailing_lists(connection),
        }
    values |= {
        "typed": typed,
        "counted": counted,
        "problem": problem.problem if problem else "",
        "wrong": problem.where if problem else "",
        "may_change": seat.may(powers.AUDIENCE),
    }
    return desk_page(request, room, seat, "desk/segment.html", status=422 if problem else 200, **values)


def _counted(room: Newsroom, conditions: Conditions) -> str:
    with room.database.reading() as connection:
        found = store.count(connection, conditions, now=room.now())
    if found >= store.COUNTED_AT_MOST:
        return f"{found:,} subscribers or more"
    return "1 subscriber" if found == 1 else f"{found:,} subscribers"


def _shown(connection: Connection, found: Segment) -> ShownSegment:
    lists = {each.slug: each.name for each in audience.mailing_lists(connection)}
    return ShownSegment(
        segment=found,
        told=tuple(_told(found.conditions, lists)),
        editions=tuple(each.name for each in compose.editions(connection) if each.segment_id == found.id),
    )


def _told(conditions: Conditions, lists: Mapping[str, str]) -> list[str]:
    """Return conditions in words, one line each."""
    told = []
    for name, values in (
        ("Language", [language_name(each) for each in conditions.languages]),
        ("Country", list(conditions.countries)),
        ("Time zone", list(conditions.time_zones)),
        ("Topic", list(conditions.topics)),
        ("Also on", [lists.get(each, each) for each in conditions.mailing_lists]),
    ):
        if values:
            told.append(f"{name}: {' or '.join(values)}")
    if conditions.joined_after:
        told.append(f"Joined on or after {conditions.joined_after:%-d %B %Y}")
    if conditions.joined_before:
        told.append(f"Joined before {conditions.joined_before:%-d %B %Y}")
    if conditions.clicked_within_days:
        days = conditions.clicked_within_days
        told.append(f"Followed a link in the last {'day' if days == 1 else f'{days} days'}")
    return told


def _free_slug(connection: Connection, name: str) -> str:
    """Return a short name made of the long one, with a number where it is taken."""
    wanted = slugify(name)[:60].strip("-") or "segment"
    taken = {each.slug for each in store.segments_saved(connection)} | {"new", "count"}
    numbered = (f"{wanted}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (wanted, *numbered) if each not in taken)


# --- the form


def _typed(form: FormData) -> dict[str, Any]:
    return {name: field(form, name) for name in TEXTS} | {"mailing_lists": fields(form, "mailing_lists")}


def _written(name: str, conditions: Conditions) -> dict[str, Any]:
    """Return a segment as its form shows it."""
    days = conditions.clicked_within_days
    return {each: ", ".join(getattr(conditions, each)) for each in LISTED} | {
        "name": name,
        "joined_after": conditions.joined_after.isoformat() if conditions.joined_after else "",
        "joined_before": conditions.joined_before.isoformat() if conditions.joined_before else "",
        "clicked": str(days) if days else "",
        "mailing_lists": conditions.mailing_lists,
    }


def _conditions(form: FormData) -> Conditions:
    """Raises InputError with the field."""
    listed = {name: tuple(re.split(r"[\n,;]+", field(form, name))) for name in LISTED}
    return segments.checked(
        Conditions(
            **listed,
            mailing_lists=tuple(fields(form, "mailing_lists")),
            joined_after=_day(form, "joined_after"),
            joined_before=_day(form, "joined_before"),
            clicked_within_days=_days(field(form, "clicked")),
        )
    )


def _day(form: FormData, name: str) -> date | None:
    text = field(form, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputError("This is no day, such as 2026-06-02.", name) from None


def _days(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"This takes a whole number from 1 to {segments.DAYS_AT_MOST:,}.", "clicked_within_days")
    return int(text[:9])
