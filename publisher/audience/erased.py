"""
Erased readers who must not be mailed again: known by a keyed hash of the address, and by nothing else.

Their suppressions stand among all others, under the hash where an address would be. When such an address is put in
once more, by whomever, its suppression becomes a plain one in the same transaction: then we hold the address anyway,
and everything that looks at suppressions sees it.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.audience import store
from publisher.audience.model import Suppression, SuppressionReason
from publisher.audience.tables import of_erased, suppression
from publisher.database import Database

AT_ONCE = 500
ALWAYS_KEPT = frozenset({SuppressionReason.COMPLAINED, SuppressionReason.BOUNCED})
"""Reasons that protect the owner of the address, who need not be the one who was erased."""
NOTE = "Erased, and not to be mailed again."


def settle(database: Database, connection: Connection, email_key: str, asked: Suppression | None) -> None:
    """
    Put the hash in the place of an address that is erased, where it must not be mailed again; else keep nothing.

    Args:
        database: Knows the key of the hash.
        connection: Where the reader is being erased.
        email_key: Whose.
        asked: What is to be kept where there is no suppression yet, or a weaker one; None: nothing need be kept.

    """
    found = store.suppressions(connection, [email_key]).get(email_key)
    store.lift_suppression(connection, email_key)
    wanted = [each for each in (found, asked) if each and (asked or each.reason in ALWAYS_KEPT)]
    key = _hashed(database, email_key)
    # What a server wrote, or an editor, may name the reader.
    store.suppress(connection, [replace(each, email_key=key, detail=NOTE) for each in wanted])


def recognise(database: Database, connection: Connection, email_keys: Iterable[str]) -> int:
    """
    Suppress those of addresses just put in that were erased not to be mailed again; return how many these are.

    After they were put in, for whoever is being erased at this moment then holds them, and is waited for.
    """
    if connection.scalar(sa.select(suppression.c.email_key).where(of_erased).limit(1)) is None:
        return 0
    waiting, number = iter(email_keys), 0
    while some := list(islice(waiting, AT_ONCE)):
        found = _known(connection, some, lambda key: _hashed(database, key))
        store.suppress(connection, found)
        for each in found:
            store.lift_suppression(connection, _hashed(database, each.email_key))
        number += len(found)
    return number


def lift(database: Database, connection: Connection, email_key: str, reasons: Collection[SuppressionReason]) -> bool:
    """Let an erased address be mailed again, should it come back; return whether it was kept from that."""
    return store.lift_suppression(connection, _hashed(database, email_key), reasons)


def suppression_of(database: Database, connection: Connection, email_key: str) -> Suppression | None:
    """Return why an erased address is not mailed again, for whoever knows the address."""
    return next(iter(_known(connection, [email_key], lambda key: _hashed(database, key))), None)


def _known(connection: Connection, email_keys: Sequence[str], hashed: Callable[[str], str]) -> list[Suppression]:
    keys = {hashed(each): each for each in email_keys}
    rows = connection.execute(sa.select(suppression).where(suppression.c.email_key.in_(list(keys))))
    return [
        Suppression(email_key=keys[row.email_key], reason=SuppressionReason(row.reason), at=row.at, detail=row.detail)
        for row in rows
    ]


def _hashed(database: Database, email_key: str) -> str:
    return f"erased:{database.fingerprint(email_key)}"
