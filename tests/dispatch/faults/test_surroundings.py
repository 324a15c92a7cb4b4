"""What the send stands on goes away in the middle of it: broker, database, disk."""

import resource
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.dispatch.faults.conftest import OnStage
from tests.dispatch.faults.harness import on_stage
from tests.postgresql import CARELESS, AbsentError, Server, new_database, new_server


def test_redis_that_comes_back_empty_loses_nobody(staged: OnStage) -> None:
    with staged(readers=4_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()
        worker = stage.worker()
        stage.until_accepted(500)

        stage.lose_redis()

        assert stage.judge().sent_twice_at_most == 0
        assert worker.poll() is None, "it went on"


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL of the test's own, to be stopped and started."""
    try:
        with new_server(CARELESS) as found:
            yield found
    except AbsentError as problem:
        pytest.skip(str(problem))


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_database_that_restarts_loses_nobody(tmp_path: Path, server: Server) -> None:
    with (
        new_database(server.folder, "newsroom") as url,
        on_stage(tmp_path, readers=4_000, database_url=url) as stage,
    ):
        stage.sink(latency_ms=2)
        stage.beat()
        worker = stage.worker()
        stage.until_accepted(500)

        server.stop_at_once()
        stage.crashes += 1  # it could not record what was in flight
        time.sleep(1)
        server.start()

        stage.judge()
        assert worker.poll() is None, "it went on"


@pytest.mark.slow
def test_a_full_disk_stops_the_send_and_loses_nobody(staged_on_sqlite: OnStage) -> None:
    """No byte can be written to any file of the worker; what leaves without a record, leaves once more."""
    with staged_on_sqlite(readers=4_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()
        worker = stage.worker()
        stage.until_accepted(500)
        limits = psutil.Process(worker.pid)
        before = limits.rlimit(resource.RLIMIT_FSIZE)

        limits.rlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        stage.crashes += 1
        time.sleep(2)
        at_rest = len(stage.entries())
        time.sleep(1)
        stopped = len(stage.entries()) == at_rest
        limits.rlimit(resource.RLIMIT_FSIZE, before)

        stage.judge()
        assert stopped, "nothing leaves that cannot be marked first"
        assert at_rest < 4_000
        assert worker.poll() is None, "it went on"
