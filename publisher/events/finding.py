from dataclasses import dataclass

from publisher.events.model import EventKind


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one report says of the one delivery that it is about."""

    kind: EventKind
    status: str = ""
    is_dead: bool = False
    reason: str = ""
