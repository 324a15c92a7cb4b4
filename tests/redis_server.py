"""A Redis for tests and benchmarks: on a socket in a folder of its own, gone afterwards."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.pulse import Pulse
from publisher.up.redis_server import redis_command


@contextmanager
def running_redis() -> Iterator[str]:
    """Start a Redis; yields its address."""
    with tempfile.TemporaryDirectory(prefix="publisher-redis-") as folder:
        place = Path(folder) / "redis.sock"
        server = subprocess.Popen(redis_command(place, Path(folder)), stdout=subprocess.DEVNULL)
        pulse, until = Pulse(f"redis+socket://{place}"), time.monotonic() + 10
        while not pulse.answers() and time.monotonic() < until:
            time.sleep(0.01)
        try:
            yield f"redis+socket://{place}"
        finally:
            server.terminate()
            server.wait(timeout=10)
