"""From the archive to what stands in a document of a feed."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feeds.document import Entry
from feeds.formats import FeedFormat
from publisher.archive import search
from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.archive.tables import article
from publisher.compose import store as compose
from publisher.compose.model import IssueId
from publisher.syndication import entries, links, names, rules, store
from publisher.syndication.model import ENTRIES, OF_ISSUES, Contents, Feed, FeedAddress, FeedKey, FeedKind, Site

DEFAULT_LANGUAGE = "en"
HITS_AT_MOST = 1_000
"""A search feed has the newest among so many of the best hits."""


def contents(connection: Connection, feed: Feed, site: Site, archive_place: int = 0) -> Contents | None:
    """
    Return what stands in a document of a feed; None where there is no such archive, or the feed has no name.

    Args:
        connection: One snapshot.
        feed: The feed, as the snapshot has it.
        site: The house.
        archive_place: Which archive document; 0: the subscription document.

    """
    name = names.short_name(connection, feed.key, site)
    if name is None or archive_place > feed.last_place:
        return None
    if archive_place:
        standings = store.placed(connection, feed.id, rules.first_place(archive_place), archive_place)
        standings, previous = rules.newest_first(standings), rules.previous_archive(archive_place)
    else:
        standings, previous = rules.subscription(*store.newest(connection, feed.id))
    found, mentions = _entries(connection, feed.key, [each.entry_id for each in standings], site)
    return Contents(
        key=feed.key,
        uri=feed.uri,
        title=names.titled(feed.key, name, site),
        description=names.description(feed.key, name, site),
        language=_language(feed.key, found),
        entries=found,
        updated_at=_updated_at(found, feed.created_at),
        archive=archive_place,
        previous=previous,
        following=rules.following_archive(archive_place, feed.last_place) if archive_place else 0,
        mentions=mentions,
    )


def contents_when_asked(connection: Connection, key: FeedKey, site: Site, *, began_at: datetime) -> Contents | None:
    """Return what a combined feed or a search holds at this moment; None where a topic is unknown."""
    name = names.short_name(connection, key, site)
    if name is None:
        return None
    ids = _hits(connection, key.slug) if key.kind is FeedKind.SEARCH else _about(connection, key.slug.split("+"))
    found, mentions = _entries(connection, key, ids, site)
    return Contents(
        key=key,
        uri=f"{site.base_url}{FeedAddress(key=key, feed_format=FeedFormat.ATOM).path}",
        title=names.titled(key, name, site),
        description=names.description(key, name, site),
        language=_language(key, found),
        entries=found,
        updated_at=_updated_at(found, began_at),
        mentions=mentions,
    )


def _updated_at(found: Sequence[Entry], began_at: datetime) -> datetime:
    return max((entry.updated_at for entry in found), default=began_at)


def _language(key: FeedKey, found: Sequence[Entry]) -> str:
    """Return the feed's language: its own, or that of most entries; the newer of two equally frequent."""
    if key.kind is FeedKind.LANGUAGE:
        return key.slug
    spoken = Counter(entry.language for entry in found if entry.language)
    return spoken.most_common(1)[0][0] if spoken else DEFAULT_LANGUAGE


def _entries(
    connection: Connection, key: FeedKey, ids: Sequence[int], site: Site
) -> tuple[tuple[Entry, ...], frozenset[int]]:
    """Return entries in the order of the ids, and the articles that they link to."""
    if key.kind in OF_ISSUES:
        uris = store.issue_uris(connection, ids)
        return tuple(_issue(connection, IssueId(each), uris[each], site) for each in ids), frozenset()
    articles = archive.articles(connection, map(ArticleId, ids))
    visible = [each for each in articles.values() if each.state is ArticleState.PUBLISHED]
    linked = links.links_kept(connection, [each.id for each in visible])
    found = tuple(entries.of_article(each, linked[each.id], site) for each in visible)
    return found, frozenset(lead.id for leads in linked.values() for lead in leads)


def _issue(connection: Connection, issue_id: IssueId, uri: str, site: Site) -> Entry:
    issue = compose.issue_of(connection, issue_id)
    left, left_at = _left(connection, issue.article_ids)
    return entries.of_issue(
        issue,
        compose.rendering_of(connection, issue_id),
        edition=compose.edition_of(connection, issue.edition_id),
        left=left,
        left_at=left_at,
        uri=uri,
        site=site,
    )


def _left(connection: Connection, ids: Sequence[ArticleId]) -> tuple[list[Lead] | None, datetime | None]:
    """Return what is left of an issue's articles, and since when, after some were withdrawn; None: all are there."""
    leads = archive.leads(connection, ids).values()
    left = [lead for lead in leads if lead.state is ArticleState.PUBLISHED]
    if len(left) == len(ids):
        return None, None
    return left, archive.changed_at(connection, set(ids) - {lead.id for lead in left})


def _hits(connection: Connection, query: str) -> list[int]:
    hits = search.find(connection, query, at_most=HITS_AT_MOST)
    newest = sa.select(article.c.id).where(article.c.id.in_(hits))
    newest = newest.order_by(article.c.published_at.desc(), article.c.id.desc()).limit(ENTRIES)
    return list(connection.scalars(newest))


def _about(connection: Connection, topic_slugs: Sequence[str]) -> list[int]:
    leads = {
        lead.id: lead for slug in topic_slugs for lead in archive.listed(connection, at_most=ENTRIES, topic_slug=slug)
    }
    newest = sorted(leads.values(), key=lambda lead: (lead.published_at, lead.id), reverse=True)
    return [lead.id for lead in newest[:ENTRIES]]
