"""Files of people that were handed in at the desk: kept, taken in by a worker, and gone; a report stays."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from io import BytesIO
from typing import Any, BinaryIO, NewType

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher import acts
from publisher.audience import rules, store
from publisher.audience.csv_form import ImportReport, import_csv
from publisher.audience.csv_table import BadLine, Table
from publisher.audience.model import How
from publisher.audience.tables import mailing_list, subscriber_import
from publisher.clock import Clock
from publisher.database import Database
from publisher.errors import ImportFileError, NotFoundError
from publisher.turn import Turn, rest, take_turns

ImportId = NewType("ImportId", int)

STAGE = "import"
FILE_NAME_AT_MOST = 200
BEGUN_AT_MOST = 5
NEVER_ENDED = "It was begun several times and never came to its end. Look into the worker's log, then import it again."
LINES_KEPT = 10_000
"""Refused lines whose reasons are kept: who has more of them has a file of something else."""


class ImportState(StrEnum):
    """Where an import stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    """The file cannot be read to its end; nobody was put on the list."""


@dataclass(frozen=True, kw_only=True)
class Import:
    """A file of people, on its way in or taken in."""

    id: ImportId
    name: str
    """Of the file."""
    mailing_list: str
    """Its slug."""
    is_confirmed: bool
    state: ImportState
    rows: int
    """That are done with."""
    begun: int
    """How often: an import whose worker was killed is begun again, which changes nothing of what is in already."""
    report: ImportReport | None
    problem: str
    """Why the file was refused."""
    created_at: datetime
    finished_at: datetime | None


class _StoppedError(Exception):
    """This worker ends; the next one begins the import again."""


def put_import(
    database: Database, file: BinaryIO, *, name: str, list_slug: str, confirmed: bool, wording: str = "", clock: Clock
) -> ImportId:
    """
    Keep a file for a worker to take in.

    Raises:
        ImportFileError: Its first line names no columns, so that nothing can come of it.
        NotFoundError: No such mailing list.

    """
    content = file.read()
    Table(BytesIO(content))
    with database.transaction() as connection:
        found = store.mailing_list_named(connection, list_slug)
        acts.note(connection, "subscribers imported", f"{list_slug}: a file")
        values = {
            "name": rules.clean_line(name, FILE_NAME_AT_MOST),
            "mailing_list_id": found.id,
            "is_confirmed": confirmed,
            "wording": wording,
            "content": content,
            "state": ImportState.WAITING,
            "rows": 0,
            "begun": 0,
            "problem": "",
            "created_at": clock(),
        }
        added = connection.execute(sa.insert(subscriber_import).values(values).returning(subscriber_import.c.id))
        return ImportId(added.scalar_one())


def import_of(connection: Connection, import_id: ImportId) -> Import:
    """Raises NotFoundError."""
    found = connection.execute(_IMPORTS.where(subscriber_import.c.id == import_id)).first()
    if found is None:
        raise NotFoundError("import", import_id)
    return _import(found)


def newest_imports(connection: Connection, *, at_most: int) -> list[Import]:
    rows = connection.execute(_IMPORTS.order_by(subscriber_import.c.id.desc()).limit(at_most))
    return [_import(row) for row in rows]


def import_due(database: Database, *, clock: Clock, should_stop: Callable[[], bool] = lambda: False) -> bool:
    """Take in the files that wait, one after the other, by one worker at a time; return whether there was any."""
    with database.reading() as connection:
        if connection.scalar(_OPEN) is None:
            return False
    take_turns(database, STAGE, clock, lambda turn: _import_one(database, turn, clock, should_stop))
    return True


def _import_one(database: Database, turn: Turn, clock: Clock, should_stop: Callable[[], bool]) -> bool:
    begun = _begin(database, turn)
    if begun is None or should_stop():
        return False
    if begun.begun > BEGUN_AT_MOST:
        _end(database, turn, begun.id, clock(), state=ImportState.REFUSED, problem=NEVER_ENDED)
        return True

    def go_on(rows: int) -> None:
        with database.transaction() as connection:
            turn.hold(connection)
            connection.execute(_this(begun.id).values(rows=rows))
        if should_stop():
            raise _StoppedError
        rest(0)

    try:
        report = import_csv(
            database,
            BytesIO(begun.content),
            mailing_list=begun.slug,
            confirmed=begun.is_confirmed,
            how=How.IMPORT,
            clock=clock,
            progress=go_on,
            wording=begun.wording,
            lines_kept=LINES_KEPT,
        )
    except _StoppedError:
        return False
    except ImportFileError as problem:
        _end(database, turn, begun.id, clock(), state=ImportState.REFUSED, problem=str(problem))
    else:
        _end(database, turn, begun.id, clock(), state=ImportState.DONE, rows=report.rows, report=asdict(report))
    return True


def _begin(database: Database, turn: Turn) -> Any:
    with database.transaction() as connection:
        turn.hold(connection)
        import_id = connection.scalar(_OPEN)
        if import_id is None:
            return None
        more = subscriber_import.c.begun + 1
        connection.execute(_this(import_id).values(state=ImportState.RUNNING, rows=0, begun=more))
        wanted = sa.select(subscriber_import, mailing_list.c.slug).join(
            mailing_list, mailing_list.c.id == subscriber_import.c.mailing_list_id
        )
        return connection.execute(wanted.where(subscriber_import.c.id == import_id)).one()


def _end(database: Database, turn: Turn, import_id: ImportId, now: datetime, **values: Any) -> None:
    """Keep what became of the file, and forget the file: it is full of addresses."""
    with database.transaction() as connection:
        turn.hold(connection)
        connection.execute(_this(import_id).values(finished_at=now, content=None, **values))


def _this(import_id: ImportId) -> sa.Update:
    return sa.update(subscriber_import).where(subscriber_import.c.id == import_id)


def _import(row: Row[Any]) -> Import:
    return Import(
        id=ImportId(row.id),
        name=row.name,
        mailing_list=row.slug,
        is_confirmed=row.is_confirmed,
        state=ImportState(row.state),
        rows=row.rows,
        begun=row.begun,
        report=_report(row.report) if row.report else None,
        problem=row.problem,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _report(kept: dict[str, Any]) -> ImportReport:
    lines = tuple(BadLine(**each) for each in kept["bad_lines"])
    return ImportReport(**kept | {"bad_lines": lines, "ignored_columns": tuple(kept["ignored_columns"])})


_OPEN = (
    sa.select(subscriber_import.c.id)
    .where(subscriber_import.c.finished_at.is_(None))
    .order_by(subscriber_import.c.id)
    .limit(1)
)
_IMPORTS: sa.Select[Any] = sa.select(
    *(column for column in subscriber_import.c if column.name != "content"), mailing_list.c.slug
).join(mailing_list, mailing_list.c.id == subscriber_import.c.mailing_list_id)
"""Without the files."""
