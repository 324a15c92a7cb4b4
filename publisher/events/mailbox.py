"""Mail to our return path: whose delivery it is about, and what it says of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path

from publisher.dispatch.return_path import ReturnPaths
from publisher.errors import InputError
from publisher.events import arf, dsn
from publisher.events.model import DeliveryEvent, Provider

MOST_BYTES = 1024 * 1024
"""What is looked at of a mail; behind it stands at most the rest of the letter that came back."""
RAW_AT_MOST = 16 * 1024


def read(raw: bytes, paths: ReturnPaths, *, now: datetime) -> list[DeliveryEvent]:
    """
    Return what a mail reports; nothing where it is no report, or not about a delivery of ours.

    Only what names a return path that we have signed is believed, for anybody can write to such an address.
    """
    raw = raw[:MOST_BYTES]
    text = raw.decode("ascii", errors="replace").replace("\0", " ")
    delivery = paths.find(text)
    if delivery is None:
        return []
    mail = message_from_bytes(raw, policy=policy.compat32)
    at, name = _sent_at(mail, now), _name(mail, raw)
    return [
        DeliveryEvent(
            provider=Provider.MAILBOX,
            event_id=f"{name}/{place}",
            kind=found.kind,
            issue_id=delivery[0],
            seq=delivery[1],
            at=at,
            status=found.status,
            is_dead=found.is_dead,
            reason=found.reason,
            raw=text[:RAW_AT_MOST],
        )
        for place, found in enumerate(chain(dsn.read(mail), arf.read(mail)))
    ]


def mails_in(folder: Path) -> Iterator[bytes]:
    """Yield the mails of a maildir, of a folder of files, or of one file. Raises InputError."""
    if folder.is_file():
        yield folder.read_bytes()
        return
    if not folder.is_dir():
        raise InputError("is neither a maildir nor a file", str(folder))
    parts = [part for part in (folder / "new", folder / "cur") if part.is_dir()] or [folder]
    for part in parts:
        for file in sorted(part.iterdir()):
            if file.is_file():
                yield file.read_bytes()


def _sent_at(mail: Message, now: datetime) -> datetime:
    """Return when the report was written; never later than now."""
    try:
        at = parsedate_to_datetime(str(mail["Date"]))
        return min(at if at.tzinfo else at.replace(tzinfo=UTC), now)
    except (ValueError, TypeError, OverflowError):
        return now


def _name(mail: Message, raw: bytes) -> str:
    """Return the same name for the same report, whichever way it reached us."""
    said = str(mail.get("Message-ID", "")).strip()
    return sha256(said.encode(errors="replace") if said else raw).hexdigest()
