"""What the report of a send shows in figures."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.model import IssueId
from publisher.database import Database
from publisher.dispatch import figures, flow, ledger, rules, tallies
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.report import report
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery, send
from publisher.dispatch.transports.outbox import OutboxTransport
from tests.newsroom import Room, open_room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with open_room(tmp_path) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either_room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """A newsroom on each database, for what is counted in another way there."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


def sent(room: Room, number: int = 12) -> IssueId:
    """An issue that went to as many readers and one at another domain."""
    room.readers(number)
    room.reader("ann@elsewhere.example")
    issue_id = room.approved_issue()
    flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    while send_due(room.dispatcher(OutboxTransport(room.settings.data_dir / "outbox"))):
        pass
    return issue_id


def counted_row_by_row(database: Database, issue_id: IssueId) -> dict[DeliveryState, int]:
    with database.reading() as connection:
        states = list(connection.scalars(sa.select(delivery.c.state).where(delivery.c.issue_id == issue_id)))
    return {state: states.count(state) for state in DeliveryState}


def tallied(database: Database, issue_id: IssueId) -> dict[DeliveryState, int]:
    with database.reading() as connection:
        return tallies.of_issue(connection, issue_id).states


def refuse(room: Room, issue_id: IssueId, seqs: tuple[int, ...], code: int, reason: str) -> None:
    these = sa.and_(delivery.c.issue_id == issue_id, delivery.c.seq.in_(seqs))
    with room.database.transaction() as connection:
        values = {"state": "failed", "code": code, "reason": reason}
        connection.execute(sa.update(delivery).where(these).values(values))


def test_the_figures_of_a_send_tell_when_to_whom_and_why_not(either_room: Room) -> None:
    room = either_room
    issue_id = sent(room)
    refuse(room, issue_id, (2, 3), 550, "5.1.1 <address> is unknown, id 17")
    refuse(room, issue_id, (4,), 554, "not today")

    figures.count_due(room.database, clock=room.clock)

    with room.database.reading() as connection:
        found = figures.figures_of(connection, issue_id)
    assert found
    assert sum(number for _, number in found.by_time) == 10
    assert [(each.label, each.sent, each.failed) for each in found.by_domain] == [
        ("readers.example", 9, 3),
        ("elsewhere.example", 1, 0),
    ]
    assert [(each.label, each.failed) for each in found.by_reason] == [
        ("No such mailbox", 2),
        ("Reply 554, without more", 1),
    ]


def test_figures_are_counted_once_and_again_after_a_retry(room: Room) -> None:
    issue_id = sent(room)
    figures.count_due(room.database, clock=room.clock)
    refuse(room, issue_id, (2,), 550, "5.1.1 unknown")

    figures.count_due(room.database, clock=room.clock)
    with room.database.reading() as connection:
        once = figures.figures_of(connection, issue_id)
    flow.retry(room.database, issue_id, DeliveryState.FAILED, clock=room.clock)
    assert tallied(room.database, issue_id) == counted_row_by_row(room.database, issue_id)
    with room.database.reading() as connection:
        reopened = figures.figures_of(connection, issue_id)

    assert once
    assert once.by_reason == [], "what has ended is not counted a second time"
    assert reopened is None, "what they said holds no longer"


def test_a_worker_that_shuts_down_leaves_the_count_to_the_next(room: Room) -> None:
    issue_id = sent(room)

    figures.count_due(room.database, clock=room.clock, should_stop=lambda: True)
    with room.database.reading() as connection:
        assert figures.figures_of(connection, issue_id) is None
    figures.count_due(room.database, clock=room.clock)

    with room.database.reading() as connection:
        assert figures.figures_of(connection, issue_id)


def test_a_send_that_is_not_over_is_counted_now_and_then(room: Room) -> None:
    """The last retries may take hours; nobody should wait for a report so long."""
    issue_id = sent(room)
    with room.database.transaction() as connection:
        long_ago = room.clock() - timedelta(hours=1)
        connection.execute(sa.update(send).values(state=SendState.SENDING, finished_at=None, started_at=long_ago))

    figures.count_due(room.database, clock=room.clock)

    with room.database.reading() as connection:
        assert figures.figures_of(connection, issue_id)


def test_the_tallies_of_batches_say_what_a_count_of_all_deliveries_says(either_room: Room) -> None:
    """At every step of a send: planned, in a worker's hands, lost by it, taken back, cancelled, sent again."""
    room = either_room
    room.readers(30)
    issue_id = room.approved_issue()
    flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    assert tallied(room.database, issue_id) == counted_row_by_row(room.database, issue_id)
    with room.database.transaction() as connection:
        mine = ledger.lease(connection, owner="one", now=room.clock())
        assert mine
        ledger.mark(connection, mine, after_seq=0, at_most=10, now=room.clock())
    assert tallied(room.database, issue_id)[DeliveryState.SENDING] == 10

    with room.database.transaction() as connection:
        ledger.take_back_expired(connection, now=room.clock() + ledger.LEASE * 2)
    assert tallied(room.database, issue_id)[DeliveryState.UNCERTAIN] == 10
    with room.database.transaction() as connection:
        ledger.settle(connection, issue_id, [1, 2, 3])
    assert tallied(room.database, issue_id) == counted_row_by_row(room.database, issue_id)
    flow.cancel(room.database, room.settings, issue_id, reason="Enough.", clock=room.clock)

    with room.database.reading() as connection:
        found = report(connection, issue_id)
    assert found.counts == counted_row_by_row(room.database, issue_id)
    assert (found.counts[DeliveryState.SENT], found.counts[DeliveryState.SKIPPED]) == (3, 20)


def test_a_batch_that_an_older_worker_gave_back_is_counted_anew(room: Room) -> None:
    """It knows nothing of tallies, but it raises the fence."""
    issue_id = sent(room)
    refuse(room, issue_id, (2,), 550, "5.1.1 unknown")
    assert tallied(room.database, issue_id)[DeliveryState.FAILED] == 0

    with room.database.transaction() as connection:
        connection.execute(sa.text("UPDATE batch SET fence = fence + 1"))

    assert tallied(room.database, issue_id)[DeliveryState.FAILED] == 1


@given(st.dictionaries(st.integers(0, 2_000_000_000), st.integers(1, 9), max_size=40))
def test_spans_keep_every_delivery_and_stand_at_equal_distances(seconds: dict[int, int]) -> None:
    found = rules.spans(seconds)

    assert sum(number for _, number in found) == sum(seconds.values())
    assert len({later[0] - earlier[0] for earlier, later in pairwise(found)}) <= 1
