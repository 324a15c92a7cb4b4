"""Letters to one reader: asked for in audience, sent here, each once and with proof."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from publisher.audience import store as audience
from publisher.audience.model import LetterDue, SubscriberId
from publisher.audience.tokens import Signer
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.compose.model import Edition
from publisher.database import Database, insert_or_ignore, skip_locked
from publisher.dispatch import rules
from publisher.dispatch.model import Deferred, DeliveryState, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.notice_letters import confirmation, welcome
from publisher.dispatch.tables import notice
from publisher.dispatch.transports.transport import Transport
from publisher.settings import Settings

AT_ONCE = 50
LOOK_BACK = timedelta(minutes=1)
"""Two machines' clocks differ by less; what was sent already is known by its key."""
CLAIM = timedelta(minutes=5)
TRANSPORT_WAIT = timedelta(seconds=15)
STALE_AFTER = timedelta(hours=48)


class Kind(StrEnum):
    """What a letter is for."""

    CONFIRMATION = "confirmation"
    """Asks for the yes."""
    WELCOME = "welcome"
    """Follows it."""


SINCE: dict[Kind, Callable[[datetime], datetime | None]] = {
    Kind.CONFIRMATION: lambda _now: None,
    Kind.WELCOME: lambda now: now - STALE_AFTER,
}
"""
From when on the first look ever finds letters. Whoever asked gets an answer; but an update of Publisher must not
welcome those who have been reading for years.
"""
DUE = {Kind.CONFIRMATION: audience.confirmations_due, Kind.WELCOME: audience.welcomes_due}


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """A letter about to be sent."""

    notice_id: int
    kind: Kind
    attempts: int
    due: LetterDue
    editions: Sequence[Edition]
    """What a welcomed reader will get."""


def notify_due(database: Database, transport: Transport, signer: Signer, settings: Settings, *, clock: Clock) -> int:
    """Send the letters that are due; return how many were tried."""
    for kind in Kind:
        _queue(database, kind, clock)
    letters = _claim(database, clock)
    for letter in letters:
        raw = _raw(letter, signer, settings, clock())
        outcome = transport.send_one(parseaddr(settings.mail_from)[1], letter.due.subscriber.email, raw)
        _record(database, letter, outcome, clock())
    return len(letters)


def _queue(database: Database, kind: Kind, clock: Clock) -> None:
    """Write down every letter that was asked for since the last look; one asked for twice at one instant is one."""
    with database.reading() as connection:
        last = connection.scalar(sa.select(sa.func.max(notice.c.asked_at)).where(notice.c.kind == kind))
        since = last - LOOK_BACK if last else SINCE[kind](clock())
        new = list(_asked_for(connection, kind, (since, SubscriberId(0)) if since else None))
    if new:
        with database.transaction() as connection:
            for due in new:
                connection.execute(insert_or_ignore(connection, notice).values(_row(kind, due, clock())))


def _asked_for(
    connection: sa.Connection, kind: Kind, after: tuple[datetime, SubscriberId] | None
) -> Iterator[LetterDue]:
    while due := DUE[kind](connection, at_most=AT_ONCE, after=after):
        wanted = sa.select(notice.c.subscription_id, notice.c.asked_at).where(
            notice.c.subscription_id.in_([each.subscription_id for each in due])
        )
        known = {(row.subscription_id, row.asked_at) for row in connection.execute(wanted)}
        yield from (each for each in due if (each.subscription_id, each.at) not in known)
        after = (due[-1].at, due[-1].subscriber.id)


def _row(kind: Kind, due: LetterDue, now: datetime) -> dict[str, Any]:
    return {
        "subscription_id": due.subscription_id,
        "kind": kind,
        "asked_at": due.at,
        "state": DeliveryState.PLANNED,
        "attempts": 0,
        "due_at": now,
    }


