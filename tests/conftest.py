import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.postgresql import CARELESS, AbsentError, new_database, running_server
from tests.redis_server import running_redis


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[Path]:
    """The folder with the socket of a PostgreSQL server of our own, started once for all tests."""
    try:
        with running_server(CARELESS) as socket:
            yield socket
    except AbsentError as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem))
        pytest.skip(f"{problem}, so this was not tested with PostgreSQL")


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    return (f"newsroom_{number}" for number in itertools.count(1))


@pytest.fixture
def postgresql_url(postgresql_socket: Path, database_names: Iterator[str]) -> Iterator[str]:
    """A new, empty PostgreSQL database."""
    with new_database(postgresql_socket, next(database_names)) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of our own on a socket, started once for all tests."""
    with running_redis() as url:
        yield url


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Let no test write its logs to the closed error stream of the test before it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
