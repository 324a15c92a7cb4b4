from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import Edition, Issue, IssueId, IssueState
from publisher.compose.tables import issue
from publisher.editors.model import Role
from publisher.web.desk import calendar
from publisher.wiring import Newsroom
from tests.web.desk.visits import Visit, form_values, must_be_harmless, notes
from tests.web.pages import elements, words

SEOUL = ZoneInfo("Asia/Seoul")


def the_issue(room: Newsroom, number: int) -> Issue:
    with room.database.reading() as connection:
        return store.issue_of(connection, IssueId(number))


def schedule(room: Newsroom, number: int, *, days: int = 2) -> datetime:
    goes_at = (room.now() + timedelta(days=days)).replace(second=0, microsecond=0)
    compose.approve(room.database, room.settings, IssueId(number), goes_at=goes_at, clock=room.now)
    return goes_at


def entries(html: str, day: str) -> str:
    """The words of one day."""
    found = [each for each in elements(html, "li") if any(part.get("datetime") == day for part in each.iter())]
    return words(found[0]) if found else ""


def test_a_slot_to_come_stands_on_its_day_in_the_zone_that_the_editor_picks(visit: Visit, weekly: Edition) -> None:
    """Monday at 08:00 in Seoul is Sunday in New York: at 18:00 in winter, at 19:00 in summer."""
    assert weekly
    soon = visit.room.now().year + 1
    january = datetime(soon, 1, 10, tzinfo=SEOUL)
    monday = january + timedelta(days=-january.weekday() % 7)
    sunday = (monday - timedelta(days=1)).date().isoformat()

    at_home = visit.get(f"/desk/calendar?on={monday.date()}&view=week&zone=Asia/Seoul").text
    abroad = visit.get(f"/desk/calendar?on={sunday}&view=week&zone=America/New_York").text

    assert "08:00 slot The Weekly" in entries(at_home, monday.date().isoformat())
    assert "18:00 slot The Weekly" in entries(abroad, sunday)
    must_be_harmless(abroad)


@pytest.mark.parametrize("view", ["week", "month"])
@pytest.mark.parametrize("on", ["2027-03-28", "2027-10-31", "2028-02-29", "0001-01-01", "9999-12-31", "soon"])
def test_each_day_is_there_once_when_clocks_change_and_where_an_address_is_odd(
    visit: Visit, view: str, on: str
) -> None:
    answer = visit.get(f"/desk/calendar?view={view}&on={on}&zone=Europe/Paris")

    days = [each.get("datetime") or "" for each in elements(answer.text, "time") if "T" not in each.get("datetime", "")]
    assert answer.status_code == 200
    assert len(days) == len(set(days))
    assert len(days) % 7 == 0
    assert days == sorted(days)


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "../etc/passwd", "<b>", "%00"])
def test_a_zone_that_is_none_is_refused_in_a_sentence(visit: Visit, zone: str) -> None:
    answer = visit.get(f"/desk/calendar?zone={zone}")

    assert answer.status_code == 422
    assert "is not a time zone" in notes(answer.text)[0]


def test_an_issue_that_was_cancelled_or_skipped_stays_on_its_day(visit: Visit, draft: int) -> None:
    """Who wonders why nothing came on a day looks there, and is told in words."""
    assert compose.cancel_draft(visit.room.database, IssueId(draft))
    day = the_issue(visit.room, draft).created_at.astimezone(SEOUL).date()

    page = visit.get(f"/desk/calendar?view=week&on={day}&zone=Asia/Seoul").text

    assert "cancelled" in entries(page, day.isoformat())


def test_a_page_that_is_full_says_that_something_may_be_missing(
    visit: Visit, draft: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = the_issue(visit.room, draft).created_at.astimezone(SEOUL).date()
    address = f"/desk/calendar?view=month&on={day}&zone=Asia/Seoul"
    assert notes(visit.get(address).text) == []

    monkeypatch.setattr(calendar, "MOST", 1)

    assert "some may be missing" in notes(visit.get(address).text)[0]


def test_a_scheduled_issue_moves_to_the_time_typed_in_the_zone_of_the_page(visit: Visit, draft: int) -> None:
    room = visit.room
    goes_at = schedule(room, draft)
    day = goes_at.astimezone(SEOUL).date()
    page = visit.get(f"/desk/calendar?view=week&on={day}&zone=Asia/Seoul").text
    values = form_values(page, f"/desk/calendar/{draft}")
    wanted = datetime.combine(day + timedelta(days=3), datetime.min.time().replace(hour=9), tzinfo=SEOUL)

    answer = visit.web.post(
        f"/desk/calendar/{draft}", data=values | {"day": f"{wanted:%Y-%m-%d}", "time": f"{wanted:%H:%M}"}
    )

    assert notes(visit.after(answer))[0].startswith("Moved.")
    assert "zone=Asia%2FSeoul" in answer.headers["Location"]
    assert the_issue(room, draft).goes_at == wanted.astimezone(UTC)
    assert the_issue(room, draft).state is IssueState.SCHEDULED


@pytest.mark.parametrize("typed", ["", "soon", "1999-01-01T08:00", "9999-12-31T23:59"])
def test_a_time_that_cannot_be_moves_nothing(visit: Visit, draft: int, typed: str) -> None:
    goes_at = schedule(visit.room, draft)

    answer = visit.post(f"/desk/calendar/{draft}", day=typed[:10], time=typed[11:], zone="UTC")

    assert answer.status_code == 422
    assert len(notes(answer.text)) == 1
    assert the_issue(visit.room, draft).goes_at == goes_at


def test_only_an_issue_that_waits_for_its_time_moves(visit: Visit, draft: int) -> None:
    tomorrow = f"{visit.room.now() + timedelta(days=1):%Y-%m-%d}"

    of_a_draft = visit.post(f"/desk/calendar/{draft}", day=tomorrow, time="08:00", zone="UTC")
    compose.approve(visit.room.database, visit.room.settings, IssueId(draft), clock=visit.room.now)
    of_one_gone = visit.post(f"/desk/calendar/{draft}", day=tomorrow, time="08:00", zone="UTC")

    assert (of_a_draft.status_code, of_one_gone.status_code) == (409, 409)
    assert the_issue(visit.room, draft).goes_at is None
    assert str(draft) in notes(of_one_gone.text)[0]


def test_what_a_scheduled_issue_carries_is_not_in_the_issue_of_the_next_slot_too(
    visit: Visit, weekly: Edition, draft: int
) -> None:
    room, slot = visit.room, visit.room.now()
    with room.database.transaction() as connection:
        stood = sa.update(issue).where(issue.c.id == draft)
        connection.execute(stood.values(slot_at=slot, window_start=slot - timedelta(days=7), window_end=slot))
    schedule(room, draft, days=30)

    with room.database.reading() as connection:
        assert store.last_window_end(connection, weekly.id) == slot


def test_moving_takes_the_role_of_chief(visit: Visit, visit_as: Callable[[Role], Visit], draft: int) -> None:
    goes_at = schedule(visit.room, draft)
    editor = visit_as(Role.EDITOR)

    answer = editor.post(
        f"/desk/calendar/{draft}", day=f"{goes_at + timedelta(days=1):%Y-%m-%d}", time="08:00", zone="UTC"
    )

    assert answer.status_code == 403
    assert the_issue(visit.room, draft).goes_at == goes_at
