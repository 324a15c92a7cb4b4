from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from publisher.archive.model import Article, ArticleId, ArticleState, Author, Change, ChangeSeq, Lead, Topic
from publisher.archive.tables import (
    article,
    article_author,
    article_change,
    article_topic,
    author,
    former_slug,
    topic,
)
from publisher.database import Instant
from publisher.intake.model import Image, Section, Teaser
from publisher.intake.tables import submission

_images = TypeAdapter(Image | None)
_sections = TypeAdapter(tuple[Section, ...])
_guides = TypeAdapter(Section | None)
_teasers = TypeAdapter(tuple[Teaser, ...])

FEW = 4_000
"""Articles of one origin; so many can be looked up by name."""
FEW_OF_A_TOPIC = 200
LEAD_COLUMNS = [column for column in article.c if column.name not in {"body", "content_hash", "accepted_at"}]


def articles(connection: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Article]:
    """Return whole articles by id, in the order asked for; unknown ids are left out."""
    wanted = list(dict.fromkeys(ids))
    rows = connection.execute(sa.select(article).where(article.c.id.in_(wanted))).all()
    authors, topics = _authors(connection, wanted), _topics(connection, wanted)
    found = {
        ArticleId(row.id): Article(
            **_lead_values(row, authors, topics),
            sections=_sections.validate_python(row.body["sections"]),
            guide=_guides.validate_python(row.body["guide"]),
            teasers=_teasers.validate_python(row.body["teasers"]),
        )
        for row in rows
    }
    return {each: found[each] for each in wanted if each in found}


def leads(connection: Connection, ids: Iterable[ArticleId]) -> dict[ArticleId, Lead]:
    """Return leads by id, in the order asked for; unknown ids are left out."""
    wanted = list(dict.fromkeys(ids))
    found = {lead.id: lead for lead in _leads(connection, sa.select(*LEAD_COLUMNS).where(article.c.id.in_(wanted)))}
    return {each: found[each] for each in wanted if each in found}


def listed(
    connection: Connection,
    *,
    at_most: int,
    state: ArticleState | None = ArticleState.PUBLISHED,
    topic_slug: str = "",
    author_slug: str = "",
    language: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    origin: str = "",
    among: Collection[ArticleId] | None = None,
    after: tuple[datetime, ArticleId] | None = None,
) -> list[Lead]:
    """
    Return leads, newest first.

    Args:
        connection: Where to read.
        at_most: How many.
        state: Only articles in this state; None: all.
        topic_slug: Only articles of this topic.
        author_slug: Only articles of this author.
        language: Only articles in this language.
        since: Published at this instant or later.
        until: Published before this instant.
        origin: Only articles that came from there: `desk`, `api`, `cli`, or a source such as `source:7`.
        among: Only these.
        after: Continue after the article with this `published_at` and id: keyset paging.

    """
    wanted = sa.select(*LEAD_COLUMNS).order_by(article.c.published_at.desc(), article.c.id.desc()).limit(at_most)
    if topic_slug:
        wanted = wanted.where(_has_topic(connection, topic_slug))
    if author_slug:
        ids = sa.select(article_author.c.article_id).join(author).where(author.c.slug == author_slug)
        wanted = wanted.where(article.c.id.in_(ids))
    if language:
        wanted = wanted.where(article.c.language == language)
    if since is not None:
        wanted = wanted.where(article.c.published_at >= since)
    if until is not None:
        wanted = wanted.where(article.c.published_at < until)
    if origin:
        wanted = wanted.where(_came_from(connection, origin))
    if among is not None:
        wanted = wanted.where(article.c.id.in_(among))
    if after is not None:
        at, last = sa.literal(after[0], article.c.published_at.type), after[1]
        wanted = wanted.where(sa.tuple_(article.c.published_at, article.c.id) < sa.tuple_(at, sa.literal(last)))
    if state is not None:
        return _leads(connection, wanted.where(article.c.state == state))
    # State by state, for so each is found in the order of its index; together they would all have to be sorted.
    found = [lead for each in ArticleState for lead in _leads(connection, wanted.where(article.c.state == each))]
    return sorted(found, key=lambda each: (each.published_at, each.id), reverse=True)[:at_most]


def _has_topic(connection: Connection, topic_slug: str) -> sa.ColumnElement[bool]:
    """Return what is true of articles of a topic; a few are named, or PostgreSQL would look at every article."""
    theirs = sa.select(article_topic.c.article_id).join(topic).where(topic.c.slug == topic_slug)
    some = list(connection.scalars(theirs.limit(FEW_OF_A_TOPIC + 1)))
    return article.c.id.in_(some if len(some) <= FEW_OF_A_TOPIC else theirs)


def _came_from(connection: Connection, origin: str) -> sa.ColumnElement[bool]:
    """Return what is true of articles from an origin: of a few they are named, of many each article is looked at."""
    theirs = sa.select(submission.c.identity).where(submission.c.origin == origin)
    some = list(connection.scalars(theirs.limit(FEW + 1)))
    if len(some) <= FEW:
        return article.c.identity.in_(set(some))
    return theirs.where(submission.c.identity == article.c.identity).exists()


def visible(connection: Connection, ids: Iterable[ArticleId]) -> set[ArticleId]:
    """Return which of these articles are published at this moment."""
    # Not "AND state = 'published'": SQLite would go through all that are published.
    rows = connection.execute(sa.select(article.c.id, article.c.state).where(article.c.id.in_(list(ids))))
    return {ArticleId(row.id) for row in rows if row.state == ArticleState.PUBLISHED}


def guided(connection: Connection, ids: Iterable[ArticleId]) -> set[ArticleId]:
    """Return which of these articles have a guide section."""
    rows = connection.execute(sa.select(article.c.id, article.c.body["guide"]).where(article.c.id.in_(list(ids))))
    return {ArticleId(row[0]) for row in rows if row[1]}


