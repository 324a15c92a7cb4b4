import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState
from publisher.archive.tables import article
from publisher.intake.model import Teaser
from publisher.markup import text_of
from publisher.related import given, reasons, signatures, teasers
from publisher.related.model import Choice, Frequency, Known, Link, Origin, Profile, Reason, Related, Text
from publisher.related.rules import NAMED_SCORE, SHOWN
from publisher.related.tables import (
    related_choice,
    related_link,
    related_name,
    related_signature,
    related_teaser,
    term_frequency,
)

BODY_CHARS = 100_000
"""No more of an article is read: a whole book handed in must not hold up the newsroom."""

AFFECTED = 100
"""Older articles that may choose again in one step because a link fell away or a teaser found its article."""

_FIND = """
    SELECT posting.article_id FROM {asked} JOIN posting ON posting.term = {term}
    GROUP BY posting.article_id
    ORDER BY sum(posting.weight * {weight}) DESC, posting.article_id DESC LIMIT :at_most
"""
_FIND_SQLITE = sa.text(
    _FIND.format(asked="json_each(:terms) AS asked", term="CAST(asked.key AS INTEGER)", weight="asked.value")
)
_FIND_POSTGRESQL = sa.text(
    _FIND.format(
        asked="unnest(CAST(:terms AS integer[]), CAST(:weights AS integer[])) AS asked (term, weight)",
        term="asked.term",
        weight="asked.weight",
    )
)


def links_of(
    connection: Connection, article_ids: Iterable[ArticleId], *, at_most: int = SHOWN
) -> dict[ArticleId, tuple[Related, ...]]:
    """
    Return the related links of articles, best first; an article without any has an empty tuple.

    Only to what is published at this moment; what an editor pinned comes first, what he banned never.
    """
    wanted = list(dict.fromkeys(article_ids))
    found = _shown(connection, wanted, at_most)
    leads = archive.leads(connection, {link.target_id for links in found.values() for link in links})
    return {
        each: tuple(
            Related(lead=leads[link.target_id], origin=link.origin, reason=reasons.sentence(link.reason, link.origin))
            for link in found[each]
        )
        for each in wanted
    }


def texts(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, Text]:
    """Return what is to be read of articles; only of published ones."""
    rows = given.read(connection, _texts, (article.c.id,), _rows(ids))
    return {ArticleId(row.id): _text(row) for row in rows if row.state == ArticleState.PUBLISHED}


def known(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, Known]:
    """Return what was noted of articles when they were last related."""
    return {
        ArticleId(row.article_id): Known(
            digest=row.digest, posted=signatures.unpack_signature(row.signature).terms[: row.posted]
        )
        for row in given.read(connection, _known, (related_signature.c.article_id,), _rows(ids))
    }


def frequencies(connection: Connection, terms: Collection[int]) -> dict[int, Frequency]:
    rows = given.read(connection, _frequencies, (term_frequency.c.term,), _rows(terms))
    return {term: Frequency(articles=articles, posted=posted) for term, articles, posted in rows}


def candidates(connection: Connection, terms: Mapping[int, int], *, at_most: int) -> list[ArticleId]:
    """Return the articles that share most of the weight of these terms among their posted ones."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(_FIND_SQLITE, {"terms": json.dumps(terms), "at_most": at_most})
    else:
        asked = {"terms": list(terms), "weights": list(terms.values()), "at_most": at_most}
        rows = connection.execute(_FIND_POSTGRESQL, asked)
    return [ArticleId(each) for each in rows.scalars()]


def profiles(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, Profile]:
    """Return the profiles of those among the articles that may be linked to: published when last related."""
    return {
        ArticleId(each): Profile(
            id=ArticleId(each),
            language=language,
            published_at=published_at,
            signature=signatures.unpack_signature(signature),
            packed_sketch=sketch,
            embedding=signatures.unpack_embedding(embedding),
        )
        for each, language, published_at, signature, sketch, embedding in given.read(
            connection, _profiles, (related_signature.c.article_id,), _rows(ids)
        )
    }


def links(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, tuple[Link, ...]]:
    """Return the stored links of articles, in their order."""
    found: dict[ArticleId, tuple[Link, ...]] = dict.fromkeys(ids, ())
    for row in given.read(connection, _links, (related_link.c.article_id,), _rows(ids)):
        found[ArticleId(row.article_id)] += (_link(row),)
    return found


def weakest(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, float]:
    """Return the lowest score among an article's first links, for those who have as many as are shown."""
    rows = given.read(connection, _weakest, (related_link.c.article_id,), _rows(ids))
    return {ArticleId(each): score for each, score in rows}


