"""What a server's answer says of an address, at the moment of sending."""

from pathlib import Path

import sqlalchemy as sa

from publisher.audience.model import SuppressionReason
from publisher.audience.store import suppressions
from publisher.dispatch import flow
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery
from publisher.dispatch.transports.choose import transport_for
from tests.dispatch.sendgrid_standin import Standin
from tests.dispatch.sink import Fault, Sink, Terms
from tests.newsroom import Room


def send(room: Room, url: str) -> None:
    room.approved_issue()
    flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    with_transport = room.dispatcher(transport_for(url, Path("/nowhere")))
    send_due(with_transport)
    with_transport.transport.close()


def states(room: Room) -> dict[int, str]:
    with room.database.reading() as connection:
        return {row.seq: row.state for row in connection.execute(sa.select(delivery.c.seq, delivery.c.state))}


def test_only_an_address_that_is_dead_is_mailed_no_more(room: Room) -> None:
    readers = room.readers(4)
    faults = [
        Fault(step="rcpt", do="550 5.1.1 No such user", matching="reader2@"),
        Fault(step="rcpt", do="550 5.7.1 We do not like this", matching="reader3@"),
        Fault(step="rcpt", do="552 5.2.2 Mailbox full", matching="reader4@"),
    ]

    with Sink(Terms(faults=faults)) as server:
        send(room, f"smtp://127.0.0.1:{server.port}?connections=1&timeout=5")

    with room.database.reading() as connection:
        found = suppressions(connection, readers)
    assert [key for key in readers if key in found] == ["reader2@readers.example"]
    assert found["reader2@readers.example"].reason is SuppressionReason.BOUNCED
    assert "5.1.1" in found["reader2@readers.example"].detail
    assert states(room) == {1: DeliveryState.SENT} | dict.fromkeys((2, 3, 4), DeliveryState.FAILED)


def test_an_address_that_sendgrid_cannot_take_is_mailed_no_more(room: Room) -> None:
    readers = room.readers(3)
    with Standin(refused=["reader2@readers.example"]) as server:
        send(room, server.url)

    with room.database.reading() as connection:
        assert set(suppressions(connection, readers)) == {"reader2@readers.example"}
    assert states(room) == {1: DeliveryState.SENT, 2: DeliveryState.FAILED, 3: DeliveryState.SENT}
