"""How the subjects of a test do, and the choice of the best: by the links that readers followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.compose.model import Issue, IssueId, Tracking
from publisher.database import Database, database_now
from publisher.dispatch import ledger
from publisher.dispatch.links import LINKS_OF_SUBJECT
from publisher.dispatch.subjects import Split, best_of, is_clear
from publisher.dispatch.tables import delivery, send
from publisher.errors import ConflictError, InputError
from publisher.events.model import EventKind
from publisher.events.tables import delivery_event, link_click

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class TriedSubject:
    """A subject on trial."""

    number: int
    subject: str
    readers: int
    """Who were planned to get it on trial."""
    clicks: int
    """Readers who followed a link; where the edition does not track by reader, how often one was followed."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a test of subjects stands."""

    subjects: tuple[TriedSubject, ...]
    share_percent: int
    settles_at: datetime
    best_subject: int | None
    """That the rest gets; None: not chosen yet."""
    is_clear: bool
    """Whether the leading one is ahead by more than chance explains."""
    by_reader: bool
    """Whether clicks are readers."""

    @property
    def clicks(self) -> list[int]:
        return [each.clicks for each in self.subjects]

    @property
    def leading(self) -> int:
        """The number of the subject with the most clicks a reader; of equal ones the first."""
        return best_of([each.readers for each in self.subjects], self.clicks)


def standing_of(connection: Connection, issue_id: IssueId) -> Standing | None:
    """Return how an issue's test of subjects stands; None: it has none, or has not begun."""
    row = connection.execute(sa.select(send).where(send.c.issue_id == issue_id)).first()
    if row is None or row.subject_split is None:
        return None
    found = compose.issue_of(connection, issue_id)
    split = Split.from_json(row.subject_split)
    by_reader = compose.edition_of(connection, found.edition_id).tracking is Tracking.PER_READER
    clicks = split.clicks or _clicks(connection, issue_id, split, by_reader=by_reader)
    return Standing(
        subjects=tuple(
            TriedSubject(number=number, subject=subject, readers=split.readers[number], clicks=clicks[number])
            for number, subject in enumerate(_subjects(found))
        ),
        share_percent=split.share_percent,
        settles_at=row.settles_at,
        best_subject=row.best_subject,
        is_clear=is_clear(split.readers, clicks),
        by_reader=by_reader,
    )


def choose_due(database: Database, *, clock: Clock) -> int:
    """Choose the best subject of each test that has come to its end; return how many."""
    with database.reading() as connection:
        if not ledger.unsettled(connection, now=clock()):
            return 0
    chosen = 0
    with database.transaction() as connection:
        now = database_now(connection, clock)
        for issue_id in ledger.unsettled(connection, now=now):
            standing = standing_of(connection, issue_id)
            if standing and ledger.choose_subject(
                connection, issue_id, standing.leading, clicks=standing.clicks, now=now
            ):
                log.info("subject_chosen", issue_id=issue_id, number=standing.leading, is_clear=standing.is_clear)
                chosen += 1
    return chosen


def choose(database: Database, issue_id: IssueId, number: int, *, clock: Clock) -> None:
    """
    Let the rest of an issue's readers have a subject of its test at once.

    Raises:
        ConflictError: It has no test, or another subject was chosen before.
        InputError: It has no subject of this number.

    """
    with database.transaction() as connection:
        standing = standing_of(connection, issue_id)
        if standing is None:
            problem = f"Issue {issue_id} has no test of subjects that has begun."
            raise ConflictError(problem)
        if not 0 <= number < len(standing.subjects):
            problem = f"Issue {issue_id} has subjects 0 to {len(standing.subjects) - 1}."
            raise InputError(problem, "number")
        now = database_now(connection, clock)
        if ledger.choose_subject(connection, issue_id, number, clicks=standing.clicks, now=now):
            acts.note(connection, "subject chosen", f"issue {issue_id}, subject {number}")
        elif standing.best_subject != number:
            problem = f"The rest of the readers of issue {issue_id} gets subject {standing.best_subject} already."
            raise ConflictError(problem)


def _subjects(found: Issue) -> tuple[str, ...]:
    return (found.subject, *(found.subject_test.others if found.subject_test else ()))


def _clicks(connection: Connection, issue_id: IssueId, split: Split, *, by_reader: bool) -> Sequence[int]:
    wanted = _readers_who_clicked(issue_id, split) if by_reader else _links_followed(issue_id)
    found = {int(row.subject): int(row.clicks) for row in connection.execute(wanted)}
    return [found.get(number, 0) for number in range(split.count)]


def _readers_who_clicked(issue_id: IssueId, split: Split) -> sa.Select[Any]:
    place = split.place(delivery.c.subscription_id)
    same = sa.and_(delivery.c.issue_id == delivery_event.c.issue_id, delivery.c.seq == delivery_event.c.seq)
    return (
        sa.select(
            (place % split.count).label("subject"), sa.func.count(delivery_event.c.seq.distinct()).label("clicks")
        )
        .select_from(delivery_event)
        .join(delivery, same)
        .where(
            delivery_event.c.issue_id == issue_id,
            delivery_event.c.kind == EventKind.CLICKED,
            place < split.first_of_rest,
        )
        .group_by(sa.text("1"))
    )


def _links_followed(issue_id: IssueId) -> sa.Select[Any]:
    """Return how often the links of each subject were followed; before the best is chosen, only on trial."""
    return (
        sa.select(
            (link_click.c.number // LINKS_OF_SUBJECT).label("subject"), sa.func.sum(link_click.c.clicks).label("clicks")
        )
        .where(link_click.c.issue_id == issue_id)
        .group_by(sa.text("1"))
    )
