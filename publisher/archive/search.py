"""
Full-text search over the archive, in either database, by the same tokens.

Our own tokens (stemmed words, Hangul as character pairs) go into the database's index as
ready words, so that SQLite and PostgreSQL find the same articles.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import words
from publisher.archive.model import ArticleId, ArticleState
from publisher.database import metadata

SQLITE = "CREATE VIRTUAL TABLE IF NOT EXISTS article_search USING fts5(tokens)"
POSTGRESQL = (
    "CREATE TABLE IF NOT EXISTS article_search (article_id bigint PRIMARY KEY, tokens tsvector NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ix_article_search_tokens ON article_search USING gin (tokens)",
)
QUERY_TOKENS_AT_MOST = 24


def create(connection: Connection) -> None:
    """Make the index; part of the first migration."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text(SQLITE))
        return
    for statement in POSTGRESQL:
        connection.execute(sa.text(statement))


@sa.event.listens_for(metadata, "after_create")
def _create(_target: sa.MetaData, connection: Connection, **_options: object) -> None:
    create(connection)


def put(connection: Connection, article_id: ArticleId, text: str) -> None:
    """Make an article findable by a text, instead of any text before."""
    tokens = " ".join(words.tokens(text))
    if connection.dialect.name == "sqlite":
        connection.execute(_DELETE_SQLITE, {"id": article_id})
        connection.execute(_PUT_SQLITE, {"id": article_id, "tokens": tokens})
    else:
        connection.execute(_PUT_POSTGRESQL, {"id": article_id, "tokens": tokens})


def find(
    connection: Connection,
    query: str,
    *,
    at_most: int,
    offset: int = 0,
    states: Collection[ArticleState] = (ArticleState.PUBLISHED,),
) -> list[ArticleId]:
    """Return articles in these states that hold every word of the query, best first."""
    tokens = list(dict.fromkeys(words.tokens(query)))[:QUERY_TOKENS_AT_MOST]
    if not tokens:
        return []
    sqlite = connection.dialect.name == "sqlite"
    wanted = " ".join(f'"{token}"' for token in tokens) if sqlite else " & ".join(f"'{token}'" for token in tokens)
    statement = sa.text(_FIND_SQLITE if sqlite else _FIND_POSTGRESQL)
    rows = connection.execute(
        statement.bindparams(sa.bindparam("states", expanding=True)),
        {"query": wanted, "states": sorted(states), "at_most": at_most, "offset": offset},
    )
    return [ArticleId(row[0]) for row in rows]


_DELETE_SQLITE = sa.text("DELETE FROM article_search WHERE rowid = :id")
_PUT_SQLITE = sa.text("INSERT INTO article_search (rowid, tokens) VALUES (:id, :tokens)")
_PUT_POSTGRESQL = sa.text(
    "INSERT INTO article_search VALUES (:id, to_tsvector('simple', :tokens))"
    " ON CONFLICT (article_id) DO UPDATE SET tokens = excluded.tokens"
)
_FIND_SQLITE = """
    SELECT article.id FROM article_search JOIN article ON article.id = article_search.rowid
    WHERE article_search MATCH :query AND article.state IN :states
    ORDER BY article_search.rank, article.published_at DESC LIMIT :at_most OFFSET :offset
"""
_FIND_POSTGRESQL = """
    SELECT article.id FROM article_search JOIN article ON article.id = article_search.article_id
    WHERE article_search.tokens @@ to_tsquery('simple', :query) AND article.state IN :states
    ORDER BY ts_rank(article_search.tokens, to_tsquery('simple', :query)) DESC, article.published_at DESC
    LIMIT :at_most OFFSET :offset
"""
