"""
How a feed is cut into its subscription document and its archives (RFC 5005, section 4).

Every entry that leaves the subscription document gets the feed's next *place*, for good: 1, 2, 3 …
An archive document is named by the highest place it holds. It begins after the last multiple of 25
below that, so there is one document for each 25 places, and one that is still filling, which grows
under a new name with each entry. What an address has held, it holds for ever, but for articles that
are withdrawn. So whoever walks from the subscription document back to place 1 meets every entry
once, whatever arrives meanwhile: all that is new gets places above those he still has before him.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from publisher.syndication.model import ENTRIES


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An entry's stand in a feed."""

    entry_id: int
    at: datetime
    """When it was published; never moves."""
    place: int | None = None
    """None until it leaves the subscription document for the first time."""


def leaving(unplaced: Sequence[Standing]) -> list[Standing]:
    """Return which entries leave the subscription document, in the order of the places they get."""
    return oldest_first(unplaced)[: max(0, len(unplaced) - ENTRIES)]


def subscription(unplaced: Sequence[Standing], tail: Sequence[Standing]) -> tuple[list[Standing], int]:
    """
    Return the entries of the subscription document, newest first, and its boundary.

    Where articles were withdrawn, entries from the end of the archives fill it up again.

    Args:
        unplaced: All entries without a place.
        tail: The entries with the highest places, highest first; one more than a document holds, if there are.

    Returns:
        The entries, and the highest place that is not among them: where the archives begin.

    """
    again = list(tail[: max(0, ENTRIES - len(unplaced))])
    rest = tail[len(again) :]
    return newest_first([*unplaced, *again]), (rest[0].place or 0) if rest else 0


def oldest_first(standings: Sequence[Standing]) -> list[Standing]:
    """Sort entries by time; the same second twice is settled by the id."""
    return sorted(standings, key=lambda each: (each.at, each.entry_id))


def newest_first(standings: Sequence[Standing]) -> list[Standing]:
    return oldest_first(standings)[::-1]


def first_place(archive: int) -> int:
    """Return the lowest place of the archive document that is named by its highest."""
    return (archive - 1) // ENTRIES * ENTRIES + 1


def previous_archive(archive: int) -> int:
    """Return the name of the document before an archive document; 0: it is the first."""
    return first_place(archive) - 1


def following_archive(archive: int, last_place: int) -> int:
    """
    Return the name of the full document after a full one; 0: that is not full yet.

    The chain forward ends there: RFC 5005 has no `next-archive` that leads to the subscription document.
    """
    following = archive + ENTRIES
    return following if archive % ENTRIES == 0 and following <= last_place else 0
