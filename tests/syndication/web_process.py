"""A web process that serves feeds and nothing else, as uvicorn runs it in production."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from publisher.database import Database
from publisher.syndication.limit import BURST, Limit
from publisher.syndication.serve import FeedServer
from tests.syndication.newsroom import SITE, no_other_page

HOME = Path(__file__).resolve().parents[2]


@contextmanager
def served(database_url: str, *, burst: int = BURST) -> Iterator[tuple[str, int]]:
    """Start the process on a free port; yields its address and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port, fd = listening.getsockname()[1], listening.fileno()
        command = [sys.executable, "-m", __name__, database_url, str(fd), str(burst)]
        process = subprocess.Popen(command, pass_fds=[fd], cwd=HOME)
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


def main(database_url: str, fd: str, burst: str) -> None:
    app = FeedServer(no_other_page, Database(database_url), SITE, limit=Limit(burst=int(burst), per_second=0.01))
    config = uvicorn.Config(app, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=int(fd))])


if __name__ == "__main__":
    main(*sys.argv[1:])
