"""
Which related links an entry carries.

Links are computed again whenever the archive grows, but an entry keeps those it was published with:
else every new article would change the bytes of older entries, and readers would show them as
changed. An entry with fewer than three may gain some; a revised article gets its links anew. What
was withdrawn is never shown, and a title is always the target's present one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.archive.tables import article
from publisher.database import upsert
from publisher.related.rules import SHOWN
from publisher.related.shown import links_shown
from publisher.related.store import links_of
from publisher.related.tables import related_link
from publisher.syndication.tables import entry_links


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What an entry links to."""

    revision: int
    """The article's, when its links were chosen."""
    target_ids: Sequence[ArticleId]
    """Best first."""


def keep_links(connection: Connection, changed: Collection[ArticleId]) -> set[ArticleId]:
    """Choose the links of changed articles' entries; return other articles whose entries have gained links to these."""
    linking = _linking_to(connection, changed) - set(changed)
    known = _kept(connection, {*changed, *linking})
    revisions = _revisions(connection, changed)
    renewed = [each for each, revision in revisions.items() if each not in known or known[each].revision != revision]
    short = [each for each in linking if each in known and len(known[each].target_ids) < SHOWN]
    links = links_shown(connection, renewed) | links_of(connection, short)
    found = {each: [link.lead.id for link in links[each]] for each in links}
    gained = {each: with_more(known[each], found[each]) for each in short}
    gained = {each: kept for each, kept in gained.items() if kept != known[each]}
    _keep(connection, gained | {each: Kept(revision=revisions[each], target_ids=found[each]) for each in renewed})
    return set(gained)


def with_more(kept: Kept, found: Iterable[ArticleId]) -> Kept:
    """Return links with others added behind them, up to three."""
    return replace(kept, target_ids=list(dict.fromkeys((*kept.target_ids, *found)))[:SHOWN])


def links_kept(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, list[Lead]]:
    """Return the articles that entries link to, best first, without those that nobody may see."""
    known = _kept(connection, ids)
    leads = archive.leads(connection, {target for kept in known.values() for target in kept.target_ids})
    visible = {each: lead for each, lead in leads.items() if lead.state is ArticleState.PUBLISHED}
    return {
        each: [visible[target] for target in (known[each].target_ids if each in known else ()) if target in visible]
        for each in ids
    }


def _linking_to(connection: Connection, ids: Collection[ArticleId]) -> set[ArticleId]:
    linking = sa.select(related_link.c.article_id).where(related_link.c.target_id.in_(ids)).distinct()
    return {ArticleId(each) for each in connection.scalars(linking)}


def _kept(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, Kept]:
    rows = connection.execute(sa.select(entry_links).where(entry_links.c.article_id.in_(ids)))
    return {
        ArticleId(row.article_id): Kept(revision=row.revision, target_ids=[ArticleId(each) for each in row.target_ids])
        for row in rows
    }


def _revisions(connection: Connection, ids: Collection[ArticleId]) -> dict[ArticleId, int]:
    wanted = sa.select(article.c.id, article.c.revision, article.c.state).where(article.c.id.in_(ids))
    rows = connection.execute(wanted.order_by(article.c.id))
    return {ArticleId(row.id): row.revision for row in rows if row.state == ArticleState.PUBLISHED}


def _keep(connection: Connection, chosen: Mapping[ArticleId, Kept]) -> None:
    rows = [
        {"article_id": each, "revision": kept.revision, "target_ids": list(kept.target_ids)}
        for each, kept in sorted(chosen.items())
    ]
    if rows:
        insert = upsert(connection, entry_links)
        changed = {"revision": insert.excluded.revision, "target_ids": insert.excluded.target_ids}
        connection.execute(insert.on_conflict_do_update(index_elements=["article_id"], set_=changed), rows)
