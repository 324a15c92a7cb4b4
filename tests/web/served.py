"""The site under a real server, as `make run` starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

STARTS_WITHIN_S = 30
STOPS_WITHIN_S = 15


@contextmanager
def served(data_dir: Path, redis_url: str, **variables: str) -> Iterator[str]:
    """Serve the newsroom whose data is in a folder; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    settings = {"PUBLISHER_DATA_DIR": str(data_dir), "PUBLISHER_REDIS_URL": redis_url, "PUBLISHER_BASE_URL": address}
    settings |= {f"PUBLISHER_{name}": value for name, value in variables.items()}
    command = [sys.executable, "-m", "uvicorn", "publisher.web.app:app", "--log-level", "warning"]
    server = subprocess.Popen([*command, "--port", address.rpartition(":")[2]], env=os.environ | settings)
    try:
        _wait(address)
        yield address
    finally:
        server.terminate()
        ended = server.wait(timeout=STOPS_WITHIN_S)
    assert ended in {0, -signal.SIGTERM}, "it stops when it is asked to"


def _wait(address: str) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address}/healthz")
            return
        time.sleep(0.1)
