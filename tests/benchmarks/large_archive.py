"""
An archive of a million articles for benchmarks of related links, made in minutes.

A few thousand articles go through the stage as they would; all others are made of them at the level of signatures:
each takes two fifths of the terms of three of them, with their weights, so that the lists of postings are as long as
those of an archive that grew. The text of these others is nobody's, and nothing reads it.
"""

import os
import random
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from publisher.archive.model import ArticleId
from publisher.database import Database
from publisher.related import signatures
from publisher.related.model import Signature
from publisher.related.tables import related_signature
from tests.related.newsroom import TUESDAY, Piece, archive, relate

REAL = 4_000
SHARE = 0.4
SOURCES = 3
LINKS = 3
LINKED_SCORE = 0.3
"""Of the links that the others have already: so a new article moves about as many of them as it would."""
AT_ONCE = 20_000
SPREAD = timedelta(days=1_000)
MANY = 1 << 32


def fill(database: Database, pieces: Iterator[Piece], articles: int) -> list[ArticleId]:
    """Fill an empty archive, and return the ids of those articles that went through the stage."""
    real = archive(database, [next(pieces) for _ in range(min(REAL, articles))])
    relate(database)
    if articles > len(real):
        _add_others(database, real[-1], articles - len(real))
    settle(database)
    return real


def _add_others(database: Database, last_id: int, number: int) -> None:
    chance = random.Random(5)
    sources = _signatures(database)
    posted: dict[int, array[int]] = defaultdict(lambda: array("Q"))
    held: Counter[int] = Counter()
    for first in range(last_id + 1, last_id + 1 + number, AT_ONCE):
        ids = range(first, min(first + AT_ONCE, last_id + 1 + number))
        made = [_recombined(chance.sample(sources, SOURCES), chance) for _ in ids]
        for article_id, signature in zip(ids, made, strict=True):
            held.update(signature.terms)
            for term, weight in signatures.posted(signature, language="en").items():
                posted[term].append(article_id * MANY + weight)
        load(database, "article", _ARTICLE, (_article(database, each, chance) for each in ids))
        load(
            database,
            "related_signature",
            ("article_id", "digest", "language", "published_at", "signature", "posted", "sketch"),
            (_signature_row(database, *each, chance) for each in zip(ids, made, strict=True)),
        )
        load(database, "related_link", _LINK, _links(ids, last_id, chance))
    load(database, "posting", ("term", "article_id", "weight"), _postings(posted))
    _count(database, held, {term: len(found) for term, found in posted.items()}, number)


def _recombined(sources: Sequence[Signature], chance: random.Random) -> Signature:
    weights: dict[int, int] = {}
    for each in sources:
        size = int(SHARE * len(each.terms))
        for place in chance.sample(range(len(each.terms)), size):
            weights[each.terms[place]] = each.weights[place]
    best = sorted(weights, key=lambda term: (-weights[term], term))[: signatures.SIZE]
    return Signature(terms=tuple(best), weights=bytes(weights[term] for term in best))


def _signatures(database: Database) -> list[Signature]:
    with database.reading() as connection:
        packed = connection.scalars(sa.select(related_signature.c.signature)).all()
    return [found for each in packed if len((found := signatures.unpack_signature(each)).terms) > 40]


# --- rows as the tables have them

_ARTICLE = (
    *("id", "identity", "uri", "slug", "state", "title", "summary", "language", "importance"),
    *("canonical_url", "external_id", "published_at", "updated_at", "revision", "content_hash", "body", "accepted_at"),
)
_LINK = ("article_id", "position", "target_id", "score", "reason", "origin")
_BODY = '{"sections": [], "guide": null, "teasers": []}'
_REASON = '{"about": [], "names": []}'


def _article(database: Database, number: int, chance: random.Random) -> tuple[Any, ...]:
    at, name = _instant(database, chance), f"other-{number:08}"
    told = (name, name, name, "published", f"Article {number}", "", "en", 3, "", "", at, at, 1, name, _BODY, at)
    return number, *told


def _signature_row(database: Database, number: int, signature: Signature, chance: random.Random) -> tuple[Any, ...]:
    packed = signatures.pack_signature(signature)
    at = _instant(database, chance)
    return number, os.urandom(16), "en", at, packed, min(24, len(signature.terms)), os.urandom(256)


def _links(ids: Iterable[int], last_id: int, chance: random.Random) -> Iterator[tuple[Any, ...]]:
    for each in ids:
        for place, target in enumerate(chance.sample(range(1, last_id + 1), LINKS)):
            yield each, place, target, LINKED_SCORE, _REASON, "computed"


def _postings(posted: dict[int, "array[int]"]) -> Iterator[tuple[int, int, int]]:
    for term in sorted(posted):
        for each in posted[term]:
            yield term, each // MANY, each % MANY


def _instant(database: Database, chance: random.Random) -> str:
    at = TUESDAY - SPREAD * chance.random()
    return f"{at:%Y-%m-%d %H:%M:%S.%f}" if database.is_sqlite else at.isoformat()


def _count(database: Database, held: Counter[int], posted: dict[int, int], number: int) -> None:
    """Count the terms; each is in more texts than in signatures, but those beyond the signature say little anyway."""
    whole = signatures.whole("en")
    sql = sa.text(
        "INSERT INTO term_frequency (term, articles, posted) VALUES (:term, :articles, :posted) ON CONFLICT (term) "
        "DO UPDATE SET articles = term_frequency.articles + excluded.articles, "
        "posted = term_frequency.posted + excluded.posted"
    )
    rows = [{"term": term, "articles": many, "posted": posted.get(term, 0)} for term, many in held.items()]
    with database.transaction() as connection:
        connection.execute(sql, [*rows, {"term": whole, "articles": number, "posted": 0}])


# --- loading


def load(database: Database, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    names = ", ".join(columns)
    if database.is_sqlite:
        marks = ", ".join("?" * len(columns))
        connection = sqlite3.connect(str(database.url.database), isolation_level=None)
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
        connection.execute("COMMIT")
        connection.close()
        return
    with database.engine.connect() as plain:
        raw: Any = plain.connection.dbapi_connection
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        raw.commit()


def settle(database: Database) -> None:
    """Let the database know what it holds, as its own upkeep would within the hour."""
    with database.engine.connect() as plain:
        raw: Any = plain.connection.dbapi_connection
        if database.is_sqlite:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        raw.execute("SELECT setval(pg_get_serial_sequence('article', 'id'), (SELECT max(id) FROM article))")
        raw.commit()
        raw.autocommit = True
        raw.execute("VACUUM ANALYZE")


def size_mb(database: Database) -> float:
    """Return what the tables of related links take, with their indexes."""
    tables = ("related_signature", "posting", "term_frequency", "related_link")
    with database.engine.connect() as connection:
        if database.is_sqlite:
            asked = sa.text("SELECT sum(pgsize) FROM dbstat WHERE name IN :names").bindparams(
                sa.bindparam("names", [*tables, "ix_related_link_target"], expanding=True)
            )
            try:
                return float(connection.execute(asked).scalar_one() or 0) / 1e6
            except sa.exc.OperationalError:  # a SQLite built without dbstat
                return Path(str(database.url.database)).stat().st_size / 1e6
        sizes = (f"pg_total_relation_size('{each}')" for each in tables)
        return float(connection.execute(sa.text(f"SELECT {' + '.join(sizes)}")).scalar_one()) / 1e6
