"""The site under a real server, as `make run` starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.conftest import a_newsroom

STARTS_WITHIN_S = 30


@pytest.fixture
def served(tmp_path: Path, redis_url: str) -> Iterator[tuple[Newsroom, httpx.Client]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    room = a_newsroom(tmp_path, redis_url)
    settings = {"PUBLISHER_DATA_DIR": str(tmp_path), "PUBLISHER_REDIS_URL": redis_url}
    command = [sys.executable, "-m", "uvicorn", "publisher.web.app:app", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, env=os.environ | settings)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as browser:
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until:
            with contextlib.suppress(httpx.TransportError):
                browser.get("/healthz")
                break
            time.sleep(0.1)
        yield room, browser
    server.terminate()
    assert server.wait(timeout=15) in {0, -signal.SIGTERM}, "it stops when it is asked to"
    room.database.close()


def test_the_site_runs_under_a_real_server(served: tuple[Newsroom, httpx.Client]) -> None:
    room, browser = served
    handed_in(room.database, [a_draft()], clock=room.now)

    assert browser.get("/healthz").json()["status"] == "ok"
    assert "How Jeonse Works" in browser.get("/articles/how-jeonse-works").text
    assert browser.head("/articles/how-jeonse-works").content == b""
    assert browser.get("/robots.txt").text.startswith("User-agent")
    long = browser.post("/subscribe", data={"email": "x" * 200_000})
    assert long.status_code == 413
    sent = browser.post("/subscribe", data={"email": "ann@readers.example"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/subscribe/sent")
    refused = browser.post("/api/v1/articles", json={"title": "x"})
    assert refused.headers["Content-Type"] == "application/problem+json"
