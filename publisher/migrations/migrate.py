from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from publisher.database import Database, one_at_a_time


def migrate(database: Database) -> bool:
    """Bring the database to the newest form; return whether anything changed. Two at once wait for each other."""
    with database.transaction() as connection:
        one_at_a_time(connection, "migrate")
        if _present(connection) == newest():
            return False
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return True


def is_current(database: Database) -> bool:
    """Tell whether the database has the form that this version of Publisher needs."""
    with database.reading() as connection:
        return _present(connection) == newest()


def newest() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
