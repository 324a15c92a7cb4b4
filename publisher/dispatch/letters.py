"""What stands around an issue's mail: who it is from, and one reader's values."""

import hashlib
from collections.abc import Mapping
from email.utils import parseaddr

from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import Edition, IssueId
from publisher.compose.slots import Slot
from publisher.dispatch.headers import Letterhead
from publisher.dispatch.ledger import Marked
from publisher.dispatch.model import Envelope
from publisher.settings import Settings

READER = {"en": "reader", "ko": "독자"}
"""What we call a reader whose name we do not know, in the language of the furniture."""


def letterhead(settings: Settings, edition: Edition) -> Letterhead:
    """Return the sender's fields of an edition's mails."""
    return Letterhead(
        sender=settings.mail_from,
        list_name=edition.name,
        list_id=f"{edition.slug}.{settings.domain}",
        feedback_id=f"{edition.slug}:{edition.kind}:publisher:{_sender_id(settings.domain)}",
    )


def fallbacks(language: str) -> Mapping[Slot, str]:
    """Return what stands in a slot for a reader without a value."""
    return {Slot.NAME: READER.get(language, READER["en"])}


def message_id(issue_id: IssueId, subscription_id: int, domain: str) -> str:
    """Return the same Message-ID for every copy that a reader may get of an issue, without angle brackets."""
    return f"issue-{issue_id}.{subscription_id}@{domain}"


def envelope(settings: Settings, signer: Signer, issue_id: IssueId, marked: Marked, *, date: str) -> Envelope:
    """Return one reader's copy as a transport needs it."""
    unsubscribe = f"{settings.base_url}/unsubscribe/{signer.sign(Purpose.UNSUBSCRIBE, marked.subscription_id)}"
    preferences = f"{settings.base_url}/preferences/{signer.sign(Purpose.PREFERENCES, marked.subscription_id)}"
    return Envelope(
        issue_id=issue_id,
        seq=marked.seq,
        sender=parseaddr(settings.mail_from)[1],
        address=marked.address,
        values={
            Slot.ADDRESS: marked.address,
            Slot.NAME: marked.name,
            Slot.UNSUBSCRIBE_URL: unsubscribe,
            Slot.ONE_CLICK_URL: unsubscribe,
            Slot.PREFERENCES_URL: preferences,
            Slot.MESSAGE_ID: message_id(issue_id, marked.subscription_id, settings.domain),
            Slot.DATE: date,
        },
    )


def _sender_id(domain: str) -> str:
    """Return 5-15 characters that stand for us (Gmail's form of Feedback-ID)."""
    return hashlib.sha256(domain.encode()).hexdigest()[:12]
