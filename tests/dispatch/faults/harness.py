"""
A newsroom whose send runs in real processes, which tests kill, freeze and starve.

The judge is the sink's log: it is written before the sink answers, so a reader in it may have a copy, and a reader
that is not in it has none.
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import sqlalchemy as sa

from publisher.compose.model import IssueId
from publisher.dispatch import rules
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import Report, report
from publisher.pulse import Pulse
from publisher.up.redis_server import redis_command
from tests.dispatch.faults.worker import LEASE
from tests.dispatch.sink import read_log
from tests.newsroom import Room, open_room
from tests.service import environment, free_port

HERE = Path(__file__).parent
SINK = HERE.parent / "sink.py"
WORKER = HERE / "worker.py"
OVER_WITHIN_S = 60.0
POLL_S = 0.02
MAIL_OPTIONS = "connections=2&connect_timeout=2&timeout=2&final_timeout=2"
"""The waits of RFC 5321 are minutes; a test cannot wait so long for a server that stalls."""

HOLDERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL
"""

Process: TypeAlias = subprocess.Popen[bytes]


@dataclass(kw_only=True)
class Stage:
    """The processes around a send, and what the sink says of it."""

    room: Room
    folder: Path
    variables: dict[str, str]
    port: int
    readers: list[str]
    issue_id: IssueId
    crashes: int = 0
    """How often a worker ended without recording what it had in flight, or could not record it."""
    _processes: list[Process] = field(default_factory=list)
    _sink: Process | None = None
    _redis: Process | None = None

    # --- processes

    def worker(self, *queues: str) -> Process:
        """Start a worker for these queues; for all of them, where none is named."""
        return self._start(str(WORKER), *queues, log="worker")

    def beat(self) -> Process:
        return self._start("-m", "workers.run_beat", log="beat")

    def sink(self, *faults: str, latency_ms: float = 0, options: tuple[str, ...] = ()) -> None:
        """Start the mail server, in place of the one that runs."""
        if self._sink:
            self.end(self._sink, signal.SIGTERM)
        given = [part for each in faults for part in ("--fault", each)]
        where = ("--port", str(self.port), "--log", str(self._accepted), "--latency-ms", str(latency_ms))
        self._sink = self._start(str(SINK), *where, *given, *options, log="sink")

    def redis(self) -> None:
        self._redis = subprocess.Popen(redis_command(self._redis_place, self.folder), stdout=subprocess.DEVNULL)
        self._processes.append(self._redis)
        pulse = Pulse(self.variables["PUBLISHER_REDIS_URL"])
        until(pulse.answers, "Redis answers")

    def lose_redis(self) -> None:
        """Kill Redis, and start another one that knows nothing."""
        assert self._redis
        self.end(self._redis, signal.SIGKILL)
        shutil.rmtree(self.folder / "appendonlydir")
        self.redis()

    def end(self, process: Process, number: signal.Signals) -> None:
        process.send_signal(number)
        process.wait(30)

    def kill(self, process: Process) -> None:
        """End a worker at once; it may leave two micro-batches in doubt."""
        self.crashes += 1
        self.end(process, signal.SIGKILL)

    def freeze(self, process: Process, *, within_transaction: bool) -> None:
        """Stop the one worker where it stands: between two of its transactions, or in the middle of one that writes."""
        self.crashes += 1

        def is_caught() -> bool:
            process.send_signal(signal.SIGSTOP)
            time.sleep(POLL_S)  # the server may be answering still
            if self._is_writing() == within_transaction:
                return True
            process.send_signal(signal.SIGCONT)
            return False

        until(is_caught, f"the worker stands {'with' if within_transaction else 'without'} locks")

    def _is_writing(self) -> bool:
        """Whether a transaction holds locks; nobody but the worker has one open."""
        if not self.room.database.is_sqlite:
            with self.room.database.engine.connect() as connection:
                return bool(connection.execute(sa.text(HOLDERS)).scalar_one())
        path = str(self.room.database.url.database)
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            other.execute("ROLLBACK")
            return False

    def end_all(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait(10)

    def _start(self, *arguments: str, log: str) -> Process:
        with (self.folder / f"{log}.{len(self._processes)}.txt").open("wb") as stream:
            environ = environment(**self.variables)
            command = (sys.executable, *arguments)
            process = subprocess.Popen(command, env=environ, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process

    def said(self, process: Process) -> str:
        """What a process has written so far."""
        number = self._processes.index(process)
        return next(self.folder.glob(f"*.{number}.txt")).read_text(encoding="utf-8", errors="replace")

    # --- what happened

    @property
    def _accepted(self) -> Path:
        return self.folder / "accepted.log"

    @property
    def _redis_place(self) -> Path:
        return Path(self.variables["PUBLISHER_REDIS_URL"].removeprefix("redis+socket://"))

    def entries(self) -> list[tuple[str, str]]:
        return list(read_log(self._accepted)) if self._accepted.exists() else []

    def report(self) -> Report:
        with self.room.database.reading() as connection:
            return report(connection, self.issue_id)

    def until_accepted(self, number: int, within_s: float = OVER_WITHIN_S) -> None:
        until(lambda: len(self.entries()) >= number, f"{number} mails are accepted", within_s)

    def until_state(self, *states: str, within_s: float = OVER_WITHIN_S) -> Report:
        """Wait until the issue's send is in one of these states."""
        until(lambda: self._state() in states, f"the send is {' or '.join(states)}", within_s, self.how_it_stands)
        return self.report()

    def until_finished(self) -> None:
        """Wait until no delivery is in any worker's hands."""
        until(lambda: self.report().finished_at is not None, "the send is over", 20, self.how_it_stands)

    def _state(self) -> str:
        with suppress(sa.exc.OperationalError):  # a database that restarts
            return str(self.report().state)
        return ""

    def how_it_stands(self) -> str:
        logs = [f"{path.name}: {path.read_text(errors='replace')[-1_500:]}" for path in self.folder.glob("*.txt")]
        return "\n".join([str(self.report()), *logs])

    def judge(self, within_s: float = OVER_WITHIN_S, *, in_doubt: int = 0, failed: int = 0) -> Report:
        """
        Wait until the send is over, and compare the sink with the plan and with the report.

        Args:
            within_s: How long it may take.
            in_doubt: Mails whose answer the sink itself kept back.
            failed: Readers whose mail is refused for good.

        """
        found = self.until_state("sent", within_s=within_s)
        entries = self.entries()
        copies = Counter(recipient for recipient, _ in entries)
        ids = {recipient: {each for to, each in entries if to == recipient} for recipient, n in copies.items() if n > 1}
        extra = sum(copies.values()) - len(copies)
        print(f"{len(copies)} readers, {extra} extra copies, {self.crashes} crashes")

        assert len(set(self.readers) - copies.keys()) == failed, "nobody is lost"
        assert not copies.keys() - set(self.readers)
        assert all(len(each) == 1 for each in ids.values()), "every copy has the same Message-ID"
        assert len(set(entries)) == len(copies), "no two readers share a Message-ID"
        assert extra <= self.crashes * 2 * rules.LOAD_AT_MOST + in_doubt
        assert len(ids) <= found.sent_twice_at_most
        assert found.counts == dict.fromkeys(DeliveryState, 0) | {
            DeliveryState.SENT: len(self.readers) - failed,
            DeliveryState.FAILED: failed,
        }
        return found

    @property
    def extra_copies(self) -> int:
        entries = self.entries()
        return len(entries) - len(set(entries))


@contextmanager
def on_stage(folder: Path, *, readers: int, database_url: str = "") -> Iterator[Stage]:
    """An approved issue, a Redis and a free port for a sink; processes that a test starts end with it."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="publisher-redis-"))) / "redis.sock"
        port = free_port()
        redis_url, mail_url = f"redis+socket://{place}", f"smtp://127.0.0.1:{port}?{MAIL_OPTIONS}"
        opened = open_room(folder, database_url=database_url, REDIS_URL=redis_url, MAIL_URL=mail_url)
        room = stack.enter_context(opened)
        named = {"PUBLISHER_DATA_DIR": str(folder), "PUBLISHER_REDIS_URL": redis_url, "PUBLISHER_MAIL_URL": mail_url}
        named |= {"PUBLISHER_DATABASE_URL": database_url} if database_url else {}
        people = room.readers(readers)
        issue_id = room.approved_issue()
        stage = Stage(room=room, folder=folder, variables=named, port=port, readers=people, issue_id=issue_id)
        stack.callback(stage.end_all)
        stage.redis()
        yield stage


def until(is_so: Callable[[], bool], what: str, within_s: float = 20.0, more: Callable[[], str] = str) -> None:
    give_up_at = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < give_up_at, f"not after {within_s} s: {what}\n{more()}"
        time.sleep(POLL_S)


def seeded() -> random.Random:
    """Chance that can be repeated: PUBLISHER_TEST_SEED=…"""
    seed = int(os.environ.get("PUBLISHER_TEST_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"PUBLISHER_TEST_SEED={seed}")
    return random.Random(seed)


LEASE_S = LEASE.total_seconds()
