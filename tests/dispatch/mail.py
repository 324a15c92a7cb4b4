"""Letters and readers that fill in what a test is not about."""

from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from publisher.compose.model import IssueId
from publisher.compose.slots import Slot, marker
from publisher.dispatch.compiling import compile_message
from publisher.dispatch.headers import Letterhead
from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope

NAME, ADDRESS = marker(Slot.NAME), marker(Slot.ADDRESS)
UNSUBSCRIBE, PREFERENCES, READ = (
    marker(Slot.UNSUBSCRIBE_URL),
    marker(Slot.PREFERENCES_URL),
    marker(Slot.READ_URL),
)


def a_letterhead(**values: Any) -> Letterhead:
    usual = {
        "sender": "The Gazette <news@gazette.example>",
        "list_name": "Morning alert",
        "list_id": "morning.gazette.example",
        "feedback_id": "17:morning:alert:gazette",
    }
    return Letterhead(**{**usual, **values})


def a_letter(**values: Any) -> CompiledMessage:
    usual: dict[str, Any] = {
        "subject": "Good morning",
        "text": f"Dear {NAME},\n\nThe news.\n\nUnsubscribe: {UNSUBSCRIBE}\n",
        "html": f'<p>Dear {NAME},</p><p>The news.</p><a href="{UNSUBSCRIBE}">Unsubscribe</a>',
        "letterhead": a_letterhead(),
        "fallbacks": {Slot.NAME: "reader"},
    }
    return compile_message(**{**usual, **values})


def reader_values(seq: int = 1, values: Mapping[Slot, str] | None = None) -> dict[Slot, str]:
    token = f"{seq:032d}"
    usual = {
        Slot.ADDRESS: f"reader{seq}@mail.example",
        Slot.NAME: "Minji Kim",
        Slot.UNSUBSCRIBE_URL: f"https://gazette.example/u/{token}",
        Slot.PREFERENCES_URL: f"https://gazette.example/p/{token}",
        Slot.ONE_CLICK_URL: f"https://gazette.example/o/{token}",
        Slot.READ_URL: f"https://gazette.example/r/{token}",
        Slot.MESSAGE_ID: f"17.{seq}@gazette.example",
        Slot.DATE: "Tue, 02 Jun 2026 08:00:00 +0000",
    }
    return {**usual, **(values or {})}


def an_envelope(seq: int = 1, address: str | None = None, **values: Any) -> Envelope:
    address = address if address is not None else f"reader{seq}@mail.example"
    usual: dict[str, Any] = {
        "issue_id": IssueId(17),
        "seq": seq,
        "sender": f"bounce+17.{seq}@gazette.example",
        "address": address,
        "values": reader_values(seq, {Slot.ADDRESS: address}),
    }
    return Envelope(**{**usual, **values})


def parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, _class=EmailMessage, policy=policy.default)


def part(raw: bytes, subtype: str) -> str:
    """The decoded text of the plain or the HTML part, line ends as they were sent."""
    found = parsed(raw).get_body((subtype,))
    assert isinstance(found, EmailMessage)
    payload = found.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()
