"""The calendar: what went out, what waits, and the slots to come, by the day of a time zone that the editor picks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.compose import flow, store, timetable
from publisher.compose.due import AN_INSTANT
from publisher.compose.model import Edition, Issue, IssueId, IssueState
from publisher.compose.timetable import Slot, Turn
from publisher.editors import powers
from publisher.errors import InputError, PublisherError
from publisher.web.desk.issues import ShownIssue, shown_issues
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field
from publisher.web.public.frame import house_zone
from publisher.wiring import Newsroom

router = APIRouter()

CALENDAR = "/desk/calendar"
ASKED = ("view", "on", "zone")
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)
MOST = 300
"""Issues of each state on one page; where there are more, the page says so."""
SAID = {Turn.MOVE: Said.SLOT_MOVED, Turn.LEAVE_OUT: Said.SLOT_LEFT_OUT, Turn.PUT_BACK: Said.SLOT_PUT_BACK}
ENDED = (IssueState.CANCELLED, IssueState.SKIPPED)
YEARS = range(1990, 2101)


@dataclass(frozen=True, kw_only=True)
class Span:
    """The days that a page shows."""

    view: str
    on: date
    zone: ZoneInfo

    @property
    def first(self) -> date:
        """A Monday."""
        start = self.on if self.view == "week" else self.on.replace(day=1)
        return start - timedelta(days=start.weekday())

    @property
    def days(self) -> list[date]:
        if self.view == "week":
            return [self.first + step * A_DAY for step in range(7)]
        last = self.after - A_DAY
        whole = (last - self.first).days + 7 - last.weekday()
        return [self.first + step * A_DAY for step in range(whole)]

    @property
    def before(self) -> date:
        return self.on - A_WEEK if self.view == "week" else (self.on.replace(day=1) - A_DAY).replace(day=1)

    @property
    def after(self) -> date:
        return self.on + A_WEEK if self.view == "week" else (self.on.replace(day=1) + 32 * A_DAY).replace(day=1)

    @property
    def start(self) -> datetime:
        return self._midnight(self.days[0])

    @property
    def end(self) -> datetime:
        return self._midnight(self.days[-1] + A_DAY)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What stands on a day: an issue, or a slot that will make one."""

    at: datetime
    """In the editor's zone."""
    edition: Edition
    shown: ShownIssue | None = None
    slot: Slot | None = None


