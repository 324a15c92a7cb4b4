from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from typing import Any

import sqlalchemy as sa
from slugify import slugify
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.archive import rules
from publisher.archive.model import GlossaryTerm, TermKind
from publisher.archive.rules import Spellings
from publisher.archive.tables import glossary_term
from publisher.database import one_at_a_time, upsert
from publisher.errors import NotFoundError, TermError

RESERVED = frozenset({"new", "proposals"})
"""Pages of the desk that stand beside those of the terms."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of terms that were imported."""

    added: int
    changed: int
    unchanged: int


def terms(connection: Connection) -> list[GlossaryTerm]:
    """Return every glossary term, by name."""
    rows = connection.execute(sa.select(glossary_term).order_by(glossary_term.c.name, glossary_term.c.slug))
    return [_term(row) for row in rows]


def term_at(connection: Connection, slug: str) -> GlossaryTerm:
    """Return the term with a slug. Raises NotFoundError."""
    row = connection.execute(sa.select(glossary_term).where(glossary_term.c.slug == slug)).first()
    if row is None:
        raise NotFoundError("glossary term", slug)
    return _term(row)


def stamp(connection: Connection) -> tuple[int, datetime | None]:
    """Return a value that differs whenever a term was added, changed or removed."""
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(glossary_term.c.changed_at))).one()
    return int(row[0]), row[1]


def add(connection: Connection, term: GlossaryTerm, *, now: datetime) -> GlossaryTerm:
    """Store a new term, and return it with its slug. Raises TermError."""
    one_at_a_time(connection, "glossary")
    found = terms(connection)
    added = _checked(replace(term, slug=""), Spellings(found))
    added = replace(added, slug=_free_slug(added.name, {each.slug for each in found}))
    keep(connection, [added], now=now)
    acts.note(connection, "term added", added.slug)
    return added


def change(connection: Connection, term: GlossaryTerm, *, now: datetime) -> GlossaryTerm:
    """Store what a term says from now on; its slug stays. Raises TermError, NotFoundError."""
    one_at_a_time(connection, "glossary")
    term_at(connection, term.slug)
    changed = _checked(term, Spellings(terms(connection)))
    keep(connection, [changed], now=now)
    acts.note(connection, "term changed", changed.slug)
    return changed


def import_all(connection: Connection, found: Iterable[GlossaryTerm], *, now: datetime) -> Imported:
    """
    Store terms, all or none: one whose name is there already is replaced, whatever its slug.

    Raises:
        TermError: One of them cannot be kept; the transaction must not commit.

    """
    one_at_a_time(connection, "glossary")
    before = {each.slug: each for each in terms(connection)}
    slugs = {each.name: each.slug for each in before.values()}
    coming: dict[str, GlossaryTerm] = {}
    for each in map(rules.tidy, found):
        if slugs.get(each.name) in coming:
            raise TermError(each.name, {"name": "This name stands there twice."})
        slug = slugs.get(each.name) or _free_slug(each.name, before.keys() | coming.keys())
        coming[slug] = replace(each, slug=slug)
        slugs[each.name] = slug
    after = Spellings((before | coming).values())
    changed = [_checked(each, after) for each in coming.values() if each != before.get(each.slug)]
    keep(connection, changed, now=now)
    added = sum(each.slug not in before for each in changed)
    if changed:
        acts.note(connection, "terms imported", f"{added} added, {len(changed) - added} changed")
    return Imported(added=added, changed=len(changed) - added, unchanged=len(coming) - len(changed))


def keep(connection: Connection, found: Iterable[GlossaryTerm], *, now: datetime) -> None:
    """Store terms as they are; one with the same slug is replaced."""
    for term in found:
        values: dict[str, Any] = {
            "name": term.name,
            "hangul": term.hangul,
            "romanisation": term.romanisation,
            "kind": term.kind,
            "explanation": term.explanation,
            "link": term.link,
            "aliases": list(term.aliases),
            "case_sensitive": term.case_sensitive,
            "changed_at": now,
        }
        insert = upsert(connection, glossary_term).values(slug=term.slug or _free_slug(term.name, ()), **values)
        connection.execute(insert.on_conflict_do_update(index_elements=["slug"], set_=values))


def remove(connection: Connection, slug: str) -> bool:
    """Remove a term; return whether it was there."""
    is_removed = connection.execute(sa.delete(glossary_term).where(glossary_term.c.slug == slug)).rowcount == 1
    if is_removed:
        acts.note(connection, "term removed", slug)
    return is_removed


def _checked(term: GlossaryTerm, others: Spellings) -> GlossaryTerm:
    tidied = rules.tidy(term)
    if faults := rules.faults(tidied, others):
        raise TermError(tidied.name, faults)
    return tidied


def _free_slug(name: str, taken: Collection[str]) -> str:
    wanted = slugify(name, max_length=60, word_boundary=True) or "term"
    numbered = chain([wanted], (f"{wanted}-{number}" for number in count(2)))
    return next(each for each in numbered if each not in taken and each not in RESERVED)


def _term(row: sa.Row[Any]) -> GlossaryTerm:
    return GlossaryTerm(
        slug=row.slug,
        name=row.name,
        hangul=row.hangul,
        romanisation=row.romanisation,
        kind=TermKind(row.kind),
        explanation=row.explanation,
        link=row.link,
        aliases=tuple(row.aliases),
        case_sensitive=row.case_sensitive,
    )
