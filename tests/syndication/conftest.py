from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syndication.newsroom import House, Reader, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A newsroom on SQLite."""
    with open_house(f"sqlite:///{tmp_path / 'publisher.db'}") as house:
        yield house


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    """A newsroom on SQLite, then one on PostgreSQL, for what must be the same in both."""
    url = f"sqlite:///{tmp_path / 'publisher.db'}"
    with open_house(url if request.param == "sqlite" else request.getfixturevalue("postgresql_url")) as house:
        yield house


@pytest.fixture
def reader(house: House) -> Reader:
    return house.reader
