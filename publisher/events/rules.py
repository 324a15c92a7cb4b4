from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from publisher.compose.model import IssueId
from publisher.dispatch.rules import DEAD_ADDRESS
from publisher.events.model import EventKind

BOUNCES = 3
WITHIN = timedelta(days=30)

SIGNS_OF_LIFE = (EventKind.DELIVERED, EventKind.OPENED, EventKind.CLICKED)

_ORDER = {kind: at for at, kind in enumerate(EventKind)}


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """A mail that came back although its address may be alive."""

    issue_id: IssueId
    at: datetime


def standing(kinds: Iterable[EventKind]) -> EventKind:
    """Return where a delivery stands after these events, whatever their order; at least one."""
    return max(kinds, key=_ORDER.__getitem__)


def is_dead_status(status: str) -> bool:
    """Return whether an RFC 3463 status says that the address itself is dead; the rule of SMTP answers."""
    return status in DEAD_ADDRESS


def counts_against_address(status: str) -> bool:
    """
    Return whether a bounce of a living address says anything about the address.

    Policy (RFC 3463, section 3.8: x.7.x) does not: it is our reputation or the letter, and a receiver who turns
    us away for a week must not cost us all its readers.
    """
    return status[1:4] != ".7."


def is_worn_out(bounces: Iterable[Bounce], *, alive_at: datetime | None, now: datetime) -> bool:
    """
    Return whether an address has failed so often that no mail may go there any more.

    The rule: mails of 3 different issues came back within 30 days, and none arrived in between. Two bounces of
    one issue count once, for they are one evening's trouble.

    Args:
        bounces: Of one address, those that `counts_against_address`.
        alive_at: When a mail last arrived there, or was read.
        now: This instant.

    """
    after = max(now - WITHIN, alive_at) if alive_at else now - WITHIN
    return len({each.issue_id for each in bounces if each.at > after}) >= BOUNCES
