"""Complaints: multipart/report with a message/feedback-report part (RFC 5965)."""

from collections.abc import Iterator
from email.message import Message

from publisher.events.finding import Finding
from publisher.events.model import EventKind

KINDS = {
    "abuse": EventKind.COMPLAINED,
    "fraud": EventKind.COMPLAINED,
    "virus": EventKind.COMPLAINED,
    "other": EventKind.COMPLAINED,
    "opt-out": EventKind.UNSUBSCRIBED,
    "opt-out-list": EventKind.UNSUBSCRIBED,
}
"""RFC 5965, section 7.3, and what its drafts had before. `not-spam` and `auth-failure` are no complaints."""


def read(mail: Message) -> Iterator[Finding]:
    """Return what a feedback report says."""
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            kind = KINDS.get(_feedback_type(part))
            if kind is not None:
                yield Finding(kind=kind, reason="the reader reported the mail as spam" * (kind is EventKind.COMPLAINED))


def _feedback_type(part: Message) -> str:
    """Return the type; Python reads an unknown kind of message as a mail within the mail."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else part
    assert isinstance(inner, Message)
    return str(inner.get("Feedback-Type", "")).strip().lower()
