"""What stands around an issue's mail: who it is from, and one reader's values."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import Edition, Issue, IssueId, Rendering
from publisher.compose.slots import Slot, marker
from publisher.dispatch.compiling import compile_message
from publisher.dispatch.headers import Letterhead
from publisher.dispatch.ledger import Marked
from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome
from publisher.dispatch.return_path import return_paths
from publisher.dispatch.transports.transport import Transport
from publisher.editors.model import Editor
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


def envelopes(
    settings: Settings, signer: Signer, issue_id: IssueId, marked: Iterable[Marked], *, date: str
) -> list[Envelope]:
    """Return readers' copies as a transport needs them."""
    unsubscribe_url, preferences_url = f"{settings.base_url}/unsubscribe/", f"{settings.base_url}/preferences/"
    paths = return_paths(signer, settings.bounce_address)
    sender, domain = _address_of(settings.mail_from), settings.domain
    found = []
    for each in marked:
        unsubscribe = unsubscribe_url + signer.sign(Purpose.UNSUBSCRIBE, each.subscription_id)
        values = {
            Slot.ADDRESS: each.address,
            Slot.NAME: each.name,
            Slot.UNSUBSCRIBE_URL: unsubscribe,
            Slot.ONE_CLICK_URL: unsubscribe,
            Slot.PREFERENCES_URL: preferences_url + signer.sign(Purpose.PREFERENCES, each.subscription_id),
            Slot.MESSAGE_ID: message_id(issue_id, each.subscription_id, domain),
            Slot.DATE: date,
        }
        path = paths.of(issue_id, each.seq) if paths else sender
        found.append(Envelope(issue_id=issue_id, seq=each.seq, sender=path, address=each.address, values=values))
    return found


def compiled(settings: Settings, edition: Edition, found: Issue, rendering: Rendering) -> CompiledMessage:
    """Return an issue's mail with slots for what differs from reader to reader."""
    read_url = f"{settings.base_url}/issues/{edition.slug}/{found.number}"
    return compile_message(
        subject=rendering.subject,
        text=rendering.text.replace(marker(Slot.READ_URL), read_url),
        html=rendering.html.replace(marker(Slot.READ_URL), read_url),
        letterhead=letterhead(settings, edition),
        fallbacks=fallbacks(edition.language),
    )


def send_test(
    transport: Transport,
    editor: Editor,
    *,
    settings: Settings,
    edition: Edition,
    found: Issue,
    rendering: Rendering,
    now: datetime,
) -> Outcome:
    """Send an issue's mail to the editor who lays it out; its unsubscribe links lead to a page, and do nothing."""
    nowhere = f"{settings.base_url}/subscribe"
    values = {
        Slot.ADDRESS: editor.email,
        Slot.NAME: editor.name,
        Slot.UNSUBSCRIBE_URL: nowhere,
        Slot.ONE_CLICK_URL: nowhere,
        Slot.PREFERENCES_URL: nowhere,
        Slot.MESSAGE_ID: f"test-{found.id}.{now.timestamp():.6f}@{settings.domain}",
        Slot.DATE: format_datetime(now),
    }
    raw = compiled(settings, edition, found, rendering).splice(values)
    return transport.send_one(_address_of(settings.mail_from), editor.email, raw)


@lru_cache(maxsize=8)
def _address_of(mailbox: str) -> str:
    return parseaddr(mailbox)[1]


def _sender_id(domain: str) -> str:
    """Return 5-15 characters that stand for us (Gmail's form of Feedback-ID)."""
    return hashlib.sha256(domain.encode()).hexdigest()[:12]
