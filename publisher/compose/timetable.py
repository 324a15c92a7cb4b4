"""The slots of an edition as they really come: those of its cadence, but for what was moved once or left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.clock import Clock
from publisher.compose import cadence as cadences
from publisher.compose import due, store
from publisher.compose.model import Cadence, Edition, EditionId, EditionKind
from publisher.compose.tables import moved_slot
from publisher.database import Database, upsert
from publisher.errors import ConflictError, InputError, NotFoundError

AHEAD_AT_MOST = timedelta(days=366)


class Turn(StrEnum):
    """What becomes of one slot."""

    MOVE = "move"
    LEAVE_OUT = "leave out"
    PUT_BACK = "put back"


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One slot."""

    planned_at: datetime
    """As the cadence gives it; its name."""
    at: datetime | None
    """When it comes; None: it is left out."""


def slots(connection: Connection, edition: Edition, after: datetime, until: datetime) -> list[Slot]:
    """Return the slots that come later than `after` and not later than `until`, in order."""
    return [each for each in all_slots(connection, edition, after, until) if each.at is not None]


def next_slot(connection: Connection, edition: Edition, now: datetime) -> datetime | None:
    """Return when the next slot comes; None where the edition has no cadence, or leaves out a whole year."""
    ahead = due.LONGEST_INTERVAL
    while ahead < 2 * AHEAD_AT_MOST:
        if found := slots(connection, edition, now, now + ahead):
            return found[0].at
        ahead *= 2
    return None


def window_start(connection: Connection, edition: Edition, slot: Slot) -> datetime:
    """Return where the first issue of an edition looks back to: the slot before that was not left out."""
    assert edition.cadence is not None
    moves = _moves(connection, edition.id)
    before = due.slot_before(edition.cadence, slot.planned_at)
    while before in moves and moves[before] is None:
        before = due.slot_before(edition.cadence, before)
    return before


def turn(
    database: Database, slug: str, planned_at: datetime, what: Turn, *, to: datetime | None = None, clock: Clock
) -> Edition:
    """
    Move one slot to come to another time, leave it out, or let it come as its cadence says; the cadence stays.

    Its window begins where the last issue's ended and ends when it comes, so no article is lost or in two issues.

    Args:
        database: Where the edition is.
        slug: Of the edition.
        planned_at: The slot, as the cadence gives it.
        what: What becomes of it.
        to: Where it is moved.
        clock: Tells the time.

    Raises:
        NotFoundError: There is no such edition, or no such slot of its cadence.
        InputError: The new time is over.
        ConflictError: The slot's time has come, or another slot lies there or between.

    """
    with database.transaction() as connection:
        edition = store.held_edition(connection, slug)
        now = clock()
        slot = _slot(connection, edition, planned_at)
        if (slot.at or slot.planned_at) <= now or (what is Turn.PUT_BACK and slot.planned_at <= now):
            raise ConflictError("The time of this slot has come; look for its issue.")
        at = {Turn.LEAVE_OUT: None, Turn.PUT_BACK: planned_at}.get(what, to)
        if what is Turn.MOVE and (at is None or not now < at <= now + AHEAD_AT_MOST):
            raise InputError("A slot moves to an instant to come, within a year.", "to")
        if at is not None:
            _must_be_free(connection, edition, slot, at)
        _store(connection, edition.id, planned_at, at)
        said = {Turn.MOVE: "slot moved", Turn.LEAVE_OUT: "slot left out", Turn.PUT_BACK: "slot put back"}[what]
        acts.note(connection, said, f"{slug}, {planned_at:%Y-%m-%d %H:%M} UTC")
        return edition


def _slot(connection: Connection, edition: Edition, planned_at: datetime) -> Slot:
    if not _has_slots(edition) or edition.cadence is None or not _is_slot(edition.cadence, planned_at):
        raise NotFoundError("slot", f"{edition.slug}, {planned_at.isoformat()}")
    return Slot(planned_at=planned_at, at=_moves(connection, edition.id).get(planned_at, planned_at))


def _must_be_free(connection: Connection, edition: Edition, slot: Slot, at: datetime) -> None:
    """No slot may overtake another: each looks back to the one before."""
    first, last = min(at, slot.planned_at), max(at, slot.planned_at)
    others = slots(connection, edition, first - due.AN_INSTANT, last)
    if any(each.planned_at != slot.planned_at for each in others):
        raise ConflictError(
            "Another slot of this edition lies there or between; choose a time before it, or leave it out."
        )


def _store(connection: Connection, edition_id: EditionId, planned_at: datetime, at: datetime | None) -> None:
    if at == planned_at:
        mine = sa.and_(moved_slot.c.edition_id == edition_id, moved_slot.c.slot_at == planned_at)
        connection.execute(sa.delete(moved_slot).where(mine))
        return
    put = upsert(connection, moved_slot).values(edition_id=edition_id, slot_at=planned_at, moved_to=at)
    connection.execute(put.on_conflict_do_update(index_elements=["edition_id", "slot_at"], set_={"moved_to": at}))


def all_slots(connection: Connection, edition: Edition, after: datetime, until: datetime) -> list[Slot]:
    """Return those as well that are left out, where they would be."""
    if not _has_slots(edition) or edition.cadence is None:
        return []
    moves = _moves(connection, edition.id)
    planned = cadences.slots_between(edition.cadence, after, until)
    found = [Slot(planned_at=each, at=moves.get(each, each)) for each in planned if not _is_moved(moves, each)]
    found += [
        Slot(planned_at=each, at=to)
        for each, to in moves.items()
        if to is not None and after < to <= until and _is_slot(edition.cadence, each)
    ]
    return sorted(found, key=lambda each: each.at or each.planned_at)


def _is_moved(moves: Mapping[datetime, datetime | None], planned_at: datetime) -> bool:
    return moves.get(planned_at) is not None


def _is_slot(cadence: Cadence, at: datetime) -> bool:
    """Whether the cadence, as it is now, gives this slot; one that was moved before it changed is none any more."""
    return cadences.slots_between(cadence, at - due.AN_INSTANT, at) == [at]


def _has_slots(edition: Edition) -> bool:
    return edition.is_active and edition.cadence is not None and edition.kind is not EditionKind.ALERT


def _moves(connection: Connection, edition_id: EditionId) -> dict[datetime, datetime | None]:
    rows = connection.execute(sa.select(moved_slot).where(moved_slot.c.edition_id == edition_id))
    return {row.slot_at: row.moved_to for row in rows}
