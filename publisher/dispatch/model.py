from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from publisher.compose.model import IssueId
from publisher.compose.slots import Slot

ReaderValues: TypeAlias = Mapping[Slot, str]
"""What stands in the slots of one reader's copy. `MESSAGE_ID` has no angle brackets; `DATE` is RFC 5322's."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Never tried, with a reason: suppressed, unsubscribed meanwhile."""
    UNCERTAIN = "uncertain"
    """The whole message left us and no answer came: the reader has one copy or none."""


class SendState(StrEnum):
    """Where the send of an issue stands."""

    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    """Every delivery has its outcome."""
    CANCELLED = "cancelled"


class BatchState(StrEnum):
    """Where a batch stands."""

    READY = "ready"
    LEASED = "leased"
    DONE = "done"


class Envelope(NamedTuple):
    """
    One reader's copy of an issue, as a transport needs it. Key: `issue_id` and `seq`.

    A tuple, because there is one for every mail.
    """

    issue_id: IssueId
    seq: int
    sender: str
    """The return path: bounces go there. Empty: bounces are not wanted."""
    address: str
    values: ReaderValues
    language: str = ""
    """The reader's language tag; empty: not known."""
    subject: int = 0
    """The number of the subject that it has, where subjects are on trial."""

    def __repr__(self) -> str:
        return f"Envelope(issue_id={self.issue_id}, seq={self.seq})"  # without an address


class Sent(NamedTuple):
    """The server has taken responsibility for it (2xx). A tuple, because there is one for nearly every mail."""

    reply: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Deferred:
    """Not now (4xx): the same message may go later."""

    code: int
    reason: str
    enhanced: str = ""
    """RFC 3463, such as `4.7.1`; empty if the server gave none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """Not ever (5xx): sending it again is wrong."""

    code: int
    reason: str
    enhanced: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Uncertain:
    """The whole message left us, and its answer never came."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Untried:
    """It never left us, through no fault of the reader: safe to send again, and not a failed attempt."""

    reason: str


Outcome: TypeAlias = Sent | Deferred | Refused | Uncertain | Untried
