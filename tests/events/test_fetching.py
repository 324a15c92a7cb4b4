"""Bounces out of a real mailbox, over a real IMAP server."""

import os
from collections.abc import Iterator
from datetime import timedelta
from imaplib import IMAP4
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience.tokens import Signer
from publisher.compose.model import IssueId
from publisher.database import Database, metadata
from publisher.dispatch.return_path import ReturnPaths
from publisher.events.fetching import BounceMailbox, fetch, fetch_due
from publisher.events.tables import delivery_event
from tests.audience.clocks import SetClock
from tests.events.dovecot import AbsentError, Dovecot, running_dovecot
from tests.events.reports import a_bounce, a_complaint, an_absence

PATHS = ReturnPaths(Signer("k" * 64), "bounces@news.example")


@pytest.fixture
def server(certificate: Path) -> Iterator[Dovecot]:
    try:
        with running_dovecot(certificate) as found:
            yield found
    except AbsentError as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem))
        pytest.skip(f"{problem}, so no mailbox was read")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path}/events.db")
    metadata.create_all(found.engine)
    yield found
    found.close()


def count(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(delivery_event)) or 0


def bounces(number: int, *, first: int = 1) -> list[bytes]:
    return [a_bounce(PATHS.of(IssueId(1), seq), name=f"bounce-{seq}") for seq in range(first, first + number)]


def test_each_mail_is_read_once_and_stays_where_it_is(server: Dovecot, database: Database, clock: SetClock) -> None:
    server.deliver(*bounces(120), a_complaint(PATHS.of(IssueId(1), 7)), an_absence(PATHS.of(IssueId(1), 8)))
    mailbox = BounceMailbox(server.imap, PATHS)

    assert fetch(database, mailbox, clock=clock) == 122
    assert fetch(database, mailbox, clock=clock) == 0

    assert count(database) == 121
    assert server.flags() == ["S"] * 122


def test_the_mailbox_is_read_over_tls_by_a_server_that_can_show_who_it_is(
    server: Dovecot, database: Database, clock: SetClock, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(*bounces(3))
    mailbox = BounceMailbox(server.imaps, PATHS)

    with pytest.raises(OSError, match="certificate verify failed"):
        fetch(database, mailbox, clock=clock)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert fetch(database, mailbox, clock=clock) == 3
    assert count(database) == 3


def test_a_mail_larger_than_we_look_at_is_read_as_far_as_that(
    server: Dovecot, database: Database, clock: SetClock
) -> None:
    server.deliver(a_bounce(PATHS.of(IssueId(1), 1)) + b"x" * 3_000_000)

    assert fetch(database, BounceMailbox(server.imap, PATHS), clock=clock) == 1
    assert count(database) == 1


def test_it_is_looked_into_once_a_minute(server: Dovecot, database: Database, clock: SetClock) -> None:
    server.deliver(*bounces(1))
    mailbox = BounceMailbox(server.imap, PATHS)
    assert fetch_due(database, mailbox, clock=clock) == 1
    server.deliver(*bounces(2, first=2))

    clock.pass_by(timedelta(seconds=59))
    assert fetch_due(database, mailbox, clock=clock) == 0
    clock.pass_by(timedelta(seconds=1))
    assert fetch_due(database, mailbox, clock=clock) == 2


def test_a_wrong_password_or_folder_is_an_error_and_a_worker_goes_on(
    server: Dovecot, database: Database, clock: SetClock
) -> None:
    with pytest.raises(IMAP4.error, match="AUTHENTICATIONFAILED"):
        fetch(database, BounceMailbox(server.imap.replace("p%40ss", "pass"), PATHS), clock=clock)

    assert fetch_due(database, BounceMailbox(server.imap.replace("INBOX", "Nowhere"), PATHS), clock=clock) == 0


def test_a_server_that_is_not_there_stops_no_worker(database: Database, clock: SetClock) -> None:
    mailbox = BounceMailbox("imap://reader:word@127.0.0.1:9/INBOX", PATHS)

    assert fetch_due(database, mailbox, clock=clock) == 0
    assert fetch_due(database, None, clock=clock) == 0
