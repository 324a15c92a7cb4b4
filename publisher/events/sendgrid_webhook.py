"""SendGrid's event webhook: an array of events, signed as a whole."""

import binascii
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from publisher.compose.model import IssueId
from publisher.dispatch.rules import clean_reason
from publisher.dispatch.transports.sendgrid_request import ISSUE_ARG, SEQ_ARG
from publisher.errors import InputError
from publisher.events import rules
from publisher.events.model import DeliveryEvent, EventKind, Provider

MOST_EVENTS = 10_000
"""They send a few hundred at once; more than this is not theirs."""

KINDS = {
    "processed": EventKind.PROCESSED,
    "deferred": EventKind.DEFERRED,
    "dropped": EventKind.DROPPED,
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.BOUNCED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "spamreport": EventKind.COMPLAINED,
}
"""Any other word is passed over: `group_resubscribe`, for a yes is given to us, and whatever they invent next."""

_NUMBER = re.compile(r"[1-9]\d{0,17}")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_EVENT_ID = re.compile(r"[!-~]{1,200}")


def is_genuine(public_key: str, *, signature: str | None, timestamp: str | None, body: bytes) -> bool:
    """Return whether SendGrid has signed this (ECDSA over the timestamp and the raw body); False where headers lack."""
    if not signature or not timestamp:
        return False
    try:
        return bool(_verifier(public_key).verify_signature(body.decode(), signature, timestamp))
    except (UnicodeError, binascii.Error, ValueError):
        return False


@lru_cache(maxsize=4)
def _verifier(public_key: str) -> Any:
    from sendgrid.helpers.eventwebhook import EventWebhook  # 10 MB that only this way needs

    return EventWebhook(public_key)


def read(body: bytes) -> list[DeliveryEvent]:
    """
    Return the events of a call that are about deliveries of ours.

    Raises:
        InputError: This is no array of events.

    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("is not JSON", "body") from None
    if not isinstance(found, list) or len(found) > MOST_EVENTS:
        raise InputError(f"must be an array of at most {MOST_EVENTS:,} events", "body")
    return list(_read_each(found))


def _read_each(found: list[Any]) -> Iterator[DeliveryEvent]:
    for each in found:
        kind = KINDS.get(str(each.get("event"))) if isinstance(each, dict) else None
        event = _event(each, kind) if kind else None
        if event is not None:
            yield event


def _event(each: Mapping[str, Any], kind: EventKind) -> DeliveryEvent | None:
    """Return one event; None where it is not about a delivery. Their custom_args stand among the other fields."""
    issue, seq = str(each.get(ISSUE_ARG)), str(each.get(SEQ_ARG))
    at = _instant(each.get("timestamp"))
    if not (_NUMBER.fullmatch(issue) and _NUMBER.fullmatch(seq)) or at is None:
        return None
    raw = json.dumps(each)
    reason = str(each.get("reason") or each.get("response") or "")
    status = _STATUS.search(str(each.get("status") or "")) or _STATUS.search(reason[:1_000])
    event_id, address = str(each.get("sg_event_id")), str(each.get("email") or "")
    return DeliveryEvent(
        provider=Provider.SENDGRID,
        event_id=event_id if each.get("sg_event_id") and _EVENT_ID.fullmatch(event_id) else _made_id(raw),
        kind=kind,
        issue_id=IssueId(int(issue)),
        seq=int(seq),
        at=at,
        address=address if address and address.isascii() and address.isprintable() else "?",
        status=status[0] if status else "",
        is_dead=kind is EventKind.BOUNCED and _is_dead(each, status[0] if status else ""),
        reason=clean_reason(reason),
        raw=raw,
    )


def _is_dead(each: Mapping[str, Any], status: str) -> bool:
    """A bounce of type `blocked` is about the letter or about us; one of type `bounce` is about the address."""
    return each.get("type") == "bounce" or rules.is_dead_status(status)


def _instant(timestamp: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(str(timestamp)), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _made_id(raw: str) -> str:
    return f"sha256:{sha256(raw.encode()).hexdigest()}"
