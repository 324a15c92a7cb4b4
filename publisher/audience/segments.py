"""Segments: a part of the readers, told by conditions that an editor puts together. Pure; no condition is ever SQL."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any, NewType

from babel.core import get_global
from slugify import slugify

from publisher.audience import rules
from publisher.errors import InputError

SegmentId = NewType("SegmentId", int)

VALUES_AT_MOST = 50
"""Of one condition."""
DAYS_AT_MOST = 3_650
NAME_AT_MOST = 200


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Who belongs to a segment: who meets all of these. Of several values in one it is enough to meet one."""

    languages: tuple[str, ...] = ()
    """BCP 47; `en` holds for `en-GB` as well."""
    countries: tuple[str, ...] = ()
    """ISO 3166, of the reader's time zone."""
    time_zones: tuple[str, ...] = ()
    """IANA names."""
    topics: tuple[str, ...] = ()
    """Slugs; readers choose theirs on their preferences page."""
    mailing_lists: tuple[str, ...] = ()
    """Slugs; a confirmed subscription to one of them, besides the one that an issue goes to."""
    joined_after: date | None = None
    """The day itself included, in UTC."""
    joined_before: date | None = None
    """The day itself not included, in UTC."""
    clicked_within_days: int | None = None
    """A link followed lately, in an edition that tells by whom."""

    def __bool__(self) -> bool:
        return any(asdict(self).values())


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Saved conditions with a name."""

    id: SegmentId
    slug: str
    name: str
    conditions: Conditions
    created_at: datetime


def checked(conditions: Conditions) -> Conditions:
    """Return conditions in the usual spelling. Raises InputError with the field."""
    found = Conditions(
        languages=_each(conditions.languages, "languages", rules.language_tag),
        countries=_each(conditions.countries, "countries", _country),
        time_zones=_each(conditions.time_zones, "time_zones", rules.time_zone),
        topics=_each(conditions.topics, "topics", _slug),
        mailing_lists=_each(conditions.mailing_lists, "mailing_lists", rules.list_slug),
        joined_after=conditions.joined_after,
        joined_before=conditions.joined_before,
        clicked_within_days=conditions.clicked_within_days,
    )
    if found.clicked_within_days is not None and not 1 <= found.clicked_within_days <= DAYS_AT_MOST:
        raise InputError(f"This takes a whole number from 1 to {DAYS_AT_MOST:,}.", "clicked_within_days")
    if not found:
        raise InputError("A segment needs at least one condition; without any it would be everybody.")
    if found.joined_after and found.joined_before and found.joined_after >= found.joined_before:
        raise InputError("Nobody joined both after and before these days.", "joined_before")
    return found


def clean_segment_name(text: str) -> str:
    """Raises InputError."""
    name = rules.clean_line(text, NAME_AT_MOST)
    if not name:
        raise InputError("A segment needs a name.", "name")
    return name


def zones_of(countries: Iterable[str]) -> set[str]:
    """Return the time zones of countries, by the territories that CLDR gives for zones."""
    wanted = set(countries)
    return {zone for zone, country in _territories().items() if country in wanted}


def to_json(conditions: Conditions) -> dict[str, Any]:
    """Return conditions as they are stored: only those that are set, days in ISO 8601."""
    return {
        name: value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
        for name, value in asdict(conditions).items()
        if value
    }


def from_json(stored: Mapping[str, Any]) -> Conditions:
    """Return stored conditions; one that a later version added is passed over."""
    known: dict[str, Any] = {}
    for each in fields(Conditions):
        value = stored.get(each.name)
        if value is not None:
            known[each.name] = tuple(value) if isinstance(value, list) else value
    for name in ("joined_after", "joined_before"):
        if name in known:
            known[name] = date.fromisoformat(known[name])
    return Conditions(**known)


def _each(values: tuple[str, ...], name: str, read: Callable[[str], str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(value.strip() for value in values if value.strip()))
    if len(found) > VALUES_AT_MOST:
        raise InputError(f"At most {VALUES_AT_MOST} values stand here.", name)
    try:
        return tuple(dict.fromkeys(read(value) for value in found))
    except InputError as wrong:
        raise InputError(f"{_first_refused(found, read)!r}: {wrong.problem}", name) from None


def _first_refused(values: Iterable[str], read: Callable[[str], str]) -> str:
    for value in values:
        try:
            read(value)
        except InputError:
            return value
    return ""


def _country(text: str) -> str:
    if text.upper() not in set(_territories().values()):
        raise InputError("This is not a country's code of two letters, such as KR or US.")
    return text.upper()


def _slug(text: str) -> str:
    return slugify(text)


@cache
def _territories() -> Mapping[str, str]:
    """Return the country of every time zone that has one, under its old names as well."""
    known: Mapping[str, str] = get_global("zone_territories")
    old: Mapping[str, str] = get_global("zone_aliases")
    return dict(known) | {name: known[now] for name, now in old.items() if now in known}
