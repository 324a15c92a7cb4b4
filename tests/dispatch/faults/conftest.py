from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.dispatch.faults.harness import Stage, on_stage

OnStage: TypeAlias = Callable[..., AbstractContextManager[Stage]]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.slow])])
def staged(request: pytest.FixtureRequest, tmp_path: Path) -> OnStage:
    """Opens a stage on either database; on PostgreSQL in the long run only, for each test takes seconds."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    return partial(on_stage, tmp_path, database_url=url)


@pytest.fixture
def staged_on_sqlite(tmp_path: Path) -> OnStage:
    """Opens a stage on SQLite."""
    return partial(on_stage, tmp_path)


@pytest.fixture
def staged_on_postgresql(postgresql_url: str, tmp_path: Path) -> OnStage:
    """Opens a stage on PostgreSQL."""
    return partial(on_stage, tmp_path, database_url=postgresql_url)
