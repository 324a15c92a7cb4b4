from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from publisher.database import Database, one_at_a_time
from publisher.errors import ConflictError


def migrate(database: Database) -> bool:
    """
    Bring the database to the newest form; return whether anything changed. Two at once wait for each other.

    Raises:
        ConflictError: A newer Publisher has been here.

    """
    with database.transaction() as connection:
        one_at_a_time(connection, "migrate")
        present = _present(connection)
        if present == newest():
            return False
        if present is not None and not _is_known(present):
            problem = f"The database was made by a newer Publisher (form {present}); install that one, or newer."
            raise ConflictError(problem)
        bring_up(connection)
        return True


def is_current(database: Database) -> bool:
    """Tell whether the database has the form that this version of Publisher needs."""
    with database.reading() as connection:
        return _present(connection) == newest()


def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def bring_up(connection: Connection) -> None:
    """Run what is missing, in the caller's transaction: all of it counts, or nothing."""
    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> Config:
    config = _config()
    config.attributes["connection"] = connection
    return config


def _is_known(revision: str) -> bool:
    return any(each.revision == revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
