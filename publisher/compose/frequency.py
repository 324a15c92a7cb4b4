"""How often an edition comes, in words for readers."""

from collections.abc import Iterable
from enum import StrEnum

from publisher.compose.cadence import DAILY, DAY_NAMES, WEEKDAYS
from publisher.compose.model import Arrival, Cadence, Edition, EditionKind


class Frequency(StrEnum):
    """How often an edition comes, most often first; the value is what readers are told."""

    AT_ONCE = "As it happens"
    DAILY = "Every day"
    WEEKDAYS = "On weekdays"
    OFTEN = "Several times a week"
    WEEKLY = "Once a week"
    SOMETIMES = "Now and then"


def frequency_of(edition: Edition) -> Frequency:
    if edition.kind is EditionKind.ALERT:
        return Frequency.AT_ONCE
    if edition.cadence is None:
        return Frequency.SOMETIMES
    whole = {DAILY: Frequency.DAILY, WEEKDAYS: Frequency.WEEKDAYS}
    several = Frequency.OFTEN if len(edition.cadence.weekdays) > 1 else Frequency.WEEKLY
    return whole.get(edition.cadence.weekdays, several)


def most_often(editions: Iterable[Edition]) -> Frequency:
    """Return how often somebody gets a mail who gets all of these editions."""
    order = list(Frequency)
    return min((frequency_of(each) for each in editions), key=order.index, default=Frequency.SOMETIMES)


def told(edition: Edition) -> str:
    """Return when an edition comes: "Every Monday at 08:00, Seoul time"."""
    if edition.kind is EditionKind.ALERT:
        return "Each article, as soon as it is out"
    if edition.cadence is None:
        return "Now and then"
    clock = "by your own clock" if edition.arrival is Arrival.LOCAL_TIME else _place(edition.cadence.time_zone)
    return f"{_days(edition.cadence)} at {edition.cadence.at:%H:%M}, {clock}"


def _days(cadence: Cadence) -> str:
    if cadence.weekdays == DAILY:
        return "Every day"
    if cadence.weekdays == WEEKDAYS:
        return "Monday to Friday"
    *others, last = (DAY_NAMES[number - 1] for number in sorted(cadence.weekdays))
    return f"Every {', '.join(others)} and {last}" if others else f"Every {last}"


def _place(time_zone: str) -> str:
    """Return a time zone as people call it: "Seoul time"."""
    return time_zone if time_zone == "UTC" else f"{time_zone.rpartition('/')[2].replace('_', ' ')} time"
