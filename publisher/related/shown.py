"""The links below an article as readers see them: related ones first, then what else its topic has."""

from collections.abc import Callable, Collection, Iterable
from functools import cache

from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, Lead
from publisher.related.model import Origin, Related
from publisher.related.store import banned, links_of

SHOWN = 3
CANDIDATES = 12
"""Newest articles of a topic to fill up from."""


def links_shown(connection: Connection, article_ids: Iterable[ArticleId]) -> dict[ArticleId, tuple[Related, ...]]:
    """
    Return three links for each article, as far as the archive has them.

    Where fewer than three are near enough to be related, the newest of the same topic and language
    follow, marked with that as their reason; a reader who has come to the end wants somewhere to go.
    """
    found = dict(links_of(connection, article_ids))
    short = archive.leads(connection, [each for each, links in found.items() if len(links) < SHOWN])
    unwanted = banned(connection, short)

    @cache
    def newest(topic_slug: str, language: str) -> list[Lead]:
        return archive.listed(connection, at_most=CANDIDATES, topic_slug=topic_slug, language=language)

    for lead in short.values():
        found[lead.id] = _filled(lead, found[lead.id], unwanted.get(lead.id, set()), newest)
    return found


def _filled(
    lead: Lead,
    links: tuple[Related, ...],
    unwanted: Collection[ArticleId],
    newest: Callable[[str, str], list[Lead]],
) -> tuple[Related, ...]:
    known = {lead.id, *(link.lead.id for link in links), *unwanted}
    filled = list(links)
    for slug in (*(topic.slug for topic in lead.topics[:1]), ""):
        for other in newest(slug, lead.language) if len(filled) < SHOWN else ():
            if len(filled) < SHOWN and other.id not in known:
                known.add(other.id)
                filled.append(_fresh(other, lead.topics[0].name if slug else ""))
    return tuple(filled)


def _fresh(lead: Lead, topic: str) -> Related:
    reason = f"Also new in {topic}." if topic else "Also new."
    return Related(lead=lead, reason=reason, origin=Origin.COMPUTED)
