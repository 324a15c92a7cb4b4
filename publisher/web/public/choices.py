"""What a reader chooses from: mailing lists by how often they come, languages, topics, time zones."""

import zoneinfo
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.audience import store as audience
from publisher.audience.model import MailingList
from publisher.audience.segment_store import topics_offered
from publisher.compose import store as compose
from publisher.compose.frequency import Frequency, most_often, told
from publisher.compose.model import Edition
from publisher.web.pages import language_name

LANGUAGES = ("ar", "de", "en", "es", "fr", "id", "it", "ja", "ko", "pt", "ru", "th", "tr", "vi", "zh")
"""To choose from, with those that the archive and the reader have."""
CONTINENTS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


@dataclass(frozen=True, kw_only=True)
class ListChoice:
    """A mailing list with what comes to its readers."""

    mailing_list: MailingList
    editions: list[tuple[Edition, str]]
    """Each with the words that tell when it comes."""


def lists_by_frequency(connection: Connection) -> list[tuple[Frequency, list[ListChoice]]]:
    """Return all mailing lists under how often a mail comes to each, most often first."""
    editions = compose.editions(connection, active_only=True)
    groups: dict[Frequency, list[ListChoice]] = {each: [] for each in Frequency}
    for mailing_list in audience.mailing_lists(connection):
        mine = [each for each in editions if each.mailing_list_id == mailing_list.id]
        choice = ListChoice(mailing_list=mailing_list, editions=[(each, told(each)) for each in mine])
        groups[most_often(mine)].append(choice)
    return [(frequency, choices) for frequency, choices in groups.items() if choices]


def languages(connection: Connection, *, also: str = "") -> list[tuple[str, str]]:
    tags = {*LANGUAGES, *(tag for tag, _ in archive.languages_in_use(connection)), *filter(None, [also])}
    return sorted(((tag, language_name(tag)) for tag in tags), key=lambda each: each[1].casefold())


def topics(connection: Connection, *, chosen: Collection[str]) -> list[tuple[str, str, bool]]:
    """Return the topics to choose from, with their names and whether they are chosen."""
    offered = topics_offered(connection)
    if not offered:
        return []
    names = {topic.slug: topic.name for topic, _ in archive.topics_in_use(connection)}
    return [(slug, names.get(slug, slug), slug in chosen) for slug in offered]


def time_zones(*, also: str = "") -> list[str]:
    return sorted({*_known_zones(), *filter(None, [also])})


@cache
def _known_zones() -> tuple[str, ...]:
    """Return the names that people know: a place on a continent or in an ocean, and UTC."""
    named = {each for each in zoneinfo.available_timezones() if each.partition("/")[0] in CONTINENTS}
    return tuple(sorted(named | {"UTC"}))
