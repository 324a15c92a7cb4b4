"""The migrations make exactly the tables that the stages define, on both databases."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from publisher.database import Database, metadata
from publisher.errors import ConflictError
from publisher.migrations.all_tables import STAGES
from publisher.migrations.form import is_compared
from publisher.migrations.migrate import is_current, migrate, newest
from tests.postgresql import new_database

MAKE_ONE = 'the tables have changed since the last migration: make migration MESSAGE="…" (see CONTRIBUTING.md)'
assert STAGES


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    found = Database(f"sqlite:///{tmp_path}/new.db" if is_sqlite else request.getfixturevalue("postgresql_url"))
    yield found
    found.close()


@pytest.mark.filterwarnings("ignore:.*expression-based index")  # which the comparison below sees
def test_an_empty_database_gets_every_table(database: Database) -> None:
    assert migrate(database)

    assert is_current(database)
    with database.reading() as connection:
        options = {"compare_type": True, "include_name": is_compared}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == [], MAKE_ONE


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)

    assert not migrate(database)


def test_two_that_migrate_at_once_do_not_get_in_each_others_way(database: Database) -> None:
    """Every container that starts may be the first."""
    changed: list[bool] = []
    threads = [threading.Thread(target=lambda: changed.append(migrate(database))) for _ in range(3)]

    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=60)

    assert sorted(changed) == [False, False, True]


def test_a_database_of_a_newer_publisher_is_left_alone(database: Database) -> None:
    migrate(database)
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConflictError, match=r"made by a newer Publisher \(form 9999\)"):
        migrate(database)

    assert not is_current(database)


def test_a_database_that_was_never_migrated_is_not_current(database: Database) -> None:
    assert not is_current(database)
    assert newest() is not None


def test_sqlite_gets_the_very_tables_that_the_stages_define(tmp_path: Path) -> None:
    """What the comparison above does not see: tables without row ids, partial indexes, collations."""
    migrated, made = Database(f"sqlite:///{tmp_path}/migrated.db"), Database(f"sqlite:///{tmp_path}/made.db")
    migrate(migrated)
    metadata.create_all(made.engine)

    assert _sqlite_schema(migrated) == _sqlite_schema(made), MAKE_ONE
    migrated.close()
    made.close()


@pytest.mark.postgresql
def test_postgresql_gets_the_very_tables_that_the_stages_define(
    postgresql_url: str, postgresql_socket: Path, database_names: Iterator[str]
) -> None:
    with new_database(postgresql_socket, next(database_names)) as other_url:
        migrated, made = Database(postgresql_url), Database(other_url)
        migrate(migrated)
        metadata.create_all(made.engine)
        try:
            assert _postgresql_schema(migrated) == _postgresql_schema(made), MAKE_ONE
        finally:
            migrated.close()
            made.close()


def _sqlite_schema(database: Database) -> dict[str, list[str]]:
    """Every object by its name, with its words sorted: the order of columns and constraints means nothing."""
    with database.reading() as connection:
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    return {name: sorted(re.findall(r"\w+|[^\w\s,]", text)) for name, text in rows if name != "alembic_version"}


def _postgresql_schema(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """What PostgreSQL says of its tables, columns, indexes and constraints."""
    questions = {
        "tables": "SELECT relname, reloptions FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
        "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name,"
        " is_identity FROM information_schema.columns WHERE table_schema = 'public'",
        "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
    }
    with database.reading() as connection:
        found = {name: connection.execute(sa.text(question)).all() for name, question in questions.items()}
    return {
        name: sorted(tuple(map(str, row)) for row in rows if not str(row[0]).startswith("alembic_version"))
        for name, rows in found.items()
    }
