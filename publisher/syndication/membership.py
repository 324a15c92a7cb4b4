"""Which entries stand in which feeds, kept in step with the archive and with the issues."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.archive.tables import article
from publisher.compose.model import EditionKind, IssueState
from publisher.compose.tables import edition, issue, issue_article
from publisher.database import insert_or_ignore
from publisher.syndication import documents, links, rules, store
from publisher.syndication.model import ENTRIES, OF_ARTICLES, OF_ISSUES, FeedId, FeedKey, FeedKind
from publisher.syndication.tables import syndicated_issue


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Where an entry is to stand."""

    at: datetime
    """When it was published."""
    keys: frozenset[FeedKey]
    """Empty: nowhere."""


def follow_articles(connection: Connection, ids: Collection[ArticleId], *, domain: str, now: datetime) -> None:
    """Put articles into their feeds as the archive has them now, and touch every feed that shows something of them."""
    leads = archive.leads(connection, ids)
    wishes = {each: Wish(at=lead.published_at, keys=feeds_of(lead)) for each, lead in leads.items()}
    _settle(connection, wishes, OF_ARTICLES, domain=domain, now=now)
    gained = store.standing_in(connection, links.keep_links(connection, ids), OF_ARTICLES)
    showing = {(feed_id, place or 0) for (feed_id, _), place in gained.items()} | documents.mentioning(connection, ids)
    store.touch(connection, {feed_id for feed_id, _ in showing}, now)
    documents.outdate(connection, {(feed_id, rules.first_place(place)) for feed_id, place in showing if place})
    follow_issues(connection, _issues_with(connection, ids), domain=domain, now=now)


def follow_issues(connection: Connection, ids: Collection[int], *, domain: str, now: datetime) -> None:
    """Put approved issues into their feeds; one that has lost its last article to a withdrawal leaves them."""
    if not ids:
        return
    rows = connection.execute(
        sa.select(issue.c.id, issue.c.approved_at, edition.c.slug, edition.c.kind, _is_bare().label("is_bare"))
        .join(edition, edition.c.id == issue.c.edition_id)
        .where(issue.c.id.in_(ids), issue.c.state == IssueState.APPROVED)
    ).all()
    uris = [
        {"issue_id": row.id, "uri": f"tag:{domain},{row.approved_at:%Y-%m-%d}:issue/{row.id}"}
        | {"approved_at": row.approved_at}
        for row in rows
    ]
    if uris:
        connection.execute(insert_or_ignore(connection, syndicated_issue), uris)
    wishes = {
        row.id: Wish(at=row.approved_at, keys=frozenset() if row.is_bare else _feeds_of_issue(row.slug, row.kind))
        for row in rows
    }
    _settle(connection, wishes, OF_ISSUES, domain=domain, now=now)


def feeds_of(lead: Lead) -> frozenset[FeedKey]:
    """Return the feeds in which an article stands; nothing unpublished stands anywhere."""
    if lead.state is not ArticleState.PUBLISHED:
        return frozenset()
    return frozenset(
        (
            FeedKey(kind=FeedKind.ALL),
            FeedKey(kind=FeedKind.LANGUAGE, slug=lead.language),
            *(FeedKey(kind=FeedKind.TOPIC, slug=topic.slug) for topic in lead.topics),
            *(FeedKey(kind=FeedKind.AUTHOR, slug=author.slug) for author in lead.authors),
        )
    )


def _feeds_of_issue(edition_slug: str, kind: str) -> frozenset[FeedKey]:
    own = FeedKey(kind=FeedKind.EDITION, slug=edition_slug)
    return frozenset((own, FeedKey(kind=FeedKind.GUIDE)) if kind == EditionKind.GUIDE else (own,))


def _settle(
    connection: Connection,
    wishes: Mapping[int, Wish] | Mapping[ArticleId, Wish],
    kinds: Collection[FeedKind],
    *,
    domain: str,
    now: datetime,
) -> None:
    """Make the entries stand where they are to stand, and touch the feeds where they do or did."""
    named = {key for wish in wishes.values() for key in wish.keys}
    ids = store.ensure(connection, named, domain=domain, now=now)
    before = store.standing_in(connection, wishes.keys(), kinds)
    after = {(ids[key], int(each)): wish.at for each, wish in wishes.items() for key in wish.keys}
    store.touch(connection, {feed_id for feed_id, _ in (*before, *after)}, now)
    store.take_out(connection, before.keys() - after.keys())
    store.put_in(connection, {each: at for each, at in after.items() if each not in before})
    moved = store.give_places(connection, {feed_id for feed_id, _ in after.keys() - before.keys()})
    pages = {(feed_id, rules.first_place(place)) for (feed_id, _), place in before.items() if place}
    documents.outdate(connection, pages | _continued(moved))


def _continued(moved: Mapping[FeedId, tuple[int, int]]) -> set[tuple[FeedId, int]]:
    """Return the archive documents that have got a following one, now that it is full."""
    return {
        (feed_id, place - 2 * ENTRIES + 1)
        for feed_id, (before, after) in moved.items()
        for place in range(before // ENTRIES * ENTRIES + ENTRIES, after + 1, ENTRIES)
        if place > ENTRIES
    }


def _issues_with(connection: Connection, article_ids: Collection[ArticleId]) -> list[int]:
    known = sa.select(issue_article.c.issue_id).join(
        syndicated_issue, syndicated_issue.c.issue_id == issue_article.c.issue_id
    )
    return list(connection.scalars(known.where(issue_article.c.article_id.in_(article_ids)).distinct()))


def _is_bare() -> sa.ColumnElement[bool]:
    """Tell whether an issue had articles and none of them is visible any more."""
    carried = sa.select(issue_article.c.issue_id).where(issue_article.c.issue_id == issue.c.id)
    visible = carried.join(article, article.c.id == issue_article.c.article_id)
    visible = visible.where(article.c.state == ArticleState.PUBLISHED)
    return sa.and_(carried.exists(), sa.not_(visible.exists()))
