from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.compose import cadence as cadences
from publisher.compose.model import Cadence
from publisher.errors import ConflictError, NotFoundError

LONGEST_INTERVAL = timedelta(days=9)
"""A week, the longest way between two slots of a cadence, and two days for time zones that skip one."""
AN_INSTANT = timedelta(microseconds=1)


def slot_before(cadence: Cadence, slot: datetime) -> datetime:
    """Return the slot that comes before another instant."""
    return cadences.slots_between(cadence, slot - LONGEST_INTERVAL, slot - AN_INSTANT)[-1]


def interval(cadence: Cadence | None) -> timedelta:
    """Return the longest way between two slots of a week, in whole days: what an issue made by hand looks back on."""
    if cadence is None:
        return timedelta(days=7)
    days = sorted(cadence.weekdays)
    gaps = [later - earlier for earlier, later in zip(days, [*days[1:], days[0] + 7], strict=True)]
    return timedelta(days=max(gaps))


def published_or_refuse(wanted: Sequence[ArticleId], found: Mapping[ArticleId, Lead]) -> Sequence[Lead]:
    """Return the leads that an editor named. Raises NotFoundError, or ConflictError for one that is not visible."""
    for each in wanted:
        if each not in found:
            raise NotFoundError("article", each)
        if found[each].state is not ArticleState.PUBLISHED:
            problem = f"Article {each} is {found[each].state}; only a published one can go into an issue."
            raise ConflictError(problem)
    return [found[each] for each in dict.fromkeys(wanted)]
