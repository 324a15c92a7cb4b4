from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from itertools import islice
from pathlib import Path

import structlog
from sqlalchemy.engine import Connection

from publisher.audience import store as audience
from publisher.audience.model import Suppression, SuppressionReason
from publisher.clock import Clock
from publisher.compose.model import IssueId
from publisher.database import Database, one_at_a_time
from publisher.dispatch import ledger
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.return_path import ReturnPaths
from publisher.events import mailbox, rules, store
from publisher.events.model import DeliveryEvent, EventKind
from publisher.events.store import Heard

log = structlog.get_logger()

AT_ONCE = 500
APPLYING = "events: apply"
MAILS_AT_ONCE = 100


def receive(database: Database, events: Collection[DeliveryEvent], *, clock: Clock) -> None:
    """Write down what was told to us, before whoever told it is thanked; a worker draws the conclusions."""
    if events:
        with database.transaction() as connection:
            store.add(connection, events, now=clock())


def ingest(database: Database, mails: Iterable[bytes], paths: ReturnPaths, *, clock: Clock) -> tuple[int, int]:
    """Take reports out of mails; return how many mails there were, and how many events were in them."""
    looked_at = found = 0
    waiting = iter(mails)
    while some := list(islice(waiting, MAILS_AT_ONCE)):
        events = [event for raw in some for event in mailbox.read(raw, paths, now=clock())]
        receive(database, events, clock=clock)
        looked_at, found = looked_at + len(some), found + len(events)
    return looked_at, found


def ingest_folder(database: Database, folder: Path, paths: ReturnPaths, *, clock: Clock) -> tuple[int, int]:
    """Take reports out of a maildir or a file, which stay as they are; a second time changes nothing."""
    return ingest(database, mailbox.mails_in(folder), paths, clock=clock)


def apply_due(database: Database, *, clock: Clock, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Draw the conclusions from what was told; return how many events there were."""
    with database.reading() as connection:
        if not store.waiting(connection, at_most=1).ids:
            return 0
    applied = after = 0
    while not should_stop():
        with database.transaction() as connection:
            one_at_a_time(connection, APPLYING)  # or two would each count one bounce too few
            ids = _apply_some(connection, after, clock())
        if not ids:
            break
        applied, after = applied + len(ids), ids[-1]
    return applied


def _apply_some(connection: Connection, after: int, now: datetime) -> list[int]:
    found = store.waiting(connection, at_most=AT_ONCE, after=after)
    known = found.about_readers
    store.set_applied(connection, found.ids, known, now=now)
    if found.about_erased:
        store.forget(connection, found.about_erased)
    _settle(connection, known)
    for each in known:
        _conclude(connection, each, now)
    if len(known) < len(found.ids):
        log.info("events_about_nobody", events=len(found.ids) - len(known))
    return found.ids


def _settle(connection: Connection, known: Iterable[Heard]) -> None:
    """Whatever is told of a delivery, the provider has it: an answer that never came to us was a yes."""
    settled: dict[IssueId, set[int]] = {}
    for each in known:
        if each.delivery_state in {DeliveryState.UNCERTAIN, DeliveryState.SENDING}:
            settled.setdefault(each.issue_id, set()).add(each.seq)
    for issue_id in sorted(settled):
        ledger.settle(connection, issue_id, sorted(settled[issue_id]))


def _conclude(connection: Connection, each: Heard, now: datetime) -> None:
    match each.kind:
        case EventKind.COMPLAINED:
            _suppress(connection, each, SuppressionReason.COMPLAINED, "reported a mail as spam", now)
            audience.end(connection, [each.subscription_id], now=now)
        case EventKind.UNSUBSCRIBED:
            audience.end(connection, [each.subscription_id], now=now)
        case EventKind.BOUNCED if each.is_dead:
            _suppress(connection, each, SuppressionReason.BOUNCED, f"{each.status} {each.reason}".strip(), now)
        case EventKind.BOUNCED if _is_worn_out(connection, each, now):
            problem = f"{rules.BOUNCES} issues in a row came back within {rules.WITHIN.days} days"
            _suppress(connection, each, SuppressionReason.BOUNCED, problem, now)


def _is_worn_out(connection: Connection, each: Heard, now: datetime) -> bool:
    bounces = store.bounces_of(connection, each.subscriber_id, since=now - rules.WITHIN)
    return rules.is_worn_out(bounces, alive_at=store.alive_at(connection, each.subscriber_id), now=now)


def _suppress(connection: Connection, each: Heard, reason: SuppressionReason, detail: str, now: datetime) -> None:
    audience.suppress(connection, [Suppression(email_key=each.email_key, reason=reason, at=now, detail=detail)])
