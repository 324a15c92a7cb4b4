from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from publisher.compose.model import IssueId


class Provider(StrEnum):
    """Who tells us."""

    SENDGRID = "sendgrid"
    SITE = "site"
    """Our own pages: links that were followed."""
    MAILBOX = "mailbox"
    """Mail to our return path: delivery status notifications and complaints."""


class EventKind(StrEnum):
    """
    What became of a delivery after we had handed it over, nearest to the beginning first.

    Events come twice and in any order. Where a delivery stands is the last of these kinds that was heard of it, so
    it never goes back.
    """

    PROCESSED = "processed"
    DEFERRED = "deferred"
    DROPPED = "dropped"
    """The provider has not even tried, for it knows something against the address."""
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    """Behind `delivered`, because a mail can come back from behind the server that took it."""
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryEvent:
    """One thing that was told to us of one delivery."""

    provider: Provider
    event_id: str
    """The provider's own; the same for the same event told twice."""
    kind: EventKind
    issue_id: IssueId
    seq: int
    at: datetime
    address: str = field(default="", repr=False)
    """As the provider names it, to be compared with the delivery's reader; empty where our signature says enough."""
    status: str = ""
    """RFC 3463, such as `5.1.1`."""
    is_dead: bool = False
    """Whether the address itself is dead."""
    reason: str = ""
    raw: str = field(default="", repr=False)
