"""An archive for the tests of related links, filled without the archive's own flow."""

import html
import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from publisher.archive.model import ArticleId, ArticleState
from publisher.archive.tables import article, article_change
from publisher.database import Database
from publisher.related import store
from publisher.related.flow import relate_due
from publisher.related.model import Related
from publisher.related.sense import Embed, nothing

TUESDAY = datetime(2026, 6, 2, 8, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What a test says of an article; the rest is filled in."""

    title: str
    text: str = ""
    language: str = "en"
    state: ArticleState = ArticleState.PUBLISHED
    published_at: datetime = TUESDAY
    teasers: Sequence[dict[str, str]] = ()
    slug: str = ""
    canonical_url: str = ""
    body: dict[str, Any] = field(default_factory=dict)


def clock() -> datetime:
    return TUESDAY


def archive(database: Database, pieces: Iterable[Piece]) -> list[ArticleId]:
    """Put articles into the archive and note the changes, as one commit."""
    rows = [row_of(piece) for piece in pieces]
    with database.transaction() as connection:
        if rows:
            connection.execute(sa.insert(article), rows)
        uris = [row["uri"] for row in rows]
        known = {row.uri: row.id for row in connection.execute(sa.select(article.c.uri, article.c.id))}
        ids = [ArticleId(known[uri]) for uri in uris]
        note(connection, *ids)
    return ids


def revise(database: Database, article_id: ArticleId, **values: Any) -> None:
    """Change columns of an article, its state among them, and note the change."""
    with database.transaction() as connection:
        connection.execute(sa.update(article).where(article.c.id == article_id).values(**values))
        note(connection, article_id)


def note(connection: sa.Connection, *ids: ArticleId) -> None:
    rows = [{"article_id": each, "at": TUESDAY} for each in ids]
    if rows:
        connection.execute(sa.insert(article_change), rows)


def body(text: str, teasers: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in text.split("\n") if line)
    return {"sections": [{"heading": "", "html": paragraphs}], "guide": None, "teasers": list(teasers)}


def teaser(title: str, url: str = "") -> dict[str, str]:
    return {"title": title, "summary": "", "url": url}


def related(database: Database, article_id: ArticleId, *, at_most: int = 3) -> tuple[Related, ...]:
    with database.reading() as connection:
        return store.links_of(connection, [article_id], at_most=at_most)[article_id]


def relate(database: Database, embed: Embed = nothing) -> None:
    relate_due(database, clock, embed)


def targets(database: Database, article_id: ArticleId, *, at_most: int = 3) -> list[ArticleId]:
    """Return what an article links to, in order."""
    return [link.lead.id for link in related(database, article_id, at_most=at_most)]


def row_of(piece: Piece) -> dict[str, Any]:
    number = f"{os.getpid()}-{next(_numbers)}"  # a benchmark fills one archive from two processes
    return {
        "identity": f"test:{number}",
        "uri": f"tag:news.example,2026:{number}",
        "slug": piece.slug or f"article-{number}",
        "state": piece.state,
        "title": piece.title,
        "summary": f"Summary of {piece.title}",
        "language": piece.language,
        "image": None,
        "importance": 3,
        "canonical_url": piece.canonical_url,
        "external_id": "",
        "published_at": piece.published_at,
        "updated_at": piece.published_at,
        "revision": 1,
        "content_hash": number,
        "body": piece.body or body(piece.text, piece.teasers),
        "accepted_at": piece.published_at,
    }
