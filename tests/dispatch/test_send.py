"""The send on a real database, over a real server: who got what, and what the ledger says of it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience import flow as audience
from publisher.audience.model import SuppressionReason
from publisher.audience.tables import subscription
from publisher.compose import store as compose
from publisher.compose.model import InDoubt, IssueId
from publisher.database import Database
from publisher.dispatch import flow, ledger
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.report import Report, report
from publisher.dispatch.sending import Dispatcher, send_due
from publisher.dispatch.tables import batch, delivery
from publisher.dispatch.transports.choose import outbox_in, transport_for
from publisher.dispatch.transports.transport import Transport
from publisher.errors import ConflictError, LeaseLostError
from tests.audience.clocks import SetClock
from tests.dispatch.sink import Fault, Sink, Terms, read_log
from tests.newsroom import Room, open_room


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


@pytest.fixture
def timed(tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    """A newsroom on SQLite whose time a test sets."""
    with open_room(tmp_path, clock=clock) as found:
        yield found


def plan(room: Room) -> None:
    flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)


def send(room: Room, transport: Transport) -> None:
    send_due(room.dispatcher(transport))


def report_of(room: Room, issue_id: IssueId) -> Report:
    with room.database.reading() as connection:
        return report(connection, issue_id)


@dataclass(frozen=True)
class Judge:
    """A server that writes down whom it accepted a mail for before it says so."""

    server: Sink
    log: Path

    def entries(self) -> list[tuple[str, str]]:
        return list(read_log(self.log))

    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.entries()]


@contextmanager
def judged(room: Room, terms: Terms | None = None) -> Iterator[Judge]:
    log = room.settings.data_dir / "accepted.log"
    with Sink(terms, log=log) as server:
        yield Judge(server, log)


def over(sink: Sink) -> Transport:
    return transport_for(f"smtp://127.0.0.1:{sink.port}?connections=2&timeout=5&final_timeout=5", Path("/nowhere"))


def test_every_reader_gets_the_issue_once(room: Room) -> None:
    readers = room.readers(2_345)
    issue_id = room.approved_issue()

    with judged(room) as sink:
        plan(room)
        send(room, over(sink.server))

        assert Counter(sink.recipients()) == Counter(readers)
    found = report_of(room, issue_id)
    assert (found.state, found.total, found.counts[DeliveryState.SENT]) == ("sent", 2_345, 2_345)
    assert found.finished_at is not None


def test_planning_again_changes_nothing(room: Room) -> None:
    room.readers(1_500)
    issue_id = room.approved_issue()

    for _ in range(3):
        plan(room)

    assert report_of(room, issue_id).total == 1_500


def test_planners_at_once_plan_each_reader_once(room: Room) -> None:
    room.readers(3_000)
    issue_id = room.approved_issue()

    threads = [threading.Thread(target=plan, args=(room,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with room.database.reading() as connection:
        planned = list(connection.scalars(sa.select(delivery.c.subscription_id)))
    assert len(planned) == len(set(planned)) == 3_000
    assert report_of(room, issue_id).is_planned


def test_workers_at_once_share_the_batches(room: Room) -> None:
    readers = room.readers(4_000)
    issue_id = room.approved_issue()
    plan(room)

    with judged(room) as sink:
        threads = [threading.Thread(target=send, args=(room, over(sink.server))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        flow.upkeep(room.database, clock=room.clock)

        assert Counter(sink.recipients()) == Counter(readers)
    assert report_of(room, issue_id).state == "sent"


def test_an_issue_without_readers_is_sent_at_once(room: Room) -> None:
    issue_id = room.approved_issue()

    plan(room)

    found = report_of(room, issue_id)
    assert (found.state, found.total) == ("sent", 0)


def test_who_may_not_be_mailed_is_skipped_with_the_reason(room: Room) -> None:
    room.readers(4)
    audience.suppress(room.database, "reader1@readers.example", reason=SuppressionReason.BOUNCED, clock=room.clock)
    with room.database.transaction() as connection:
        ids = list(connection.scalars(sa.select(subscription.c.id).order_by(subscription.c.id)))
        later = room.clock() + timedelta(days=7)
        connection.execute(sa.update(subscription).where(subscription.c.id == ids[1]).values(paused_until=later))
        connection.execute(sa.update(subscription).where(subscription.c.id == ids[2]).values(state="unsubscribed"))
    issue_id = room.approved_issue()

    plan(room)
    with judged(room) as sink:
        send(room, over(sink.server))
        assert list(sink.recipients()) == ["reader4@readers.example"]

    with room.database.reading() as connection:
        reasons = connection.execute(sa.select(delivery.c.state, delivery.c.reason).order_by(delivery.c.seq)).all()
    assert [tuple(row) for row in reasons] == [
        ("skipped", "suppressed: bounced"),
        ("skipped", "paused by the reader"),
        ("sent", None),
    ]
    assert report_of(room, issue_id).state == "sent"


def test_who_unsubscribes_after_the_plan_gets_nothing(room: Room) -> None:
    room.readers(2)
    issue_id = room.approved_issue()
    plan(room)
    with room.database.transaction() as connection:
        first = connection.scalar(sa.select(sa.func.min(subscription.c.id)))
        connection.execute(sa.update(subscription).where(subscription.c.id == first).values(state="unsubscribed"))

    with judged(room) as sink:
        send(room, over(sink.server))
        assert list(sink.recipients()) == ["reader2@readers.example"]

    assert report_of(room, issue_id).counts[DeliveryState.SKIPPED] == 1


def test_who_pauses_after_the_plan_gets_nothing_until_the_pause_is_over(timed: Room, clock: SetClock) -> None:
    """Nothing arrives within the pause, and what was missed does not follow afterwards."""
    timed.readers(2)
    missed = timed.approved_issue()
    plan(timed)
    with timed.database.transaction() as connection:
        first = connection.scalar(sa.select(sa.func.min(subscription.c.id)))
        later = clock() + timedelta(days=14)
        connection.execute(sa.update(subscription).where(subscription.c.id == first).values(paused_until=later))

    with judged(timed) as sink:
        send(timed, over(sink.server))
        clock.pass_by(timedelta(days=14))
        timed.approved_issue()
        plan(timed)
        for _ in range(2):
            send(timed, over(sink.server))
        assert Counter(sink.recipients()) == {"reader1@readers.example": 1, "reader2@readers.example": 2}

    assert report_of(timed, missed).counts[DeliveryState.SKIPPED] == 1


def test_the_answers_of_the_server_stand_in_the_ledger(room: Room) -> None:
    room.readers(9)
    issue_id = room.approved_issue()
    plan(room)
    faults = (
        Fault(step="rcpt", do="550 5.1.1 no such user", matching="reader3@"),
        Fault(step="rcpt", do="451 4.3.0 later", matching="reader5@"),
        Fault(step="final", do="554 5.7.1 not liked", matching="reader7@"),
    )

    with judged(room, Terms(faults=faults)) as sink:
        send(room, over(sink.server))

    found = report_of(room, issue_id)
    assert found.state == "sending", "one reader waits for another attempt"
    assert found.counts[DeliveryState.SENT] == 6
    assert found.counts[DeliveryState.FAILED] == 2
    assert found.counts[DeliveryState.DEFERRED] == 1
    with room.database.reading() as connection:
        failed = connection.execute(
            sa.select(delivery.c.code, delivery.c.reason).where(delivery.c.state == "failed").order_by(delivery.c.seq)
        ).all()
    assert [(row.code, row.reason[:5]) for row in failed] == [(550, "5.1.1"), (554, "5.7.1")]


def test_what_was_put_off_goes_out_later(timed: Room, clock: SetClock) -> None:
    timed.readers(3)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed, Terms(faults=(Fault(step="rcpt", do="451 4.3.0 later", matching="reader2@", times=1),))) as sink:
        send(timed, over(sink.server))
        send(timed, over(sink.server))
        assert report_of(timed, issue_id).counts[DeliveryState.DEFERRED] == 1, "not before its time"
        clock.pass_by(timedelta(minutes=6))
        send(timed, over(sink.server))
        assert Counter(sink.recipients()) == Counter(f"reader{each}@readers.example" for each in (1, 2, 3))

    assert report_of(timed, issue_id).state == "sent"


def test_an_issue_that_grew_stale_is_given_up(timed: Room, clock: SetClock) -> None:
    """A morning alert in the evening is worse than none."""
    timed.readers(1)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed, Terms(faults=(Fault(step="rcpt", do="451 4.3.0 later"),))) as sink:
        for _ in range(30):
            send(timed, over(sink.server))
            clock.pass_by(timedelta(hours=1))

    found = report_of(timed, issue_id)
    assert (found.state, found.counts[DeliveryState.FAILED]) == ("sent", 1)


def test_a_dead_server_costs_nobody_an_attempt(timed: Room, clock: SetClock) -> None:
    readers = timed.readers(600)
    issue_id = timed.approved_issue()
    plan(timed)
    with judged(timed) as gone:
        dead = over(gone.server)
    send(timed, dead)
    with timed.database.reading() as connection:
        attempts = set(connection.scalars(sa.select(delivery.c.attempts)))
    clock.pass_by(timedelta(seconds=30))

    with judged(timed) as sink:
        send(timed, over(sink.server))
        assert Counter(sink.recipients()) == Counter(readers)

    assert attempts == {0}
    assert report_of(timed, issue_id).state == "sent"


def test_no_answer_after_the_final_dot_is_uncertain_and_sent_again_under_the_same_id(
    timed: Room, clock: SetClock
) -> None:
    timed.readers(5)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed, Terms(faults=(Fault(step="final", do="accept-cut", matching="reader3@", times=1),))) as sink:
        send(timed, over(sink.server))
        between = report_of(timed, issue_id)
        clock.pass_by(timedelta(minutes=2))
        send(timed, over(sink.server))
        copies = Counter(sink.entries())

    assert between.counts[DeliveryState.UNCERTAIN] == 1
    assert {recipient for recipient, _ in copies} == {f"reader{each}@readers.example" for each in range(1, 6)}
    assert sorted(copies.values()) == [1, 1, 1, 1, 2], "the same Message-ID twice, for one reader only"
    found = report_of(timed, issue_id)
    assert (found.state, found.sent_twice_at_most) == ("sent", 1)


def test_an_edition_may_hold_a_mail_in_doubt_for_an_editor(timed: Room, clock: SetClock) -> None:
    """For an issue of which nobody may have two copies; the send waits until somebody has looked."""
    timed.readers(5)
    with timed.database.transaction() as connection:
        weekly = compose.edition_named(connection, "weekly")
        compose.change_edition(connection, replace(weekly, in_doubt=InDoubt.HOLD))
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed, Terms(faults=(Fault(step="final", do="accept-cut", matching="reader3@", times=1),))) as sink:
        send(timed, over(sink.server))
        clock.pass_by(timedelta(hours=2))
        send(timed, over(sink.server))
        held = report_of(timed, issue_id)
        assert max(Counter(sink.recipients()).values()) == 1

        flow.retry(timed.database, issue_id, DeliveryState.UNCERTAIN, clock=clock)
        send(timed, over(sink.server))
        assert Counter(sink.recipients())["reader3@readers.example"] == 2

    assert (held.counts[DeliveryState.UNCERTAIN], held.counts[DeliveryState.SENT]) == (1, 4)
    assert report_of(timed, issue_id).counts[DeliveryState.SENT] == 5


def test_a_vanished_worker_is_replaced_and_what_it_had_in_flight_is_uncertain(timed: Room, clock: SetClock) -> None:
    readers = timed.readers(700)
    issue_id = timed.approved_issue()
    plan(timed)
    mine, marked = vanish(timed.database, clock)

    flow.upkeep(timed.database, clock=clock)
    assert report_of(timed, issue_id).counts[DeliveryState.SENDING] == marked, "its lease still runs"
    clock.pass_by(ledger.LEASE + timedelta(seconds=1))
    flow.upkeep(timed.database, clock=clock)
    assert report_of(timed, issue_id).counts[DeliveryState.UNCERTAIN] == marked

    with judged(timed) as sink:
        send(timed, over(sink.server))
        assert Counter(sink.recipients()) == Counter(readers)
    assert report_of(timed, issue_id).state == "sent"
    assert mine.fence == 1


def test_a_worker_that_comes_back_late_writes_nothing(timed: Room, clock: SetClock) -> None:
    """It was frozen while another one took its batch over: the other's outcome stands."""
    timed.readers(10)
    issue_id = timed.approved_issue()
    plan(timed)
    mine, _ = vanish(timed.database, clock)
    clock.pass_by(ledger.LEASE + timedelta(seconds=1))
    flow.upkeep(timed.database, clock=clock)
    with judged(timed) as sink:
        send(timed, over(sink.server))

    with timed.database.transaction() as connection, pytest.raises(LeaseLostError):
        ledger.renew(connection, mine, now=clock())

    assert report_of(timed, issue_id).counts[DeliveryState.SENT] == 10


