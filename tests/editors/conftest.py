from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.database import Database, metadata
from publisher.editors import flow  # noqa: F401 -- its tables are to be made
from tests.audience.clocks import SetClock


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """SQLite with the editors' tables."""
    yield from _opened(f"sqlite:///{tmp_path / 'publisher.db'}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """SQLite, then PostgreSQL, for what must be the same in both."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'publisher.db'}")
    else:
        yield from _opened(request.getfixturevalue("postgresql_url"))


def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    metadata.create_all(database.engine)
    yield database
    database.close()
