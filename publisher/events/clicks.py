"""Links that readers followed: how often each, and where an edition tracks by reader, who."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience.segment_store import note_click
from publisher.audience.tokens import Signer
from publisher.clock import Clock
from publisher.compose.model import IssueId
from publisher.database import Database, upsert
from publisher.dispatch import links
from publisher.dispatch.tables import delivery, tracked_link
from publisher.events import store
from publisher.events.model import DeliveryEvent, EventKind, Provider
from publisher.events.tables import link_click


@dataclass(frozen=True, kw_only=True)
class LinkClicks:
    """A tracked link of an issue, and how often it was followed."""

    number: int
    url: str
    clicks: int


def follow(
    database: Database, signer: Signer, link: str, reader: str = "", *, counts: bool = True, clock: Clock
) -> str | None:
    """
    Count a link that somebody followed, and return where it leads; None: the link is not ours.

    It is written down before the reader is led on. Programs that look at every link of a mail are counted too where
    they ask as a browser does: nobody can tell them apart for certain.

    Args:
        database: Where it is written.
        signer: Made the tokens.
        link: The token of the link.
        reader: That of the delivery, where the edition tracks by reader; one that is not ours is passed over.
        counts: False for a look that is no visit, such as HEAD.
        clock: Tells the time.

    """
    found = links.link_behind(signer, link)
    if found is None:
        return None
    issue_id, number = found
    with database.reading() as connection:
        url = _url(connection, issue_id, number)
    if url is None or not counts:
        return url
    with database.transaction() as connection:
        _count(connection, issue_id, number, clock())
        if delivery_id := _delivery(signer, issue_id, reader):
            _note(connection, delivery_id, EventKind.CLICKED, f"link {number}", clock())
    return url


def opened(database: Database, signer: Signer, reader: str, *, clock: Clock) -> None:
    """Write down that a mail was opened, as far as its picture tells; a second time changes nothing."""
    found = links.reader_behind(signer, reader)
    if found is None:
        return
    with database.transaction() as connection:
        _note(connection, found, EventKind.OPENED, "picture", clock())


def of_issue(connection: Connection, issue_id: IssueId) -> list[LinkClicks]:
    """Return the tracked links of an issue in the order of the letter; none where nothing is tracked."""
    wanted = (
        sa.select(tracked_link.c.number, tracked_link.c.url, sa.func.coalesce(link_click.c.clicks, 0).label("clicks"))
        .outerjoin(
            link_click,
            sa.and_(link_click.c.issue_id == tracked_link.c.issue_id, link_click.c.number == tracked_link.c.number),
        )
        .where(tracked_link.c.issue_id == issue_id)
        .order_by(tracked_link.c.number)
    )
    found: dict[str, LinkClicks] = {}
    for row in connection.execute(wanted):  # where subjects are on trial, a link has a number for each of them
        before = found.get(row.url)
        number, clicks = (before.number, before.clicks) if before else (row.number, 0)
        found[row.url] = LinkClicks(number=number, url=row.url, clicks=clicks + row.clicks)
    return list(found.values())


def totals(connection: Connection, issue_ids: Collection[IssueId]) -> dict[IssueId, int]:
    """Return how often the links of issues were followed together; an issue without tracked links is left out."""
    followed = sa.and_(link_click.c.issue_id == tracked_link.c.issue_id, link_click.c.number == tracked_link.c.number)
    wanted = (
        sa.select(tracked_link.c.issue_id, sa.func.coalesce(sa.func.sum(link_click.c.clicks), 0).label("clicks"))
        .outerjoin(link_click, followed)
        .where(tracked_link.c.issue_id.in_(issue_ids))
        .group_by(tracked_link.c.issue_id)
    )
    return {IssueId(row.issue_id): int(row.clicks) for row in connection.execute(wanted)}


def _url(connection: Connection, issue_id: IssueId, number: int) -> str | None:
    wanted = sa.select(tracked_link.c.url).where(tracked_link.c.issue_id == issue_id, tracked_link.c.number == number)
    found: str | None = connection.scalar(wanted)
    return found


def _count(connection: Connection, issue_id: IssueId, number: int, now: datetime) -> None:
    first = {"issue_id": issue_id, "number": number, "clicks": 1, "first_at": now, "last_at": now}
    once_more = {"clicks": link_click.c.clicks + 1, "last_at": now}
    counted = upsert(connection, link_click).values(first)
    connection.execute(counted.on_conflict_do_update(index_elements=["issue_id", "number"], set_=once_more))


def _delivery(signer: Signer, issue_id: IssueId, reader: str) -> tuple[IssueId, int] | None:
    found = links.reader_behind(signer, reader) if reader else None
    return found if found and found[0] == issue_id else None


def _note(connection: Connection, found: tuple[IssueId, int], kind: EventKind, what: str, now: datetime) -> None:
    """Write an event of a delivery that there is, once for each reader and link."""
    issue_id, seq = found
    known = sa.select(delivery.c.subscription_id).where(delivery.c.issue_id == issue_id, delivery.c.seq == seq)
    subscription_id = connection.scalar(known)
    if subscription_id is None:
        return
    if kind is EventKind.CLICKED:
        note_click(connection, subscription_id, now=now)
    event = DeliveryEvent(
        provider=Provider.SITE,
        event_id=f"{kind}/{issue_id}/{seq}/{what}",
        kind=kind,
        issue_id=issue_id,
        seq=seq,
        at=now,
        reason=what,
    )
    store.add(connection, [event], now=now)
