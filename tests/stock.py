"""A large archive for tests and benchmarks, put into the tables at once instead of handed in."""

import random
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive.model import ArticleState
from publisher.archive.tables import article, article_author, article_change, article_topic, author, topic
from publisher.database import Database
from publisher.turn import stage_turn

AT_ONCE = 2_000
WORDS_EACH = 80
SYLLABLES = ("ba", "de", "fi", "go", "hu", "ja", "ke", "li", "mo", "nu", "pa", "re", "si", "to", "vu")
WORDS = [f"{a}{b}{c}".strip() for a in SYLLABLES for b in SYLLABLES for c in ("", *SYLLABLES)]
"""Made up; they pack about as well as words that mean something."""
WEIGHTS = [1 / place for place in range(1, len(WORDS) + 1)]
"""The commonest word is twice as common as the second, as in any language (Zipf)."""


def stock(
    database: Database,
    number: int,
    *,
    newest_at: datetime,
    topics: int = 20,
    topics_each: int = 2,
    authors: int = 10,
    paragraphs: int = 4,
    first: int = 1,
) -> None:
    """
    Fill the archive with published articles, a minute apart, as if they had just been accepted.

    Args:
        database: With all tables, and none of these articles.
        number: Of articles.
        newest_at: When the last one was published.
        topics: How many there are; the articles have them in turn.
        topics_each: How many each article has.
        authors: How many there are.
        paragraphs: How long an article is; each has some 500 bytes.
        first: Id of the first article.

    """
    last = first + number - 1
    with database.transaction() as connection:
        if first == 1:
            connection.execute(sa.insert(topic), [_named("topic", each) for each in range(1, topics + 1)])
            connection.execute(sa.insert(author), [_named("author", each) for each in range(1, authors + 1)])
    for start in range(first, last + 1, AT_ONCE):
        ids = range(start, min(start + AT_ONCE, last + 1))
        about = [
            {"article_id": each, "position": place, "topic_id": (each * topics_each + place) % topics + 1}
            for each in ids
            for place in range(topics_each)
        ]
        by = [{"article_id": each, "position": 0, "author_id": each % authors + 1} for each in ids]
        with database.transaction() as connection:
            rows = [_article(each, newest_at - timedelta(minutes=last - each), paragraphs) for each in ids]
            connection.execute(sa.insert(article), rows)
            connection.execute(sa.insert(article_topic), about)
            connection.execute(sa.insert(article_author), by)
            connection.execute(sa.insert(article_change), [{"article_id": each, "at": newest_at} for each in ids])


def related_up_to_now(connection: Connection) -> None:
    """Let the stage after the archive have nothing more to do, for a test of the stages behind it."""
    newest = connection.execute(sa.select(sa.func.max(article_change.c.seq))).scalar_one()
    connection.execute(sa.delete(stage_turn).where(stage_turn.c.stage == "relate"))
    connection.execute(sa.insert(stage_turn).values(stage="relate", seq=newest, rung_again=False))


def _article(number: int, at: datetime, paragraphs: int) -> dict[str, Any]:
    chance = random.Random(number)
    texts = (" ".join(chance.choices(WORDS, WEIGHTS, k=WORDS_EACH)) for _ in range(paragraphs))
    html = "\n".join(f"<p>{text.capitalize()}.</p>" for text in texts)
    return {
        "id": number,
        "identity": f"stock:{number}",
        "uri": f"tag:news.example,2026:article/{number}",
        "slug": f"article-{number}",
        "state": ArticleState.PUBLISHED,
        "title": f"Article {number} from the archive",
        "summary": f"What article {number} says in one sentence.",
        "language": "en",
        "image": None,
        "importance": 3,
        "canonical_url": "",
        "external_id": str(number),
        "published_at": at,
        "updated_at": at,
        "revision": 1,
        "content_hash": str(number),
        "body": {"sections": [{"heading": "", "html": html}], "guide": None, "teasers": []},
        "accepted_at": at,
    }


def _named(kind: str, number: int) -> dict[str, Any]:
    return {"id": number, "slug": f"{kind}-{number}", "name": f"{kind.capitalize()} {number}"}
