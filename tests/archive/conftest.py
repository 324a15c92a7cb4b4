from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.archive import search, tables
from publisher.database import Database, metadata
from tests.audience.clocks import SetClock
from tests.builders import TUESDAY

assert search
assert tables


@pytest.fixture
def clock() -> SetClock:
    return SetClock(TUESDAY)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty archive, in SQLite and then in PostgreSQL."""
    url = (
        f"sqlite:///{tmp_path}/publisher.db" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    )
    found = Database(url)
    metadata.create_all(found.engine)
    yield found
    found.close()
