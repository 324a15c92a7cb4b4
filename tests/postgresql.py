"""A PostgreSQL server for tests and benchmarks: on a unix socket in a folder of its own, gone afterwards."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

START_WITHIN_S = 30
OPTIONS = ("listen_addresses=", "max_connections=60")
CARELESS = ("fsync=off", "full_page_writes=off")
"""For tests, whose databases need not survive a power cut; a benchmark is careful."""


class AbsentError(Exception):
    """PostgreSQL is not installed."""


@dataclass(kw_only=True)
class Server:
    """A PostgreSQL whose data and socket are in a folder."""

    folder: Path
    options: Sequence[str]
    account: dict[str, Any]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        settings = [f"-c{option}" for option in (*OPTIONS, *self.options)]
        command = [_program("postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder), *settings]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self.account)
        _wait_for(self.process, self.folder)

    def stop_at_once(self) -> None:
        """End it as a crash would, with a clean-up at the next start (PostgreSQL's immediate shutdown)."""
        assert self.process
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(timeout=10)

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            _stop(self.process)


@contextmanager
def new_server(options: Sequence[str] = ()) -> Iterator[Server]:
    """Start a server that a test may stop and start again. Raises AbsentError."""
    initdb = _program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="publisher-pg-"))  # a short path, for a socket's may have 107 bytes
    try:
        account = _account(folder)
        data = str(folder / "data")
        init = [initdb, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", "-D", data]
        subprocess.run(init, check=True, capture_output=True, timeout=60, cwd=folder, **account)
        server = Server(folder=folder, options=options, account=account)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_server(options: Sequence[str] = ()) -> Iterator[Path]:
    """Start a server; yields the folder with its socket. Raises AbsentError."""
    with new_server(options) as server:
        yield server.folder


@contextmanager
def new_database(socket: Path, name: str) -> Iterator[str]:
    """Make an empty database; yields its URL."""
    named = sql.Identifier(name)
    with _connected(socket) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(named))
    yield f"postgresql+psycopg://postgres@/{name}?host={socket}"
    with _connected(socket) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(named))


def _program(name: str) -> str:
    of_debian = sorted(str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (of_debian[-1] if of_debian else None)
    if found is None:
        message = f"PostgreSQL's {name} is not installed"
        raise AbsentError(message)
    return found


def _account(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then the folder and the server belong to another user."""
    if os.getuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _wait_for(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    give_up_at = time.monotonic() + START_WITHIN_S
    while True:
        try:
            _connected(folder).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > give_up_at:
                message = f"PostgreSQL did not start:\n{(folder / 'log').read_text()}"
                raise RuntimeError(message) from None
            time.sleep(0.05)
        else:
            return


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(timeout=10)


def _connected(socket: Path) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(host=str(socket), user="postgres", dbname="postgres", autocommit=True)
