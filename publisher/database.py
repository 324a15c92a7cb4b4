import re
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2s
from pathlib import Path
from threading import Event, Lock
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url

from publisher.clock import Clock
from publisher.errors import SettingsError

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables; each is defined in the `tables.py` of the stage that owns (writes) it."""

BUSY_TIMEOUT_MS = 15_000
LOOK_AGAIN_S = 0.001
PRIMARY_CODE = 0xFF
IDLE_AT_MOST_MS = 30_000
"""After so long without a word in the middle of a transaction PostgreSQL ends it, and lets go of what it holds."""

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""Type of a surrogate key: 64 bits in both databases (SQLite wants the word INTEGER for a row id)."""

Json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""Type of a structured value that is read whole."""


class Instant(sa.types.TypeDecorator[datetime]):
    """
    An aware UTC instant.

    SQLite drops the offset of a timestamp without a word, so naive values are refused
    on the way in and UTC is put back on the way out.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value!r} has no time zone; instants are aware"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """
    One database, SQLite or PostgreSQL, with the two ways of talking to it.

    `transaction()` writes: on SQLite it takes the write lock at once (BEGIN IMMEDIATE), so
    that a transaction never fails half-way for being late. `reading()` sees one snapshot.
    """

    def __init__(self, url: str, *, secret_key: str = "") -> None:
        self.url = _checked(url)
        self._hash = blake2s(key=blake2s(secret_key.encode()).digest(), person=b"known by")
        self.engine = _engine(self.url)
        self._queue = Queue() if self.is_sqlite else nullcontext()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commit when the block ends, roll back when it raises."""
        with self.writing() as begin, begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Callable[[], AbstractContextManager[Connection]]]:
        """Keep one connection for many transactions: what is yielded begins one, as `transaction()` does."""
        with self.engine.connect() as plain:
            connection = plain.execution_options(publisher_begin="BEGIN IMMEDIATE") if self.is_sqlite else plain

            @contextmanager
            def begin() -> Iterator[Connection]:
                with self._queue, connection.begin():
                    yield connection

            yield begin

    @contextmanager
    def reading(self, *, unhurried: bool = False) -> Iterator[Connection]:
        """One snapshot for the block; nothing is written. Unhurried: whoever reads may pause as they like."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                if unhurried and not self.is_sqlite:
                    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
                yield connection

    def fingerprint(self, text: str) -> str:
        """
        Return by what a text is known again that must not be kept itself.

        Without the secret key, which stands in no table, nobody can try out which text it was.
        """
        keyed = self._hash.copy()
        keyed.update(text.encode())
        return keyed.hexdigest()

    def close(self) -> None:
        self.engine.dispose()


class Queue:
    """
    Lets the threads of a process in one after the other, in the order in which they came.

    So they write to SQLite: one who writes much would else keep the others away, a plan of a million deliveries the
    worker that sends them. Between processes it stays so.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[Event] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._is_taken = False

    @contextmanager
    def left(self) -> Iterator[None]:
        """Let the others in for the length of a block, and come back as the last."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


def insert_or_ignore(connection: Connection, table: sa.Table) -> Any:
    """Return an INSERT … ON CONFLICT DO NOTHING for this connection's database."""
    return _insert_or_ignore(connection.dialect.name, table)


def upsert(connection: Connection, table: sa.Table) -> Any:
    """Return an INSERT that takes `on_conflict_do_update(...)`, for this connection's database."""
    return _insert(connection.dialect.name, table)


@cache
def _insert(dialect: str, table: sa.Table) -> Any:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _insert_or_ignore(dialect: str, table: sa.Table) -> Any:
    return _insert(dialect, table).on_conflict_do_nothing()


def skip_locked(connection: Connection, statement: sa.Select[Any]) -> sa.Select[Any]:
    """
    Lock the chosen rows and pass over those that another worker holds; SQLite has one writer anyway.

    Not their keys (FOR NO KEY UPDATE): a row is not held by whoever only refers to it. PostgreSQL looks at a
    reference again, and locks what it refers to, when a transaction writes the same row twice.
    """
    if connection.dialect.name == "sqlite":
        return statement
    return statement.with_for_update(skip_locked=True, key_share=True)


def one_at_a_time(connection: Connection, what: str) -> None:
    """Wait until no other transaction holds the same word; PostgreSQL's advisory lock, nothing on SQLite."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:what))"), {"what": what})


def first_line(problem: sa.exc.SQLAlchemyError) -> str:
    """Return what a database complains of, without the statement that it complains about."""
    said = str(getattr(problem, "orig", None) or problem).strip()
    return said.splitlines()[0].rstrip(".") if said else type(problem).__name__


def database_now(connection: Connection, clock: Clock) -> datetime:
    """Return the instant by the one clock that all workers share: the server's, or on SQLite this machine's."""
    if connection.dialect.name == "sqlite":
        return clock()
    now: datetime = connection.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
    return now.astimezone(UTC)


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise SettingsError(
            "PUBLISHER_DATABASE_URL", "is not a database address, such as sqlite:////srv/publisher.db"
        ) from None
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if not re.match(r"^(sqlite|postgresql\+psycopg)$", parsed.drivername):
        raise SettingsError("PUBLISHER_DATABASE_URL", "must begin with sqlite:/// or postgresql://")
    return parsed


def _engine(url: URL) -> Engine:
    if url.drivername != "sqlite":
        engine = sa.create_engine(
            url, pool_size=5, max_overflow=15, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
        sa.event.listen(engine, "connect", _prepare_postgresql)
        return engine
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url,
        poolclass=sa.pool.QueuePool,
        pool_size=5,
        max_overflow=40,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Let nobody be held up by a process that stands still, frozen or cut off, in the middle of a transaction."""
    connection.autocommit = True
    connection.execute(f"SET idle_in_transaction_session_timeout = {IDLE_AT_MOST_MS}")
    connection.autocommit = False


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Take transactions into our own hands and make a commit survive a power cut."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-8000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("publisher_begin"):
        _take_write_lock(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _take_write_lock(connection: Connection) -> None:
    """
    Begin a transaction that writes as soon as the other process's has ended.

    SQLite itself would look again after 1, 2, 5 and so on to 100 ms, and stand still meanwhile beside one who writes
    much.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        until = monotonic() + BUSY_TIMEOUT_MS / 1000
        while not _is_begun(cursor):
            if monotonic() > until:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            sleep(LOOK_AGAIN_S)
    finally:
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.close()


def _is_begun(cursor: Any) -> bool:
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
