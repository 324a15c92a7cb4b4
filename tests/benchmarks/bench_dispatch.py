"""
The whole product, from a list of subscribers in a CSV file to a ledger in which every delivery has ended.

    python -m tests.benchmarks.bench_dispatch --readers 100000 --database sqlite --database postgresql

The service's own processes do the work: the command that imports, a Redis, beat, a worker, and on the other side
tests/dispatch/sink.py, which writes every recipient down before it answers. Beside them, in the same run, Debian's
`smtp-source -d` (package postfix) hands mails of the same size to the same sink.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from publisher.audience.tokens import Signer
from publisher.bell import Bell, Job
from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import Frozen, IssueId, Rendering
from publisher.compose.slots import Slot, marker
from publisher.dispatch.ledger import Marked
from publisher.dispatch.letters import compiled, envelopes
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import report
from publisher.pulse import Pulse
from publisher.up.redis_server import redis_command
from tests.benchmarks.bench_import import write_csv
from tests.builders import a_draft, handed_in
from tests.dispatch.faults.harness import Process, until
from tests.dispatch.sink import read_log
from tests.newsroom import Room, open_room
from tests.postgresql import AbsentError, new_database, running_server
from tests.service import PUBLISHER, environment, free_port

SINK = Path(__file__).resolve().parents[1] / "dispatch" / "sink.py"
READERS = 100_000
CONNECTIONS = 4
LINKS = 10
POLL_S = 0.002
OVER_WITHIN_S = 1_800


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a process has used since some moment."""

    cpu_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--workers", type=int, action="append", default=[])
    parser.add_argument("--database", action="append", choices=["sqlite", "postgresql"], default=[])
    given = parser.parse_args()
    for kind in given.database or ["sqlite", "postgresql"]:
        try:
            for workers in given.workers or [1, 2]:
                with _database(kind) as url:
                    _measure(kind, url, readers=given.readers, workers=workers)
        except AbsentError as problem:
            print(f"  {problem}")


@contextmanager
def _database(kind: str) -> Iterator[str]:
    if kind == "sqlite":
        yield ""
        return
    with running_server() as socket, new_database(socket, "newsroom") as url:
        yield url


def _measure(kind: str, url: str, *, readers: int, workers: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="publisher-bench-")))
        port = free_port()
        redis_url = f"redis+socket://{folder / 'redis.sock'}"
        mail_url = f"smtp://127.0.0.1:{port}?connections={CONNECTIONS}"
        with open_room(folder, database_url=url, REDIS_URL=redis_url, MAIL_URL=mail_url) as room:
            variables = {
                "PUBLISHER_DATA_DIR": str(folder),
                "PUBLISHER_DATABASE_URL": url or room.settings.database_url,
                "PUBLISHER_REDIS_URL": redis_url,
                "PUBLISHER_MAIL_URL": mail_url,
            }
            _import(folder, variables, readers)
            issue_id = _draft(room)
            size = _size_of_a_mail(room, issue_id)
            print(f"{kind}: {readers:,} readers, {size:,} bytes a mail, dispatch workers: {workers}", flush=True)
            processes = stack.enter_context(_service(folder, variables, port, workers=workers))
            socket = url.rpartition("host=")[2]
            log = folder / "accepted.log"
            ours = _send(room, issue_id, processes, log, readers=readers, socket=socket)
            if theirs := _beside(log, port, readers=min(readers, READERS), size=size):
                print(f"  product / smtp-source  {ours / theirs:.2f}", flush=True)


# --- before


def _import(folder: Path, variables: dict[str, str], readers: int) -> None:
    file = folder / "subscribers.csv"
    write_csv(file, readers)
    began = time.perf_counter()
    command = (*PUBLISHER, "subscriber", "import", str(file), "--confirmed", "--json")
    subprocess.run(command, env=environment(**variables), check=True, stdout=subprocess.DEVNULL)
    took_s = time.perf_counter() - began
    print(f"  import: {readers / took_s:,.0f} rows/s ({took_s:.1f} s, the start of the command included)", flush=True)


def _draft(room: Room) -> IssueId:
    """Draft an issue of one article."""
    ids = [handed_in(room.database, [a_draft()], clock=room.clock)[0].article_id]
    return compose.draft_issue(
        room.database, room.settings, "weekly", article_ids=ids, subject="This week", clock=room.clock
    ).id


def _letter() -> tuple[str, str]:
    """Return text and HTML of about 20 KB together: ten links, the reader's name, his address and three of his URLs."""
    name, unsubscribe, preferences = (marker(each) for each in (Slot.NAME, Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL))
    told = "The away end sang until the lights went out, and then it sang some more. " * 5
    places = [f"https://stadium{each}.example/tonight" for each in range(LINKS)]
    rows = [f'<tr><td style="padding:10px"><a href="{each}">Stadium</a> {told}</td></tr>' for each in places]
    links = f'<a href="{unsubscribe}">Unsubscribe</a> <a href="{preferences}">Preferences</a> {marker(Slot.ADDRESS)}'
    html = f"<!doctype html><html><body><p>Dear {name},</p><table>{''.join(rows * 3)}</table>{links}</body></html>"
    foot = f"Unsubscribe: {unsubscribe}\nPreferences: {preferences}\nSent to {marker(Slot.ADDRESS)}\n"
    return "\n\n".join([f"Dear {name},", *(f"{told}\n{each}" for each in places), foot]), html


def _rendering(room: Room, issue_id: IssueId) -> Rendering:
    with room.database.reading() as connection:
        made = compose.render_now(connection, room.settings, store.issue_of(connection, issue_id))
    text, html = _letter()
    return replace(made, text=text, html=html)


