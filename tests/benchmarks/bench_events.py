"""
How many events of SendGrid's webhook a second are checked, stored and thanked for, and how many a worker applies.

    python -m tests.benchmarks.bench_events --readers 20000

Both databases; the web server is the real application in this process, spoken to without a network. Every reader has
three events (processed, delivered, and for one in a hundred a bounce or a complaint instead of the open), 256 a call.
"""

import argparse
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import sqlalchemy as sa

from publisher.audience.tables import suppression
from publisher.clock import utc_now
from publisher.dispatch import flow as dispatch
from publisher.events import flow
from publisher.events.tables import delivery_event
from publisher.pulse import Pulse
from publisher.up.redis_server import redis_command
from publisher.web.app import make_app
from publisher.wiring import Newsroom
from tests.events.sendgrid import PUBLIC_KEY, an_event, body_of, signed
from tests.newsroom import Room, open_room
from tests.postgresql import AbsentError, new_database, running_server
from tests.web.browser import TestClient

A_CALL = 256


@contextmanager
def redis() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="publisher-redis-") as folder:
        place = Path(folder) / "redis.sock"
        server = subprocess.Popen(redis_command(place, Path(folder)), stdout=subprocess.DEVNULL)
        try:
            while not Pulse(f"redis+socket://{place}").answers():
                time.sleep(0.01)
            yield f"redis+socket://{place}"
        finally:
            server.terminate()
            server.wait(timeout=10)


@contextmanager
def sent_room(readers: int, database_url: str) -> Iterator[tuple[Room, int]]:
    """A newsroom that has sent an issue to many readers."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        variables = {"SENDGRID_WEBHOOK_KEY": PUBLIC_KEY, "REDIS_URL": stack.enter_context(redis())}
        room = stack.enter_context(open_room(Path(folder), database_url=database_url, clock=utc_now, **variables))
        room.readers(readers)
        issue_id = room.approved_issue()
        dispatch.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
        with room.database.transaction() as connection:
            connection.execute(sa.text("UPDATE delivery SET state = 'sent'"))
        yield room, issue_id


def calls(readers: int, issue_id: int) -> list[bytes]:
    """The bodies of all calls, each signed on its way."""
    events = []
    for seq in range(1, readers + 1):
        mine = {"email": f"reader{seq}@readers.example", "publisher_issue": str(issue_id), "publisher_seq": str(seq)}
        third = {50: ("bounce", {"type": "bounce", "status": "5.1.1"}), 0: ("spamreport", {})}.get(seq % 100)
        kind, more = third or ("open", {})
        events += [
            an_event("processed", sg_event_id=f"{seq}-1", **mine),
            an_event("delivered", sg_event_id=f"{seq}-2", response="250 2.0.0 OK 1772528400 x1-x2 - gsmtp", **mine),
            an_event(kind, sg_event_id=f"{seq}-3", reason="550 5.1.1 no such user", **mine, **more),
        ]
    return [body_of(*events[start : start + A_CALL]) for start in range(0, len(events), A_CALL)]


def measure(name: str, readers: int, database_url: str) -> dict[str, object]:
    with sent_room(readers, database_url) as (room, issue_id):
        newsroom = Newsroom(room.settings, room.clock)
        newsroom.__dict__["database"] = room.database
        bodies = [(body, signed(body)) for body in calls(readers, issue_id)]
        with TestClient(make_app(lambda: newsroom)) as web:
            start = time.perf_counter()
            statuses = {web.post("/webhooks/sendgrid", content=body, headers=head).status_code for body, head in bodies}
            received_s = time.perf_counter() - start
            start = time.perf_counter()
            applied = flow.apply_due(room.database, clock=room.clock)
            applied_s = time.perf_counter() - start
            with room.database.reading() as connection:
                stored = connection.scalar(sa.select(sa.func.count()).select_from(delivery_event))
                suppressed = connection.scalar(sa.select(sa.func.count()).select_from(suppression))
    assert (statuses, applied, stored, suppressed) == ({204}, readers * 3, readers * 3, readers // 50), suppressed
    return {
        "database": name,
        "events": applied,
        "received_per_s": round(applied / received_s),
        "applied_per_s": round(applied / applied_s),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=20_000)
    readers = parser.parse_args().readers
    print(json.dumps(measure("sqlite", readers, "")), flush=True)
    try:
        with running_server() as socket, new_database(socket, "events") as url:
            print(json.dumps(measure("postgresql", readers, url)), flush=True)
    except AbsentError as problem:
        print(f"PostgreSQL was not measured: {problem}")


if __name__ == "__main__":
    main()
