"""A newsroom's own feeds: read on time, each new entry handed in once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog

from publisher import acts, outbound
from publisher.clock import Clock
from publisher.database import Database, insert_or_ignore, skip_locked
from publisher.errors import ConflictError, FetchError, InputError, NotFoundError, SubmissionError
from publisher.intake import store
from publisher.intake.feed_form import FeedReading, read_feed
from publisher.intake.model import Draft, SourceId
from publisher.intake.tables import source, submission
from publisher.settings import Settings

log = structlog.get_logger()

AT_ONCE = 10
SHORTEST_S = 60
USUAL_S = 900
LONGEST_WAIT = timedelta(hours=12)
CLAIM = timedelta(minutes=5)
"""How long a poll may take before another worker tries; far above the fetch's own limit."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A newsroom's feed that we read."""

    id: SourceId
    url: str
    name: str
    every_s: int
    state: str
    polled_at: datetime | None
    due_at: datetime
    failures: int
    problem: str


@dataclass(frozen=True, kw_only=True)
class Poll:
    """What one reading of a source gave."""

    added: int = 0
    problems: tuple[str, ...] = ()


def add_source(
    database: Database,
    settings: Settings,
    url: str,
    *,
    name: str = "",
    every_s: int = USUAL_S,
    topics: tuple[str, ...] = (),
    clock: Clock,
) -> SourceId:
    """
    Keep a feed to be read from now on.

    Raises:
        InputError: It cannot be read, or too often.
        ConflictError: We read it already.

    """
    problem = "" if settings.allow_private_fetch else outbound.address_problem(url)
    if problem or urlsplit(url).scheme not in {"http", "https"}:
        raise InputError(f"{url} cannot be read: it {problem or 'is not an http or https address'}.")
    if every_s < SHORTEST_S:
        raise InputError(f"A source is read every {SHORTEST_S} seconds at most.")
    row = {
        "url": url,
        "name": name or urlsplit(url).hostname,
        "every_s": every_s,
        "state": "active",
        "due_at": clock(),
        "failures": 0,
        "topics": list(topics),
        "created_at": clock(),
    }
    with database.transaction() as connection:
        added = connection.scalar(insert_or_ignore(connection, source).values(row).returning(source.c.id))
        if added is not None:
            acts.note(connection, "source added", f"source {added}")
    if added is None:
        raise ConflictError(f"{url} is among the sources already.")
    return SourceId(added)


def sources(database: Database) -> list[Source]:
    """Return all sources in the order of their adding."""
    with database.reading() as connection:
        return [_source(row) for row in connection.execute(sa.select(source).order_by(source.c.id))]


def remove_source(database: Database, source_id: SourceId) -> None:
    """Read a source no longer; its articles stay. Raises NotFoundError."""
    with database.transaction() as connection:
        if not connection.execute(sa.delete(source).where(source.c.id == source_id)).rowcount:
            raise NotFoundError("source", source_id)
        acts.note(connection, "source removed", f"source {source_id}")


def make_due(database: Database, source_id: SourceId, *, clock: Clock) -> None:
    """Let a source be read at the next turn. Raises NotFoundError."""
    with database.transaction() as connection:
        due = sa.update(source).where(source.c.id == source_id, source.c.state == "active")
        if not connection.execute(due.values(due_at=clock())).rowcount:
            raise NotFoundError("source that is read", source_id)


def poll_due(database: Database, settings: Settings, *, clock: Clock) -> int:
    """Read every source whose time has come; return how many submissions came of it."""
    with database.reading() as connection:
        if connection.scalar(sa.select(source.c.id).where(_due(clock())).limit(1)) is None:
            return 0
    return sum(_poll(database, settings, row, clock).added for row in _claim(database, clock))


def poll_now(database: Database, settings: Settings, source_id: SourceId, *, clock: Clock) -> Poll:
    """Read one source at once. Raises NotFoundError."""
    with database.reading() as connection:
        row = connection.execute(sa.select(source).where(source.c.id == source_id)).first()
    if row is None:
        raise NotFoundError("source", source_id)
    return _poll(database, settings, row, clock)


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(source.c.state == "active", source.c.due_at <= now)


def _claim(database: Database, clock: Clock) -> list[Any]:
    """Take the sources that are due, moving their time ahead, so that no other worker reads them meanwhile."""
    with database.transaction() as connection:
        wanted = sa.select(source).where(_due(clock())).order_by(source.c.due_at).limit(AT_ONCE)
        rows = list(connection.execute(skip_locked(connection, wanted)))
        claimed = sa.update(source).where(source.c.id.in_([row.id for row in rows]))
        connection.execute(claimed.values(due_at=clock() + CLAIM))
        return rows


def _poll(database: Database, settings: Settings, row: Any, clock: Clock) -> Poll:
    try:
        answer = outbound.fetch(row.url, headers=_conditions(row), allow_private=settings.allow_private_fetch)
        match answer.status:
            case 304:
                _note(database, row, clock(), {} if row.failures else {"problem": row.problem})
                return Poll()
            case 410:
                return _note_gone(database, row, clock())
            case 200:
                reading = read_feed(answer.body, url=row.url)
                return _hand_in_new(database, row, reading, answer.headers, clock)
            case other:
                return _note_failure(database, row, clock(), f"{row.url} answered with status {other}.")
    except (FetchError, SubmissionError) as problem:
        return _note_failure(database, row, clock(), str(problem))


def _conditions(row: Any) -> dict[str, str]:
    found = {"If-None-Match": row.etag, "If-Modified-Since": row.last_modified}
    return {name: value for name, value in found.items() if value}


def _hand_in_new(database: Database, row: Any, reading: FeedReading, headers: Mapping[str, str], clock: Clock) -> Poll:
    """Store what is new or changed, and the source's new state, in one transaction: each entry is handed in once."""
    origin = f"source:{row.id}"
    with database.transaction() as connection:
        fresh = [draft for draft in _drafts(row, reading) if not _known(connection, draft, origin)]
        for draft in reversed(fresh):
            store.add(connection, draft, origin=origin, same_as=None, now=clock())
        found = {"etag": headers.get("etag"), "last_modified": headers.get("last-modified")}
        problems = tuple(str(problem) for problem in reading.problems)
        _write_note(connection, row, clock(), found | {"problem": _left_out(problems)})
    return Poll(added=len(fresh), problems=problems)


