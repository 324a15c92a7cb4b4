"""Delivery status notifications: multipart/report with a message/delivery-status part (RFC 3462, RFC 3464)."""

import re
from collections.abc import Iterator
from email.message import Message

from publisher.dispatch.rules import clean_reason
from publisher.events import rules
from publisher.events.finding import Finding
from publisher.events.model import EventKind

KINDS = {
    "failed": EventKind.BOUNCED,
    "delayed": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "relayed": EventKind.PROCESSED,
    "expanded": EventKind.PROCESSED,
}
"""RFC 3464, section 2.3.3. `relayed`: handed to a server that sends no notifications."""

_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


def read(mail: Message) -> Iterator[Finding]:
    """Return what a notification says, one finding for each recipient that it names."""
    for part in mail.walk():
        groups = part.get_payload() if part.get_content_type() == "message/delivery-status" else ()
        for fields in groups if isinstance(groups, list) else ():
            assert isinstance(fields, Message)
            kind = KINDS.get(_field(fields, "Action").partition(" ")[0].lower())
            if kind is not None:
                yield _finding(kind, fields)


def _finding(kind: EventKind, fields: Message) -> Finding:
    said = _field(fields, "Diagnostic-Code")
    status = _status(_field(fields, "Status"), said)
    return Finding(
        kind=kind,
        status=status,
        is_dead=kind is EventKind.BOUNCED and rules.is_dead_status(status),
        reason=clean_reason(said.partition(";")[2].strip() or said),
    )


def _status(status: str, said: str) -> str:
    """Return the status; many servers write a general one (x.0.0) and leave the exact one in the server's words."""
    first, exact = _STATUS.search(status), _STATUS.search(said)
    if first is None or (first[0].endswith(".0.0") and exact):
        first = exact or first
    return first[0] if first else ""


def _field(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())
