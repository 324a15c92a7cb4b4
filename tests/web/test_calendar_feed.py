"""An editor's calendar in her own calendar program."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from publisher.archive.model import ArticleId
from publisher.compose import flow, store
from publisher.compose.cadence import parse
from publisher.compose.model import IssueId
from publisher.editors import staff
from publisher.editors import store as editors
from publisher.editors.calendar_keys import make_calendar_key
from publisher.editors.model import EditorId, Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import Visit, hire, sign_in
from tests.web.pages import elements, fill


@pytest.fixture
def address(web: TestClient, room: Newsroom) -> str:
    """The calendar of an editor in a newsroom with two back issues and a weekly edition."""
    assert web
    fill(room)
    return f"/calendar/{make_calendar_key(room.database, hire(room))}.ics"


def events(web: TestClient, address: str) -> dict[str, str]:
    answer = web.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    found = Calendar.from_ical(answer.content)
    return {str(each["UID"]).partition("@")[0]: str(each["SUMMARY"]) for each in found.walk("VEVENT")}


def test_it_holds_what_went_out_and_the_slots_to_come(web: TestClient, room: Newsroom, address: str) -> None:
    found = events(web, address)

    assert {"issue-1", "issue-2"} <= found.keys()
    assert found["issue-1"].startswith("The Weekly: ")
    assert found["issue-1"].endswith("(sent)")
    with room.database.reading() as connection:
        weekly = store.edition_named(connection, "weekly")
    assert weekly.cadence == parse("fri 07:00 Asia/Seoul")
    assert sum(each.startswith("slot-weekly-") for each in found) in {12, 13}


def test_a_moved_issue_is_the_same_event_at_another_time(web: TestClient, room: Newsroom, address: str) -> None:
    draft = flow.draft_issue(room.database, room.settings, "weekly", article_ids=[_first(room)], clock=room.now)
    later = room.now().replace(microsecond=0) + timedelta(days=3)
    flow.approve(room.database, room.settings, draft.id, goes_at=later, clock=room.now)
    before = _start(web, address, draft.id)
    flow.move(room.database, draft.id, later + timedelta(days=1), clock=room.now)

    assert (before, _start(web, address, draft.id)) == (later, later + timedelta(days=1))


def test_it_is_well_formed_and_asked_for_cheaply(web: TestClient, address: str) -> None:
    answer = web.get(address)
    again = web.get(address, headers={"If-None-Match": answer.headers["ETag"]})

    lines = answer.content.split(b"\r\n")
    assert (lines[0], lines[-2]) == (b"BEGIN:VCALENDAR", b"END:VCALENDAR")
    assert max(len(each) for each in lines) <= 75, "RFC 5545, section 3.1"
    assert again.status_code == 304
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert b"@readers.example" not in answer.content


def test_a_new_address_ends_the_old_one(web: TestClient, room: Newsroom) -> None:
    fill(room)
    visit = sign_in(web, room, Role.EDITOR)
    first, second = _made(visit), _made(visit)

    assert first != second
    assert (web.get(first).status_code, web.get(second).status_code) == (404, 200)
    assert "You have one" in visit.get("/desk/me").text


def test_who_is_shut_out_has_no_calendar(web: TestClient, room: Newsroom, address: str) -> None:
    other = hire(room, email="other@desk.example")
    staff.disable_editor(room.database, _only(room, other), clock=room.now)

    assert web.get(address).status_code == 404
    assert web.get("/calendar/wrong.ics").status_code == 404


def _made(visit: Visit) -> str:
    page = visit.post("/desk/me/calendar")
    (field,) = elements(page.text, "input", id="calendar-url")
    return (field.get("value") or "").removeprefix(visit.room.settings.base_url)


def _first(room: Newsroom) -> ArticleId:
    with room.database.reading() as connection:
        return store.issue_of(connection, IssueId(1)).article_ids[0]


def _start(web: TestClient, address: str, issue_id: IssueId) -> object:
    (found,) = [
        each
        for each in Calendar.from_ical(web.get(address).content).walk("VEVENT")
        if str(each["UID"]).startswith(f"issue-{issue_id}@")
    ]
    return found.decoded("DTSTART")


def _only(room: Newsroom, other: EditorId) -> EditorId:
    """The editor who is not this one."""
    with room.database.reading() as connection:
        return next(each.id for each in editors.editors(connection) if each.id != other)
