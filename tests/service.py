"""A whole Publisher as a process, as `make run` starts it: for tests and benchmarks."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PUBLISHER = (sys.executable, "-c", "from publisher.cli.main import run; run()")
READY_WITHIN_S = 60
STOP_WITHIN_S = 10


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of the person who runs the tests, and with these."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PUBLISHER_")}
    return usual | {"PYTHONPATH": str(Path(__file__).parent.parent)} | variables


@dataclass(frozen=True, kw_only=True)
class Service:
    """A running `publisher up`."""

    process: "subprocess.Popen[bytes]"
    port: int
    data: Path
    output: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """What the person at the terminal has read so far."""
        return self.output.read_text(encoding="utf-8")

    def status(self, path: str) -> int:
        """The status of a page; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(self.base_url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            return int(answer.code)
        except OSError:
            return 0

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> float:
        """Wait for /readyz; return the seconds it took."""
        began = time.monotonic()
        while self.status("/readyz") != 200:
            assert self.process.poll() is None, self.said
            assert time.monotonic() - began < within_s, f"not ready: {self.said}"
            time.sleep(0.02)
        return time.monotonic() - began

    def children(self) -> dict[str, psutil.Process]:
        """The processes that are kept alive, by the words of their commands."""
        words = {
            "redis": "-server ",
            "web": "publisher.web.app",
            "worker": "workers.app",
            "beat": "workers.beat_app",
        }
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                found |= {name: child for name, word in words.items() if word in command}
        return found

    def everyone(self) -> list[psutil.Process]:
        """The supervisor and all that it started, however far down."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; return the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=STOP_WITHIN_S + 10)
        return time.monotonic() - began


@contextmanager
def running(folder: Path, *arguments: str, variables: Mapping[str, str] | None = None) -> Iterator[Service]:
    """Start `publisher up` on a free port with its data in a folder; whatever is left of it is killed afterwards."""
    port = free_port()
    output = folder.with_name(f"{folder.name}.{port}.txt")
    env = environment(PUBLISHER_DATA_DIR=str(folder), **(variables or {}))
    with output.open("wb") as stream:
        command = (*PUBLISHER, "up", "--port", str(port), *arguments)
        process = subprocess.Popen(command, env=env, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
    service = Service(process=process, port=port, data=folder, output=output)
    known: list[psutil.Process] = []
    try:
        yield service
        known = service.everyone() if process.poll() is None else []
    finally:
        if process.poll() is None:
            known = service.everyone()
            with suppress(subprocess.TimeoutExpired):
                service.stop()
        for each in known:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait(timeout=10)
