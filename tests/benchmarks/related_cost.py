"""
What related links cost a worker in a filled archive: a process of its own, so that its memory is its own.

    python -m tests.benchmarks.related_cost DATABASE-URL
"""

import sys
from functools import partial

import psutil
import sqlalchemy as sa

from publisher.archive.model import ArticleId
from publisher.archive.tables import article
from publisher.database import Database
from publisher.related import rules, store
from publisher.related.index import index
from publisher.related.model import Work
from publisher.related.saving import save
from publisher.related.sense import PACKAGED, embedder
from tests.benchmarks.bench_related import all_texts, recombined, report, timed
from tests.related.newsroom import Piece, note, relate, row_of

NEW = 200
WARM = 20


def main() -> None:
    database = Database(sys.argv[1])
    made = recombined(all_texts(), NEW + WARM, seed=11)
    relate(database)
    base_mb = _memory_mb()
    for _ in range(WARM):
        _hand_in(database, next(made))
        relate(database)
    looked_up, written, alone = list[float](), list[float](), list[float]()
    for place in range(NEW):
        article_id = _hand_in(database, next(made))
        if place % 2:
            alone.append(timed(partial(relate, database)))
            continue
        looked_up.append(timed(partial(_top_three, database, article_id)))
        written.append(timed(partial(_write, database, article_id)))
        relate(database)
    report("top 3 for a new article, text and all", looked_up)
    report("indexing it, committed", written)
    report("the whole step: indexed, linked, others re-linked", alone)
    print(f"  memory of the worker             {_memory_mb() - base_mb:5.0f} MB above its base of {base_mb:.0f} MB")
    _report_model(database, article_id)
    print(f"last {article_id}")


def _report_model(database: Database, article_id: ArticleId) -> None:
    """Tell what the optional sentence model adds for each article, and to the worker's memory."""
    before_mb = _memory_mb()
    embed = embedder(PACKAGED)
    with database.reading() as connection:
        text = store.texts(connection, [article_id])[article_id]
    report("with a sentence model: embedding one, more", [timed(partial(embed, text)) for _ in range(NEW)])
    print(f"  and memory of the worker         {_memory_mb() - before_mb:5.0f} MB more")


def _hand_in(database: Database, piece: Piece) -> ArticleId:
    with database.transaction() as connection:
        added = connection.execute(sa.insert(article).returning(article.c.id), row_of(piece)).scalar_one()
        note(connection, ArticleId(added))
    return ArticleId(added)


def _top_three(database: Database, article_id: ArticleId) -> None:
    """Choose the links of an article that nobody has seen before, as the stage does."""
    with database.reading() as connection:
        (entry,) = index(connection, list(store.texts(connection, [article_id]).values()), counted=())
        found = store.candidates(connection, entry.asked, at_most=rules.CANDIDATES)
        alike = rules.matches(entry.profile, store.profiles(connection, found).values())
        rules.choose(entry.profile, alike)[: rules.SHOWN]


def _write(database: Database, article_id: ArticleId) -> None:
    """Read an article and make it findable, in one commit; the stage then has nothing left to do for it."""
    with database.reading() as connection:
        entries = index(connection, list(store.texts(connection, [article_id]).values()), counted=())
    with database.transaction() as connection:
        save(connection, Work(entries=entries))


def _memory_mb() -> float:
    return float(psutil.Process().memory_full_info().pss) / 1e6


if __name__ == "__main__":
    main()