def linkers(connection: Connection, target_ids: Collection[ArticleId]) -> list[ArticleId]:
    """Return the newest articles that link to one of these."""
    rows = given.read(connection, _linkers, (related_link.c.target_id,), _rows(target_ids))
    return [ArticleId(each) for (each,) in rows]


def named(connection: Connection, keys: Collection[int]) -> list[tuple[int, ArticleId]]:
    """Return which articles have these keys for names."""
    rows = given.read(connection, _named, (related_name.c.key,), _rows(keys))
    return [(key, ArticleId(each)) for key, each in rows]


def namers(connection: Connection, keys: Collection[int]) -> list[tuple[int, ArticleId]]:
    """Return the newest articles with a teaser that names one of these keys, and the key."""
    rows = given.read(connection, _namers, (related_teaser.c.key,), _rows(keys))
    return [(key, ArticleId(each)) for key, each in rows]


def banned(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, set[ArticleId]]:
    """Return the targets that an editor does not want below these articles."""
    found: dict[ArticleId, set[ArticleId]] = defaultdict(set)
    for each, target_id in given.read(connection, _banned, (related_choice.c.article_id,), _rows(ids)):
        found[ArticleId(each)].add(ArticleId(target_id))
    return found


def choices(connection: Connection, article_id: ArticleId) -> dict[ArticleId, Choice]:
    """Return what an editor decided about the links below an article; those pinned first, in their order."""
    table = related_choice.c
    wanted = sa.select(table.target_id, table.choice).where(table.article_id == article_id)
    rows = connection.execute(wanted.order_by(table.choice.desc(), table.place, table.chosen_at, table.target_id))
    return {ArticleId(row.target_id): Choice(row.choice) for row in rows}


def primary(language: str) -> str:
    """Return the primary part of a language tag: `en` for `en-GB`."""
    return language.partition("-")[0].lower()


# --- links


def _shown(connection: Connection, wanted: Sequence[ArticleId], at_most: int) -> dict[ArticleId, list[Link]]:
    found: dict[ArticleId, list[Link]] = defaultdict(list)
    for row in connection.execute(_pinned(wanted)):
        pinned = Link(target_id=ArticleId(row.target_id), score=NAMED_SCORE, origin=Origin.PINNED, reason=Reason())
        if row.state == ArticleState.PUBLISHED:
            found[ArticleId(row.article_id)].append(pinned)
    for row in connection.execute(_unchosen(wanted)):
        if row.state == ArticleState.PUBLISHED:
            found[ArticleId(row.article_id)].append(_link(row))
    return defaultdict(list, {each: links[:at_most] for each, links in found.items()})


# No statement asks for `state = 'published'`: SQLite would go through all that are published.


def _pinned(wanted: Sequence[ArticleId]) -> sa.Select[Any]:
    return (
        sa.select(related_choice.c.article_id, related_choice.c.target_id, article.c.state)
        .join(article, article.c.id == related_choice.c.target_id)
        .where(related_choice.c.article_id.in_(wanted), related_choice.c.choice == Choice.PINNED)
        .order_by(related_choice.c.place, related_choice.c.chosen_at, related_choice.c.target_id)
    )


