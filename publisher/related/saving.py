"""Writes one step's work; the only place that writes the stage's tables, but for an editor's choices."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleId
from publisher.database import upsert
from publisher.related import given, signatures
from publisher.related.model import Entry, Link, Work
from publisher.related.tables import (
    posting,
    related_link,
    related_name,
    related_signature,
    related_teaser,
    term_frequency,
)


def save(connection: Connection, work: Work) -> None:
    """Write a step's work; the same work written twice is written once."""
    revised = [entry.profile.id for entry in work.entries if entry.profile.id in work.known]
    _unpost_all(connection, work, [*revised, *work.gone])
    _forget(connection, work.gone)
    if work.entries:
        _write_signatures(connection, work.entries)
        _post_all(connection, work.entries)
    _count_all(connection, work)
    _write_links(connection, work.links)


def _write_links(connection: Connection, found: Mapping[ArticleId, Sequence[Link]]) -> None:
    given.write(connection, _unlink, (related_link.c.article_id,), [(each,) for each in found])
    rows = [
        {
            "article_id": article_id,
            "position": position,
            "target_id": link.target_id,
            "score": link.score,
            "reason": {"about": link.reason.about, "names": link.reason.names},
            "origin": link.origin,
        }
        for article_id, links in found.items()
        for position, link in enumerate(links)
    ]
    if rows:
        connection.execute(sa.insert(related_link), rows)


def _unlink(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    return sa.delete(related_link).where(related_link.c.article_id.in_(sa.select(ids)))


def _unpost_all(connection: Connection, work: Work, ids: Collection[ArticleId]) -> None:
    """Take articles out of what finds them."""
    if not ids:
        return
    rows = [(term, each) for each in ids for term in work.known[each].posted]
    given.write(connection, _unpost, (posting.c.term, posting.c.article_id), rows)
    for table in (related_name, related_teaser):
        connection.execute(sa.delete(table).where(table.c.article_id.in_(ids)))


def _unpost(_connection: Connection, pairs: sa.FromClause) -> sa.Executable:
    return sa.delete(posting).where(sa.tuple_(posting.c.term, posting.c.article_id).in_(sa.select(pairs)))


def _forget(connection: Connection, gone: Collection[ArticleId]) -> None:
    """Drop the links from and to articles, and mark them as gone; that their words were counted stays noted."""
    if not gone:
        return
    for column in (related_link.c.article_id, related_link.c.target_id):
        connection.execute(sa.delete(related_link).where(column.in_(gone)))
    marked = sa.update(related_signature).where(related_signature.c.article_id.in_(gone))
    connection.execute(marked.values(digest=None, posted=0))


def _write_signatures(connection: Connection, entries: Sequence[Entry]) -> None:
    rows = [
        {
            "article_id": entry.profile.id,
            "digest": entry.text.digest,
            "language": entry.profile.language,
            "published_at": entry.profile.published_at,
            "signature": signatures.pack_signature(entry.profile.signature),
            "posted": len(entry.posted),
            "sketch": entry.profile.packed_sketch,
            "embedding": signatures.pack_embedding(entry.profile.embedding),
        }
        for entry in entries
    ]
    insert = upsert(connection, related_signature)
    connection.execute(insert.on_conflict_do_update(index_elements=["article_id"], set_=dict(insert.excluded)), rows)


def _post_all(connection: Connection, entries: Sequence[Entry]) -> None:
    """Make articles findable, by their terms and by their names."""
    posted = [(term, entry.text.id, weight) for entry in entries for term, weight in entry.posted.items()]
    named = [(key, entry.text.id) for entry in entries for key in set(entry.text.names)]
    naming = [(key, entry.text.id) for entry in entries for key in set(chain(*entry.text.teasers))]
    given.write(connection, _post, tuple(posting.c), posted)
    given.write(connection, _name, tuple(related_name.c), named)
    given.write(connection, _tease, tuple(related_teaser.c), naming)


def _post(_connection: Connection, rows: sa.FromClause) -> sa.Executable:
    return _insert(posting, rows)


def _name(_connection: Connection, rows: sa.FromClause) -> sa.Executable:
    return _insert(related_name, rows)


def _tease(_connection: Connection, rows: sa.FromClause) -> sa.Executable:
    return _insert(related_teaser, rows)


def _insert(table: sa.Table, rows: sa.FromClause) -> sa.Executable:
    return sa.insert(table).from_select([column.name for column in table.c], sa.select(rows))


def _count_all(connection: Connection, work: Work) -> None:
    """Keep how common each term is."""
    articles = Counter(term for entry in work.entries for term in entry.counted)
    posted = Counter(term for entry in work.entries for term in entry.posted)
    posted.subtract(term for each in work.known.values() for term in each.posted)
    rows = [(term, articles[term], posted[term]) for term in sorted({*articles, *posted})]
    given.write(connection, _count, tuple(term_frequency.c), rows)


def _count(connection: Connection, rows: sa.FromClause) -> sa.Executable:
    table = term_frequency
    counted = sa.select(rows).where(sa.true())  # SQLite takes ON CONFLICT for a join without a WHERE
    insert = upsert(connection, table).from_select([column.name for column in table.c], counted)
    more = {name: table.c[name] + insert.excluded[name] for name in ("articles", "posted")}
    return insert.on_conflict_do_update(index_elements=["term"], set_=more)  # type: ignore[no-any-return]  # upsert is Any