def vanish(database: Database, clock: SetClock) -> tuple[ledger.Lease, int]:
    """Lease a batch and mark a micro-batch, as a worker does before it is killed."""
    with database.transaction() as connection:
        mine = ledger.lease(connection, owner="ghost", now=clock())
        assert mine is not None
        marked = ledger.mark(connection, mine, after_seq=0, at_most=100, now=clock())
    return mine, len(marked)


def test_pause_and_resume_go_on_exactly(room: Room) -> None:
    readers = room.readers(2_500)
    issue_id = room.approved_issue()
    plan(room)

    with judged(room, Terms(latency_s=0.003)) as sink:
        sender = threading.Thread(target=send, args=(room, over(sink.server)))
        sender.start()
        wait_until(lambda: sink.server.record.accepted > 100)
        flow.pause(room.database, room.settings, issue_id, reason="a typo", clock=room.clock)
        sender.join(30)
        paused = report_of(room, issue_id)
        at_pause = sink.server.record.accepted
        send(room, over(sink.server))
        assert sink.server.record.accepted == at_pause, "nothing leaves while it is paused"
        flow.resume(room.database, issue_id, clock=room.clock)
        send(room, over(sink.server))

        assert Counter(sink.recipients()) == Counter(readers)
    assert (paused.state, paused.reason) == ("paused", "a typo")
    assert paused.counts[DeliveryState.SENDING] == paused.counts[DeliveryState.UNCERTAIN] == 0
    assert report_of(room, issue_id).state == "sent"


