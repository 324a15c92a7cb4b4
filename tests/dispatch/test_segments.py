"""An issue that goes to a segment."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience import segment_store
from publisher.audience.segments import Conditions
from publisher.audience.tables import subscriber
from publisher.compose import store
from publisher.dispatch.model import DeliveryState
from publisher.errors import ConflictError
from tests.audience.clocks import MORNING
from tests.dispatch.test_send import judged, over, plan, report_of, send
from tests.newsroom import Room, open_room


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


def go_to_koreans(room: Room) -> None:
    with room.database.transaction() as connection:
        korean = Conditions(languages=("ko",))
        saved = segment_store.add_segment(connection, slug="korean", name="Korean", conditions=korean, now=MORNING)
        weekly = store.edition_named(connection, "weekly")
        store.change_edition(connection, replace(weekly, segment_id=saved.id))


def speak_korean(room: Room, every: int) -> None:
    with room.database.transaction() as connection:
        connection.execute(sa.update(subscriber).where(subscriber.c.id % every == 0).values(language="ko"))


def test_only_its_readers_get_the_issue(room: Room) -> None:
    readers = room.readers(3_000)
    speak_korean(room, every=3)
    go_to_koreans(room)
    issue_id = room.approved_issue()
    plan(room)

    with judged(room) as sink:
        send(room, over(sink.server))
        assert sorted(sink.recipients()) == sorted(readers[2::3])

    found = report_of(room, issue_id)
    assert (found.state, found.total, found.counts[DeliveryState.SENT]) == ("sent", 1_000, 1_000)


def test_a_segment_without_readers_is_sent_at_once(room: Room) -> None:
    room.readers(5)
    go_to_koreans(room)
    issue_id = room.approved_issue()

    plan(room)

    assert (report_of(room, issue_id).state, report_of(room, issue_id).total) == ("sent", 0)


def test_an_issue_goes_to_whom_it_was_opened_for(room: Room) -> None:
    """Planning takes a while; who changes the segment meanwhile changes the next issue."""
    room.readers(4)
    speak_korean(room, every=2)
    go_to_koreans(room)
    issue_id = room.approved_issue()
    plan(room)
    with room.database.transaction() as connection:
        everybody = Conditions(languages=("en", "ko"))
        segment_store.change_segment(connection, "korean", name="All", conditions=everybody)

    plan(room)

    assert report_of(room, issue_id).total == 2


def test_a_segment_that_an_edition_goes_to_cannot_be_removed(room: Room) -> None:
    go_to_koreans(room)

    with room.database.transaction() as connection:
        found = segment_store.segment_named(connection, "korean")
        with pytest.raises(ConflictError, match="The Weekly would lose the readers of 'Korean'"):
            store.remove_segment(connection, found)
