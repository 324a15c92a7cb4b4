from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from slugify import slugify
from sqlalchemy.engine import Connection

from publisher.archive.model import GlossaryTerm
from publisher.archive.tables import glossary_term
from publisher.database import upsert


def terms(connection: Connection) -> list[GlossaryTerm]:
    """Return every glossary term, by name."""
    rows = connection.execute(sa.select(glossary_term).order_by(glossary_term.c.name))
    return [
        GlossaryTerm(
            slug=row.slug,
            name=row.name,
            hangul=row.hangul,
            romanisation=row.romanisation,
            kind=row.kind,
            explanation=row.explanation,
            link=row.link,
            aliases=tuple(row.aliases),
            case_sensitive=row.case_sensitive,
        )
        for row in rows
    ]


def stamp(connection: Connection) -> tuple[int, datetime | None]:
    """Return a value that differs whenever a term was added, changed or removed."""
    row = connection.execute(sa.select(sa.func.count(), sa.func.max(glossary_term.c.changed_at))).one()
    return int(row[0]), row[1]


def keep(connection: Connection, found: Iterable[GlossaryTerm], *, now: datetime) -> None:
    """Store terms; one with the same slug is replaced."""
    for term in found:
        values = {
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
        insert = upsert(connection, glossary_term).values(slug=term.slug or slugify(term.name), **values)
        connection.execute(insert.on_conflict_do_update(index_elements=["slug"], set_=values))


def remove(connection: Connection, slug: str) -> bool:
    """Remove a term; return whether it was there."""
    return connection.execute(sa.delete(glossary_term).where(glossary_term.c.slug == slug)).rowcount == 1
