import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from publisher.pulse import Pulse
from publisher.up.redis_server import redis_command
from tests.postgresql import CARELESS, AbsentError, new_database, running_server


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
    with tempfile.TemporaryDirectory(prefix="publisher-redis-") as folder:
        place = Path(folder) / "redis.sock"
        server = subprocess.Popen(redis_command(place, Path(folder)), stdout=subprocess.DEVNULL)
        pulse, until = Pulse(f"redis+socket://{place}"), time.monotonic() + 10
        while not pulse.answers() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"redis+socket://{place}"
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Let no test write its logs to the closed error stream of the test before it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
