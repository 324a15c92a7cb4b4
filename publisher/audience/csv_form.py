import csv
import io
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.audience import store
from publisher.audience.by_address import by_address
from publisher.audience.csv_table import COLUMNS, BadLine, Table, guarded
from publisher.audience.erased import recognise
from publisher.audience.merge import ENDED, Merged, Person, bar, end_elsewhere, merge, note_growth, together
from publisher.audience.model import How, MailingListId, SubscriptionState, SuppressionReason
from publisher.audience.rules import WORDING_AT_MOST, clean_line
from publisher.audience.tables import mailing_list as mailing_lists
from publisher.audience.tables import subscriber, subscription, suppression
from publisher.clock import Clock
from publisher.database import Database
from publisher.errors import ImportFileError

AT_ONCE = 10_000
"""People in one transaction: other writers wait a fraction of a second at most."""

HANDS = 2
"""Parts merged at once where nobody waits for a confirmation; SQLite takes one after the other all the same."""

MANY = 1_000
"""New subscribers that change how the database had best plan its work."""

BAD_LINES_SHOWN = 1_000
EXPORTED_AT_ONCE = 2_000
EXPORTED = (*COLUMNS, "mailing_list", "state", "asked_at", "confirmed_at", "ended_at", "paused_until", "suppressed")


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did; all numbers but that of the suppressed make up all rows of the file."""

    added: int
    """Addresses that are new on the mailing list."""
    merged: int
    """Rows that told something new, a yes or a name, of an address that the database or an earlier row knew."""
    unchanged: int
    unsubscribed: int
    """Rows of readers who have unsubscribed, and stay so."""
    bad: int
    suppressed: int
    """Addresses, among all the others, that are suppressed and stay so."""
    bad_lines: tuple[BadLine, ...]
    """The first of them."""
    ignored_columns: tuple[str, ...]
    left: int = 0
    """Rows of people who have left the system that the file is from: their subscriptions have ended here as well."""
    barred: int = 0
    """Rows of addresses that are suppressed, as they were there: blocked, dead, or whose owners complained."""
    origin: str = ""
    """The system whose export was recognised; empty for our own form."""

    @property
    def rows(self) -> int:
        return self.added + self.merged + self.unchanged + self.unsubscribed + self.left + self.barred + self.bad


@dataclass
class _Tally:
    """The report in the making."""

    added: int = 0
    merged: int = 0
    unchanged: int = 0
    unsubscribed: int = 0
    bad: int = 0
    suppressed: int = 0
    bad_lines: list[BadLine] = field(default_factory=list)
    lines_kept: int = BAD_LINES_SHOWN
    left: int = 0
    barred: int = 0

    @property
    def rows(self) -> int:
        return self.added + self.merged + self.unchanged + self.unsubscribed + self.left + self.barred + self.bad

    def note_bad(self, found: BadLine) -> None:
        self.bad += 1
        if len(self.bad_lines) < self.lines_kept:
            self.bad_lines.append(found)

    def note(self, merged: Merged) -> None:
        self.added += merged.added
        self.merged += merged.changed
        self.unchanged += merged.unchanged
        self.unsubscribed += merged.unsubscribed
        self.suppressed += merged.suppressed
        self.left += merged.left
        self.barred += merged.barred

    def report(self, read: "_Tally", table: Table) -> ImportReport:
        """Return the report of what was read, and of what was then put into the database, which is this one."""
        return ImportReport(
            added=self.added,
            merged=read.merged + self.merged,
            unchanged=read.unchanged + self.unchanged,
            unsubscribed=self.unsubscribed,
            bad=read.bad,
            suppressed=self.suppressed,
            bad_lines=tuple(read.bad_lines),
            ignored_columns=table.ignored,
            left=self.left,
            barred=self.barred,
            origin=table.origin.name if table.origin else "",
        )


def import_csv(
    database: Database,
    source: Path | BinaryIO,
    *,
    mailing_list: str,
    confirmed: bool,
    how: How,
    clock: Clock,
    progress: Callable[[int], None] | None = None,
    wording: str = "",
    at_once: int = AT_ONCE,
    lines_kept: int = BAD_LINES_SHOWN,
) -> ImportReport:
    """
    Put the people of a CSV file on a mailing list.

    The first line names the columns: `email`, and `name`, `language`, `timezone` where there are any, in
    any order, between commas, semicolons or tabs; others are ignored and named in the report. What is
    known of a person already stays; who has unsubscribed stays so; who is suppressed stays so. An
    apostrophe that guards a spreadsheet from a formula is taken off again (see `exported`).

    An export of another system is known by its columns (see `origins`): who has left there has left here, who is
    blocked there is suppressed here, and the consent is as old as it is there.

    The file is read once, in constant memory, and to its end before anybody is put on the list. Then each
    `at_once` people are one transaction, so an import that was killed is simply run again: the end is the same.
    While the database is busy with some, the next ones are made ready; PostgreSQL takes two parts at once.

    Args:
        database: Where to.
        source: A file, or an open stream of bytes.
        mailing_list: Its slug.
        confirmed: Whether they have said yes elsewhere; else each is asked for a confirmation.
        how: For the consents of confirmed people.
        clock: Tells the time.
        progress: Called after each transaction with the number of rows that are done with.
        wording: For the consents: what they have agreed to, and where.
        at_once: People in one transaction.
        lines_kept: How many bad lines the report names.

    Raises:
        ImportFileError: The file cannot be read to its end; nobody was put on the list.
        NotFoundError: No such mailing list.

    """
    with database.reading() as connection:
        list_id = store.mailing_list_named(connection, mailing_list).id
    read, tally = _Tally(lines_kept=lines_kept), _Tally()
    with _opened(source) as stream:
        table = Table(stream)
        if table.origin:
            wording = f"Imported from {table.origin.name}. {wording}"
        wording = clean_line(wording, WORDING_AT_MOST)
        put = partial(_put, mailing_list_id=list_id, confirmed=confirmed, how=how, wording=wording)
        parts = _parts(by_address(_good(table, read)), read, at_once)
        for merged in _merged(database, parts, put, clock, hands=HANDS if confirmed else 1):
            tally.note(merged)
            if progress is not None:
                progress(read.rows + tally.rows)
    with database.transaction() as connection:
        acts.note(connection, "subscribers imported", f"{mailing_list}: {tally.added} added")
        if tally.added >= MANY:
            note_growth(connection)
    return tally.report(read, table)


def _good(table: Table, tally: _Tally) -> Iterator[Person]:
    for found in table:
        if isinstance(found, BadLine):
            tally.note_bad(found)
        else:
            yield found


def _parts(people: Iterator[Person], tally: _Tally, at_once: int) -> Iterator[list[Person]]:
    """Yield people for one transaction each; those who come twice stand together and are made one."""
    part: list[Person] = []
    for person in people:
        if part and part[-1].email_key == person.email_key:
            part[-1] = _together(part[-1], person, tally)
            continue
        if len(part) == at_once:
            yield part
            part = []
        part.append(person)
    if part:
        yield part


def _put(
    connection: Connection, people: list[Person], *, mailing_list_id: MailingListId, now: datetime, **yes: Any
) -> Merged:
    """Put those on the list who stay, and keep of the others that they must not be mailed."""
    stay = [each for each in people if not each.fate]
    merged = merge(connection, stay, mailing_list_id=mailing_list_id, now=now, **yes)
    if len(stay) == len(people):
        return merged
    barred = [each for each in people if each.fate not in {"", ENDED}]
    left = [each for each in people if each.fate in {ENDED, SuppressionReason.COMPLAINED, SuppressionReason.ASKED}]
    bar(connection, barred, now=now)
    end_elsewhere(connection, left, mailing_list_id=mailing_list_id, now=now)
    return replace(merged, left=len(people) - len(stay) - len(barred), barred=len(barred))


def _merged(
    database: Database, parts: Iterable[list[Person]], put: Callable[..., Merged], clock: Clock, *, hands: int
) -> Iterator[Merged]:
    """Merge the parts, each in a transaction of a thread, and yield what became of them in their order."""

    def merge_one(people: list[Person], now: datetime) -> Merged:
        with database.transaction() as connection:
            merged = put(connection, people, now=now)
            back = recognise(database, connection, (each.email_key for each in people))
            return replace(merged, suppressed=merged.suppressed + back)

    under_way: deque[Future[Merged]] = deque()
    now = clock()
    with ThreadPoolExecutor(hands, "import") as threads:
        for people in parts:
            under_way.append(threads.submit(merge_one, people, now))
            now = max(clock(), now + timedelta.resolution)  # a part's consents are known by their instant
            if len(under_way) > hands:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _together(first: Person, again: Person, tally: _Tally) -> Person:
    better = together(first, again)
    if better == first:
        tally.unchanged += 1
    else:
        tally.merged += 1
    return better


@contextmanager
def _opened(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path):
        yield source
        return
    try:
        stream = source.open("rb")
    except OSError as problem:
        raise ImportFileError(f"The file cannot be opened ({problem.strerror}).", source.name) from None
    with stream:
        yield stream


def export_csv(
    database: Database,
    stream: TextIO,
    *,
    mailing_list: str | None = None,
    states: Collection[SubscriptionState] = tuple(SubscriptionState),
) -> None:
    """Write what `exported` yields to an open stream of text. Raises NotFoundError."""
    stream.writelines(exported(database, mailing_list=mailing_list, states=states))


def exported(
    database: Database,
    *,
    mailing_list: str | None = None,
    states: Collection[SubscriptionState] = tuple(SubscriptionState),
) -> Iterator[str]:
    """
    Yield subscriptions as CSV (RFC 4180), some thousand lines at a time, in constant memory, from one snapshot.

    A spreadsheet runs a cell that begins with = + - @ or a tab as a formula, and people choose their own
    names; so such a cell gets an apostrophe in front. `import_csv` takes it off again: the round trip
    loses nothing.

    Args:
        database: Where from.
        mailing_list: The slug of the only mailing list wanted; None: all, a line for each subscription.
        states: Only subscriptions in these states.

    Raises:
        NotFoundError: No such mailing list.

    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(EXPORTED)
    with database.reading(unhurried=True) as connection:
        only = None if mailing_list is None else store.mailing_list_named(connection, mailing_list).id
        found = connection.execution_options(yield_per=EXPORTED_AT_ONCE).execute(_wanted(only, states))
        for rows in found.partitions():
            writer.writerows([_cell(value) for value in row] for row in rows)
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _wanted(only: MailingListId | None, states: Collection[SubscriptionState]) -> sa.Select[Any]:
    wanted = (
        sa.select(
            subscriber.c.email,
            subscriber.c.name,
            subscriber.c.language,
            subscriber.c.time_zone,
            mailing_lists.c.slug,
            subscription.c.state,
            subscription.c.asked_at,
            subscription.c.confirmed_at,
            subscription.c.ended_at,
            subscription.c.paused_until,
            suppression.c.reason,
        )
        .select_from(subscription)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .join(mailing_lists, mailing_lists.c.id == subscription.c.mailing_list_id)
        .outerjoin(suppression, suppression.c.email_key == subscriber.c.email_key)
        .where(subscription.c.state.in_(list(states)))
        .order_by(subscription.c.id)
    )
    return wanted if only is None else wanted.where(subscription.c.mailing_list_id == only)


def _cell(value: str | datetime | None) -> str:
    if value is None:
        return ""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else guarded(value)
