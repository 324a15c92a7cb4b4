"""Names that recur in the published articles and are no glossary term yet, for the editors to decide on."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts, words
from publisher.archive import glossary, store
from publisher.archive.model import Article, ArticleId, ArticleState, Change, Proposal
from publisher.archive.rules import Spellings
from publisher.archive.tables import article, glossary_proposal, glossary_proposal_article
from publisher.clock import Clock
from publisher.database import Database, upsert
from publisher.errors import NotFoundError
from publisher.markup import text_of
from publisher.names import proper_names
from publisher.turn import Turn, place, take_turns

STAGE = "propose"
CHANGES_AT_ONCE = 50
BODY_CHARS = 100_000
"""No more of an article is read: a whole book handed in must not hold up the newsroom."""
RECURS = 3
"""Articles that hold a name before it is proposed."""
SENTENCE_CHARS = 240
LEFT_OUT = "… "
ROWS_AT_ONCE = 200

_named = glossary_proposal_article


def count_due(database: Database, *, clock: Clock) -> None:
    """
    Count the names in every article that changed, as it is by now: withdrawn, it holds none.

    An idle tick only reads. Any number of workers may run it.
    """
    with database.reading() as connection:
        if place(connection, STAGE) >= store.last_change(connection):
            return
    take_turns(database, STAGE, clock, lambda turn: _step(database, turn))


def proposals(connection: Connection, *, at_most: int) -> list[Proposal]:
    """Return the names to decide on, those in most articles first; never one that a term goes by."""
    found = _open(connection, at_most)
    newest = _newest(connection, [name for name, _ in found])
    articles = store.articles(connection, newest.values())
    return [
        Proposal(
            name=name, articles=number, newest=articles[newest[name]], sentence=_sentence(articles[newest[name]], name)
        )
        for name, number in found
        if newest.get(name) in articles
    ]


def number_open(connection: Connection, *, at_most: int) -> int:
    """Return how many names there are to decide on, counting no further than to `at_most`."""
    return len(_open(connection, at_most))


def dismissed(connection: Connection, *, at_most: int) -> list[str]:
    """Return the names that an editor said are no terms, the last one first."""
    table = glossary_proposal.c
    wanted = sa.select(table.name).where(table.dismissed_at.is_not(None))
    return list(connection.scalars(wanted.order_by(table.dismissed_at.desc(), table.name).limit(at_most)))


def dismiss(connection: Connection, name: str, *, now: datetime) -> None:
    """Never propose a name again. Raises NotFoundError for one that was not proposed."""
    _decide(connection, name, now)


def propose_again(connection: Connection, name: str) -> None:
    """Take back that a name is no term. Raises NotFoundError."""
    _decide(connection, name, None)


def _decide(connection: Connection, name: str, at: datetime | None) -> None:
    table = glossary_proposal
    decided = connection.execute(sa.update(table).where(table.c.name == name).values(dismissed_at=at))
    if decided.rowcount != 1:
        raise NotFoundError("proposal", name)
    acts.note(connection, "proposal dismissed" if at else "proposal put back", name)
    if at is None:
        connection.execute(sa.delete(table).where(table.c.name == name, table.c.articles < 1))


# --- counting


def _step(database: Database, turn: Turn) -> bool:
    with database.reading() as connection:
        changes = store.changes(connection, after=place(connection, STAGE), at_most=CHANGES_AT_ONCE)
        found = _names_of(connection, _ids(changes))
    if changes:
        with database.transaction() as connection:
            turn.advance(connection, changes[-1].seq)
            _write(connection, _ids(changes), found)
    return len(changes) == CHANGES_AT_ONCE


def _ids(changes: Sequence[Change]) -> list[ArticleId]:
    return sorted({change.article_id for change in changes})


def _names_of(connection: Connection, ids: Collection[ArticleId]) -> set[tuple[str, int]]:
    """Return the names in articles, each with the article; only of what is published."""
    columns = (article.c.id, article.c.state, article.c.language, article.c.body)
    rows = connection.execute(sa.select(*columns).where(article.c.id.in_(ids)))
    return {
        (name, row.id)
        for row in rows
        if row.state == ArticleState.PUBLISHED
        for name in proper_names(_text(_paragraphs(row.body)), row.language.partition("-")[0].lower())
    }


def _write(connection: Connection, ids: Collection[ArticleId], now: set[tuple[str, int]]) -> None:
    """Let these articles hold these names and no others, and every name's number be that of its articles."""
    rows = connection.execute(sa.select(_named.c.name, _named.c.article_id).where(_named.c.article_id.in_(ids)))
    before = {(row.name, row.article_id) for row in rows}
    gone, new = sorted(before - now), sorted(now - before)
    if gone:
        one = sa.and_(_named.c.name == sa.bindparam("of_name"), _named.c.article_id == sa.bindparam("of_article"))
        pairs = [{"of_name": name, "of_article": article_id} for name, article_id in gone]
        connection.execute(sa.delete(_named).where(one), pairs)
    if new:
        pairs = [{"name": name, "article_id": article_id} for name, article_id in new]
        connection.execute(sa.insert(_named), pairs)
    _count(connection, gone=(name for name, _ in gone), new=(name for name, _ in new))


