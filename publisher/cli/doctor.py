import os
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from publisher.database import first_line
from publisher.disk import disk_of
from publisher.errors import SettingsError
from publisher.migrations.migrate import is_current
from publisher.related.sense import OFF, embedder
from publisher.settings import unknown
from publisher.wiring import Newsroom, open_newsroom


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_fine: bool
    says: str


def examine() -> int:
    """Print a line for each thing looked at; return 0 where all is well."""
    findings = list(_findings(open_newsroom()))
    for found in findings:
        print(f"{'ok ' if found.is_fine else 'BAD'}  {found.what:<10} {found.says}")
    return 0 if all(found.is_fine for found in findings) else 1


def _findings(room: Newsroom) -> Iterator[Finding]:
    settings = room.settings
    slips = unknown(os.environ)
    said = f"these mean nothing: {', '.join(slips)}" if slips else f"{settings.base_url}, data in {settings.data_dir}"
    yield Finding("settings", is_fine=not slips, says=said)
    yield _database(room)
    redis_answers = room.pulse.answers()
    hint = "answers" if redis_answers else "does not answer; start it with `make run`, or set PUBLISHER_REDIS_URL"
    yield Finding("redis", is_fine=redis_answers, says=hint)
    beating = redis_answers and room.pulse.is_beating()
    says = (
        "a tick ran in the last 15 s" if beating else "no tick ran lately; are `publisher worker` and `beat` running?"
    )
    yield Finding("workers", is_fine=beating, says=says)
    kind = settings.mail_url.partition(":")[0]
    yield Finding("mail", is_fine=True, says=f"{kind}, from {settings.mail_from}")
    yield _model(room)
    yield _disk(room)


def _database(room: Newsroom) -> Finding:
    try:
        current = is_current(room.database)
    except SQLAlchemyError as problem:
        return Finding("database", is_fine=False, says=f"{first_line(problem)}; see PUBLISHER_DATABASE_URL")
    kind = "SQLite" if room.database.is_sqlite else "PostgreSQL"
    says = f"{kind}, up to date" if current else f"{kind}, not up to date; run `publisher migrate`"
    return Finding("database", is_fine=current, says=says)


def _model(room: Newsroom) -> Finding:
    wanted = room.settings.embeddings
    try:
        embedder(wanted)
    except SettingsError as problem:
        return Finding("related", is_fine=False, says=str(problem))
    says = "articles are related by their words" if wanted == OFF else "by words and by a sentence model, which loads"
    return Finding("related", is_fine=True, says=says)


def _disk(room: Newsroom) -> Finding:
    found = disk_of(room.settings.data_dir)
    return Finding("disk", is_fine=not found.is_nearly_full, says=f"{found.free_bytes / 1e9:.1f} GB free")
