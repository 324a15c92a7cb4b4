import heapq
import os
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.parser import BytesHeaderParser
from hashlib import sha256
from itertools import count
from pathlib import Path

from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome, Sent, Untried
from publisher.errors import NotFoundError

HEAD_AT_MOST = 16 * 1024
_NAME = re.compile(r"[0-9a-f]{40}\.eml")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)
_HEADERS = BytesHeaderParser(policy=policy.default)
_written = count()


@dataclass(frozen=True, kw_only=True)
class OutboxMail:
    """A mail in the outbox, as a list of them shows it."""

    name: str
    """Of its file; `read` takes it."""
    written_at: datetime
    size_bytes: int
    address: str
    subject: str


class OutboxTransport:
    """
    Writes every mail to a maildir instead of sending it: for trying things out, and for the newcomer's machine.

    A mail's file is named for its Message-ID, so a second copy takes the place of the first. A file appears whole or
    not at all; it is not forced to the disk, for nothing depends on it.
    """

    name = "outbox"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_ready = False

    def open(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        self._is_ready = True

    def close(self) -> None:
        self._is_ready = False

    def send_all(self, message: CompiledMessage, envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(not message.needs <= envelope.values.keys() for envelope in envelopes):
            raise ValueError("an envelope lacks a value for a slot of the message")
        return [self._write(message.splice(envelope.values)) for envelope in envelopes]

    def send_one(self, sender: str, address: str, raw: bytes) -> Outcome:
        del sender, address  # what the message itself says is what the desk shows
        return self._write(raw)

    def list_newest(self, limit: int, before: str | None = None) -> list[OutboxMail]:
        """
        Return the mails written last, newest first.

        Args:
            limit: How many at most.
            before: The name of a mail; only older ones are returned. An unknown name gives an empty list.

        """
        found = [entry for entry in self._entries() if before is None or entry < self._place(before)]
        return [self._described(name, written_ns) for written_ns, name in heapq.nlargest(limit, found)]

    def read(self, name: str) -> bytes:
        """Return a mail, byte for byte as a reader would have got it. Raises NotFoundError."""
        return self._path(name).read_bytes()

    def forget(self, address: str) -> int:
        """Remove every mail to an address, which stands in its head; return how many there were."""
        part = rb"[\w.!#$%&'*+/=?^`{|}~-]"  # of an address: jo@x.example is not mary-jo@x.example
        named = re.compile(rb"(?<!%b)%b(?!%b)" % (part, re.escape(address.encode()), part), re.IGNORECASE)
        removed = 0
        for _, name in self._entries():
            with suppress(NotFoundError, FileNotFoundError):  # somebody else has just removed it
                path = self._path(name)
                if named.search(_head(path)):
                    path.unlink()
                    removed += 1
        return removed

    def _write(self, raw: bytes) -> Outcome:
        name = _name_of(raw)
        try:
            if not self._is_ready:
                self.open()
            draft = self._folder / "tmp" / _draft_name()
            draft.write_bytes(raw)
            draft.replace(self._folder / "new" / name)
        except OSError as problem:
            return Untried(reason=f"the outbox cannot be written: {problem.strerror}")
        return Sent(reply=f"written as {name}")

    def _entries(self) -> Iterator[tuple[int, str]]:
        for part in ("new", "cur"):
            try:
                with os.scandir(self._folder / part) as entries:
                    for entry in entries:
                        if _NAME.fullmatch(entry.name):
                            yield entry.stat().st_mtime_ns, entry.name
            except FileNotFoundError:
                continue

    def _place(self, name: str) -> tuple[int, str]:
        try:
            return self._path(name).stat().st_mtime_ns, name
        except NotFoundError:
            return (0, "")

    def _path(self, name: str) -> Path:
        for part in ("new", "cur"):
            path = self._folder / part / name
            if _NAME.fullmatch(name) and path.is_file():
                return path
        raise NotFoundError("mail in the outbox", name)

    def _described(self, name: str, written_ns: int) -> OutboxMail:
        path = self._path(name)
        headers = _HEADERS.parsebytes(_head(path))
        return OutboxMail(
            name=name,
            written_at=datetime.fromtimestamp(written_ns / 1e9, UTC),
            size_bytes=path.stat().st_size,
            address=str(headers.get("To", "")),
            subject=str(headers.get("Subject", "")),
        )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_AT_MOST).partition(b"\r\n\r\n")[0]


def _name_of(raw: bytes) -> str:
    head = raw[:HEAD_AT_MOST].partition(b"\r\n\r\n")[0]
    found = _MESSAGE_ID.search(head)
    return f"{sha256(found[1] if found else raw).hexdigest()[:40]}.eml"


def _draft_name() -> str:
    return f"{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}.{next(_written)}".replace("/", "-")