def _count(connection: Connection, *, gone: Iterable[str], new: Iterable[str]) -> None:
    table = glossary_proposal
    more = Counter(new)
    more.subtract(gone)
    if changed := [{"name": name, "articles": number} for name, number in sorted(more.items()) if number]:
        insert = upsert(connection, table)
        added = {"articles": table.c.articles + insert.excluded.articles}
        connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=added), changed)
    if fewer := [{"of_name": name} for name, number in sorted(more.items()) if number < 0]:
        is_over = sa.and_(table.c.articles < 1, table.c.dismissed_at.is_(None))
        connection.execute(sa.delete(table).where(table.c.name == sa.bindparam("of_name"), is_over), fewer)


# --- showing


def _open(connection: Connection, at_most: int) -> list[tuple[str, int]]:
    """Return the first names that no editor has decided on; no more rows are read than that takes."""
    table, known, found = glossary_proposal.c, Spellings(glossary.terms(connection)), list[tuple[str, int]]()
    wanted = sa.select(table.name, table.articles).where(table.dismissed_at.is_(None), table.articles >= RECURS)
    in_order = wanted.order_by(table.articles.desc(), table.name)
    rows = connection.execute(in_order, execution_options={"stream_results": True, "yield_per": ROWS_AT_ONCE})
    for row in rows:
        if row.name not in known:
            found.append((row.name, row.articles))
        if len(found) >= at_most:
            break
    rows.close()
    return found


def _newest(connection: Connection, names: Collection[str]) -> dict[str, ArticleId]:
    last = sa.select(sa.func.max(_named.c.article_id)).where(_named.c.name == glossary_proposal.c.name)
    wanted = sa.select(glossary_proposal.c.name, last.scalar_subquery().label("article_id"))
    rows = connection.execute(wanted.where(glossary_proposal.c.name.in_(names)))
    return {row.name: ArticleId(row.article_id) for row in rows if row.article_id is not None}


def _sentence(found: Article, name: str) -> str:
    """Return the first sentence in which an article names something, cut where it is long."""
    for each in words.sentences(_text(section.html for section in found.all_sections)):
        if name in each:
            beginning = _beginning(each, name)
            cut = words.first_sentences(each[beginning:], SENTENCE_CHARS - len(LEFT_OUT))
            return f"{LEFT_OUT}{cut}" if beginning else cut
    return ""


def _beginning(sentence: str, name: str) -> int:
    """Return where to begin, so that a name far into a long sentence is still in what is shown."""
    after = sentence.index(name) + len(name)
    return 0 if after <= SENTENCE_CHARS // 2 else sentence.rfind(" ", 0, after - SENTENCE_CHARS // 2) + 1


def _paragraphs(body: Any) -> Iterator[str]:
    for section in filter(None, [*body["sections"], body["guide"]]):
        yield section["html"]


def _text(paragraphs: Iterable[str]) -> str:
    return "\n".join(text_of(html) for html in paragraphs)[:BODY_CHARS]