def _left_out(problems: Sequence[str]) -> str | None:
    """Return what an editor should know of a feed that was read, but not every entry of it."""
    if not problems:
        return None
    others = f" And {len(problems) - 1} more like that." if len(problems) > 1 else ""
    return f"Not everything in it could be taken: {problems[0]}{others}"


def _drafts(row: Any, reading: FeedReading) -> list[Draft]:
    topics = tuple(row.topics)
    return [replace(draft, topics=topics) if topics and not draft.topics else draft for _, draft in reading.drafts]


def _known(connection: sa.Connection, draft: Draft, origin: str) -> bool:
    """Tell whether the last thing this source handed in under the same id is the same."""
    plain = store.as_json(draft)
    wanted = sa.select(submission.c.content_hash).where(submission.c.identity == store.identity(plain, origin))
    last = connection.scalar(wanted.order_by(submission.c.id.desc()).limit(1))
    return bool(last == store.content_hash(plain))


def _note(database: Database, row: Any, now: datetime, found: Mapping[str, str | None]) -> None:
    with database.transaction() as connection:
        _write_note(connection, row, now, found)


def _write_note(connection: sa.Connection, row: Any, now: datetime, found: Mapping[str, str | None]) -> None:
    due_at = now + timedelta(seconds=row.every_s)
    values = {"polled_at": now, "due_at": due_at, "failures": 0, "problem": None, **found}
    connection.execute(sa.update(source).where(source.c.id == row.id).values(values))


def _note_failure(database: Database, row: Any, now: datetime, problem: str) -> Poll:
    """Wait twice as long after each failure, half a day at most."""
    log.warning("source_failed", source_id=row.id, problem=problem)
    wait = min(timedelta(seconds=row.every_s) * 2 ** min(row.failures, 10), LONGEST_WAIT)
    values = {"polled_at": now, "due_at": now + wait, "failures": row.failures + 1, "problem": problem}
    with database.transaction() as connection:
        connection.execute(sa.update(source).where(source.c.id == row.id).values(values))
    return Poll(problems=(problem,))


def _note_gone(database: Database, row: Any, now: datetime) -> Poll:
    problem = "The server says that it is gone for good (410); it is not read any more."
    with database.transaction() as connection:
        gone = sa.update(source).where(source.c.id == row.id)
        connection.execute(gone.values(polled_at=now, state="gone", problem=problem))
    return Poll(problems=(problem,))


def _source(row: Any) -> Source:
    return Source(
        id=SourceId(row.id),
        url=row.url,
        name=row.name,
        every_s=row.every_s,
        state=row.state,
        polled_at=row.polled_at,
        due_at=row.due_at,
        failures=row.failures,
        problem=row.problem or "",
    )