def by_slug(connection: Connection, slug: str) -> Article | None:
    """Return the article at a slug, in whatever state; a former slug finds the article too."""
    found = connection.scalar(sa.select(article.c.id).where(article.c.slug == slug))
    if found is None:
        found = connection.scalar(sa.select(former_slug.c.article_id).where(former_slug.c.slug == slug))
    return None if found is None else articles(connection, [ArticleId(found)])[ArticleId(found)]


def topics_in_use(connection: Connection) -> list[tuple[Topic, int]]:
    """Return every topic that has a published article, with their number, most first."""
    return [(Topic(slug=row.slug, name=row.name), row.number) for row in _in_use(connection, topic, article_topic)]


def authors_in_use(connection: Connection) -> list[tuple[Author, int]]:
    """Return every author who has a published article, with their number, most first."""
    return [(Author(slug=row.slug, name=row.name), row.number) for row in _in_use(connection, author, article_author)]


def languages_in_use(connection: Connection) -> list[tuple[str, int]]:
    """Return every language that has a published article, with their number, most first."""
    number = sa.func.count().label("number")
    rows = connection.execute(
        sa.select(article.c.language, number)
        .where(article.c.state == ArticleState.PUBLISHED)
        .group_by(article.c.language)
        .order_by(number.desc(), article.c.language)
    )
    return [(row.language, row.number) for row in rows]


def topic_named(connection: Connection, slug: str) -> Topic | None:
    found = connection.execute(sa.select(topic.c.slug, topic.c.name).where(topic.c.slug == slug)).first()
    return Topic(slug=found.slug, name=found.name) if found else None


def author_named(connection: Connection, slug: str) -> Author | None:
    found = connection.execute(sa.select(author.c.slug, author.c.name).where(author.c.slug == slug)).first()
    return Author(slug=found.slug, name=found.name) if found else None


def changes(connection: Connection, *, after: int, at_most: int, up_to: int | None = None) -> list[Change]:
    """Return what happened after a place in the archive's changes, oldest first."""
    wanted = sa.select(article_change).where(article_change.c.seq > after)
    if up_to is not None:
        wanted = wanted.where(article_change.c.seq <= up_to)
    rows = connection.execute(wanted.order_by(article_change.c.seq).limit(at_most))
    return [Change(seq=ChangeSeq(row.seq), article_id=ArticleId(row.article_id), at=row.at) for row in rows]


def changed_at(connection: Connection, ids: Collection[ArticleId]) -> datetime | None:
    """Return when one of these articles changed last; None: they never did."""
    found: datetime | None = connection.scalar(
        sa.select(sa.func.max(article_change.c.at, type_=Instant)).where(article_change.c.article_id.in_(ids))
    )
    return found


def last_change(connection: Connection) -> int:
    """Return the place of the newest change; 0 in an empty archive."""
    return connection.scalar(sa.select(sa.func.max(article_change.c.seq))) or 0


def _leads(connection: Connection, wanted: sa.Select[Any]) -> list[Lead]:
    rows = connection.execute(wanted).all()
    ids = [ArticleId(row.id) for row in rows]
    authors, topics = _authors(connection, ids), _topics(connection, ids)
    return [Lead(**_lead_values(row, authors, topics)) for row in rows]


def _lead_values(
    row: Any, authors: dict[ArticleId, tuple[Author, ...]], topics: dict[ArticleId, tuple[Topic, ...]]
) -> dict[str, Any]:
    return {
        "id": ArticleId(row.id),
        "uri": row.uri,
        "slug": row.slug,
        "state": ArticleState(row.state),
        "title": row.title,
        "summary": row.summary,
        "language": row.language,
        "authors": authors.get(ArticleId(row.id), ()),
        "topics": topics.get(ArticleId(row.id), ()),
        "image": _images.validate_python(row.image),
        "importance": row.importance,
        "canonical_url": row.canonical_url,
        "published_at": row.published_at,
        "updated_at": row.updated_at,
        "revision": row.revision,
        "external_id": row.external_id,
    }


def _authors(connection: Connection, ids: Sequence[ArticleId]) -> dict[ArticleId, tuple[Author, ...]]:
    found: dict[ArticleId, tuple[Author, ...]] = defaultdict(tuple)
    for row in _joined(connection, author, article_author, ids):
        found[ArticleId(row.article_id)] += (Author(slug=row.slug, name=row.name),)
    return found


def _topics(connection: Connection, ids: Sequence[ArticleId]) -> dict[ArticleId, tuple[Topic, ...]]:
    found: dict[ArticleId, tuple[Topic, ...]] = defaultdict(tuple)
    for row in _joined(connection, topic, article_topic, ids):
        found[ArticleId(row.article_id)] += (Topic(slug=row.slug, name=row.name),)
    return found


def _joined(connection: Connection, named: sa.Table, link: sa.Table, ids: Sequence[ArticleId]) -> sa.CursorResult[Any]:
    return connection.execute(
        sa.select(link.c.article_id, named.c.slug, named.c.name)
        .select_from(link.join(named))
        .where(link.c.article_id.in_(ids))
        .order_by(link.c.article_id, link.c.position)
    )


def _in_use(connection: Connection, named: sa.Table, link: sa.Table) -> sa.CursorResult[Any]:
    number = sa.func.count().label("number")
    return connection.execute(
        sa.select(named.c.slug, named.c.name, number)
        .select_from(named.join(link).join(article, article.c.id == link.c.article_id))
        .where(article.c.state == ArticleState.PUBLISHED)
        .group_by(named.c.slug, named.c.name)
        .order_by(number.desc(), named.c.name)
    )
