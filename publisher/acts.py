"""
Who did what: a record of the acts that changed something, which is only ever added to.

Whoever lets somebody in (desk, API, command line) says once who is acting; a flow notes what it does in the very
transaction that does it. Workers act for nobody, and what they do is not noted.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.clock import utc_now
from publisher.database import Instant, Key, metadata

act = sa.Table(
    "act",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("via", sa.Text, nullable=False),
    sa.Column("editor_id", Key),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("did", sa.Text, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Index("ix_act_editor", "editor_id", "id"),
    sa.Index("ix_act_did", "did", "id"),
    sa.Index("ix_act_at", "at"),
)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who is at work."""

    via: str
    """desk, api or cli."""
    who: str
    """A name: an editor's, a token's, or that of an account on the server."""
    editor_id: int | None = None
    origin: str = ""
    """The network of the request, truncated."""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One line of the record."""

    id: int
    at: datetime
    actor: Actor
    did: str
    thing: str


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def begin(actor: Actor) -> None:
    """Say who is acting from here on, in this request or command."""
    _actor.set(actor)


def note(connection: Connection, did: str, thing: str) -> None:
    """
    Note what is being done, to be kept if and only if it is.

    Args:
        connection: The transaction of the change.
        did: Stage and verb, such as `issue approved`.
        thing: What it was done to, such as `issue 7`; no reader's address.

    """
    actor = _actor.get()
    if actor is not None:
        note_of(connection, actor, did, thing)


def note_of(connection: Connection, actor: Actor, did: str, thing: str) -> None:
    """Note what somebody did who was nobody yet when the request came: a sign-in."""
    values = {"via": actor.via, "editor_id": actor.editor_id, "who": actor.who, "origin": actor.origin}
    connection.execute(sa.insert(act).values(at=utc_now(), did=did, thing=thing, **values))


def note_sometimes(connection: Connection, actor: Actor, did: str, thing: str, *, every: timedelta) -> None:
    """Note what strangers can do as often as they like: once in a while for each thing and network."""
    same = (act.c.did == did, act.c.thing == thing, act.c.origin == actor.origin, act.c.at > utc_now() - every)
    if connection.scalar(sa.select(act.c.id).where(*same).limit(1)) is None:
        note_of(connection, actor, did, thing)


def acts(
    connection: Connection,
    *,
    at_most: int,
    before: int | None = None,
    editor_id: int | None = None,
    did: str = "",
    until: datetime | None = None,
) -> Sequence[Act]:
    """Return what was done, newest first, before a line of the record and an instant."""
    wanted = sa.select(act).order_by(act.c.id.desc()).limit(at_most)
    if before is not None:
        wanted = wanted.where(act.c.id < before)
    if editor_id is not None:
        wanted = wanted.where(act.c.editor_id == editor_id)
    if did:
        wanted = wanted.where(act.c.did == did)
    if until is not None:
        latest = sa.select(sa.func.max(act.c.id)).where(act.c.at < until)
        wanted = wanted.where(act.c.id <= latest.scalar_subquery())
    return [_act(row) for row in connection.execute(wanted)]


def kinds(connection: Connection) -> list[str]:
    """Return what was ever done, by a walk along the index: a step for each kind, however long the record is."""
    found: list[str] = []
    last = ""
    while (last := connection.scalar(sa.select(sa.func.min(act.c.did)).where(act.c.did > last)) or "") != "":
        found.append(last)
    return found


def _act(row: Any) -> Act:
    actor = Actor(via=row.via, who=row.who, editor_id=row.editor_id, origin=row.origin)
    return Act(id=row.id, at=row.at, actor=actor, did=row.did, thing=row.thing)