def _approve(room: Room, issue_id: IssueId) -> None:
    """Approve the issue as publisher/compose/flow.py does, with the benchmark's letter in the place of ours."""
    frozen = Frozen(rendering=_rendering(room, issue_id), translations={})
    with room.database.transaction() as connection:
        store.freeze(connection, issue_id, frozen, now=room.clock())
    Bell(room.settings.redis_url).ring(Job.PLAN)


def _size_of_a_mail(room: Room, issue_id: IssueId) -> int:
    with room.database.reading() as connection:
        found = store.issue_of(connection, issue_id)
        edition = store.edition_of(connection, found.edition_id)
    message = compiled(room.settings, edition, found, _rendering(room, issue_id))
    address = "0123456789.reader12345@example12.org"
    marked = Marked(seq=1, subscription_id=1, attempts=1, address=address, name="Reader 1")
    signer = Signer(room.settings.secret_key)
    (one,) = envelopes(room.settings, signer, issue_id, [marked], date="Tue, 01 Dec 2026 07:00:00 +0000")
    return len(message.splice(one.values))


@contextmanager
def _service(folder: Path, variables: dict[str, str], port: int, *, workers: int) -> Iterator[dict[str, Process]]:
    """Start what a newsroom runs, and the sink."""
    commands = {
        "redis": redis_command(folder / "redis.sock", folder),
        "sink": (sys.executable, str(SINK), "--port", str(port), "--log", str(folder / "accepted.log")),
        "beat": (sys.executable, "-m", "workers.run_beat"),
        "upkeep": (sys.executable, "-m", "workers.run_worker", "upkeep"),
    } | {f"worker {each}": (sys.executable, "-m", "workers.run_worker", "dispatch") for each in range(1, workers + 1)}
    env, log = environment(**variables), subprocess.DEVNULL
    running = {name: subprocess.Popen(command, env=env, stdout=log, stderr=log) for name, command in commands.items()}
    try:
        until(Pulse(variables["PUBLISHER_REDIS_URL"]).is_beating, "the service ticks", 60)
        time.sleep(1)
        yield running
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait(30)


# --- the send


def _send(
    room: Room, issue_id: IssueId, processes: dict[str, Process], log: Path, *, readers: int, socket: str
) -> float:
    """Send the issue, print what it took, and return mails a second from the first to the last at the sink."""
    before = _costs(processes, socket)
    approved_at = time.perf_counter()
    _approve(room, issue_id)
    first_at, last_at = _watch(log, room, issue_id)
    after = _costs(processes, socket)
    with room.database.reading() as connection:
        found = report(connection, issue_id)
    distinct = len({recipient for recipient, _ in read_log(log)})
    assert found.state == "sent", found
    assert distinct == readers == found.counts[DeliveryState.SENT], (distinct, found.counts)
    assert found.finished_at
    assert found.started_at
    print(f"  approve → first mail {first_at - approved_at:.2f} s")
    rate = readers / (last_at - first_at)
    print(f"  product      {rate:8,.0f} mails/s  ({last_at - first_at:.2f} s, first to last)")
    for name, cost in after.items():
        cpu_us = (cost.cpu_s - before[name].cpu_s) / readers * 1e6
        print(f"    {name:12} {cpu_us:7.1f} µs of CPU a mail, peak {cost.peak_mb:.0f} MB", flush=True)
    return rate


def _watch(log: Path, room: Room, issue_id: IssueId) -> tuple[float, float]:
    """Return when the first and the last mail was written down, once the ledger is complete."""
    first_at = last_at = 0.0
    size, looked_at = 0, time.perf_counter()
    give_up_at = looked_at + OVER_WITHIN_S
    while True:
        now, grown = time.perf_counter(), log.stat().st_size
        if grown > size:
            first_at, last_at, size = first_at or now, now, grown
        elif now - looked_at > 0.5:
            looked_at = now
            with room.database.reading() as connection:
                if report(connection, issue_id).is_over:
                    return first_at, last_at
        assert now < give_up_at
        time.sleep(POLL_S)


def _costs(processes: dict[str, Process], socket: str) -> dict[str, Cost]:
    found = {name: _cost([psutil.Process(process.pid)]) for name, process in processes.items()}
    if socket:
        server = psutil.Process(int((Path(socket) / "data" / "postmaster.pid").read_text().split()[0]))
        found["postgresql"] = _cost([server, *server.children()])
    return found


def _cost(together: list[psutil.Process]) -> Cost:
    """Sum up; PostgreSQL's memory is its biggest process's, for they share most of it."""
    times = [process.cpu_times() for process in together]
    peaks = [_peak_mb(process.pid) for process in together]
    return Cost(cpu_s=sum(each.user + each.system for each in times), peak_mb=max(peaks))


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


# --- beside it


def _beside(log: Path, port: int, *, readers: int, size: int) -> float:
    """Let smtp-source send so many mails of the same size to the same sink; return mails a second, 0 without it."""
    program = shutil.which("smtp-source", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        print("  smtp-source is not installed (Debian: postfix)")
        return 0.0
    before = log.stat().st_size
    command = (program, "-d", "-s", str(CONNECTIONS), "-m", str(readers), "-l", str(size))
    began = time.perf_counter()
    process = subprocess.Popen((*command, "-f", "news@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"))
    _, status, used = os.wait4(process.pid, 0)
    took_s = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert log.stat().st_size > before
    cpu_us = (used.ru_utime + used.ru_stime) / readers * 1e6
    print(f"  smtp-source  {readers / took_s:8,.0f} mails/s  {cpu_us:.1f} µs of CPU a mail", flush=True)
    return readers / took_s


if __name__ == "__main__":
    main()
