"""An issue that arrives with each reader at the edition's time of day, by the reader's own clock."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience.tables import subscriber
from publisher.compose import cadence, store
from publisher.compose.model import Arrival, IssueId
from publisher.dispatch import flow
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.tables import batch, delivery
from tests.audience.clocks import SetClock
from tests.dispatch.test_send import judged, over, plan, report_of, send, vanish
from tests.newsroom import Room, open_room

SEVEN_IN_SEOUL = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
ZONES = ("", "Asia/Seoul", "Asia/Kolkata", "Europe/London", "America/Los_Angeles", "Pacific/Auckland", "Mars/Olympus")
HOURS = {
    "": 0,
    "Asia/Seoul": 0,
    "Asia/Kolkata": 3.5,
    "Europe/London": 9,
    "America/Los_Angeles": 17,
    "Pacific/Auckland": 20,
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(SEVEN_IN_SEOUL)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=clock) as found:
        yield found


@pytest.fixture
def timed(tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    """A newsroom whose database asks our clock, which only SQLite does."""
    with open_room(tmp_path, clock=clock) as found:
        yield found


def readers_round_the_world(room: Room) -> dict[str, str]:
    """Put one reader in each time zone, and return the zones by their addresses."""
    addresses = room.readers(len(ZONES))
    with room.database.transaction() as connection:
        for address, zone in zip(addresses, ZONES, strict=True):
            connection.execute(sa.update(subscriber).where(subscriber.c.email == address).values(time_zone=zone))
        weekly = store.edition_named(connection, "weekly")
        at_seven = cadence.parse("daily 07:00 Asia/Seoul")
        store.change_edition(connection, replace(weekly, cadence=at_seven, arrival=Arrival.LOCAL_TIME))
    return dict(zip(addresses, ZONES, strict=True))


def due_times(room: Room, issue_id: IssueId) -> list[datetime | None]:
    with room.database.reading() as connection:
        wanted = sa.select(delivery.c.due_at).where(delivery.c.issue_id == issue_id).order_by(delivery.c.seq)
        return list(connection.scalars(wanted))


def test_each_delivery_is_due_at_the_readers_own_seven_oclock(room: Room, clock: SetClock) -> None:
    """Whose zone nobody knows, and whose zone is none, reads with the edition."""
    readers_round_the_world(room)
    clock.pass_by(timedelta(minutes=20))
    issue_id = room.approved_issue()

    plan(room)

    expected = [SEVEN_IN_SEOUL + timedelta(hours=HOURS.get(zone, 0)) for zone in ZONES]
    assert due_times(room, issue_id) == expected


def test_an_edition_that_goes_to_all_together_waits_for_nobody(room: Room) -> None:
    room.readers(3)
    issue_id = room.approved_issue()

    plan(room)

    assert due_times(room, issue_id) == [None] * 3


def test_every_reader_gets_it_once_and_in_the_right_hour(timed: Room, clock: SetClock) -> None:
    zones = readers_round_the_world(timed)
    issue_id = timed.approved_issue()
    plan(timed)
    arrived: dict[str, float] = {}

    with judged(timed) as sink:
        for half_hours in range(48):
            flow.upkeep(timed.database, clock=clock)
            send(timed, over(sink.server))
            for address in sink.recipients():
                arrived.setdefault(address, half_hours / 2)
            clock.pass_by(timedelta(minutes=30))
        assert Counter(sink.recipients()) == dict.fromkeys(zones, 1)

    assert {zones[address]: hours for address, hours in arrived.items()} == {**HOURS, "Mars/Olympus": 0}
    found = report_of(timed, issue_id)
    assert (found.state, found.counts[DeliveryState.SENT]) == ("sent", len(ZONES))


def test_resuming_does_not_bring_forward_who_still_sleeps(timed: Room, clock: SetClock) -> None:
    readers_round_the_world(timed)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed) as sink:
        flow.pause(timed.database, timed.settings, issue_id, reason="a look", clock=clock)
        flow.resume(timed.database, issue_id, clock=clock)
        send(timed, over(sink.server))
        early = set(sink.recipients())
        clock.pass_by(timedelta(hours=25))
        send(timed, over(sink.server))
        assert len(sink.recipients()) == len(ZONES)

    assert len(early) == 3, "Seoul, and those two whose clock nobody knows"


def test_a_worker_that_vanished_in_the_first_wave_sends_nobody_out_of_time(timed: Room, clock: SetClock) -> None:
    readers_round_the_world(timed)
    issue_id = timed.approved_issue()
    plan(timed)
    _, marked = vanish(timed.database, clock)
    assert marked == 3

    clock.pass_by(timedelta(hours=1))
    with judged(timed) as sink:
        for _ in range(50):
            flow.upkeep(timed.database, clock=clock)
            send(timed, over(sink.server))
            clock.pass_by(timedelta(minutes=30))
        assert len(sink.recipients()) == len(ZONES)

    assert report_of(timed, issue_id).state == "sent"


def test_it_is_news_until_the_last_readers_have_it(timed: Room, clock: SetClock) -> None:
    """The edition's issues grow stale after half a day; Auckland's turn comes after twenty hours."""
    readers_round_the_world(timed)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed) as sink:
        clock.pass_by(timedelta(hours=21))
        send(timed, over(sink.server))
        assert len(sink.recipients()) == len(ZONES)
    assert report_of(timed, issue_id).counts[DeliveryState.FAILED] == 0


def test_cancelled_in_the_night_it_reaches_no_further_zone(timed: Room, clock: SetClock) -> None:
    readers_round_the_world(timed)
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed) as sink:
        send(timed, over(sink.server))
        flow.cancel(timed.database, timed.settings, issue_id, reason="wrong picture", clock=clock)
        clock.pass_by(timedelta(hours=25))
        flow.upkeep(timed.database, clock=clock)
        send(timed, over(sink.server))
        assert len(sink.recipients()) == 3

    counts = report_of(timed, issue_id).counts
    assert (counts[DeliveryState.SENT], counts[DeliveryState.SKIPPED]) == (3, len(ZONES) - 3)


def test_ten_thousand_readers_of_all_zones_lie_in_batches_that_wait(timed: Room, clock: SetClock) -> None:
    timed.readers(10_000)
    with timed.database.transaction() as connection:
        odd = sa.update(subscriber).where(subscriber.c.id % 2 == 1)
        connection.execute(odd.values(time_zone="America/Los_Angeles"))
        weekly = store.edition_named(connection, "weekly")
        at_seven = cadence.parse("daily 07:00 Asia/Seoul")
        store.change_edition(connection, replace(weekly, cadence=at_seven, arrival=Arrival.LOCAL_TIME))
    issue_id = timed.approved_issue()
    plan(timed)

    with judged(timed) as sink:
        send(timed, over(sink.server))
        assert len(sink.recipients()) == 5_000
        with timed.database.reading() as connection:
            assert set(connection.scalars(sa.select(batch.c.due_at))) == {SEVEN_IN_SEOUL + timedelta(hours=17)}
        clock.pass_by(timedelta(hours=17))
        send(timed, over(sink.server))
        assert len(set(sink.recipients())) == len(sink.recipients()) == 10_000
    assert report_of(timed, issue_id).state == "sent"
