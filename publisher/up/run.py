import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from publisher.errors import ConflictError, SettingsError
from publisher.settings import Settings, load, redis_socket
from publisher.up.children import Child, keep_running, stop
from publisher.up.prepared import is_prepared
from publisher.up.redis_server import forget_pulse, redis_command
from publisher.up.web_server import WEB_SERVER
from publisher.up.welcome import url_of, welcome

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 9.0
LOOK_EVERY_S = 0.1
LOOK_OFTEN_S = 0.03
"""While somebody waits for us to be ready."""


def run(*, host: str, port: int, samples: bool = True) -> int:
    """
    Run everything on this machine until a signal comes; return the exit code.

    Raises:
        ConflictError: The port or the data folder is in use.
        SettingsError: A setting is missing or wrong.

    """
    environment = _environment(host, port)
    settings = load(environment)
    with _only_one(settings.data_dir):
        _refuse_taken_port(host, port)
        (settings.data_dir / "base-url").write_text(settings.base_url, encoding="utf-8")
        return _Run(settings, environment, host, port, samples=samples).run()


class _Run:
    def __init__(self, settings: Settings, environment: dict[str, str], host: str, port: int, *, samples: bool) -> None:
        self._settings = settings
        self._environment = environment
        self._url = url_of(host, port)
        self._asked_to_stop = False
        self._logs = settings.data_dir / "logs"
        self._logs.mkdir(exist_ok=True)
        extra = () if samples else ("--no-samples",)
        self._preparation = self._child("preparation", sys.executable, "-m", "publisher.up.prepare", *extra, log=None)
        self._redis = [self._redis_child()] if self._has_own_redis else []
        self._children = [*self._python_children(host, port), *self._redis]

    def run(self) -> int:
        began = time.monotonic()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._start(began)
            while not self._asked_to_stop:
                keep_running(self._children, _say, time.monotonic())
                time.sleep(LOOK_EVERY_S)
        finally:
            _say("Stopping ...")
            stop([self._preparation, *self._children], _say, within_s=STOP_WITHIN_S)
        _say(f"Stopped. Everything is kept in {self._settings.data_dir}")
        return 0

    def _start(self, began: float) -> None:
        for redis in self._redis:
            redis.start()
        self._preparation.start()
        if is_prepared(self._settings):
            self._start_children()
        self._await_preparation()
        if self._asked_to_stop:
            return
        self._start_children()
        if self._wait_for(lambda: _answers(f"{self._url}/readyz")):
            _say(welcome(self._settings, self._url, time.monotonic() - began))

    def _start_children(self) -> None:
        """Start what does not run; the last run's pulse is forgotten before the first tick of this one."""
        waiting = [child for child in self._children if child.process is None]
        if waiting and self._redis:
            forget_pulse(redis_socket(self._settings.data_dir))
        for child in waiting:
            child.start()

    def _await_preparation(self) -> None:
        """Wait for tables, editions and samples: they are made in a process of its own, which can be stopped."""
        while self._preparation.is_running and not self._asked_to_stop:
            time.sleep(LOOK_OFTEN_S)
        assert self._preparation.process is not None
        if not self._asked_to_stop and self._preparation.process.returncode:
            raise ConflictError("The database could not be made ready; the line above says why.")

    def _wait_for(self, is_there: Callable[[], bool]) -> bool:
        until = time.monotonic() + READY_WITHIN_S
        while not self._asked_to_stop:
            keep_running(self._children, _say, time.monotonic())
            if is_there():
                return True
            if time.monotonic() > until:
                _say(f"!! Not ready after {READY_WITHIN_S:.0f} s; see the logs in {self._logs}")
                return False
            time.sleep(LOOK_OFTEN_S)
        return False

    @property
    def _has_own_redis(self) -> bool:
        return self._settings.redis_url == f"redis+socket://{redis_socket(self._settings.data_dir)}"

    def _python_children(self, host: str, port: int) -> Iterator[Child]:
        python = (sys.executable, "-m")
        web = (*python, *WEB_SERVER, "--host", host, "--port", str(port))
        quiet = ("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3")
        yield self._child("web", *web, *quiet)
        yield self._child("worker", *python, "workers.run_worker")
        yield self._child("beat", *python, "workers.run_beat")

    def _redis_child(self) -> Child:
        place = redis_socket(self._settings.data_dir)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_strange(place.parent)
        data = self._settings.data_dir / "redis"
        data.mkdir(exist_ok=True)
        return self._child("redis", *redis_command(place, data))

    def _child(self, name: str, *command: str, log: Path | None = Path()) -> Child:
        """Return a child that writes to a log of its own, or with `log=None` to where we write."""
        file = self._logs / f"{name}.log" if log is not None else None
        return Child(name=name, command=command, environment=self._environment, log=file)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True


def _environment(host: str, port: int) -> dict[str, str]:
    """Return this environment, with the site's address filled in where none is set."""
    found = dict(os.environ)
    if not found.get("PUBLISHER_BASE_URL", "").strip():
        found["PUBLISHER_BASE_URL"] = url_of(host, port)
    return found


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            other = f"make run PORT={port + 1}"
            reason = f"Port {port} on {host} cannot be used ({problem.strerror}). Choose another one: {other}"
            raise ConflictError(reason) from None


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder: two Publishers in one would each start a Redis on the same files."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "up.lock").open("w")
    except OSError as problem:
        reason = f"names a folder that cannot be written ({problem.strerror}): {data_dir}"
        raise SettingsError("PUBLISHER_DATA_DIR", reason) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "Publisher is running already on this data folder; stop it, or set PUBLISHER_DATA_DIR to another"
            raise ConflictError(f"{reason}: {data_dir}") from None
        yield


def _refuse_strange(folder: Path) -> None:
    """A folder in /tmp may have been made by another user, who could then listen on our socket."""
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        problem = f"names a folder so long that Redis needs {folder}, which belongs to somebody else; choose a shorter"
        raise SettingsError("PUBLISHER_DATA_DIR", problem)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- our own address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _say(text: str) -> None:
    """Tell the person who typed `make run`, if the terminal is still there."""
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201 -- what this person reads
