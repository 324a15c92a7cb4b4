"""Confirmation mails: asked for in audience, sent here, each once and with proof."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from html import escape
from typing import Any

import sqlalchemy as sa

from publisher.audience import store as audience
from publisher.audience.model import ConfirmationDue, SubscriberId
from publisher.audience.tokens import Purpose, Signer
from publisher.clock import Clock
from publisher.compose.model import Furniture
from publisher.compose.render import render_confirmation
from publisher.compose.slots import Slot, marker
from publisher.database import Database, insert_or_ignore, skip_locked
from publisher.dispatch import rules
from publisher.dispatch.model import Deferred, DeliveryState, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.tables import notice
from publisher.dispatch.transports.transport import Transport
from publisher.rendering import furniture_language
from publisher.settings import Settings

AT_ONCE = 50
LOOK_BACK = timedelta(minutes=1)
"""Two machines' clocks differ by less; what was sent already is known by its key."""
CLAIM = timedelta(minutes=5)
TRANSPORT_WAIT = timedelta(seconds=15)
STALE_AFTER = timedelta(hours=48)
ACCENT = "#b5332e"
POLICY = SMTP.clone(cte_type="7bit")
"""Lines of 78 characters; a confirmation has none of the long List-* fields that this policy would encode."""


@dataclass(frozen=True, kw_only=True)
class _Letter:
    """A confirmation mail about to be sent."""

    notice_id: int
    attempts: int
    asked_at: datetime
    due: ConfirmationDue


def notify_due(database: Database, transport: Transport, signer: Signer, settings: Settings, *, clock: Clock) -> int:
    """Send the confirmation mails that are due; return how many were tried."""
    _queue(database, clock)
    letters = _claim(database, clock)
    for letter in letters:
        raw = _raw(letter, signer, settings, clock())
        outcome = transport.send_one(parseaddr(settings.mail_from)[1], letter.due.subscriber.email, raw)
        _record(database, letter, outcome, clock())
    return len(letters)


def _queue(database: Database, clock: Clock) -> None:
    """Write down every mail that was asked for since the last look; one asked for twice at one instant is one."""
    with database.reading() as connection:
        last = connection.scalar(sa.select(sa.func.max(notice.c.asked_at)))
        after = (last - LOOK_BACK, SubscriberId(0)) if last else None
        new = list(_asked_for(connection, after))
    if new:
        with database.transaction() as connection:
            for due in new:
                connection.execute(insert_or_ignore(connection, notice).values(_row(due, clock())))


def _asked_for(connection: sa.Connection, after: tuple[datetime, SubscriberId] | None) -> Iterator[ConfirmationDue]:
    while due := audience.confirmations_due(connection, at_most=AT_ONCE, after=after):
        wanted = sa.select(notice.c.subscription_id, notice.c.asked_at).where(
            notice.c.subscription_id.in_([each.subscription_id for each in due])
        )
        known = {(row.subscription_id, row.asked_at) for row in connection.execute(wanted)}
        yield from (each for each in due if (each.subscription_id, each.asked_at) not in known)
        after = (due[-1].asked_at, due[-1].subscriber.id)


def _row(due: ConfirmationDue, now: datetime) -> dict[str, Any]:
    return {
        "subscription_id": due.subscription_id,
        "asked_at": due.asked_at,
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
        connection.execute(
            skipped.values(state=DeliveryState.SKIPPED, due_at=None, reason="confirmed, ended or asked again meanwhile")
        )
    return [letter for letter in letters if letter is not None]


def _letter(connection: sa.Connection, row: Any) -> _Letter | None:
    just_before = (row.asked_at - timedelta(microseconds=1), SubscriberId(0))
    for due in audience.confirmations_due(connection, at_most=AT_ONCE, after=just_before):
        if due.subscription_id == row.subscription_id and due.asked_at == row.asked_at:
            return _Letter(notice_id=row.id, attempts=row.attempts + 1, asked_at=row.asked_at, due=due)
    return None


def _raw(letter: _Letter, signer: Signer, settings: Settings, now: datetime) -> bytes:
    subscriber = letter.due.subscriber
    subject, text, html = render_confirmation(
        furniture=_furniture(settings, subscriber.language),
        mailing_list=", ".join(letter.due.mailing_lists),
        confirm_url=f"{settings.base_url}/confirm/{signer.sign(Purpose.CONFIRM, letter.due.subscription_id)}",
        name=subscriber.name,
    )
    address = marker(Slot.ADDRESS)
    mail = EmailMessage(policy=POLICY)
    mail["From"] = settings.mail_from
    mail["To"] = formataddr((subscriber.name, subscriber.email)) if subscriber.name.isascii() else subscriber.email
    mail["Subject"] = subject
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<confirm-{letter.notice_id}.{letter.due.subscription_id}@{settings.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text.replace(address, subscriber.email))
    mail.add_alternative(html.replace(address, escape(subscriber.email)), subtype="html")
    return mail.as_bytes()


def _furniture(settings: Settings, language: str) -> Furniture:
    return Furniture(
        site_name=settings.site_name,
        base_url=settings.base_url,
        postal_address=settings.postal_address,
        language=furniture_language(language),
        accent=ACCENT,
    )


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
            stale_at = letter.asked_at + STALE_AFTER
            due_at = rules.next_attempt_at(outcome, tried_at=now, failures=letter.attempts, stale_at=stale_at)
            state = DeliveryState.DEFERRED if due_at else DeliveryState.FAILED
            return {"state": state, "due_at": due_at, "reason": reason}


def pending(connection: sa.Connection) -> Sequence[Any]:
    """Return the confirmation mails that have not gone out yet, for the desk."""
    return connection.execute(sa.select(notice).where(notice.c.due_at.is_not(None)).order_by(notice.c.due_at)).all()
