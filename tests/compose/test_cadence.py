from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.compose.cadence import describe, missed_slot, next_slot, parse, slots_between
from publisher.compose.model import Cadence
from publisher.errors import InputError

DAILY = frozenset(range(1, 8))
SEOUL_MORNING = Cadence(weekdays=frozenset({1}), at=time(8), time_zone="Asia/Seoul")
ODD_ZONES = [
    "UTC",
    "Asia/Seoul",
    "Europe/Paris",
    "America/New_York",
    "America/Sao_Paulo",  # changed at midnight
    "Africa/Cairo",  # changes at midnight
    "Australia/Lord_Howe",  # changes by half an hour
    "Asia/Kathmandu",
    "America/Nuuk",
    "Africa/Casablanca",  # changes around Ramadan
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Kwajalein",  # had no 21 August 1993
    "America/Toronto",
    "Asia/Pyongyang",
    "America/Caracas",
    "Antarctica/Troll",  # changes by two hours
]

cadences = st.builds(
    Cadence,
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    at=st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    time_zone=st.sampled_from(ODD_ZONES),
)
instants = st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- hypothesis adds the zone


def local_days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


@given(cadences, instants, st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_every_named_local_day_has_exactly_one_slot(cadence: Cadence, after: datetime, days: int) -> None:
    """Whatever the clocks of a zone do, no issue is lost and none goes out twice."""
    zone = ZoneInfo(cadence.time_zone)
    until = after + timedelta(days=days)

    slots = slots_between(cadence, after, until)

    assert all(earlier < later for earlier, later in pairwise(slots))
    assert all(after < slot <= until and slot.tzinfo is UTC for slot in slots)
    expected = [day for day in existing_days(after, until, zone) if day.isoweekday() in cadence.weekdays]
    named = [day_of(slot, cadence) for slot in slots]
    assert len(set(named)) == len(named)
    sure = expected[2:-2]  # at the edges a slot may lie just outside
    assert set(sure) <= set(named)
    assert set(named) <= set(expected)


def existing_days(after: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    """The local dates that a clock in the zone shows, found by looking at it every quarter of an hour around change."""
    found: dict[date, None] = {}
    instant = after - timedelta(days=1)
    while instant <= until + timedelta(days=1):
        found[instant.astimezone(zone).date()] = None
        instant += timedelta(hours=1)
    return list(found)


def day_of(slot: datetime, cadence: Cadence) -> date:
    """The named local day: a slot that a gap moved past midnight belongs to the day before."""
    local = slot.astimezone(ZoneInfo(cadence.time_zone))
    return local.date() if local.time() >= cadence.at else local.date() - timedelta(days=1)


@given(cadences, instants)
@settings(max_examples=200, deadline=None)
def test_the_next_slot_is_the_first_of_those_that_follow(cadence: Cadence, after: datetime) -> None:
    following = slots_between(cadence, after, after + timedelta(days=16))

    assert next_slot(cadence, after) == following[0]


@given(cadences, instants, st.lists(st.integers(0, 60 * 24 * 20), max_size=6))
@settings(max_examples=100, deadline=None)
def test_looking_often_or_seldom_finds_the_same_slots(cadence: Cadence, start: datetime, minutes: list[int]) -> None:
    """Beat may ask every second or after an outage: each slot falls into exactly one of the spans asked for."""
    moments = [start, *sorted(start + timedelta(minutes=minute) for minute in minutes)]

    in_parts = [slot for after, until in pairwise(moments) for slot in slots_between(cadence, after, until)]

    assert in_parts == slots_between(cadence, start, moments[-1])


def test_a_slot_in_the_gap_of_spring_moves_forward_by_the_gap() -> None:
    """29 March 2026 has no half past two in Paris; the clock goes from 2:00 to 3:00."""
    cadence = parse("daily 02:30 Europe/Paris")

    slot = next_slot(cadence, datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert slot.astimezone(ZoneInfo("Europe/Paris")).isoformat() == "2026-03-29T03:30:00+02:00"


def test_of_a_time_that_comes_twice_in_autumn_the_first_counts() -> None:
    cadence = parse("daily 02:30 Europe/Paris")

    slots = slots_between(cadence, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))

    assert slots == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


def test_a_day_that_the_calendar_leaves_out_has_no_slot() -> None:
    """Samoa went from 29 to 31 December 2011; two issues on the 31st would be one too many."""
    cadence = parse("daily 08:00 Pacific/Apia")

    slots = slots_between(cadence, datetime(2011, 12, 28, 22, tzinfo=UTC), datetime(2012, 1, 1, tzinfo=UTC))

    local = [slot.astimezone(ZoneInfo("Pacific/Apia")).day for slot in slots]
    assert local == [29, 31, 1]


def test_the_moment_asked_after_is_not_its_own_next_slot() -> None:
    """Else a beat that comes exactly on time would open the same issue again."""
    on_the_slot = datetime(2026, 11, 1, 23, tzinfo=UTC)

    assert next_slot(SEOUL_MORNING, on_the_slot - timedelta(seconds=1)) == on_the_slot
    assert next_slot(SEOUL_MORNING, on_the_slot) == on_the_slot + timedelta(days=7)


def test_after_a_downtime_only_the_newest_missed_slot_is_made_up() -> None:
    """Readers get one issue with all that they missed, not a pile of yesterday's."""
    daily = parse("daily 08:00 UTC")
    last = datetime(2026, 11, 1, 8, tzinfo=UTC)

    made_up = missed_slot(daily, last, last + timedelta(days=3, hours=2), timedelta(hours=12))

    assert made_up == last + timedelta(days=3)


def test_a_missed_slot_that_was_made_up_is_not_made_up_again() -> None:
    daily = parse("daily 08:00 UTC")
    last = datetime(2026, 11, 4, 8, tzinfo=UTC)

    assert missed_slot(daily, last, last + timedelta(hours=2), timedelta(hours=12)) is None


def test_a_missed_slot_that_is_stale_is_let_go() -> None:
    daily = parse("daily 08:00 UTC")
    last = datetime(2026, 11, 1, 8, tzinfo=UTC)
    slot = last + timedelta(days=1)

    assert missed_slot(daily, last, slot + timedelta(hours=12), timedelta(hours=12)) is None
    assert missed_slot(daily, last, slot + timedelta(hours=11, minutes=59), timedelta(hours=12)) == slot


@given(cadences)
def test_a_cadence_is_read_back_from_its_description(cadence: Cadence) -> None:
    """The desk shows the description in the field where an editor changes it."""
    assert parse(describe(cadence)) == cadence


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("mon,wed 08:00 Asia/Seoul", "Mondays and Wednesdays at 08:00, Asia/Seoul"),
        ("daily 07:30 Europe/Paris", "Every day at 07:30, Europe/Paris"),
        ("weekdays 18:00 UTC", "Weekdays at 18:00, UTC"),
        ("weekends 9:05 UTC", "Saturdays and Sundays at 09:05, UTC"),
        ("Monday 08:00 Asia/Seoul", "Mondays at 08:00, Asia/Seoul"),
        ("fri-mon 08:00 UTC", "Mondays, Fridays, Saturdays and Sundays at 08:00, UTC"),
        ("every day at 08:00 UTC", "Every day at 08:00, UTC"),
    ],
)
def test_editors_write_cadences_in_several_ways(text: str, description: str) -> None:
    assert describe(parse(text)) == description


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a cadence"),
        ("mon 8 UTC", "'mon 8 UTC' is not a cadence"),
        ("noday 08:00 UTC", "'noday' is not a day of the week"),
        ("mon 24:00 UTC", "24:00 is not a time of day"),
        ("mon 08:00 Asia/Soul", "'Asia/Soul' is not a time zone"),
        ("mon 08:00 ../../etc/passwd", "'../../etc/passwd' is not a time zone"),
    ],
)
def test_a_cadence_that_cannot_be_read_is_answered_with_an_example(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)

    assert str(caught.value).startswith(problem)
    assert "mon,wed 08:00 Asia/Seoul" in str(caught.value)


def test_a_cadence_without_days_is_refused_rather_than_searched_for_ever() -> None:
    never = Cadence(weekdays=frozenset(), at=time(8), time_zone="UTC")

    with pytest.raises(InputError, match="at least one day"):
        next_slot(never, datetime(2026, 11, 1, tzinfo=UTC))
