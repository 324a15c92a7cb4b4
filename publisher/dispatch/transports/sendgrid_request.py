"""An issue's mail as SendGrid's v3 API wants it: one request, up to a thousand readers."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from hashlib import sha256
from typing import Any, TypeAlias

from publisher.compose.model import IssueId
from publisher.compose.slots import Slot
from publisher.dispatch.encodings import Make
from publisher.dispatch.message import CompiledMessage, unencoded_value
from publisher.dispatch.model import Envelope, ReaderValues, Refused
from publisher.dispatch.places import Insert, clean
from publisher.dispatch.unencoded import Spans, Unencoded, unencoded

BAD_REQUEST = 400
MOST_READERS = 1_000
"""Personalizations in one request."""
MOST_BYTES = 30 * 1000 * 1000
"""Of one request; the documentation says less than 30 MB, attachments included."""
MOST_VALUES_BYTES = 10_000
"""Of all substitutions of one personalization, and of all its custom_args."""

OWN_FIELDS = frozenset(
    {"from", "to", "subject", "reply-to", "date", "mime-version", "content-type", "content-transfer-encoding"}
)
"""Fields that SendGrid writes itself."""

TRACKING: Mapping[str, Any] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
    "ganalytics": {"enable": False},
}
"""All of theirs is off: unsubscribe links must lead to us, and nobody but us may count readers."""

ISSUE_ARG = "publisher_issue"
SEQ_ARG = "publisher_seq"
"""Names of the custom_args by which an event finds its delivery."""

Personalization: TypeAlias = dict[str, Any]

_NO_PART_OF_A_NAME = re.compile(r'[",;<>\\]+')
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+")
_LIST_LABEL = re.compile(r"<([A-Za-z0-9-]{1,63})\.")


@dataclass(frozen=True, kw_only=True)
class Template:
    """What all readers share, and how each reader's own part is made."""

    shared: Mapping[str, Any]
    tags: tuple[tuple[str, Make], ...]
    """Each slot in each kind of place has one: text is escaped otherwise than HTML, and SendGrid escapes nothing."""
    fields: tuple[tuple[str, Make], ...]

    def personalization(self, envelope: Envelope) -> Personalization:
        """Return one reader's part of the request."""
        values = envelope.values
        return {
            "to": [_mailbox(envelope.address, values.get(Slot.NAME, ""))],
            "headers": {name: make(values).decode() for name, make in self.fields},
            "substitutions": {tag: make(values).decode() for tag, make in self.tags},
            "custom_args": {ISSUE_ARG: str(envelope.issue_id), SEQ_ARG: str(envelope.seq)},
        }

    def request(self, personalizations: Sequence[Personalization]) -> dict[str, Any]:
        return {"personalizations": list(personalizations), **self.shared}


def template(message: CompiledMessage, issue_id: IssueId) -> Template:
    """Return the form of an issue's requests. Raises InputError for a message that we did not compile."""
    letter = unencoded(message)
    tags = _tags(letter)
    shared: dict[str, Any] = {
        "from": _mailbox(letter.sender[1], letter.sender[0]),
        "subject": _with_tags(letter.subject, tags),
        "content": [
            {"type": f"text/{subtype}", "value": _with_tags(spans, tags).replace("\r\n", "\n")}
            for subtype, spans in letter.bodies
        ],
        "categories": _categories(letter, issue_id),
        "tracking_settings": TRACKING,
    }
    if letter.reply_to:
        shared["reply_to"] = {"email": letter.reply_to}
    return Template(
        shared=shared,
        tags=tuple((tag, unencoded_value(insert)) for insert, tag in tags.items()),
        fields=tuple((name, _made(spans)) for name, spans in letter.fields if name.lower() not in OWN_FIELDS),
    )


def single_request(address: str, mail: EmailMessage) -> dict[str, Any]:
    """Return the request for one finished message to one address."""
    sender = mail["From"].addresses[0]
    own = {name: str(value) for name, value in mail.items() if name.lower() not in OWN_FIELDS}
    found = ((subtype, mail.get_body((subtype,))) for subtype in ("plain", "html"))
    return {
        "personalizations": [{"to": [{"email": address}], "headers": own}],
        "from": _mailbox(sender.addr_spec, sender.display_name),
        "subject": str(mail["Subject"]),
        "content": [
            {"type": f"text/{subtype}", "value": body.get_content()}
            for subtype, body in found
            if isinstance(body, EmailMessage)
        ],
        "tracking_settings": TRACKING,
    }


def fault_of(personalization: Personalization) -> Refused | None:
    """Return why SendGrid would refuse the whole request for this reader's sake, or None."""
    if not _ADDRESS.fullmatch(personalization["to"][0]["email"]):
        # RFC 3463: bad destination mailbox address syntax
        return Refused(code=BAD_REQUEST, reason="SendGrid takes no such form of address", enhanced="5.1.3")
    for part in ("substitutions", "custom_args"):
        pairs = personalization[part].items()
        if sum(len(name.encode()) + len(value.encode()) for name, value in pairs) > MOST_VALUES_BYTES:
            return Refused(code=BAD_REQUEST, reason=f"this reader's {part} have more than {MOST_VALUES_BYTES:,} bytes")
    return None


def size_bytes(request: Mapping[str, Any]) -> int:
    """Return the size of a request as the library writes it."""
    return len(json.dumps(request))


def _tags(letter: Unencoded) -> dict[Insert, str]:
    """
    Name every slot by a word of its own: letters and digits, so that it may stand anywhere, in a URL too.

    All are equally long, so that none is the beginning of another; the digest in them is of the letter itself, so
    that neither the letter nor a reader's name holds one by chance or by intent.
    """
    word = sha256(repr((letter.subject, letter.bodies)).encode()).hexdigest()[:12]
    return {insert: f"x{word}n{at:03}x" for at, insert in enumerate(letter.inserts)}


def _with_tags(spans: Spans, tags: Mapping[Insert, str]) -> str:
    return "".join(tags[span] if isinstance(span, Insert) else span for span in spans)


def _made(spans: Spans) -> Make:
    parts = tuple(unencoded_value(span) if isinstance(span, Insert) else span.encode() for span in spans)

    def make(values: ReaderValues) -> bytes:
        return b"".join([part if isinstance(part, bytes) else part(values) for part in parts])

    return make


def _categories(letter: Unencoded, issue_id: IssueId) -> list[str]:
    """Return the edition and the issue: two of the ten that are possible."""
    list_id = "".join(str(span) for name, spans in letter.fields if name == "List-Id" for span in spans)
    found = _LIST_LABEL.search(list_id)
    return [*([found[1]] if found else []), f"issue-{issue_id}"]


def _mailbox(address: str, name: str) -> dict[str, str]:
    """Return a mailbox; SendGrid splits a name at commas and semicolons."""
    name = " ".join(_NO_PART_OF_A_NAME.sub(" ", clean(name)).split())
    return {"email": address, "name": name} if name else {"email": address}
