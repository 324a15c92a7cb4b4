from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.database import Database, metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    yield from _database(f"sqlite:///{tmp_path / 'publisher.db'}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """One after the other, the two databases that a newsroom may have."""
    if request.param == "sqlite":
        yield from _database(f"sqlite:///{tmp_path / 'publisher.db'}")
    else:
        yield from _database(request.getfixturevalue("postgresql_url"))


def _database(url: str) -> Iterator[Database]:
    database = Database(url)
    metadata.create_all(database.engine)
    yield database
    database.close()