def test_cancel_skips_whoever_has_not_got_it(room: Room) -> None:
    room.readers(2_500)
    issue_id = room.approved_issue()
    plan(room)

    with judged(room, Terms(latency_s=0.003)) as sink:
        sender = threading.Thread(target=send, args=(room, over(sink.server)))
        sender.start()
        wait_until(lambda: sink.server.record.accepted > 100)
        flow.cancel(room.database, room.settings, issue_id, reason="wrong issue", clock=room.clock)
        sender.join(30)
        flow.upkeep(room.database, clock=room.clock)
        accepted = sink.server.record.accepted

    found = report_of(room, issue_id)
    assert found.state == SendState.CANCELLED
    assert found.counts[DeliveryState.SENT] == accepted
    assert found.counts[DeliveryState.SKIPPED] == 2_500 - accepted
    with room.database.reading() as connection:
        assert set(connection.scalars(sa.select(batch.c.state))) == {"done"}


def test_an_issue_can_be_stopped_before_its_send_began(room: Room) -> None:
    room.readers(10)
    issue_id = room.approved_issue()

    flow.cancel(room.database, room.settings, issue_id, reason="wrong issue", clock=room.clock)
    plan(room)

    assert report_of(room, issue_id).state == SendState.CANCELLED
    with pytest.raises(ConflictError):
        flow.resume(room.database, issue_id, clock=room.clock)


