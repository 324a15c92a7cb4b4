import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # prctl(2)
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0
STEADY_S = 30.0
"""A child that ran this long starts afresh: its next crash waits the shortest time again."""
LOG_BYTES = 10_000_000
"""A longer log becomes `NAME.log.1` when its process starts, in place of the one before."""


@dataclass(kw_only=True)
class Child:
    """A process that `make run` keeps alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    log: Path | None
    """Where its output goes; None: where ours goes."""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wait_s: float = FIRST_WAIT_S
    due_at: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C reaches us alone, and we stop the children in order."""
        with _open_log(self.log) as log:
            self.process = subprocess.Popen(  # noqa: S603 -- our own command
                self.command,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- this process has one thread
            )
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.is_running:
            self.process.send_signal(number)

    def wait(self, until: float) -> bool:
        """Wait until the child has ended or the monotonic clock shows `until`; tell whether it has ended."""
        while self.is_running and time.monotonic() < until:
            time.sleep(0.02)
        return not self.is_running

    def crash_seen(self) -> int:
        """Plan the restart of a child that has ended, later each time, and return its exit code."""
        assert self.process is not None
        code = self.process.returncode
        now = time.monotonic()
        self.wait_s = FIRST_WAIT_S if now - self.started_at > STEADY_S else min(self.wait_s * 2, LONGEST_WAIT_S)
        self.due_at = now + self.wait_s
        self.process = None
        return code


def keep_running(children: Sequence[Child], say: Callable[[str], None], now: float) -> None:
    """Look at every child once: tell of a crash, and start again what is due."""
    for child in children:
        if child.process is not None and not child.is_running:
            code = child.crash_seen()
            say(f"!! {child.name} {_ending(code)}; starting it again. Its last words are in {child.log}")
        elif child.process is None and now >= child.due_at:
            child.start()


def stop(children: Sequence[Child], say: Callable[[str], None], *, within_s: float) -> None:
    """End the children in the order given, the last one being what the others lean on; kill what does not listen."""
    until = time.monotonic() + within_s
    *others, last = children
    for child in others:
        child.signal(signal.SIGTERM)
    for child in others:
        if not child.wait(until - 1):
            say(f"!! {child.name} does not stop; killing it.")
            child.signal(signal.SIGKILL)
            child.wait(until)
    last.signal(signal.SIGTERM)
    if not last.wait(until):
        last.signal(signal.SIGKILL)
        last.wait(until + 1)


def _ending(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended by itself (exit code {code})"


@contextmanager
def _open_log(file: Path | None) -> Iterator[IO[bytes] | None]:
    if file is None:
        yield None
        return
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_name(f"{file.name}.1"))
    with file.open("ab") as log:
        yield log


def _die_with_parent() -> None:
    """Ask the kernel to end this child when its parent is gone, even by kill -9 (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:
            os._exit(1)
