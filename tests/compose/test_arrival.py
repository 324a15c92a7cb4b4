from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.arrival import arrivals, first_arrival
from publisher.compose.model import Cadence

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis adds it
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
A_DAY = timedelta(days=1)
LONGEST_GAP = timedelta(hours=24)
"""Samoa left out a whole day; elsewhere clocks are set forward by an hour."""
SEOUL = Cadence(weekdays=frozenset({1}), at=time(7), time_zone="Asia/Seoul")


@given(at=TIMES, zone=ZONES, approved_at=INSTANTS, readers=ZONES)
def test_every_zone_has_one_arrival_within_a_day_of_the_first(
    at: time, zone: str, approved_at: datetime, readers: str
) -> None:
    cadence = Cadence(weekdays=frozenset({1}), at=at, time_zone=zone)

    first = first_arrival(cadence, approved_at)
    due = arrivals(cadence, first, [readers])[readers]

    assert first <= due <= first + A_DAY + LONGEST_GAP
    shown = due.astimezone(ZoneInfo(readers))
    is_in_a_gap = shown.astimezone(UTC).astimezone(ZoneInfo(readers)).time() != at
    assert shown.time() == at or is_in_a_gap


@given(at=TIMES, zone=ZONES, approved_at=INSTANTS)
def test_readers_in_the_editions_own_zone_are_the_first(at: time, zone: str, approved_at: datetime) -> None:
    cadence = Cadence(weekdays=frozenset({1}), at=at, time_zone=zone)

    first = first_arrival(cadence, approved_at)

    assert arrivals(cadence, first, [zone])[zone] == first
    assert abs(first - approved_at) <= A_DAY + LONGEST_GAP


def test_seven_oclock_goes_round_the_world() -> None:
    first = first_arrival(SEOUL, datetime(2026, 3, 8, 23, 30, tzinfo=UTC))  # Monday, 8:30 in Seoul
    zones = ("Asia/Seoul", "Asia/Kolkata", "Europe/London", "America/Los_Angeles", "Pacific/Auckland")

    found = arrivals(SEOUL, first, zones)

    assert [f"{found[zone].astimezone(ZoneInfo(zone)):%a %H:%M}" for zone in zones] == [
        "Mon 07:00",
        "Mon 07:00",
        "Mon 07:00",
        "Mon 07:00",
        "Tue 07:00",
    ], "in Auckland seven had passed before the issue was there"
    assert [str(found[zone] - first) for zone in zones] == ["0:00:00", "3:30:00", "9:00:00", "16:00:00", "20:00:00"]


@pytest.mark.parametrize(
    ("day", "shown"),
    [(datetime(2026, 3, 29, tzinfo=UTC), "03:30"), (datetime(2026, 10, 25, tzinfo=UTC), "02:30")],
    ids=["the gap in spring", "the hour that comes twice in autumn"],
)
def test_a_night_in_which_clocks_are_set_has_one_arrival(day: datetime, shown: str) -> None:
    cadence = Cadence(weekdays=frozenset({7}), at=time(2, 30), time_zone="UTC")

    due = arrivals(cadence, day, ["Europe/Berlin"])["Europe/Berlin"]

    assert f"{due.astimezone(ZoneInfo('Europe/Berlin')):%H:%M}" == shown
    assert day <= due < day + A_DAY
