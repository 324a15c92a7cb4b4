"""What an editor reads after the send."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.compose import store
from publisher.compose.model import Edition, Tracking
from publisher.dispatch import figures
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery, tracked_link
from publisher.events.tables import link_click
from tests.web.desk.visits import HOSTILE, Visit, must_be_harmless
from tests.web.pages import elements, words


@pytest.fixture
def sent(visit: Visit, draft: int, weekly: Edition, readers: list[str]) -> int:
    """The id of an issue that went to three readers and to one elsewhere, who was refused in hostile words."""
    assert readers
    room = visit.room
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    audience.add_subscriber(room.database, email="ann@elsewhere.example", lists=["readers"], yes=yes, clock=room.now)
    with room.database.transaction() as connection:
        store.change_edition(connection, replace(weekly, tracking=Tracking.TOTALS))
    visit.approve(draft)
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    send_due(room.dispatcher)
    with room.database.transaction() as connection:
        one = sa.and_(delivery.c.issue_id == draft, delivery.c.seq == 4)
        connection.execute(sa.update(delivery).where(one).values(state="failed", code=550, reason=f"5.9.9 {HOSTILE}"))
        connection.execute(sa.update(tracked_link).where(tracked_link.c.number == 1).values(url=f"https://x/{HOSTILE}"))
        clicked = {"issue_id": draft, "number": 1, "clicks": 7, "first_at": room.now(), "last_at": room.now()}
        connection.execute(sa.insert(link_click), clicked)
    return draft


def numbers(html: str, plot: str) -> list[list[str]]:
    """The rows of the table beside a plot."""
    (section,) = elements(html, "section", aria_labelledby=f"plot-{plot}")
    return [
        [words(cell) for cell in row]
        for row in section.iter("{http://www.w3.org/1999/xhtml}tr")
        if row.get("role") == "row"
    ][1:]


def test_the_report_shows_each_number_as_a_plot_and_in_a_table(visit: Visit, sent: int) -> None:
    room = visit.room
    before = visit.get(f"/desk/issues/{sent}").text
    figures.count_due(room.database, clock=room.now)

    html = visit.get(f"/desk/issues/{sent}").text

    assert "The figures are being counted." in before
    assert "The figures are being counted." not in html
    assert numbers(html, "domains") == [["readers.example", "3", "0"], ["elsewhere.example", "0", "1"]]
    assert [row[1] for row in numbers(html, "reasons")] == ["1"]
    assert sum(int(row[1]) for row in numbers(html, "time")) == 3
    assert numbers(html, "clicks")[0][1] == "7"
    assert html.count('<svg class="plot"') == 4


def test_nothing_that_a_server_or_a_link_says_runs_in_a_plot(visit: Visit, sent: int) -> None:
    room = visit.room
    figures.count_due(room.database, clock=room.now)

    html = visit.get(f"/desk/issues/{sent}").text

    must_be_harmless(html)
    assert "<script>alert" not in html


def test_a_draft_has_no_report(visit: Visit, draft: int) -> None:
    assert 'id="report"' not in visit.get(f"/desk/issues/{draft}").text
