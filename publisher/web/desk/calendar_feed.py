"""An editor's calendar for her own calendar program: what went out, what waits, and the slots to come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from fastapi import APIRouter, HTTPException, Request, Response
from icalendar import Calendar, Event
from sqlalchemy.engine import Connection

from publisher.compose import store, timetable
from publisher.compose.model import Edition, Issue, IssueState
from publisher.editors.calendar_keys import calendar_reader
from publisher.settings import Settings
from publisher.web.desk.issues import title_of
from publisher.web.pages import conditional
from publisher.web.parts import Room

router = APIRouter()

PATH = "/calendar"
BACK = timedelta(days=60)
AHEAD = timedelta(days=90)
MOST = 500
LASTS = timedelta(minutes=15)
AGAIN = timedelta(minutes=15)
"""How often a calendar program should look, if it asks."""
PROGRAM = "-//Publisher//Desk//EN"


@router.get(f"{PATH}/{{key}}.ics", include_in_schema=False)
def calendar_feed(request: Request, room: Room, key: str) -> Response:
    """
    Return the calendar that a key opens; no address of a reader is in it.

    Source:
        RFC 5545; RFC 7986, section 5.7 (REFRESH-INTERVAL).

    """
    with room.database.reading() as connection:
        if calendar_reader(connection, key) is None:
            raise HTTPException(404)
        found = _calendar(connection, room.settings, room.now())
    response = Response(found.to_ical(), media_type="text/calendar")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return conditional(request, response)


def _calendar(connection: Connection, settings: Settings, now: datetime) -> Calendar:
    made = Calendar()
    made.add("prodid", PROGRAM)
    made.add("version", "2.0")
    made.add("name", settings.site_name)
    made.add("x-wr-calname", settings.site_name)
    made.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    editions = {each.id: each for each in store.editions(connection)}
    found = [
        *store.approved_between(connection, now - BACK, now, at_most=MOST),
        *store.scheduled(connection, until=now + AHEAD, at_most=MOST),
    ]
    for each in found:
        edition = editions[each.edition_id]
        made.add_component(_issue(each, edition, title_of(connection, edition, each), settings))
    for edition in editions.values():
        for event in _slots(connection, edition, settings, now):
            made.add_component(event)
    return made


def _issue(found: Issue, edition: Edition, title: str, settings: Settings) -> Event:
    at = found.approved_at or found.goes_at or found.created_at
    state = "scheduled" if found.state is IssueState.SCHEDULED else "sent"
    event = _event(f"issue-{found.id}", f"{edition.name}: {title} ({state})", at, settings)
    event.add("dtstamp", found.approved_at or found.created_at)
    event.add("url", f"{settings.base_url}/desk/issues/{found.id}")
    event.add("status", "CONFIRMED")
    return event


def _slots(connection: Connection, edition: Edition, settings: Settings, now: datetime) -> Iterator[Event]:
    """Yield an edition's slots to come; one that was moved keeps its name, so that other calendars move it too."""
    for slot in timetable.slots(connection, edition, now, now + AHEAD):
        assert slot.at is not None
        named = f"slot-{edition.slug}-{slot.planned_at:%Y%m%dT%H%M}"
        event = _event(named, f"{edition.name}: next issue", slot.at, settings)
        event.add("dtstamp", slot.planned_at - AHEAD)  # the same each time it is told, so that the whole stays the same
        event.add("url", f"{settings.base_url}/desk/editions/{edition.slug}")
        event.add("status", "TENTATIVE")
        yield event


def _event(uid: str, summary: str, at: datetime, settings: Settings) -> Event:
    event = Event()
    event.add("uid", f"{uid}@{settings.domain}")
    event.add("summary", summary)
    event.add("dtstart", at.replace(microsecond=0))
    event.add("duration", LASTS)
    event.add("transp", "TRANSPARENT")
    return event
