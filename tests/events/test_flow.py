"""From what was told to what follows: settled deliveries, suppressed addresses, ended subscriptions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.audience.model import SuppressionReason
from publisher.audience.store import suppressions
from publisher.audience.tables import subscription
from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.report import report
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery
from publisher.dispatch.transports.choose import transport_for
from publisher.events import flow, store
from publisher.events.model import EventKind
from publisher.events.sendgrid_webhook import read
from publisher.events.tables import delivery_event
from tests.audience.clocks import SetClock
from tests.dispatch.sendgrid_standin import Failure, Standin
from tests.events.sendgrid import an_event, body_of
from tests.newsroom import Room

Send = Callable[[], int]
READER = "reader1@readers.example"


def hear(room: Room, *events: dict[str, Any]) -> None:
    flow.receive(room.database, read(body_of(*events)), clock=room.clock)
    flow.apply_due(room.database, clock=room.clock)


def suppressed(room: Room, address: str = READER) -> SuppressionReason | None:
    with room.database.reading() as connection:
        found = suppressions(connection, [address])
    return found[address].reason if found else None


def subscription_states(room: Room) -> list[str]:
    with room.database.reading() as connection:
        return list(connection.scalars(sa.select(subscription.c.state).order_by(subscription.c.id)))


def bounce(issue_id: int, **values: Any) -> dict[str, Any]:
    usual = {"type": "blocked", "status": "4.2.2", "reason": "mailbox full", "publisher_issue": str(issue_id)}
    return an_event("bounce", **{**usual, **values})


def test_an_address_that_is_dead_is_mailed_no_more(room: Room, sent: Send) -> None:
    room.readers(2)
    sent()

    hear(room, an_event("bounce", type="bounce", status="5.1.1", reason="550 5.1.1 no such user"))

    assert suppressed(room) is SuppressionReason.BOUNCED
    assert suppressed(room, "reader2@readers.example") is None
    assert subscription_states(room) == ["confirmed", "confirmed"]


def test_a_complaint_ends_the_subscription_and_all_mail(room: Room, sent: Send) -> None:
    room.readers(2)
    sent()

    hear(room, an_event("spamreport"))

    assert suppressed(room) is SuppressionReason.COMPLAINED
    assert subscription_states(room) == ["unsubscribed", "confirmed"]


def test_unsubscribing_at_the_provider_counts_here(room: Room, sent: Send) -> None:
    room.readers(1)
    sent()

    hear(room, an_event("group_unsubscribe"))

    assert subscription_states(room) == ["unsubscribed"]
    assert suppressed(room) is None


def test_three_issues_in_a_row_that_come_back_wear_an_address_out(room: Room, sent: Send, clock: SetClock) -> None:
    room.readers(1)
    for _ in range(3):
        assert suppressed(room) is None
        hear(room, bounce(sent(), timestamp=clock().timestamp()))
        clock.pass_by(timedelta(days=7))

    assert suppressed(room) is SuppressionReason.BOUNCED


def test_an_address_that_works_in_between_is_not_worn_out(room: Room, sent: Send, clock: SetClock) -> None:
    room.readers(1)
    for kind in ("bounce", "bounce", "delivered", "bounce"):
        number = sent()
        at = clock().timestamp()
        hear(room, bounce(number, timestamp=at) if kind == "bounce" else an_event(publisher_issue=number, timestamp=at))
        clock.pass_by(timedelta(days=2))

    assert suppressed(room) is None


def test_being_turned_away_for_a_week_costs_no_readers(room: Room, sent: Send, clock: SetClock) -> None:
    room.readers(1)
    for _ in range(5):
        hear(room, bounce(sent(), status="5.7.1", timestamp=clock().timestamp()))
        clock.pass_by(timedelta(days=1))

    assert suppressed(room) is None


def test_an_event_told_twice_counts_once(room: Room, sent: Send) -> None:
    room.readers(1)
    sent()
    for _ in range(3):
        hear(room, an_event("delivered"), an_event("delivered"), an_event("processed"))

    with room.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(delivery_event)) == 2


def test_events_of_another_newsroom_at_the_same_provider_change_nothing(room: Room, sent: Send) -> None:
    """Two newsrooms with one account both have an issue 1; the address tells them apart."""
    room.readers(1)
    sent()

    hear(room, an_event("spamreport", email="stranger@elsewhere.example"), an_event("spamreport", publisher_seq="99"))

    assert suppressed(room) is None
    assert subscription_states(room) == ["confirmed"]
    assert flow.apply_due(room.database, clock=room.clock) == 0, "and they are not looked at for ever"


def test_where_deliveries_stand_is_counted_once_each(room: Room, sent: Send) -> None:
    room.readers(3)
    issue_id = IssueId(sent())
    second = {"publisher_seq": "2", "email": "reader2@readers.example"}

    hear(room, an_event("delivered"), an_event("processed"), an_event("deferred", **second), an_event("open"))

    with room.database.reading() as connection:
        found = store.standings(connection, issue_id)
    assert {kind: number for kind, number in found.items() if number} == {EventKind.OPENED: 1, EventKind.DEFERRED: 1}


def test_applied_events_hold_no_address_but_in_the_raw_text(room: Room, sent: Send) -> None:
    room.readers(1)
    sent()

    hear(room, an_event())

    with room.database.reading() as connection:
        (row,) = connection.execute(sa.select(delivery_event)).all()
    assert (row.address, row.subscriber_id, row.applied_at) == ("", 1, room.clock())


@pytest.mark.parametrize("kind", ["processed", "delivered", "bounce", "dropped", "deferred"])
def test_an_answer_that_never_came_is_settled_by_what_is_heard_later(room: Room, kind: str) -> None:
    """SendGrid knows no idempotency key: only its events tell who has a copy, and who may be mailed again."""
    room.readers(3)
    issue_id = room.approved_issue()
    dispatch.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    with Standin(failures=[Failure(do="cut", is_accepted_first=True)]) as server:
        worker = room.dispatcher(transport_for(server.url, room.settings.data_dir))
        send_due(worker)
        assert states(room) == [DeliveryState.UNCERTAIN] * 3

        second = {"publisher_seq": "2", "email": "reader2@readers.example"}
        hear(room, an_event(kind), an_event(kind, **second))

        assert states(room) == [DeliveryState.SENT, DeliveryState.SENT, DeliveryState.UNCERTAIN]
        make_due(room)
        send_due(worker)

    assert [mail.to for mail in server.accepted[3:]] == ["reader3@readers.example"]
    with room.database.reading() as connection:
        assert report(connection, issue_id).state == SendState.SENT


def states(room: Room) -> list[str]:
    with room.database.reading() as connection:
        return list(connection.scalars(sa.select(delivery.c.state).order_by(delivery.c.seq)))


def make_due(room: Room) -> None:
    """Let a minute pass; PostgreSQL has a clock of its own."""
    with room.database.transaction() as connection:
        for table in ("delivery", "batch"):
            connection.execute(sa.text(f"UPDATE {table} SET due_at = NULL"))
