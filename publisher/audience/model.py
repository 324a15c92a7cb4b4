from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

MailingListId = NewType("MailingListId", int)
SubscriberId = NewType("SubscriberId", int)
SubscriptionId = NewType("SubscriptionId", int)


class SubscriptionState(StrEnum):
    """Where a subscription stands; only a confirmed one gets issues."""

    PENDING = "pending"
    """Asked for; the address has not said yes yet."""
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"
    """Ended. Only the reader can begin it again."""


class How(StrEnum):
    """By which way a consent reached us."""

    FORM = "form"
    IMPORT = "import"
    API = "api"
    CLI = "cli"
    DESK = "desk"


class SuppressionReason(StrEnum):
    """Why an address must not be mailed, weakest first: a stronger reason replaces a weaker one."""

    ASKED = "asked"
    """The reader wants no mail from us."""
    COMPLAINED = "complained"
    """The reader reported a mail as spam."""
    BOUNCED = "bounced"
    """The address is dead."""
    MANUAL = "manual"
    """An editor's decision."""


@dataclass(frozen=True, kw_only=True)
class MailingList:
    """People who may get an edition."""

    id: MailingListId
    slug: str
    """Stands in List-Id, so it never changes."""
    name: str
    description: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """A person with an address. Empty means not known."""

    id: SubscriberId
    email: str
    """ASCII: the domain is in its IDNA form and lower case; the part before the @ is as the reader wrote it."""
    name: str
    language: str
    """BCP 47."""
    time_zone: str
    """IANA name."""
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was chosen in the form that asked for a subscription. Empty means not told."""

    name: str = ""
    language: str = ""
    time_zone: str = ""
    topics: tuple[str, ...] = ()
    form: str = ""
    """Which form it was, and on which site where that was not ours."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """A subscriber on a mailing list."""

    id: SubscriptionId
    mailing_list_id: MailingListId
    subscriber_id: SubscriberId
    state: SubscriptionState
    asked_at: datetime | None
    """When the confirmation now due was asked for; None where none ever was, as after an import."""
    asked_from: str
    """The network it was asked from, truncated; empty where there was none."""
    confirmed_at: datetime | None
    ended_at: datetime | None
    paused_until: datetime | None
    """No issues before this instant."""
    answers: Answers | None = None
    """They wait with a pending subscription, and hold from its confirmation on."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Proof of one yes."""

    subscription_id: SubscriptionId
    at: datetime
    how: How
    origin: str
    """The network it came from, truncated; empty where there was none."""
    wording: str
    """The sentence that was agreed to."""
    form: str = ""
    """Which form it was asked for in; empty where there was none."""


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address that we must not mail."""

    email_key: str
    reason: SuppressionReason
    at: datetime
    detail: str
    """For editors: an enhanced status code, a remark."""


@dataclass(frozen=True, kw_only=True)
class LetterDue:
    """One letter to send about subscriptions: all that a subscriber asked for, or said yes to, at one instant."""

    subscription_id: SubscriptionId
    """The first of them. Its CONFIRM token confirms all that were asked for with it."""
    subscriber: Subscriber
    at: datetime
    mailing_lists: tuple[tuple[MailingListId, str], ...]
    """With their names, which the mail must show: they are what the reader agrees to."""
