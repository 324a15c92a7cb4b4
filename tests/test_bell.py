"""A bell tells a worker to look; whatever becomes of it, what was committed stands."""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.bell import QUEUE_OF, Bell, Job
from publisher.pulse import Pulse, client
from publisher.up.redis_server import redis_command

NOT_LONG_S = 5.0


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis of our own on a socket."""
    with tempfile.TemporaryDirectory(prefix="publisher-redis-") as folder:
        place = Path(folder) / "redis.sock"
        server = subprocess.Popen(redis_command(place, Path(folder)), stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not place.exists() and time.monotonic() < until:
            time.sleep(0.01)
        yield f"redis+socket://{place}"
        server.terminate()
        server.wait(timeout=10)


def test_a_bell_reaches_the_queue_of_its_kind_of_work(redis_url: str) -> None:
    Bell(redis_url).ring(Job.RELATE, Job.DISPATCH)

    redis = client(redis_url)
    found = {queue: [json.loads(each) for each in redis.lrange(queue, 0, -1)] for queue in ("articles", "dispatch")}
    redis.close()
    assert [each["headers"]["task"] for each in found["articles"]] == ["publisher.relate"]
    assert [each["headers"]["task"] for each in found["dispatch"]] == ["publisher.dispatch"]


def test_every_job_has_a_queue() -> None:
    assert set(QUEUE_OF) == set(Job)


def test_a_bell_without_redis_is_dropped_at_once(tmp_path: Path) -> None:
    """Handing in an article must not fail, nor wait, because Redis is away: the article is on disk already."""
    bell = Bell(f"redis+socket://{tmp_path}/nowhere.sock")

    began = time.monotonic()
    bell.ring(*Job)

    assert time.monotonic() - began < 1


def test_a_bell_at_a_closed_port_is_dropped_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    began = time.monotonic()
    Bell(f"redis://127.0.0.1:{port}/0").ring(*Job)

    assert time.monotonic() - began < 1


def test_a_bell_at_a_redis_that_hangs_gives_up_soon() -> None:
    """A half-open connection answers nothing for ever; a web request must not hang with it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        Bell(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout_s=0.5).ring(*Job)

    assert time.monotonic() - began < NOT_LONG_S


def test_a_bell_rings_again_when_redis_is_back(tmp_path: Path) -> None:
    """The same process goes on for months; a Redis that was away for a minute must not mute it."""
    with tempfile.TemporaryDirectory(prefix="publisher-redis-") as folder:
        place = Path(folder) / "redis.sock"
        bell = Bell(f"redis+socket://{place}")
        for _ in range(2):
            bell.ring(Job.RELATE)
            server = subprocess.Popen(redis_command(place, tmp_path), stdout=subprocess.DEVNULL)
            until = time.monotonic() + 10
            while not Pulse(f"redis+socket://{place}").answers() and time.monotonic() < until:
                time.sleep(0.02)
            redis = client(f"redis+socket://{place}")
            before = redis.llen("articles")

            bell.ring(Job.RELATE)

            after = redis.llen("articles")
            redis.close()
            server.kill()
            server.wait(timeout=10)
            assert (before, after) in {(0, 1), (1, 2)}


def test_a_pulse_beats_after_a_tick_and_not_before(redis_url: str) -> None:
    pulse = Pulse(redis_url)
    assert pulse.answers()
    assert not pulse.is_beating()

    pulse.mark()

    assert pulse.is_beating()


def test_without_redis_there_is_no_pulse(tmp_path: Path) -> None:
    pulse = Pulse(f"redis+socket://{tmp_path}/nowhere.sock")

    assert not pulse.answers()
    assert not pulse.is_beating()
