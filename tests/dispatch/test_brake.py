"""What happens when too much fails, and afterwards."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience import flow as audience
from publisher.audience.model import SuppressionReason
from publisher.dispatch import flow, rules
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import lines
from publisher.errors import ConflictError, InputError
from tests.audience.clocks import SetClock
from tests.dispatch.sink import Fault, Terms
from tests.dispatch.test_send import judged, over, plan, report_of, send
from tests.newsroom import Room, open_room

LATER = Fault(step="rcpt", do="451 4.3.0 try later")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=clock) as found:
        yield found


def test_a_server_that_takes_nothing_pauses_the_issue_and_resume_reaches_everybody(room: Room) -> None:
    readers = room.readers(2_000)
    issue_id = room.approved_issue()
    plan(room)

    with judged(room, Terms(faults=(LATER,))) as down:
        send(room, over(down.server))
    paused = report_of(room, issue_id)
    with judged(room) as mended:
        send(room, over(mended.server))
        assert mended.recipients() == [], "nothing leaves before somebody resumes"
        flow.resume(room.database, issue_id, clock=room.clock)
        send(room, over(mended.server))

        assert Counter(mended.recipients()) == Counter(readers)
    assert paused.state == "paused"
    assert "451" in paused.reason or "4.3.0 try later" in paused.reason
    assert paused.counts[DeliveryState.DEFERRED] < 1_500, "the brake came soon"
    assert report_of(room, issue_id).state == "sent"


def test_single_bad_addresses_never_pull_the_brake(room: Room) -> None:
    room.readers(1_000)
    issue_id = room.approved_issue()
    plan(room)
    refusing = Fault(step="rcpt", do="550 5.1.1 no such user", every=4)

    with judged(room, Terms(faults=(refusing,))) as sink:
        send(room, over(sink.server))

    found = report_of(room, issue_id)
    assert (found.state, found.counts[DeliveryState.FAILED]) == ("sent", 250)


def test_a_slow_server_that_refuses_most_mails_pulls_the_brake_too(room: Room) -> None:
    """It is given little at once, and what it refused before counts all the same."""
    room.readers(600)
    issue_id = room.approved_issue()
    plan(room)
    most = [Fault(step="rcpt", do="554 5.7.1 listed", every=2), Fault(step="rcpt", do="554 5.7.1 listed", every=2)]

    with judged(room, Terms(faults=most, latency_s=0.004)) as sink:
        send(room, over(sink.server))

    found = report_of(room, issue_id)
    assert found.state == "paused"
    assert " of 200." in found.reason
    assert 100 <= found.counts[DeliveryState.FAILED] <= 300, "the brake came soon"


@given(st.lists(st.sampled_from(list(DeliveryState))), st.integers(0, 100))
def test_one_taken_mail_ends_a_run_of_failures(states: list[DeliveryState], before: int) -> None:
    run = rules.run_of_failures(before, [*states, DeliveryState.SENT])

    assert run == 0
    assert rules.run_of_failures(before, [DeliveryState.UNCERTAIN, DeliveryState.PLANNED]) == before
    assert rules.run_of_failures(before, [DeliveryState.FAILED, DeliveryState.DEFERRED]) == before + 2


def test_who_failed_can_be_tried_again(room: Room, clock: SetClock) -> None:
    readers = room.readers(10)
    issue_id = room.approved_issue()
    plan(room)
    full = Fault(step="rcpt", do="552 5.2.2 mailbox full", matching="reader3@", times=1)
    gone = Fault(step="rcpt", do="550 5.1.1 no such user", matching="reader4@")
    with judged(room, Terms(faults=(full, gone))) as sink:
        send(room, over(sink.server))
        audience.suppress(room.database, "reader4@readers.example", reason=SuppressionReason.BOUNCED, clock=room.clock)
        clock.pass_by(timedelta(days=2))

        assert flow.retry(room.database, issue_id, DeliveryState.FAILED, clock=room.clock) == 2
        send(room, over(sink.server))

        assert Counter(sink.recipients()) == Counter(set(readers) - {"reader4@readers.example"})
    found = report_of(room, issue_id)
    assert found.state == "sent"
    assert found.counts[DeliveryState.SKIPPED] == 1
    assert flow.retry(room.database, issue_id, DeliveryState.FAILED, clock=room.clock) == 0


def test_only_what_has_ended_is_tried_again(room: Room) -> None:
    room.readers(1)
    issue_id = room.approved_issue()
    with pytest.raises(ConflictError):
        flow.retry(room.database, issue_id, DeliveryState.FAILED, clock=room.clock)
    with pytest.raises(InputError):
        flow.retry(room.database, issue_id, DeliveryState.SENT, clock=room.clock)


def test_the_report_says_who_why_and_how_often(room: Room) -> None:
    room.readers(3)
    issue_id = room.approved_issue()
    plan(room)
    with judged(room, Terms(faults=(Fault(step="rcpt", do="550 5.1.1 gone", matching="reader2@"),))) as sink:
        send(room, over(sink.server))

    with room.database.reading() as connection:
        failed = lines(connection, issue_id, states=[DeliveryState.FAILED], at_most=10)
        everybody = lines(connection, issue_id, at_most=2)
        rest = lines(connection, issue_id, after=everybody[-1].seq, at_most=10)

    assert [(line.email, line.code, line.attempts) for line in failed] == [("reader2@readers.example", 550, 1)]
    assert failed[0].reason.startswith("5.1.1")
    assert [line.seq for line in (*everybody, *rest)] == [1, 2, 3]
