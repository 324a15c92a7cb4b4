import glob
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

START_WITHIN_S = 30
# A test's database need not survive a power cut.
POSTGRESQL_OPTIONS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=60", "jit=off")


@pytest.fixture(scope="session")
def postgresql_socket() -> Iterator[Path]:
    """The folder with the socket of a PostgreSQL server of our own, started once for all tests."""
    initdb, postgres = (_postgresql_program(name) for name in ("initdb", "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="publisher-pg-"))  # a short path, for a socket's may have 107 bytes
    account = _account(folder)
    data = folder / "data"
    init = [initdb, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync", f"-D{data}"]
    subprocess.run(init, check=True, capture_output=True, timeout=60, cwd=folder, **account)
    command = [postgres, f"-D{data}", f"-k{folder}", *(f"-c{option}" for option in POSTGRESQL_OPTIONS)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **account)
    try:
        _wait_for(server, folder)
        yield folder
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _database_names() -> Iterator[str]:
    return (f"newsroom_{number}" for number in itertools.count(1))


@pytest.fixture
def postgresql_url(postgresql_socket: Path, _database_names: Iterator[str]) -> Iterator[str]:
    """A new, empty PostgreSQL database."""
    name = next(_database_names)
    with _connected(postgresql_socket) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield f"postgresql+psycopg://postgres@/{name}?host={postgresql_socket}"
    with _connected(postgresql_socket) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _postgresql_program(name: str) -> str:
    """Skip loudly where PostgreSQL is absent; under CI that is a failure."""
    debian: Sequence[str] = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))  # noqa: PTH207 -- one line
    found = shutil.which(name) or (debian[-1] if debian else None)
    if found is None:
        problem = f"PostgreSQL's {name} is not installed, so this was not tested with PostgreSQL"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
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
                pytest.fail(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
            time.sleep(0.05)
        else:
            return


def _connected(folder: Path) -> "psycopg.Connection[tuple[Any, ...]]":
    return psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True)
