"""One slot moved, or left out, while the cadence stays."""

from datetime import UTC, datetime, timedelta

import pytest

from publisher.compose import flow, store, timetable
from publisher.compose.model import Edition, Issue
from publisher.compose.timetable import Turn, turn
from publisher.database import Database
from publisher.errors import ConflictError, InputError, NotFoundError
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.desk.visits import Visit, must_be_harmless, notes

DAY = timedelta(days=1)
WEEK = 7 * DAY


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def monday(room: Newsroom, weekly: Edition) -> datetime:
    """The next slot, Monday at 08:00 in Seoul."""
    with room.database.reading() as connection:
        found = timetable.next_slot(connection, weekly, room.now() + DAY)
    assert found is not None
    return found


def issues_at(room: Newsroom, *times: datetime) -> list[Issue]:
    """What the newsroom has made of its slots after it looked at each of these times."""
    for at in times:
        flow.compose_due(room.database, room.settings, clock=Clock(at))
    with room.database.reading() as connection:
        return [each for each in reversed(store.issues(connection, at_most=20)) if each.slot_at]


def coming(database: Database, edition: Edition, after: datetime, number: int) -> list[datetime | None]:
    with database.reading() as connection:
        return [each.at for each in timetable.slots(connection, edition, after, after + number * WEEK)]


@pytest.mark.parametrize("by", [DAY, -DAY / 2])
def test_a_slot_that_was_moved_makes_one_issue_and_no_article_is_lost(
    room: Newsroom, weekly: Edition, monday: datetime, by: timedelta
) -> None:
    """Its window ends when it comes, and the next one begins there; the slot's own time passes in silence."""
    (article,) = handed_in(room.database, [a_draft()], clock=room.now)
    before = issues_at(room, monday - WEEK + timedelta(minutes=1))
    turn(room.database, "weekly", monday, Turn.MOVE, to=monday + by, clock=room.now)

    found = issues_at(room, *sorted([monday, monday + by]), monday + by + timedelta(minutes=1), monday + WEEK)[
        len(before) :
    ]

    assert [each.slot_at for each in found] == [monday + by, monday + WEEK]
    assert found[0].window
    assert found[0].window.end == monday + by
    assert [each for made in [*before, *found] for each in made.article_ids] == [article.article_id]
    assert coming(room.database, weekly, monday + WEEK, 1) == [monday + 2 * WEEK]


def test_the_first_issue_of_a_moved_slot_looks_back_to_the_slot_before(
    room: Newsroom, weekly: Edition, monday: datetime
) -> None:
    """Else it would look back to its own old time, and a week of articles would be lost."""
    turn(room.database, "weekly", monday, Turn.MOVE, to=monday + DAY, clock=room.now)
    turn(room.database, "weekly", monday + WEEK, Turn.LEAVE_OUT, clock=room.now)

    with room.database.reading() as connection:
        (slot,) = timetable.slots(connection, weekly, monday - DAY, monday + 2 * DAY)
        (later,) = timetable.slots(connection, weekly, monday + WEEK, monday + 2 * WEEK)
        assert timetable.window_start(connection, weekly, slot) == monday - WEEK
        assert timetable.window_start(connection, weekly, later) == monday


def test_a_slot_that_is_left_out_can_be_put_back(room: Newsroom, weekly: Edition, monday: datetime) -> None:
    turn(room.database, "weekly", monday, Turn.LEAVE_OUT, clock=room.now)
    without = coming(room.database, weekly, monday - DAY, 2)
    turn(room.database, "weekly", monday, Turn.PUT_BACK, clock=room.now)

    assert without == [monday + WEEK]
    assert coming(room.database, weekly, monday - DAY, 2) == [monday, monday + WEEK]


def test_slots_do_not_overtake_each_other_and_must_be_there(room: Newsroom, weekly: Edition, monday: datetime) -> None:
    assert weekly
    for to in (monday + WEEK, monday + WEEK + DAY):
        with pytest.raises(ConflictError, match="Another slot"):
            turn(room.database, "weekly", monday, Turn.MOVE, to=to, clock=room.now)
    with pytest.raises(NotFoundError):
        turn(room.database, "weekly", monday + DAY, Turn.LEAVE_OUT, clock=room.now)
    with pytest.raises(InputError):
        turn(room.database, "weekly", monday, Turn.MOVE, to=datetime(2020, 1, 1, tzinfo=UTC), clock=room.now)
    with pytest.raises(ConflictError, match="has come"):
        turn(room.database, "weekly", monday, Turn.LEAVE_OUT, clock=Clock(monday))


def test_an_editor_moves_a_slot_on_the_calendar(visit: Visit, weekly: Edition, monday: datetime) -> None:
    """Without a script it is a form; dragging sends the same without a word for the act."""
    to = monday + DAY
    asked = {"view": "week", "on": f"{monday:%Y-%m-%d}", "zone": "UTC", "slot": f"{monday:%Y-%m-%dT%H:%M:%S}"}

    moved = visit.post("/desk/calendar/slots/weekly", **asked, day=f"{to:%Y-%m-%d}", time=f"{to:%H:%M}")
    must_be_harmless(visit.get(f"/desk/calendar?on={to:%Y-%m-%d}&view=week&zone=UTC").text)
    after_moving = coming(visit.room.database, weekly, monday - DAY, 1)
    visit.post("/desk/calendar/slots/weekly", **asked, do="leave out")
    page = visit.get(f"/desk/calendar?on={monday:%Y-%m-%d}&view=week&zone=UTC").text
    refused = visit.post("/desk/calendar/slots/weekly", **asked, day="soon", time="now")

    assert moved.status_code == 303
    assert after_moving == [to]
    assert "left out" in page
    assert refused.status_code == 422
    assert len(notes(refused.text)) == 1
