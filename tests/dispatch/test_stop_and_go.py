"""An editor's hand, and a worker at the same deliveries in the same instant."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.compose.model import IssueId
from publisher.dispatch import flow, ledger
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.tables import delivery
from tests.audience.clocks import SetClock
from tests.dispatch.test_send import plan, report_of, vanish
from tests.newsroom import Room, open_room


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=clock) as found:
        yield found


def test_a_cancelled_issue_ends_though_its_worker_vanished(room: Room, clock: SetClock) -> None:
    room.readers(700)
    issue_id = room.approved_issue()
    plan(room)
    _, marked = vanish(room.database, clock)

    flow.cancel(room.database, room.settings, issue_id, reason="wrong issue", clock=clock)
    clock.pass_by(ledger.LEASE + timedelta(seconds=1))
    flow.upkeep(room.database, clock=clock)

    found = report_of(room, issue_id)
    assert found.state == SendState.CANCELLED
    assert found.finished_at is not None
    assert found.counts[DeliveryState.UNCERTAIN] == marked
    assert found.counts[DeliveryState.SKIPPED] == 700 - marked


def test_nothing_becomes_due_while_a_worker_marks(room: Room, clock: SetClock) -> None:
    """What became due between its look and its mark would be marked, never sent, and then counted as sent."""
    room.readers(10)
    issue_id = room.approved_issue()
    plan(room)
    with room.database.transaction() as connection:
        later = sa.update(delivery).where(delivery.c.seq == 5)
        connection.execute(later.values(state=DeliveryState.DEFERRED, due_at=clock() + timedelta(hours=1)))
        mine = ledger.lease(connection, owner="one", now=clock())
    assert mine is not None
    hurry = threading.Thread(target=bring_forward, args=(room, issue_id))

    with room.database.transaction() as connection:
        ledger.renew(connection, mine, now=clock())
        hurry.start()
        hurry.join(0.3)
        assert hurry.is_alive(), "it waits for the worker"
        marked = ledger.mark(connection, mine, after_seq=0, at_most=100, now=clock())
    hurry.join(10)

    assert [each.seq for each in marked] == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert report_of(room, issue_id).counts[DeliveryState.SENDING] == 9
    assert report_of(room, issue_id).counts[DeliveryState.DEFERRED] == 1


def bring_forward(room: Room, issue_id: IssueId) -> None:
    with room.database.transaction() as connection:
        ledger.bring_forward(connection, issue_id)
