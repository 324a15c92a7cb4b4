"""Writes one step's work; the only place that writes the stage's tables, but for an editor's choices."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleId
from publisher.database import upsert
from publisher.related import signatures
from publisher.related.given import among, given
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
    _unpost(connection, work, [*revised, *work.gone])
    _forget(connection, work.gone)
    if work.entries:
        _write_signatures(connection, work.entries)
        _post(connection, work.entries)
    _count(connection, work)
    _write_links(connection, work.links)


def _write_links(connection: Connection, found: Mapping[ArticleId, Sequence[Link]]) -> None:
    if not found:
        return
    connection.execute(sa.delete(related_link).where(among(connection, related_link.c.article_id, list(found))))
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


def _unpost(connection: Connection, work: Work, ids: Collection[ArticleId]) -> None:
    """Take articles out of what finds them."""
    if not ids:
        return
    rows = [(term, each) for each in ids for term in work.known[each].posted]
    pairs = given(connection, [posting.c.term, posting.c.article_id], rows)
    connection.execute(sa.delete(posting).where(sa.tuple_(posting.c.term, posting.c.article_id).in_(sa.select(pairs))))
    for table in (related_name, related_teaser):
        connection.execute(sa.delete(table).where(table.c.article_id.in_(ids)))


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
            "signature": signatures.pack_signature(entry.profile.signature),
            "posted": len(entry.posted),
            "sketch": signatures.pack_sketch(entry.profile.sketch),
        }
        for entry in entries
    ]
    insert = upsert(connection, related_signature)
    connection.execute(insert.on_conflict_do_update(index_elements=["article_id"], set_=dict(insert.excluded)), rows)


def _post(connection: Connection, entries: Sequence[Entry]) -> None:
    """Make articles findable, by their terms and by their names."""
    by_id = [(entry.profile.id, entry) for entry in entries]
    _insert(
        connection, posting, [(term, each, weight) for each, entry in by_id for term, weight in entry.posted.items()]
    )
    _insert(connection, related_name, [(key, each) for each, entry in by_id for key in dict.fromkeys(entry.text.names)])
    wanted = [(key, each) for each, entry in by_id for key in dict.fromkeys(chain(*entry.text.teasers))]
    _insert(connection, related_teaser, wanted)


def _insert(connection: Connection, table: sa.Table, rows: Sequence[Sequence[int]]) -> None:
    if rows:
        columns = list(table.c)
        selected = sa.select(given(connection, columns, rows))
        connection.execute(sa.insert(table).from_select([column.name for column in columns], selected))


def _count(connection: Connection, work: Work) -> None:
    """Keep how common each term is."""
    articles = Counter(term for entry in work.entries for term in entry.counted)
    posted = Counter(term for entry in work.entries for term in entry.posted)
    posted.subtract(term for each in work.known.values() for term in each.posted)
    rows = [(term, articles[term], posted[term]) for term in sorted({*articles, *posted})]
    if not rows:
        return
    table = term_frequency
    selected = sa.select(given(connection, list(table.c), rows)).where(sa.true())
    insert = upsert(connection, table).from_select([column.name for column in table.c], selected)
    more = {name: table.c[name] + insert.excluded[name] for name in ("articles", "posted")}
    connection.execute(insert.on_conflict_do_update(index_elements=["term"], set_=more))
