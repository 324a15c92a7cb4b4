"""What stands around an issue's mail: who it is from, and one reader's values."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache, partial
from operator import itemgetter

from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import Edition, Issue, IssueId, Rendering
from publisher.compose.slots import Slot, marker
from publisher.dispatch.compiling import compile_message
from publisher.dispatch.headers import Letterhead
from publisher.dispatch.ledger import Marked
from publisher.dispatch.links import LINKS_AT_MOST, LINKS_OF_SUBJECT, link_token, reader_tokens, with_tracked_links
from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome
from publisher.dispatch.return_path import return_paths
from publisher.dispatch.transports.transport import Transport
from publisher.editors.model import Editor
from publisher.settings import Settings


def letterhead(settings: Settings, edition: Edition) -> Letterhead:
    """Return the sender's fields of an edition's mails."""
    return Letterhead(
        sender=settings.mail_from,
        list_name=edition.name,
        list_id=f"{edition.slug}.{settings.domain}",
        feedback_id=f"{edition.slug}:{edition.kind}:publisher:{_sender_id(settings.domain)}",
    )


def message_id(issue_id: IssueId, subscription_id: int, domain: str) -> str:
    """Return the same Message-ID for every copy that a reader may get of an issue, without angle brackets."""
    return f"issue-{issue_id}.{subscription_id}@{domain}"


def envelopes(
    settings: Settings,
    signer: Signer,
    issue_id: IssueId,
    marked: Iterable[Marked],
    *,
    date: str,
    by_reader: bool = False,
    subject_for: Callable[[int], int] | None = None,
) -> list[Envelope]:
    """Return readers' copies as a transport needs them; with a token for each reader where links are tracked by him."""
    unsubscribe_url, preferences_url = f"{settings.base_url}/unsubscribe/", f"{settings.base_url}/preferences/"
    unsubscribes, preferences = signer.tokens(Purpose.UNSUBSCRIBE), signer.tokens(Purpose.PREFERENCES)
    reader_token = reader_tokens(signer, issue_id) if by_reader else None
    paths = return_paths(signer, settings.bounce_address)
    sender, domain = _address_of(settings.mail_from), settings.domain
    found = []
    for seq, subscription_id, _, address, name, language, _ in marked:
        unsubscribe = unsubscribe_url + unsubscribes(subscription_id)
        values = {
            Slot.ADDRESS: address,
            Slot.NAME: name,
            Slot.UNSUBSCRIBE_URL: unsubscribe,
            Slot.ONE_CLICK_URL: unsubscribe,
            Slot.PREFERENCES_URL: preferences_url + preferences(subscription_id),
            Slot.MESSAGE_ID: message_id(issue_id, subscription_id, domain),
            Slot.DATE: date,
        }
        if reader_token:
            values[Slot.READER] = reader_token(seq)
        path = paths.of(issue_id, seq) if paths else sender
        subject = subject_for(subscription_id) if subject_for else 0
        found.append(Envelope(issue_id, seq, path, address, values, language, subject))
    return found


def compiled(settings: Settings, edition: Edition, found: Issue, rendering: Rendering) -> CompiledMessage:
    """Return an issue's mail with slots for what differs from reader to reader."""
    read_url = f"{settings.base_url}/issues/{edition.slug}/{found.number}"
    return compile_message(
        subject=rendering.subject,
        text=rendering.text.replace(marker(Slot.READ_URL), read_url),
        html=rendering.html.replace(marker(Slot.READ_URL), read_url),
        letterhead=letterhead(settings, edition),
        fallbacks={Slot.NAME: rendering.reader},
    )


def tracked(
    settings: Settings,
    signer: Signer,
    edition: Edition,
    issue_id: IssueId,
    renderings: Mapping[tuple[int, str], Rendering],
) -> tuple[dict[tuple[int, str], Rendering], dict[int, str]]:
    """
    Return an issue's renderings with their links as the edition tracks them, and where these lead, by their numbers.

    Where subjects are on trial, the links of each have numbers of their own.
    """
    is_tried = any(number for number, _ in renderings)
    found: dict[tuple[int, str], Rendering] = {}
    known: dict[int, tuple[str, ...]] = {}
    for (subject, language), rendering in sorted(renderings.items(), key=itemgetter(0)):
        html, known[subject] = with_tracked_links(
            rendering.html,
            edition.tracking,
            link=partial(_link_address, settings, signer, issue_id, subject * LINKS_OF_SUBJECT),
            pixel=f"{settings.base_url}/o/",
            known=known.get(subject, ()),
            at_most=(LINKS_OF_SUBJECT if is_tried else LINKS_AT_MOST) - 1,
        )
        found[subject, language] = replace(rendering, html=html)
    urls = {
        subject * LINKS_OF_SUBJECT + number: url
        for subject, those in known.items()
        for number, url in enumerate(those, start=1)
    }
    return found, urls


def _link_address(settings: Settings, signer: Signer, issue_id: IssueId, first: int, number: int) -> str:
    return f"{settings.base_url}/l/{link_token(signer, issue_id, first + number)}"


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
