import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.syndication.newsroom import open_house
from tests.syndication.readers.corpus import hard_drafts
from tests.syndication.readers.press import Press, open_press


@pytest.fixture(scope="session")
def hard_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all the hard articles, related and in their feeds."""
    path = tmp_path_factory.mktemp("hard") / "publisher.db"
    with open_house(f"sqlite:///{path}") as house:
        house.publish(*hard_drafts())
    return path


@pytest.fixture
def press(hard_database: Path, tmp_path: Path) -> Iterator[Press]:
    """A newsroom of its own for each test."""
    copy = tmp_path / "publisher.db"
    shutil.copy(hard_database, copy)
    with open_press(f"sqlite:///{copy}") as press:
        yield press
