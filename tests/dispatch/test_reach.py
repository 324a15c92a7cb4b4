from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience import flow as audience
from publisher.audience import segment_store
from publisher.audience import store as subscribers
from publisher.audience.model import SubscriptionId, SuppressionReason
from publisher.audience.segments import Conditions
from publisher.audience.store import mailing_list_named, subscriptions_of
from publisher.audience.tables import subscriber
from publisher.compose.store import change_edition, edition_named
from publisher.dispatch import flow, ledger
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.reach import reach
from publisher.errors import NotFoundError
from tests.newsroom import Room, open_room


def reached(room: Room, slug: str = "readers") -> int:
    with room.database.reading() as connection:
        weekly = edition_named(connection, "weekly")
        its_list = mailing_list_named(connection, slug).id
        return reach(connection, replace(weekly, mailing_list_id=its_list), now=room.clock())


def pause(room: Room, address: str, *, until: timedelta) -> None:
    until_then = room.clock() + until
    audience.pause(room.database, the_subscription(room, address), until=until_then, clock=room.clock)


def go_to_evens(room: Room) -> None:
    """Let the edition go to a segment: readers 4, 6 and 8, of whom the last has left."""
    with room.database.transaction() as connection:
        connection.execute(sa.update(subscriber).where(subscriber.c.id.in_((2, 4, 6, 8))).values(language="ko"))
        korean = Conditions(languages=("ko",))
        saved = segment_store.add_segment(connection, slug="ko", name="ko", conditions=korean, now=room.clock())
        change_edition(connection, replace(edition_named(connection, "weekly"), segment_id=saved.id))


def leave(room: Room, address: str) -> None:
    audience.unsubscribe(room.database, the_subscription(room, address), clock=room.clock)


def the_subscription(room: Room, address: str) -> SubscriptionId:
    with room.database.reading() as connection:
        found = subscribers.subscriber_with_email(connection, address)
        assert found
        (subscription,) = subscriptions_of(connection, [found.id])[found.id]
    return subscription.id


@pytest.mark.parametrize("expected", [5, 2], ids=["all readers", "a segment"])
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def test_an_editor_is_told_just_the_number_that_the_plan_will_send(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, expected: int
) -> None:
    """It stands on the button; a number that is too small would be approved lightly."""
    url = "" if database == "sqlite" else request.getfixturevalue("postgresql_url")
    with open_room(tmp_path, database_url=url) as room:
        addresses = room.readers(9)
        for each in addresses[:2]:
            audience.suppress(room.database, each, reason=SuppressionReason.BOUNCED, clock=room.clock)
        pause(room, addresses[1], until=timedelta(days=1))
        pause(room, addresses[2], until=timedelta(days=1))
        audience.suppress(room.database, "stranger@x.example", reason=SuppressionReason.MANUAL, clock=room.clock)
        leave(room, addresses[7])
        audience.suppress(room.database, addresses[7], reason=SuppressionReason.COMPLAINED, clock=room.clock)

        if expected == 2:
            go_to_evens(room)
        told = reached(room)
        issue_id = room.approved_issue()
        flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
        with room.database.reading() as connection:
            counts = ledger.counts(connection, issue_id)

    assert told == counts[DeliveryState.PLANNED] == expected


def test_readers_of_another_mailing_list_do_not_count(tmp_path: Path) -> None:
    with open_room(tmp_path) as room:
        room.readers(2)
        audience.add_mailing_list(room.database, slug="others", name="Others", clock=room.clock)

        assert (reached(room), reached(room, "others")) == (2, 0)
        with pytest.raises(NotFoundError):
            reached(room, "none")
