import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from publisher.errors import ConflictError
from publisher.settings import Settings, load, redis_socket
from publisher.up.children import Child, keep_running, stop
from publisher.up.redis_server import redis_command

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 9.0
LOOK_EVERY_S = 0.1


def run(*, host: str, port: int, samples: bool = True) -> int:
    """
    Run everything on this machine until a signal comes; return the exit code.

    Raises:
        ConflictError: The port or the data folder is in use.
        SettingsError: A setting is missing or wrong.

    """
    environment = _environment(host, port)
    settings = load(environment)
    _refuse_taken_port(host, port)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(settings.data_dir):
        (settings.data_dir / "base-url").write_text(settings.base_url, encoding="utf-8")
        return _Run(settings, environment, host, port, samples=samples).run()


class _Run:
    def __init__(self, settings: Settings, environment: dict[str, str], host: str, port: int, *, samples: bool) -> None:
        self._samples = samples
        self._settings = settings
        self._environment = environment
        self._host, self._port = host, port
        self._asked_to_stop = False
        self._children = list(self._make_children())

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        began = time.monotonic()
        try:
            self._start(began)
            while not self._asked_to_stop:
                keep_running(self._children, _say, time.monotonic())
                time.sleep(LOOK_EVERY_S)
        finally:
            _say("Stopping ...")
            stop(self._children, _say, within_s=STOP_WITHIN_S)
        _say("Stopped. Everything is kept in " + str(self._settings.data_dir))
        return 0

    def _start(self, began: float) -> None:
        if self._own_redis:
            self._children[-1].start()
        prepared = subprocess.run(  # noqa: S603 -- our own command
            (sys.executable, "-m", "publisher.up.prepare", *([] if self._samples else ["--no-samples"])),
            env=self._environment,
            check=False,
        )
        if prepared.returncode:
            raise ConflictError("The database could not be made ready; the lines above say why.")
        for child in self._children:
            if child.process is None:
                child.start()
        if self._wait_until_ready():
            _say(self._welcome(time.monotonic() - began))

    def _wait_until_ready(self) -> bool:
        url = f"http://{_shown(self._host)}:{self._port}/readyz"
        until = time.monotonic() + READY_WITHIN_S
        while not self._asked_to_stop:
            keep_running(self._children, _say, time.monotonic())
            if _answers(url):
                return True
            if time.monotonic() > until:
                _say(f"!! Not ready after {READY_WITHIN_S:.0f} s; see the logs in {self._settings.data_dir / 'logs'}")
                return False
            time.sleep(0.05)
        return False

    @property
    def _own_redis(self) -> bool:
        return self._settings.redis_url == f"redis+socket://{redis_socket(self._settings.data_dir)}"

    def _make_children(self) -> Iterator[Child]:
        """Yield web, worker and beat, and last what they lean on."""
        logs = self._settings.data_dir / "logs"
        logs.mkdir(exist_ok=True)
        python = sys.executable
        commands: dict[str, tuple[str, ...]] = {
            "web": (
                *(python, "-m", "uvicorn", "publisher.web.app:app", "--host", self._host, "--port", str(self._port)),
                *("--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "3"),
            ),
            "worker": (python, "-m", "workers.run_worker"),
            "beat": (python, "-m", "workers.run_beat"),
        }
        if self._own_redis:
            place = redis_socket(self._settings.data_dir)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            data = self._settings.data_dir / "redis"
            data.mkdir(exist_ok=True)
            commands["redis"] = tuple(redis_command(place, data))
        for name, command in commands.items():
            yield Child(name=name, command=command, environment=self._environment, log=logs / f"{name}.log")

    def _welcome(self, seconds: float) -> str:
        base = f"http://{_shown(self._host)}:{self._port}"
        link = self._settings.data_dir / "sign-in-link"
        desk = link.read_text(encoding="utf-8").strip() if link.exists() else f"{base}/desk"
        lines = [
            f"Publisher is ready ({seconds:.1f} s).",
            "",
            f"  Home page   {base}/",
            f"  Feeds       {base}/feeds",
            f"  Desk        {desk}   (signs you in, once, within 15 minutes)",
            f"  Outbox      {base}/desk/outbox",
            f"  API         {base}/api/docs",
            "",
            "  Hand in an article:  .venv/bin/publisher article add FILE.txt",
            "  Stop:                Ctrl-C",
        ]
        return "\n".join(lines)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop = True


def _environment(host: str, port: int) -> dict[str, str]:
    """Return this environment, with the site's address filled in where none is set."""
    found = dict(os.environ)
    if not found.get("PUBLISHER_BASE_URL") and not found.get("PUBLISHER_BASE_URL_FILE"):
        found["PUBLISHER_BASE_URL"] = f"http://{_shown(host)}:{port}"
    return found


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 -- compared, not bound


def _refuse_taken_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            reason = f"Port {port} on {host} cannot be used ({problem.strerror}). Choose another: make run PORT=8001"
            raise ConflictError(reason) from None


@contextmanager
def _only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder: two Publishers in one would each start a Redis on the same files."""
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            problem = (
                f"Publisher is running already on {data_dir}; stop it, or set PUBLISHER_DATA_DIR to another folder."
            )
            raise ConflictError(problem) from None
        os.set_inheritable(lock.fileno(), False)
        yield


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 -- our own address
            return bool(answer.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 -- what the person who typed `make run` reads
