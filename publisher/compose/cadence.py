import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from publisher.compose.model import Cadence
from publisher.errors import InputError

A_DAY = timedelta(days=1)
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAILY = frozenset(range(1, 8))
WEEKDAYS = frozenset(range(1, 6))
GROUPS = {"daily": DAILY, "weekdays": WEEKDAYS, "weekends": DAILY - WEEKDAYS}
DAYS = {name: number for number, day in enumerate(DAY_NAMES, 1) for name in (day.lower(), day[:3].lower())}
FORM = re.compile(r"(?P<days>\S.*?)\s+(?:at\s+)?(?P<hour>\d{1,2}):(?P<minute>\d{2}),?\s+(?P<zone>\S+)")
EXAMPLE = "write it like “mon,wed 08:00 Asia/Seoul”, “daily 07:30 Europe/Paris” or “weekdays 18:00 UTC”"


def slots_between(cadence: Cadence, after: datetime, until: datetime) -> list[datetime]:
    """
    Return the slots later than `after` and not later than `until`, in order, in UTC.

    A time of day that a time zone skips in spring moves forward by the gap; of one that comes twice
    in autumn the first counts. So every named local day has exactly one slot, however its clocks move.
    """
    return list(takewhile(lambda slot: slot <= until, _slots_after(cadence, after)))


def next_slot(cadence: Cadence, after: datetime) -> datetime:
    """Return the first slot later than `after`, in UTC."""
    return next(_slots_after(cadence, after))


def missed_slot(cadence: Cadence, last_slot_at: datetime, now: datetime, stale_after: timedelta) -> datetime | None:
    """
    Return the one slot to make up for after a downtime, or None.

    Only the newest counts: its window reaches back to the last slot that was kept, so nothing is
    left out. One that is older than `stale_after` is no news any more.
    """
    missed = slots_between(cadence, max(last_slot_at, now - stale_after), now)
    return missed[-1] if missed else None


def describe(cadence: Cadence) -> str:
    """Return the cadence in English, in words that `parse` reads: "Mondays at 08:00, Asia/Seoul"."""
    return f"{_name_days(cadence.weekdays)} at {cadence.at:%H:%M}, {cadence.time_zone}"


def parse(text: str) -> Cadence:
    """
    Read days, time of day and time zone: "mon,wed 08:00 Asia/Seoul", "mon-fri 18:00 UTC", "daily 07:30 Europe/Paris".

    Raises:
        InputError: One sentence with an example.

    """
    found = FORM.fullmatch(" ".join(text.split()))
    if not found:
        raise InputError(f"{text!r} is not a cadence; {EXAMPLE}")
    return Cadence(
        weekdays=_read_days(found["days"].lower()),
        at=_read_time(int(found["hour"]), int(found["minute"])),
        time_zone=_read_zone(found["zone"]),
    )


def _slots_after(cadence: Cadence, after: datetime) -> Iterator[datetime]:
    if not cadence.weekdays:
        raise InputError(f"a cadence needs at least one day; {EXAMPLE}")
    zone = ZoneInfo(cadence.time_zone)
    # Two days back: the slot of a local day may lie after its midnight by the length of a gap.
    day = after.astimezone(zone).date() - 2 * A_DAY
    while True:
        if day.isoweekday() in cadence.weekdays and _exists(day, zone):
            slot = _instant(day, cadence.at, zone)
            if slot > after:
                yield slot
        day += A_DAY


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """
    Return the instant of a local time of day.

    Source:
        PEP 495: with fold=0, a time in a gap is read with the offset before it, which moves it
        forward by the gap, and of a time that comes twice the first is meant.

    """
    return datetime.combine(day, at.replace(fold=0), tzinfo=zone).astimezone(UTC)


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Tell whether the calendar of a zone has this day: Samoa had no 30 December 2011."""
    return _instant(day, time(), zone) < _instant(day + A_DAY, time(), zone)


def _name_days(weekdays: frozenset[int]) -> str:
    for name, group in (("Every day", DAILY), ("Weekdays", WEEKDAYS)):
        if weekdays == group:
            return name
    *others, last = (f"{DAY_NAMES[number - 1]}s" for number in sorted(weekdays))
    return f"{', '.join(others)} and {last}" if others else last


def _read_days(text: str) -> frozenset[int]:
    words = re.split(r"[,\s]+", re.sub(r"\s+and\s+", ",", text.replace("every day", "daily")))
    return frozenset().union(*(GROUPS.get(word) or _read_range(word) for word in words if word))


def _read_range(text: str) -> frozenset[int]:
    first, _, last = text.partition("-")
    start, end = _read_day(first), _read_day(last or first)
    return frozenset((start + step - 1) % 7 + 1 for step in range((end - start) % 7 + 1))


def _read_day(name: str) -> int:
    day = DAYS.get(name) or DAYS.get(name.removesuffix("s"))
    if day is None:
        raise InputError(f"{name!r} is not a day of the week; {EXAMPLE}")
    return day


def _read_time(hour: int, minute: int) -> time:
    try:
        return time(hour, minute)
    except ValueError:
        raise InputError(f"{hour}:{minute:02} is not a time of day; {EXAMPLE}") from None


def _read_zone(name: str) -> str:
    """Return the name if it is in the time zone database; a zone is an IANA name, never an offset."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"{name!r} is not a time zone; {EXAMPLE}") from None