def test_a_worker_that_is_asked_to_stop_leaves_nothing_in_doubt(room: Room) -> None:
    readers = room.readers(2_000)
    issue_id = room.approved_issue()
    plan(room)
    asked = threading.Event()

    with judged(room, Terms(latency_s=0.003)) as sink:
        dispatcher = room.dispatcher(over(sink.server))
        leaving = Dispatcher(**{**vars(dispatcher), "should_stop": asked.is_set})
        worker = threading.Thread(target=send_due, args=(leaving,))
        worker.start()
        wait_until(lambda: sink.server.record.accepted > 100)
        asked.set()
        worker.join(30)
        stopped = report_of(room, issue_id)
        send(room, over(sink.server))

        assert Counter(sink.recipients()) == Counter(readers), "nobody twice"
    assert stopped.counts[DeliveryState.SENDING] == stopped.counts[DeliveryState.UNCERTAIN] == 0
    assert 0 < stopped.counts[DeliveryState.SENT] < 2_000


def test_an_alert_does_not_wait_behind_a_big_issue(room: Room) -> None:
    room.readers(3_000)
    big, small = room.approved_issue(), room.approved_issue()
    plan(room)

    with room.database.transaction() as connection:
        first = ledger.lease(connection, owner="one", now=room.clock())
        second = ledger.lease(connection, owner="two", now=room.clock())

    assert first is not None
    assert second is not None
    assert {(first.issue_id, first.number), (second.issue_id, second.number)} == {(big, 1), (small, 1)}


def test_the_outbox_holds_a_readable_mail_for_each_reader(room: Room) -> None:
    room.readers(3)
    room.approved_issue(subject="{{ name }}, this week")
    plan(room)

    outbox = outbox_in(room.settings.data_dir)
    send(room, outbox)

    found = outbox.list_newest(10)
    assert sorted(mail.subject for mail in found) == [f"Reader {each}, this week" for each in (1, 2, 3)]


def wait_until(is_so: Callable[[], bool], *, within_s: float = 20) -> None:
    waited = threading.Event()
    for _ in range(int(within_s / 0.005)):
        if is_so():
            return
        waited.wait(0.005)
    pytest.fail("it never came to that")
