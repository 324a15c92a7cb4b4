"""How a send stands, as the page of its issue shows it, at load and while it goes on."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from publisher.compose.model import IssueId, IssueState
from publisher.dispatch import report
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.report import Report
from publisher.errors import NotFoundError
from publisher.web.pages import fragment
from publisher.wiring import Newsroom

STILL_TO_DO = (DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.DEFERRED)
WATCHED = (IssueState.APPROVED, SendState.SENDING, SendState.PAUSED)
"""Sends of which there may be news from one second to the next."""
WITHIN = timedelta(seconds=10)
"""What a rate is reckoned from: the last so many seconds."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a send has come."""

    ended: int
    """Deliveries that have an outcome."""
    total: int
    under_way: bool
    took: timedelta | None
    rate_per_s: float
    """Outcomes a second; 0 where nothing goes on."""
    left: timedelta | None
    """About how long it will take, leaving out what waits for another try or its time; None where nobody can tell."""
    waiting: int
    """Never tried, for their time has not come: readers' own mornings, or the end of a test of subjects."""
    waiting_for: timedelta | None
    """How long until that of the first of them comes."""


@dataclass(frozen=True, kw_only=True)
class News:
    """How a send stands at an instant."""

    state: str
    html: str
    is_over: bool


class Paces:
    """Reckons how fast sends go, from how they stood a moment ago."""

    def __init__(self) -> None:
        self._stood: dict[IssueId, deque[tuple[datetime, int]]] = {}

    def rate_per_s(self, found: Report, now: datetime) -> float | None:
        """Note how a send stands, and return its rate; None where too little was seen of it."""
        stood = self._stood.setdefault(found.issue.id, deque())
        stood.append((now, ended_of(found)))
        while len(stood) > 1 and now - stood[1][0] >= WITHIN:
            stood.popleft()
        took_s = (now - stood[0][0]).total_seconds()
        return (stood[-1][1] - stood[0][1]) / took_s if took_s >= 1 else None

    def forget_others(self, watched: Iterable[IssueId]) -> None:
        for each in self._stood.keys() - set(watched):
            del self._stood[each]


def look(room: Newsroom, paces: Paces, issue_ids: Collection[IssueId]) -> dict[IssueId, News]:
    """Return how sends stand now; an issue that is not there is left out."""
    paces.forget_others(issue_ids)
    return {each.issue.id: _news(each, paces, room.now()) for each in _reports(room, issue_ids)}


def progress_of(found: Report, now: datetime, rate_per_s: float | None = None) -> Progress:
    """
    Return how far a send has come.

    Args:
        found: How it stands.
        now: The instant of that.
        rate_per_s: Its rate, where somebody has watched it; else that since its beginning is taken.

    """
    rate = (rate_per_s if rate_per_s is not None else _mean_rate(found, now)) if found.state == SendState.SENDING else 0
    waiting, first_at = found.waiting(now)
    to_try = found.counts[DeliveryState.PLANNED] + found.counts[DeliveryState.SENDING] - waiting
    return Progress(
        ended=ended_of(found),
        total=found.total,
        under_way=is_under_way(found),
        took=found.finished_at - found.started_at if found.finished_at and found.started_at else None,
        rate_per_s=rate if to_try or not waiting else 0,
        left=timedelta(seconds=ceil(to_try / rate)) if rate and to_try > 0 and found.is_planned else None,
        waiting=waiting,
        waiting_for=first_at - now if first_at else None,
    )


def is_under_way(found: Report) -> bool:
    return found.state in {IssueState.SCHEDULED, IssueState.APPROVED, SendState.SENDING}


def ended_of(found: Report) -> int:
    return found.total - sum(found.counts[state] for state in STILL_TO_DO)


def _mean_rate(found: Report, now: datetime) -> float:
    took_s = (now - found.started_at).total_seconds() if found.started_at else 0
    return ended_of(found) / took_s if took_s >= 1 else 0


def _reports(room: Newsroom, issue_ids: Collection[IssueId]) -> list[Report]:
    found = []
    with room.database.reading() as connection:
        for each in issue_ids:
            try:
                found.append(report.report(connection, each))
            except NotFoundError:
                continue
    return found


def _news(found: Report, paces: Paces, now: datetime) -> News:
    progress = progress_of(found, now, paces.rate_per_s(found, now))
    return News(
        state=found.state,
        html=fragment("desk/standing.html", report=found, progress=progress),
        is_over=found.state not in WATCHED,
    )
