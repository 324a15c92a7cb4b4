"""What programs ask with a key, so that asking again is answered again and not done again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from publisher.clock import Clock
from publisher.database import Database, insert_or_ignore
from publisher.editors.model import ApiTokenId
from publisher.editors.tables import api_call

KEPT_FOR = timedelta(hours=24)
LONGEST = timedelta(minutes=5)
"""No request lives as long; one without an answer after that has none to come."""


GONE = {
    "status": 410,
    "headers": {"content-type": "application/problem+json"},
    "body": b'{"title": "Gone", "status": 410, "detail": "Done once; the person it was about has been erased since."}',
}
"""RFC 9457."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with its key."""

    token_id: ApiTokenId
    key: str
    request_hash: str
    """Of all that makes a difference: method, address, body."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What the same request was answered before."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Begun:
    """It is ours to do."""


@dataclass(frozen=True, kw_only=True)
class Mismatched:
    """The key stands for another request."""


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """Somebody is at it, or was."""

    is_lost: bool
    """Whether no answer can come any more: nobody knows how much of it was done."""


Standing = Begun | Answered | Mismatched | Unanswered


def begin(database: Database, call: Call, *, clock: Clock) -> Standing:
    """Say how a request stands; of two at once one begins."""
    now = clock()
    with database.transaction() as connection:
        connection.execute(sa.delete(api_call).where(api_call.c.started_at < now - KEPT_FOR))
        row = {"token_id": call.token_id, "key": call.key, "request_hash": call.request_hash, "started_at": now}
        if connection.scalar(insert_or_ignore(connection, api_call).values(row).returning(api_call.c.key)):
            return Begun()
        found = connection.execute(sa.select(api_call).where(*_this(call))).one()
    if found.request_hash != call.request_hash:
        return Mismatched()
    if found.status is None:
        return Unanswered(is_lost=now - found.started_at > LONGEST)
    return Answered(status=found.status, headers=found.headers, body=found.body)


def answer(database: Database, call: Call, answered: Answered) -> None:
    """Keep an answer for whoever asks again."""
    values = {"status": answered.status, "headers": dict(answered.headers), "body": answered.body}
    with database.transaction() as connection:
        connection.execute(sa.update(api_call).where(*_this(call)).values(**values))


def forget(database: Database, call: Call) -> None:
    """Let a request be made again, for nothing was done."""
    with database.transaction() as connection:
        connection.execute(sa.delete(api_call).where(*_this(call)))


def forget_about(connection: sa.Connection, address: str) -> None:
    """Take an erased person's address out of the answers that are kept: whoever asks again is told that it is gone."""
    if connection.dialect.name == "sqlite":
        told = sa.func.instr(sa.func.lower(sa.cast(api_call.c.body, sa.Text)), address.lower())
    else:  # every byte beyond ASCII as an escape: no address has one, and no body is too strange for it
        told = sa.func.strpos(sa.func.lower(sa.func.encode(api_call.c.body, "escape")), address.lower())
    connection.execute(sa.update(api_call).where(api_call.c.body.is_not(None), told > 0).values(**GONE))


def _this(call: Call) -> tuple[sa.ColumnElement[bool], ...]:
    return api_call.c.token_id == call.token_id, api_call.c.key == call.key
