"""How Publisher itself does, for operators: what they look at when something is wrong, and what to do about it."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from platform import python_version
from typing import Any

import redis
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from publisher.bell import QUEUE_OF, Job, Queue
from publisher.database import Database, first_line
from publisher.disk import disk_of
from publisher.editors.model import Role
from publisher.pulse import client
from publisher.settings import HERE
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Sender, ask_for, desk_page, go
from publisher.web.desk.stages import stages
from publisher.web.parts import Room
from publisher.wiring import Newsroom

router = APIRouter()

PATH = "/desk/system"
MANY_MESSAGES = 1_000
"""Bells are few, for a message says no more than "look"; this many, and nobody takes them from the queue."""
RUNG = tuple(each for each in Job if each not in {Job.TICK, Job.SLOW_TICK})


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the machine, how it does, and what to do where it does badly."""

    name: str
    is_well: bool
    says: str
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class QueueShown:
    """A queue, how much waits in it, and who takes it."""

    name: str
    messages: int | None
    """None: Redis does not answer."""
    workers: int
    advice: str


@router.get(PATH, include_in_schema=False)
def system(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show parts, queues, workers, stages and what went wrong lately."""
    ask_for(seat, Role.OPERATOR)
    now = room.now()
    workers = room.pulse.workers()
    with room.database.reading() as connection:
        shown_stages = list(stages(connection, now))
    values: dict[str, Any] = {
        "parts": list(_parts(room)),
        "queues": list(_queues(room)),
        "workers": [(each, each.is_alive(now)) for each in workers],
        "stages": shown_stages,
        "troubles": room.troubles.lately(),
    }
    return desk_page(request, room, seat, "desk/system.html", **values)


@router.post(f"{PATH}/ring", include_in_schema=False)
def ring(room: Room, seat: Sender) -> Response:
    """Ring every stage: whatever failed is tried again now, not at the next tick."""
    ask_for(seat, Role.OPERATOR)
    room.bell.ring(*RUNG)
    return go(seat, PATH, Said.RUNG)


@router.post(f"{PATH}/clear", include_in_schema=False)
def clear(room: Room, seat: Sender) -> Response:
    ask_for(seat, Role.OPERATOR)
    room.troubles.clear()
    return go(seat, PATH, Said.CLEARED)


def _parts(room: Newsroom) -> Iterator[Part]:
    yield _ticks(room)
    yield _database(room.database)
    yield _redis(room)
    disk = disk_of(room.settings.data_dir)
    yield Part(
        name="Disk",
        is_well=not disk.is_nearly_full,
        says=f"{disk.free_bytes / 1e9:.1f} GB of {disk.total_bytes / 1e9:.0f} GB free, where the data folder is",
        advice="Make room: with an outbox, old mails in its folder; old backups; logs. A full disk stops everything.",
    )
    kind = room.settings.mail_url.partition(":")[0]
    yield Part(name="Mail", is_well=True, says=f"by {kind}, from {room.settings.mail_from}")
    yield Part(name="Publisher", is_well=True, says=f"{_version()}, on Python {python_version()}")


@cache
def _version() -> str:
    """Return Publisher's version; where it is not installed, that of the source it runs from."""
    try:
        return metadata.version("publisher")
    except metadata.PackageNotFoundError:
        found = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))
        return str(found["project"]["version"])


def _ticks(room: Newsroom) -> Part:
    silent = room.pulse.silent(QUEUE_OF[Job.TICK])
    if not silent:
        return Part(name="Ticks", is_well=True, says="beat sends them and a worker runs them")
    advice: dict[tuple[str, ...], str] = {
        ("worker",): "Ticks wait and nobody takes them: start a worker for the queue upkeep.",
        ("beat",): "No tick comes: start beat (`publisher beat`). There may be several; they do no harm.",
    }
    both = "Redis does not answer, so neither can be seen."
    return Part(name="Ticks", is_well=False, says="none has run for 15 seconds", advice=advice.get(silent, both))


def _database(database: Database) -> Part:
    name = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        with database.reading() as connection:
            version, size_bytes, form = _about(connection)
    except SQLAlchemyError as problem:
        advice = "See PUBLISHER_DATABASE_URL, and whether its server runs."
        return Part(name="Database", is_well=False, says=f"{name}: {first_line(problem)}", advice=advice)
    says = f"{name} {version}, {size_bytes / 1e6:,.0f} MB, form {form or 'none'}"
    return Part(name="Database", is_well=True, says=says)


def _about(connection: Connection) -> tuple[str, int, str | None]:
    """Return the server's version, the size of the data, and the form that migrations brought it to."""
    if connection.dialect.name == "sqlite":
        version = connection.scalar(sa.text("SELECT sqlite_version()"))
        pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        size_bytes = connection.scalar(sa.text(pages))
    else:
        version = connection.scalar(sa.text("SHOW server_version"))
        size_bytes = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
    has_forms = sa.inspect(connection).has_table("alembic_version")
    form = connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if has_forms else None
    return str(version).split()[0], int(size_bytes or 0), form


def _redis(room: Newsroom) -> Part:
    broker = client(room.settings.redis_url)
    try:
        found: dict[str, Any] = broker.info()
    except redis.RedisError as problem:
        advice = "Articles and mails are safe, but nothing moves: start it, or see PUBLISHER_REDIS_URL."
        return Part(name="Redis", is_well=False, says=f"does not answer ({type(problem).__name__})", advice=advice)
    finally:
        broker.close()
    version = found.get("valkey_version") or found.get("redis_version")
    is_evicting = found.get("maxmemory", 0) and found.get("maxmemory_policy") != "noeviction"
    says = f"{found.get('server_name', 'redis')} {version}, {found['used_memory'] / 1e6:.1f} MB used"
    advice = "It forgets messages when it is full; set maxmemory-policy to noeviction."
    return Part(name="Redis", is_well=not is_evicting, says=says, advice=advice)


def _queues(room: Newsroom) -> Iterator[QueueShown]:
    now = room.now()
    taken = [queue for each in room.pulse.workers() if each.is_alive(now) for queue in each.queues]
    broker = client(room.settings.redis_url)
    try:
        lengths: dict[Queue, int | None] = {each: int(broker.llen(each)) for each in Queue}
    except redis.RedisError:
        lengths = dict.fromkeys(Queue)
    finally:
        broker.close()
    for each in Queue:
        workers = taken.count(each)
        yield QueueShown(
            name=each, messages=lengths[each], workers=workers, advice=_advice(each, lengths[each], workers)
        )


def _advice(queue: Queue, messages: int | None, workers: int) -> str:
    if messages is None:
        return "Redis does not answer."
    if not workers:
        return f"Nobody takes this queue. Start: `publisher worker --queues {queue}`"
    if messages > MANY_MESSAGES:
        return "Its workers do not keep up, or hang: look below at what went wrong, and start another."
    return ""