@router.get(CALENDAR, include_in_schema=False)
def calendar(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show a week or a month."""
    return _page(request, room, seat, {name: request.query_params.get(name, "") for name in ASKED})


@router.post(CALENDAR + "/{issue_id}", include_in_schema=False)
def move(request: Request, room: Room, seat: Sender, form: Form, issue_id: IdInPath) -> Response:
    """Give a scheduled issue another time, typed in the zone of the page."""
    ask_for(seat, powers.SENDING)
    asked = {name: field(form, name) for name in ASKED}
    try:
        goes_at = _typed(f"{field(form, 'day')}T{field(form, 'time')}", _zone(asked["zone"]))
        flow.move(room.database, IssueId(issue_id), goes_at, clock=room.now)
    except InputError as problem:
        return _page(request, room, seat, asked, status=422, problem=str(problem))
    except PublisherError as problem:
        return _page(request, room, seat, asked, status=409, problem=str(problem))
    answer = go(seat, CALENDAR, Said.MOVED)
    answer.headers["Location"] += "&" + urlencode(asked)
    return answer


@router.post(CALENDAR + "/slots/{slug}", include_in_schema=False)
def turn_slot(request: Request, room: Room, seat: Sender, form: Form, slug: str) -> Response:
    """Move one slot of an edition, leave it out, or put it back; dragging moves it."""
    ask_for(seat, powers.SENDING)
    asked = {name: field(form, name) for name in ASKED}
    try:
        zone, planned_at = _zone(asked["zone"]), _typed(field(form, "slot"), ZoneInfo("UTC"))
        what = Turn(field(form, "do")) if field(form, "do") in set(Turn) else Turn.MOVE
        to = _typed(f"{field(form, 'day')}T{field(form, 'time')}", zone) if what is Turn.MOVE else None
        timetable.turn(room.database, slug, planned_at, what, to=to, clock=room.now)
    except InputError as problem:
        return _page(request, room, seat, asked, status=422, problem=str(problem))
    except PublisherError as problem:
        return _page(request, room, seat, asked, status=409, problem=str(problem))
    answer = go(seat, CALENDAR, SAID[what])
    answer.headers["Location"] += "&" + urlencode(asked)
    return answer


def _page(
    request: Request, room: Newsroom, seat: Seat, asked: Mapping[str, str], *, status: int = 200, problem: str = ""
) -> Response:
    now = room.now()
    with room.database.reading() as connection:
        house = house_zone(connection)
        try:
            zone = _zone(asked["zone"] or house)
        except InputError as unknown:
            zone, status, problem = ZoneInfo(house), max(status, 422), problem or str(unknown)
        span = Span(view="week" if asked["view"] == "week" else "month", on=_day(asked["on"], now, zone), zone=zone)
        editions = store.editions(connection)
        issues, is_cut = _issues(connection, span)
        entries = [*issues, *_slots(connection, editions, span, now)]
    values: dict[str, Any] = {
        "span": span,
        "days": _by_day(span, entries),
        "today": now.astimezone(zone).date(),
        "zones": sorted({house, "UTC", *(each.cadence.time_zone for each in editions if each.cadence)}),
        "may_move": seat.may(powers.SENDING),
        "problem": problem,
        "most": MOST if is_cut else 0,
    }
    return desk_page(request, room, seat, "desk/calendar.html", status=status, **values)


def _issues(connection: Connection, span: Span) -> tuple[list[Entry], bool]:
    """Return the issues of a span: gone, waiting, drafted or ended without going; and whether some may be missing."""
    kinds = [
        store.approved_between(connection, span.start, span.end, at_most=MOST),
        store.scheduled(connection, until=span.end, at_most=MOST),
        *(store.issues(connection, at_most=MOST, states=[each]) for each in (IssueState.DRAFT, *ENDED)),
    ]
    within = [each for found in kinds for each in found if span.start <= _instant(each) < span.end]
    entries = [
        Entry(at=_instant(each.issue).astimezone(span.zone), edition=each.edition, shown=each)
        for each in shown_issues(connection, within)
    ]
    return entries, any(len(found) == MOST for found in kinds)


def _instant(found: Issue) -> datetime:
    return found.approved_at or found.goes_at or found.slot_at or found.created_at


def _slots(connection: Connection, editions: Sequence[Edition], span: Span, now: datetime) -> Iterator[Entry]:
    """Return the slots to come, and those that are left out."""
    start = max(span.start - AN_INSTANT, now)
    for edition in editions:
        for slot in timetable.all_slots(connection, edition, start, span.end - AN_INSTANT):
            yield Entry(at=(slot.at or slot.planned_at).astimezone(span.zone), edition=edition, slot=slot)


def _by_day(span: Span, entries: Sequence[Entry]) -> list[tuple[date, list[Entry]]]:
    days: dict[date, list[Entry]] = {day: [] for day in span.days}
    for entry in sorted(entries, key=lambda each: (each.at.astimezone(UTC), each.edition.id)):
        days[entry.at.date()].append(entry)
    return list(days.items())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problem = f"{name!r} is not a time zone; write one like Asia/Seoul, Europe/Paris or UTC."
        raise InputError(problem, "zone") from None


def _day(typed: str, now: datetime, zone: ZoneInfo) -> date:
    """Return the day that an address names, or today where it names none."""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = None
    return day if day and day.year in YEARS else now.astimezone(zone).date()


def _typed(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError("This is no date and time, such as 2026-06-02T08:00.", "goes_at") from None
