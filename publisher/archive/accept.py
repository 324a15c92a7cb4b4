"""How the archive takes a submission in: what it writes, and nothing that it reads for others."""

import string
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from slugify import slugify
from sqlalchemy.engine import Connection

from publisher import words
from publisher.archive import search
from publisher.archive.model import DEFAULT_IMPORTANCE, ArticleId, ArticleState
from publisher.archive.tables import (
    article,
    article_author,
    article_change,
    article_revision,
    article_topic,
    author,
    former_slug,
    topic,
)
from publisher.database import insert_or_ignore
from publisher.intake.model import Draft
from publisher.intake.store import Submission
from publisher.markup import text_of

SLUG_AT_MOST = 80
SUMMARY_AT_MOST = 200
SUBSTANCE = ("title", "summary", "sections", "guide")
"""What a reader reads; an edit of anything else is a revision that does not move `updated_at`."""

# Put together once, for a batch of articles runs each of them for every one.
_KNOWN = sa.select(article).where(article.c.identity == sa.bindparam("identity"))
_ADD = sa.insert(article).returning(article.c.id)
_KEEP_REVISION = sa.insert(article_revision)
_NOTE_CHANGE = sa.insert(article_change)
_IS_TAKEN = sa.select(
    sa.or_(
        sa.exists().where(article.c.slug == sa.bindparam("slug")),
        sa.exists().where(former_slug.c.slug == sa.bindparam("slug")),
    )
)


class Acceptance(StrEnum):
    """What a submission became."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """One submission's ending."""

    article_id: ArticleId
    slug: str
    state: ArticleState
    acceptance: Acceptance


def accept(connection: Connection, submission: Submission, *, domain: str, now: datetime) -> Accepted:
    """Take one submission in: a new article, a revision of a known one, or nothing new."""
    known = connection.execute(_KNOWN, {"identity": submission.identity}).first()
    if known is None:
        return _add(connection, submission, domain=domain, now=now)
    if known.content_hash == submission.content_hash and not _embargo_moved(known, submission.draft):
        return _ending(known, Acceptance.UNCHANGED)
    return _revise(connection, known, submission, now=now)


def note_change(connection: Connection, article_id: ArticleId, now: datetime) -> None:
    """Tell the stages after the archive; the caller holds the archive's turn (see flow)."""
    connection.execute(_NOTE_CHANGE, {"article_id": article_id, "at": now})


def _add(connection: Connection, submission: Submission, *, domain: str, now: datetime) -> Accepted:
    draft = submission.draft
    visible_at = _visible_at(draft, now)
    state = ArticleState.EMBARGOED if visible_at > now else ArticleState.PUBLISHED
    published_at = draft.published_at or draft.publish_at or submission.received_at
    if state is ArticleState.EMBARGOED:
        published_at = visible_at
    slug = _free_slug(connection, draft.slug or draft.title)
    text = plain_text(draft)
    values = _values(submission, text) | {
        "identity": submission.identity,
        "uri": f"tag:{domain},{now:%Y-%m-%d}:article/{uuid.uuid4().hex}",
        "slug": slug,
        "state": state,
        "published_at": published_at,
        "updated_at": published_at,
        "revision": 1,
        "external_id": draft.external_id,
        "accepted_at": now,
    }
    article_id = ArticleId(connection.execute(_ADD, values).scalar_one())
    _write_around(connection, article_id, submission, text, revision=1, now=now)
    if state is ArticleState.PUBLISHED:
        note_change(connection, article_id, now)
    return Accepted(article_id=article_id, slug=slug, state=state, acceptance=Acceptance.NEW)


def _revise(connection: Connection, known: Any, submission: Submission, *, now: datetime) -> Accepted:
    draft = submission.draft
    article_id = ArticleId(known.id)
    text = plain_text(draft)
    values = _values(submission, text) | {"revision": known.revision + 1}
    state = ArticleState(known.state)
    if state is ArticleState.EMBARGOED:
        visible_at = _visible_at(draft, now)
        state = ArticleState.EMBARGOED if visible_at > now else ArticleState.PUBLISHED
        values |= {"state": state, "published_at": visible_at, "updated_at": visible_at}
    elif _substance_moved(known, values):
        values["updated_at"] = max(now, known.updated_at)
    if draft.slug and slugify(draft.slug, max_length=SLUG_AT_MOST) != known.slug:
        values["slug"] = _free_slug(connection, draft.slug, own=article_id)
        connection.execute(insert_or_ignore(connection, former_slug).values(slug=known.slug, article_id=article_id))
    connection.execute(sa.update(article).where(article.c.id == article_id).values(values))
    _write_around(connection, article_id, submission, text, revision=known.revision + 1, now=now)
    if state is not ArticleState.EMBARGOED:
        note_change(connection, article_id, now)
    slug = values.get("slug", known.slug)
    return Accepted(article_id=article_id, slug=slug, state=state, acceptance=Acceptance.REVISED)


