"""When an issue arrives in each time zone, where its edition keeps to its readers' own time of day. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from publisher.compose import cadence as cadences
from publisher.compose.cadence import DAILY
from publisher.compose.model import Arrival, Cadence, Edition
from publisher.errors import InputError

JUST_BEFORE = timedelta(microseconds=1)


def check_arrival(edition: Edition) -> None:
    """Raise InputError with the field where an edition has no time of day that its readers could share."""
    if edition.arrival is Arrival.LOCAL_TIME and edition.cadence is None:
        raise InputError(
            "To keep to the readers’ own time of day, an edition needs one: say when it appears.", "arrival"
        )


def first_arrival(cadence: Cadence, approved_at: datetime) -> datetime:
    """Return when an issue arrives with who lives in the edition's own time zone: on the day of its approval."""
    day = approved_at.astimezone(ZoneInfo(cadence.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return cadences.next_slot(replace(cadence, weekdays=DAILY), day - JUST_BEFORE)


def arrivals(cadence: Cadence, first: datetime, time_zones: Iterable[str]) -> dict[str, datetime]:
    """
    Return for each time zone the first instant, not before `first`, at which its clocks show the cadence's time of day.

    That is within a day. As `publisher.compose.cadence` has it, each day of each zone has exactly one such instant,
    however its clocks are set forward or back.
    """
    return {
        name: cadences.next_slot(replace(cadence, weekdays=DAILY, time_zone=name), first - JUST_BEFORE)
        for name in time_zones
    }