def _unchosen(wanted: Sequence[ArticleId]) -> sa.Select[Any]:
    choices = sa.exists().where(
        related_choice.c.article_id == related_link.c.article_id, related_choice.c.target_id == related_link.c.target_id
    )
    return (
        sa.select(related_link, article.c.state)
        .join(article, article.c.id == related_link.c.target_id)
        .where(related_link.c.article_id.in_(wanted), ~choices)
        .order_by(related_link.c.article_id, related_link.c.position)
    )


def _link(row: Any) -> Link:
    return Link(
        target_id=ArticleId(row.target_id),
        score=row.score,
        origin=Origin(row.origin),
        reason=Reason(about=tuple(row.reason["about"]), names=tuple(row.reason["names"])),
    )


# --- the index


def _text(row: Any) -> Text:
    parts = [*row.body["sections"], *filter(None, [row.body["guide"]])]
    body = "\n".join(f"{part['heading']}\n{text_of(part['html'])}" for part in parts)[:BODY_CHARS]
    names = teasers.names_of(title=row.title, slug=row.slug, canonical_url=row.canonical_url)
    named = tuple(teasers.keys_of(Teaser(**each)) for each in row.body["teasers"][: teasers.TEASERS_AT_MOST])
    language = primary(row.language)
    read = json.dumps([language, row.title, body, row.published_at.isoformat(), names, named])
    return Text(
        id=ArticleId(row.id),
        language=language,
        title=row.title,
        body=body,
        published_at=row.published_at,
        names=names,
        teasers=named,
        digest=blake2b(read.encode(), digest_size=16).digest(),
    )


def _rows(values: Iterable[int]) -> list[tuple[int]]:
    return [(value,) for value in values]


# --- statements


def _texts(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    columns = (article.c.id, article.c.state, article.c.language, article.c.title, article.c.slug)
    wanted = sa.select(*columns, article.c.canonical_url, article.c.published_at, article.c.body)
    return wanted.where(article.c.id.in_(sa.select(ids)))


def _known(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    return sa.select(related_signature).where(related_signature.c.article_id.in_(sa.select(ids)))


def _frequencies(_connection: Connection, terms: sa.FromClause) -> sa.Executable:
    return sa.select(term_frequency).where(term_frequency.c.term.in_(sa.select(terms)))


def _profiles(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    table = related_signature.c
    columns = (table.article_id, table.language, table.published_at, table.signature, table.sketch, table.embedding)
    return sa.select(*columns).where(table.article_id.in_(sa.select(ids)), table.digest.is_not(None))


def _links(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    wanted = sa.select(related_link).where(related_link.c.article_id.in_(sa.select(ids)))
    return wanted.order_by(related_link.c.article_id, related_link.c.position)


def _weakest(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    return (
        sa.select(related_link.c.article_id, sa.func.min(related_link.c.score))
        .where(related_link.c.article_id.in_(sa.select(ids)), related_link.c.position < SHOWN)
        .group_by(related_link.c.article_id)
        .having(sa.func.count() == SHOWN)
    )


def _linkers(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    wanted = sa.select(related_link.c.article_id).where(related_link.c.target_id.in_(sa.select(ids)))
    return wanted.distinct().order_by(related_link.c.article_id.desc()).limit(AFFECTED)


def _named(_connection: Connection, keys: sa.FromClause) -> sa.Executable:
    return sa.select(related_name).where(related_name.c.key.in_(sa.select(keys)))


def _namers(_connection: Connection, keys: sa.FromClause) -> sa.Executable:
    wanted = sa.select(related_teaser).where(related_teaser.c.key.in_(sa.select(keys)))
    return wanted.order_by(related_teaser.c.article_id.desc()).limit(AFFECTED)


def _banned(_connection: Connection, ids: sa.FromClause) -> sa.Executable:
    return sa.select(related_choice.c.article_id, related_choice.c.target_id).where(
        related_choice.c.article_id.in_(sa.select(ids)), related_choice.c.choice == Choice.BANNED
    )
