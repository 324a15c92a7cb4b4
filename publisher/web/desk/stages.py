"""How far behind each stage is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive.proposals import STAGE as PROPOSE
from publisher.archive.tables import article_change
from publisher.audience.imports import STAGE as IMPORT
from publisher.audience.tables import subscriber_import
from publisher.compose.flow import STAGE as COMPOSE
from publisher.compose.model import IssueState
from publisher.compose.tables import issue
from publisher.dispatch.model import SendState
from publisher.dispatch.tables import batch, notice, send
from publisher.events.tables import delivery_event
from publisher.intake.model import SubmissionState
from publisher.intake.tables import source, submission
from publisher.related.flow import STAGE as RELATE
from publisher.syndication.flow import STAGE as SYNDICATE
from publisher.turn import stage_turn

LATE = timedelta(minutes=1)
"""A stage takes seconds; one that lets something wait for longer hangs, or has very much to do."""
AT_MOST = 10_000
"""So far something is counted; more is "many"."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What waits for a stage."""

    name: str
    what: str
    waiting: int
    since: datetime | None
    """The oldest of it; None where nobody can tell, or nothing waits."""
    is_at_it: bool
    """Whether a worker has the stage's turn now."""
    is_late: bool
    advice: str


def stages(connection: Connection, now: datetime) -> Iterator[Stage]:
    """Yield the stages in the order in which an article passes them."""
    received = submission.c.state == sa.literal_column(f"'{SubmissionState.RECEIVED}'")
    yield _stage(
        "Intake",
        "handed in, not in the archive yet",
        _waiting(connection, submission.c.received_at, received),
        now,
        advice="Workers for the queue articles do this; `publisher worker --queues articles`.",
    )
    turns = {row.stage: row for row in connection.execute(sa.select(stage_turn))}
    for name, word, what, queue in (
        (RELATE, "Related links", "changes of articles without links yet", "articles"),
        (SYNDICATE, "Feeds", "changes of articles not in the feeds yet", "channels"),
        (COMPOSE, "Issues", "changes of articles not looked at for alerts yet", "channels"),
        (PROPOSE, "Glossary proposals", "changes of articles whose names are not counted yet", "upkeep"),
    ):
        turn = turns.get(name)
        waiting = _waiting(connection, article_change.c.at, article_change.c.seq > (turn.seq if turn else 0))
        is_at_it = bool(turn and turn.leased_until and turn.leased_until > now)
        advice = f"If this grows, start another worker: `publisher worker --queues {queue}`; an error stands below."
        yield _stage(word, what, waiting, now, is_at_it=is_at_it, advice=advice)
    unopened = sa.and_(issue.c.state == IssueState.APPROVED, ~sa.exists().where(send.c.issue_id == issue.c.id))
    yield _stage(
        "Planning",
        "approved issues without deliveries yet",
        _waiting(connection, issue.c.approved_at, unopened),
        now,
        advice="Workers for the queue dispatch do this; an error stands below.",
    )
    yield _sending(connection, now)
    yield _stage(
        "Letters",
        "confirmations and welcomes to be sent",
        _waiting(connection, notice.c.due_at, notice.c.due_at <= now),
        now,
        advice="They wait for the mail server: `publisher doctor`, and the worker's log.",
    )
    unheard = _waiting(connection, delivery_event.c.received_at, delivery_event.c.applied_at.is_(None))
    yield _stage(
        "Events",
        "bounces, complaints and the like not looked at yet",
        unheard,
        now,
        advice="Workers for the queue events do this; `publisher worker --queues events`.",
    )
    yield _importing(connection, turns.get(IMPORT), now)
    overdue = sa.and_(source.c.state == "active", source.c.due_at < now)
    yield _stage(
        "Sources",
        "newsrooms' own feeds to be read",
        _waiting(connection, source.c.due_at, overdue),
        now,
        advice="Workers for the queue upkeep do this; `publisher source list` shows each.",
    )


def _importing(connection: Connection, turn: Any, now: datetime) -> Stage:
    """Of the files of readers, one waits while another is taken in; only where none is, that is late."""
    stage = _stage(
        "Imports",
        "files of readers that are not taken in yet",
        _waiting(connection, subscriber_import.c.created_at, subscriber_import.c.finished_at.is_(None)),
        now,
        is_at_it=bool(turn and turn.leased_until and turn.leased_until > now),
        advice="Workers for the queue upkeep do this; an import that was given up says why on its own page.",
    )
    return replace(stage, is_late=stage.is_late and not stage.is_at_it)


def _sending(connection: Connection, now: datetime) -> Stage:
    """Of a send, what is due is late when nobody has taken it for a while; one that is paused is not."""
    due = sa.and_(
        batch.c.state == "ready",
        sa.or_(batch.c.due_at.is_(None), batch.c.due_at <= now),
        batch.c.issue_id.in_(sa.select(send.c.issue_id).where(send.c.state == SendState.SENDING)),
    )
    number = len(connection.execute(sa.select(batch.c.number).where(due).limit(AT_MOST)).all())
    leased = sa.and_(batch.c.state == "leased", batch.c.leased_until > now)
    is_at_it = connection.execute(sa.select(batch.c.number).where(leased).limit(1)).first() is not None
    return Stage(
        name="Sending",
        what="batches of deliveries that are due",
        waiting=number,
        since=None,
        is_at_it=is_at_it,
        is_late=bool(number) and not is_at_it,
        advice="Nobody sends: start a worker for the queue dispatch, or look below at what went wrong.",
    )


def _waiting(
    connection: Connection, since: sa.ColumnElement[datetime], which: sa.ColumnElement[bool]
) -> tuple[int, datetime | None]:
    """Return how many wait, and since when the one has waited that has waited longest."""
    some = sa.select(since.label("since")).where(which).limit(AT_MOST).subquery()
    oldest = sa.func.min(some.c.since, type_=since.type)
    number, at = connection.execute(sa.select(sa.func.count(), oldest).select_from(some)).one()
    return number, at


def _stage(
    name: str,
    what: str,
    waiting: tuple[int, datetime | None],
    now: datetime,
    *,
    is_at_it: bool = False,
    advice: str,
) -> Stage:
    number, since = waiting
    is_late = since is not None and now - since > LATE
    return Stage(name=name, what=what, waiting=number, since=since, is_at_it=is_at_it, is_late=is_late, advice=advice)
