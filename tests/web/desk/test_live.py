"""How a send goes on, told to every page that shows it."""

import asyncio
import re
from collections.abc import Collection, Mapping
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch.model import SendState
from publisher.dispatch.report import Report, report
from publisher.dispatch.sending import send_due
from publisher.editors import flow as editors
from publisher.web.desk.live import Live
from publisher.web.desk.standing import News, Paces, look, progress_of
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import Visit, hire
from tests.web.served import served

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


@pytest.fixture
def approved(visit: Visit, draft: int, readers: list[str]) -> IssueId:
    """An issue whose three deliveries are planned and not sent."""
    assert readers
    visit.approve(draft)
    room = visit.room
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    return IssueId(draft)


def report_of(room: Newsroom, issue_id: IssueId) -> Report:
    with room.database.reading() as connection:
        return report(connection, issue_id)


def test_a_page_hears_of_a_send_until_it_is_over(approved: IssueId, room: Newsroom, redis_url: str) -> None:
    """Under a real server."""
    token = editors.make_sign_in_link(room.database, hire(room, email="ben@desk.example"), clock=room.now)
    folder = room.settings.data_dir
    with served(folder, redis_url) as address, httpx.Client(base_url=address, timeout=10) as browser:
        browser.get(f"/desk/sign-in/{token}")
        path = f"/desk/issues/{approved}/live"
        events: list[tuple[str, str]] = []
        with browser.stream("GET", path) as answer:
            for line in answer.iter_lines():
                if line.startswith("id: "):
                    events.append((line.removeprefix("id: "), ""))
                if line.startswith("data: "):
                    state, seen = events[-1]
                    events[-1] = (state, seen + line.removeprefix("data: "))
                if not line and len(events) == 1:
                    send_due(room.dispatcher)
        headers = answer.headers

    assert [state for state, _ in events] == ["sending", "sent"]
    assert "0 of 3" in events[0][1]
    assert "3 of 3" in events[1][1]
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Cache-Control"] == "private, no-store"


def test_a_server_that_stops_waits_for_no_page(approved: IssueId, room: Newsroom, redis_url: str) -> None:
    token = editors.make_sign_in_link(room.database, hire(room, email="ben@desk.example"), clock=room.now)
    with httpx.Client(timeout=10) as browser:
        with served(room.settings.data_dir, redis_url) as address:
            browser.get(f"{address}/desk/sign-in/{token}")
            answer = browser.send(browser.build_request("GET", f"{address}/desk/issues/{approved}/live"), stream=True)
            lines = answer.iter_lines()
            assert next(line for line in lines if line.startswith("id: ")) == "id: sending"
            stopped_from = datetime.now(UTC)
        took = datetime.now(UTC) - stopped_from
        rest = list(lines)

    assert took < timedelta(seconds=5)
    assert rest, "the answer ended whole"


def test_many_pages_cost_one_look(room: Newsroom, approved: IssueId) -> None:
    looks = 0

    def counted_look(issue_ids: Collection[IssueId]) -> Mapping[IssueId, News]:
        nonlocal looks
        looks += 1
        return look(room, Paces(), issue_ids)

    async def first_news(live: Live) -> str:
        async with aclosing(live.news_of(approved)) as heard:
            async for news in heard:
                if news:
                    return news.html
        return ""

    async def watch() -> list[str]:
        live = Live(counted_look, every_s=0.01)
        return await asyncio.gather(*(first_news(live) for _ in range(200)))

    heard = asyncio.run(watch())

    assert len(heard) == 200
    assert all("0 of 3" in each for each in heard)
    assert looks <= 3


def test_a_look_that_fails_keeps_nobody_waiting(room: Newsroom, approved: IssueId) -> None:
    """The database was away for a second."""
    fails = [True, False]

    def failing_once(issue_ids: Collection[IssueId]) -> Mapping[IssueId, News]:
        if fails and fails.pop(0):
            raise OSError
        return look(room, Paces(), issue_ids)

    async def watch() -> str:
        async with aclosing(Live(failing_once, every_s=0.01).news_of(approved)) as heard:
            async for news in heard:
                if news:
                    return news.state
        return ""

    assert asyncio.run(watch()) == "sending"


def test_the_rate_is_that_of_the_last_seconds(room: Newsroom, approved: IssueId) -> None:
    paces = Paces()
    before = report_of(room, approved)
    assert paces.rate_per_s(before, NOON) is None
    send_due(room.dispatcher)
    after = report_of(room, approved)

    assert paces.rate_per_s(after, NOON + timedelta(seconds=2)) == 1.5
    for second in range(3, 20):
        rate = paces.rate_per_s(after, NOON + timedelta(seconds=second))
    assert rate == 0


def test_the_time_left_leaves_out_what_waits_for_another_try(room: Newsroom, approved: IssueId) -> None:
    found = report_of(room, approved)

    progress = progress_of(found, room.now(), 0.5)
    paused = progress_of(Report(**{**vars(found), "state": SendState.PAUSED}), room.now(), 0.5)

    assert progress.left == timedelta(seconds=6)
    assert (paused.rate_per_s, paused.left) == (0, None)


def test_only_editors_hear_and_only_of_issues_that_are_there(
    visit: Visit, web: TestClient, room: Newsroom, approved: IssueId
) -> None:
    assert visit.get("/desk/issues/999/live").status_code == 404
    assert web.head(f"/desk/issues/{approved}/live").headers["Content-Type"].startswith("text/event-stream")
    web.cookies.clear()
    assert web.get(f"/desk/issues/{approved}/live").status_code == 303
    del room


def test_a_page_without_scripts_shows_how_it_stands_and_looks_again(visit: Visit, approved: IssueId) -> None:
    html = visit.get(f"/desk/issues/{approved}").text

    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+"></noscript>', html)
    assert f'data-events="/desk/issues/{approved}/live"' in html
    assert "0 of 3" in html
