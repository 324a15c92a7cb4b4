"""Reports out of a mailbox, over IMAP (RFC 9051)."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog

from publisher.clock import Clock
from publisher.database import Database
from publisher.dispatch.return_path import ReturnPaths
from publisher.events import flow
from publisher.events.mailbox import MOST_BYTES

log = structlog.get_logger()

EVERY = timedelta(minutes=1)
TIMEOUT_S = 30.0
IMAP_PORT, IMAPS_PORT = 143, 993
AT_ONCE = 50
MOST_IN_A_TURN = 2_000


class BounceMailbox:
    """A mailbox that is looked into once a minute; what was read is marked as seen, and nothing is deleted."""

    def __init__(self, url: str, paths: ReturnPaths) -> None:
        self.paths = paths
        self._url = urlsplit(url)
        self._next_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Return whether it is time to look, and if so, put off the next look."""
        if self._next_at is not None and now < self._next_at:
            return False
        self._next_at = now + EVERY
        return True

    @contextmanager
    def open(self) -> Iterator[imaplib.IMAP4]:
        """Sign in and choose the folder. Raises OSError or imaplib.IMAP4.error."""
        with self._connected() as server:
            server.login(unquote(self._url.username or ""), unquote(self._url.password or ""))
            folder = unquote(self._url.path.strip("/")) or "INBOX"
            _expect_ok(server.select(f'"{folder}"'))
            yield server

    def _connected(self) -> imaplib.IMAP4:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "imaps":
            return imaplib.IMAP4_SSL(
                host, port or IMAPS_PORT, timeout=TIMEOUT_S, ssl_context=ssl.create_default_context()
            )
        return imaplib.IMAP4(host, port or IMAP_PORT, timeout=TIMEOUT_S)


def fetch_due(database: Database, mailbox: BounceMailbox | None, *, clock: Clock) -> int:
    """Take the reports out of what came since the last look; return how many mails there were."""
    if mailbox is None or not mailbox.is_due(clock()):
        return 0
    try:
        return fetch(database, mailbox, clock=clock)
    except (OSError, imaplib.IMAP4.error) as problem:
        log.warning("bounces_not_fetched", reason=str(problem) or type(problem).__name__)
        return 0


def fetch(database: Database, mailbox: BounceMailbox, *, clock: Clock) -> int:
    """
    Take the reports out of every mail that is not marked as seen, then mark it.

    A mail is marked after its events are in the database: a crash in between only makes it be read again.

    Raises:
        OSError: The server cannot be reached.
        imaplib.IMAP4.error: It does not do as it is asked.

    """
    with mailbox.open() as server:
        unseen = _expect_ok(server.uid("SEARCH", "UNSEEN"))[0].split()[:MOST_IN_A_TURN]
        for start in range(0, len(unseen), AT_ONCE):
            uids = b",".join(unseen[start : start + AT_ONCE]).decode()
            mails = _expect_ok(server.uid("FETCH", uids, f"(BODY.PEEK[]<0.{MOST_BYTES}>)"))
            raw = [each[1] for each in mails if isinstance(each, tuple)]
            flow.ingest(database, raw, mailbox.paths, clock=clock)
            _expect_ok(server.uid("STORE", uids, "+FLAGS.SILENT", r"(\Seen)"))
    return len(unseen)


def _expect_ok(answer: tuple[str, list[Any]]) -> list[Any]:
    status, found = answer
    if status != "OK":
        raise imaplib.IMAP4.error(f"the mailbox answered {status}")
    return found