def _values(submission: Submission, text: str) -> dict[str, Any]:
    draft, plain = submission.draft, submission.plain
    return {
        "title": draft.title,
        "summary": draft.summary or _made_summary(draft),
        "language": draft.language or words.detect_language(f"{draft.title} {text}"),
        "image": plain["image"],
        "importance": draft.importance or DEFAULT_IMPORTANCE,
        "canonical_url": draft.canonical_url,
        "content_hash": submission.content_hash,
        "body": {"sections": plain["sections"], "guide": plain["guide"], "teasers": plain["teasers"]},
    }


def _substance_moved(known: Any, values: dict[str, Any]) -> bool:
    before = {"title": known.title, "summary": known.summary, **known.body}
    after = {"title": values["title"], "summary": values["summary"], **values["body"]}
    return any(before[part] != after[part] for part in SUBSTANCE)


def _visible_at(draft: Draft, now: datetime) -> datetime:
    """A publication date in the future is an embargo too: nobody dates an article ahead to show it now."""
    return max(filter(None, (draft.publish_at, draft.published_at)), default=now)


def _embargo_moved(known: Any, draft: Draft) -> bool:
    if known.state != ArticleState.EMBARGOED:
        return False
    return bool(draft.publish_at or draft.published_at) and _visible_at(draft, known.published_at) != known.published_at


def _made_summary(draft: Draft) -> str:
    for section in draft.sections:
        text = text_of(section.html)
        if text:
            return words.first_sentences(text, SUMMARY_AT_MOST)
    return ""


def plain_text(draft: Draft) -> str:
    """Return all that a reader reads below the title, as plain text."""
    parts = (*draft.sections, draft.guide) if draft.guide else draft.sections
    return "\n".join(f"{part.heading}\n{text_of(part.html)}" for part in parts)


def _free_slug(connection: Connection, wish: str, own: ArticleId | None = None) -> str:
    """Return a slug that no article has or had; the second of the same name ends in -2."""
    stem = slugify(wish, max_length=SLUG_AT_MOST, word_boundary=True) or "article"
    if own is None and not connection.scalar(_IS_TAKEN, {"slug": stem}):
        return stem
    like = f"{stem}%"
    current = sa.select(article.c.slug).where(article.c.slug.like(like), article.c.id != (own or 0))
    former = sa.select(former_slug.c.slug).where(former_slug.c.slug.like(like), former_slug.c.article_id != (own or 0))
    return _first_free(stem, set(connection.scalars(current)) | set(connection.scalars(former)))


def _first_free(stem: str, taken: set[str]) -> str:
    if stem not in taken:
        return stem
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def _write_around(
    connection: Connection, article_id: ArticleId, submission: Submission, text: str, *, revision: int, now: datetime
) -> None:
    draft = submission.draft
    kept = {"article_id": article_id, "revision": revision, "draft": submission.plain, "at": now}
    connection.execute(_KEEP_REVISION, kept)
    if revision > 1:
        for table in (article_author, article_topic):
            connection.execute(sa.delete(table).where(table.c.article_id == article_id))
    _link(connection, article_id, article_author, "author_id", [_author(connection, name) for name in draft.authors])
    _link(connection, article_id, article_topic, "topic_id", [_topic(connection, name) for name in draft.topics])
    search.put(connection, article_id, f"{draft.title}\n{draft.summary}\n{text}\n{' '.join(draft.authors)}")


def _link(connection: Connection, article_id: ArticleId, table: sa.Table, column: str, ids: Sequence[int]) -> None:
    rows = [
        {"article_id": article_id, "position": position, column: each}
        for position, each in enumerate(dict.fromkeys(ids))
    ]
    if rows:
        connection.execute(sa.insert(table), rows)


def _author(connection: Connection, name: str) -> int:
    found = connection.scalar(sa.select(author.c.id).where(author.c.name == name))
    if found is not None:
        return int(found)
    stem = slugify(name, max_length=SLUG_AT_MOST) or "author"
    taken = set(connection.scalars(sa.select(author.c.slug).where(author.c.slug.like(f"{stem}%"))))
    added = sa.insert(author).values(slug=_first_free(stem, taken), name=name).returning(author.c.id)
    return int(connection.execute(added).scalar_one())


def _topic(connection: Connection, name: str) -> int:
    """Return a topic's id; "Street Food", "street food" and "street-food" are one topic."""
    slug = slugify(name, max_length=SLUG_AT_MOST) or "topic"
    found = connection.scalar(sa.select(topic.c.id).where(topic.c.slug == slug))
    if found is not None:
        return int(found)
    shown = string.capwords(name.replace("-", " ")) if name == slug else name
    added = sa.insert(topic).values(slug=slug, name=shown).returning(topic.c.id)
    return int(connection.execute(added).scalar_one())


def _ending(known: Any, acceptance: Acceptance) -> Accepted:
    return Accepted(
        article_id=ArticleId(known.id), slug=known.slug, state=ArticleState(known.state), acceptance=acceptance
    )