def _claim(database: Database, clock: Clock) -> list[_Letter]:
    """Take what is due, moving its time ahead in a commit: nobody else sends it, and a crash only delays it."""
    with database.reading() as connection:
        if connection.scalar(sa.select(notice.c.id).where(notice.c.due_at <= clock()).limit(1)) is None:
            return []
    with database.transaction() as connection:
        now = clock()
        wanted = sa.select(notice).where(notice.c.due_at <= now).order_by(notice.c.due_at).limit(AT_ONCE)
        rows = connection.execute(skip_locked(connection, wanted)).all()
        claimed = sa.update(notice).where(notice.c.id.in_([row.id for row in rows]))
        connection.execute(
            claimed.values(
                state=DeliveryState.SENDING, attempts=notice.c.attempts + 1, tried_at=now, due_at=now + CLAIM
            )
        )
        letters = [_letter(connection, row) for row in rows]
        pointless = [row.id for row, letter in zip(rows, letters, strict=True) if letter is None]
        skipped = sa.update(notice).where(notice.c.id.in_(pointless))
        connection.execute(skipped.values(state=DeliveryState.SKIPPED, due_at=None, reason="not wanted any more"))
    return [letter for letter in letters if letter is not None]


def _letter(connection: sa.Connection, row: Any) -> _Letter | None:
    just_before = (row.asked_at - timedelta(microseconds=1), SubscriberId(0))
    kind = Kind(row.kind)
    for due in DUE[kind](connection, at_most=AT_ONCE, after=just_before):
        if due.subscription_id == row.subscription_id and due.at == row.asked_at:
            editions = _editions(connection, due) if kind is Kind.WELCOME else ()
            return _Letter(notice_id=row.id, kind=kind, attempts=row.attempts + 1, due=due, editions=editions)
    return None


def _editions(connection: sa.Connection, due: LetterDue) -> list[Edition]:
    lists = {mailing_list_id for mailing_list_id, _ in due.mailing_lists}
    return [each for each in compose.editions(connection, active_only=True) if each.mailing_list_id in lists]


def _raw(letter: _Letter, signer: Signer, settings: Settings, now: datetime) -> bytes:
    message_id = f"{letter.kind}-{letter.notice_id}.{letter.due.subscription_id}@{settings.domain}"
    if letter.kind is Kind.CONFIRMATION:
        return confirmation(letter.due, signer, settings, message_id=message_id, now=now)
    return welcome(letter.due, letter.editions, signer, settings, message_id=message_id, now=now)


def _record(database: Database, letter: _Letter, outcome: Outcome, now: datetime) -> None:
    with database.transaction() as connection:
        connection.execute(
            sa.update(notice).where(notice.c.id == letter.notice_id).values(_ending(letter, outcome, now))
        )


def _ending(letter: _Letter, outcome: Outcome, now: datetime) -> dict[str, Any]:
    match outcome:
        case Sent():
            return {"state": DeliveryState.SENT, "due_at": None, "reason": None}
        case Refused(reason=reason):
            return {"state": DeliveryState.FAILED, "due_at": None, "reason": reason}
        case Untried(reason=reason):
            waiting = {"state": DeliveryState.PLANNED, "due_at": now + TRANSPORT_WAIT}
            return waiting | {"attempts": letter.attempts - 1, "reason": reason}
        case Uncertain(reason=reason):
            return {"state": DeliveryState.UNCERTAIN, "due_at": now + CLAIM, "reason": reason}
        case Deferred(reason=reason):
            stale_at = letter.due.at + STALE_AFTER
            due_at = rules.next_attempt_at(outcome, tried_at=now, failures=letter.attempts, stale_at=stale_at)
            state = DeliveryState.DEFERRED if due_at else DeliveryState.FAILED
            return {"state": state, "due_at": due_at, "reason": reason}


def pending(connection: sa.Connection) -> Sequence[Any]:
    """Return the letters to single readers that have not gone out yet, for the desk."""
    return connection.execute(sa.select(notice).where(notice.c.due_at.is_not(None)).order_by(notice.c.due_at)).all()
