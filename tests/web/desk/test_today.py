"""What an editor sees first: what needs a decision, what goes out next, and how the last issues went."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.compose import store
from publisher.compose.model import Edition, IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch import tallies
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery, send
from publisher.events.tables import link_click
from publisher.intake.tables import source
from publisher.wiring import Newsroom
from tests.web.desk.visits import Visit, must_be_harmless, notes
from tests.web.pages import elements, words

XHTML_ROW = "{http://www.w3.org/1999/xhtml}tr"


@pytest.fixture
def sent(visit: Visit, draft: int, readers: list[str]) -> IssueId:
    """The id of an issue that went to three readers."""
    assert readers
    visit.approve(draft)
    room = visit.room
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    send_due(room.dispatcher)
    return IssueId(draft)


def section(html: str, name: str) -> str:
    (found,) = elements(html, "section", aria_labelledby=name)
    return words(found)


def test_today_tells_how_the_last_issues_went(visit: Visit, sent: IssueId) -> None:
    with visit.room.database.transaction() as connection:
        now = visit.room.now()
        followed = {"issue_id": sent, "number": 1, "clicks": 17, "first_at": now, "last_at": now}
        connection.execute(sa.insert(link_click), followed)

    html = visit.get("/desk").text

    (out,) = elements(html, "section", aria_labelledby="out")
    row = [words(cell) for cell in list(out.iter(XHTML_ROW))[1]]
    assert row[2:6] == ["sent", "3", "0", "17"]
    must_be_harmless(html)


def test_a_quiet_newsroom_needs_no_decision(visit: Visit) -> None:
    assert "Nothing. No draft waits" in section(visit.get("/desk").text, "decide")


def test_mails_without_an_answer_need_a_decision(visit: Visit, sent: IssueId) -> None:
    with visit.room.database.transaction() as connection:
        connection.execute(sa.update(delivery).where(delivery.c.seq == 1).values(state="uncertain"))
        tallies.write(connection, sent)

    html = visit.get("/desk").text

    assert "1 mail left us and no answer came" in section(html, "decide")
    assert f'href="/desk/issues/{sent}/deliveries?state=uncertain"' in html


def test_paused_issues_and_sources_that_fail_need_a_decision(visit: Visit, sent: IssueId) -> None:
    room = visit.room
    with room.database.transaction() as connection:
        connection.execute(sa.update(send).values(state="paused", reason="The server is away.", finished_at=None))
        row = {"url": "https://paper.example/feed", "name": "The Paper", "every_s": 900, "state": "active"}
        times = {"due_at": room.now(), "created_at": room.now(), "failures": 3, "topics": []}
        connection.execute(sa.insert(source), row | times | {"problem": "It answers 500."})

    said = section(visit.get("/desk").text, "decide")

    assert sent
    assert "The server is away." in said
    assert "The Paper cannot be read: It answers 500." in said
    assert "publisher source remove 1" in said


def test_times_are_those_of_the_editors_own_zone_and_the_editions(visit: Visit, weekly: Edition) -> None:
    assert weekly.cadence
    assert "by its edition’s clock" not in section(visit.get("/desk").text, "next")

    page = visit.after(visit.post("/desk/me", time_zone="Europe/Berlin"))
    said = section(visit.get("/desk").text, "next")

    assert notes(page) == ["Saved. The desk’s times are those of this zone now."]
    assert "00:00 CET" in said or "01:00 CEST" in said
    assert "08:00 KST by its edition’s clock" in said


def test_a_zone_that_is_nowhere_is_refused(visit: Visit) -> None:
    answer = visit.post("/desk/me", time_zone="Moon/Tycho")

    assert answer.status_code == 422
    assert "choose one from the list" in notes(answer.text)[0]
    assert visit.after(visit.post("/desk/me", time_zone=""))


def test_an_issue_that_was_approved_for_a_time_stands_among_what_comes(
    visit: Visit, room: Newsroom, draft: int, weekly: Edition
) -> None:
    with room.database.transaction() as connection:
        store.change_edition(connection, replace(weekly, cadence=None))
    visit.approve(draft, goes_at=f"{room.now().date() + timedelta(days=1)}T23:04")

    said = section(visit.get("/desk").text, "next")

    assert "The Weekly No. 1" in said
    assert "23:04" in said
    assert "can still be undone" in said
