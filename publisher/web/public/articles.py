import re
from collections.abc import Sequence
from math import ceil
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import Article, ArticleState, Lead
from publisher.intake.model import Teaser
from publisher.markup import text_of
from publisher.related.rules import SHOWN
from publisher.related.shown import links_shown
from publisher.settings import Settings
from publisher.web.pages import kept_page, page
from publisher.web.parts import Room
from publisher.web.public.frame import frame, topic_feed
from publisher.web.shelf import OnShelf
from publisher.words import HAN, HANGUL, KANA

router = APIRouter()

WORDS_PER_MINUTE = 230
"""Silent reading of English prose: 238 words a minute on average (Brysbaert 2019); guide boxes read slower."""
SIGNS_PER_MINUTE = 500
STANDFIRST_SHARED = 60
"""Characters that a summary shares with the opening when it was made from it."""
_SIGN = re.compile(f"[{HANGUL}{KANA}{HAN}]")


@router.get("/articles/{slug}", include_in_schema=False)
def article(request: Request, room: Room, shelf: OnShelf, slug: str) -> Response:
    """Show an article; where it has moved, the way there; where it was withdrawn, that it is gone."""
    with room.database.reading() as connection:
        found = archive.by_slug(connection, slug)
        if found is None or found.state is ArticleState.EMBARGOED:
            raise HTTPException(404)
        if found.state is ArticleState.WITHDRAWN:
            return page(request, room, "web/withdrawn.html", status=410)
        if found.slug != slug:
            return RedirectResponse(f"/articles/{found.slug}", status_code=301)
        values = _values(connection, found, room.settings)
        values |= frame(connection, room, shelf, *(topic_feed(topic) for topic in found.topics[:1]))
    return kept_page(request, room, "web/article.html", **values)


def _values(connection: Connection, found: Article, settings: Settings) -> dict[str, Any]:
    related = links_shown(connection, [found.id]).get(found.id, ())
    canonical = found.canonical_url or f"{settings.base_url}/articles/{found.slug}"
    return {
        "article": found,
        "canonical": canonical,
        "standfirst": _standfirst(found),
        "minutes": reading_minutes(found),
        "related": related,
        "teasers": unanswered(found.teasers, [link.lead for link in related])[: SHOWN - len(related)],
        "image_url": _absolute(found.image.url, settings) if found.image else "",
        "news_article": _news_article(found, canonical, settings),
    }


def reading_minutes(article: Article) -> int:
    """Return how long an article takes to read, at least one minute."""
    text = "\n".join(text_of(section.html) for section in article.all_sections)
    signs = len(_SIGN.findall(text))
    words = len(_SIGN.sub(" ", text).split())
    return max(1, ceil(words / WORDS_PER_MINUTE + signs / SIGNS_PER_MINUTE))


def unanswered(teasers: Sequence[Teaser], related: Sequence[Lead]) -> list[Teaser]:
    """Return the newsroom's teasers that no related link stands for: the archive does not have those articles."""
    linked = {lead.title.casefold() for lead in related}
    return [teaser for teaser in teasers if teaser.title.casefold() not in linked]


def _standfirst(article: Article) -> str:
    """Return the summary, unless it only repeats how the article opens."""
    opening = text_of(article.sections[0].html) if article.sections else ""
    return "" if opening.startswith(article.summary[:STANDFIRST_SHARED]) else article.summary


def _news_article(article: Article, canonical: str, settings: Settings) -> dict[str, Any]:
    """Return what search engines read of an article (schema.org/NewsArticle)."""
    found = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.summary,
        "url": canonical,
        "mainEntityOfPage": canonical,
        "inLanguage": article.language,
        "datePublished": article.published_at.isoformat(),
        "dateModified": article.updated_at.isoformat(),
        "articleSection": [topic.name for topic in article.topics],
        "author": [
            {"@type": "Person", "name": each.name, "url": f"{settings.base_url}/authors/{each.slug}"}
            for each in article.authors
        ]
        or {"@type": "Organization", "name": settings.site_name, "url": f"{settings.base_url}/"},
        "publisher": {"@type": "Organization", "name": settings.site_name, "url": f"{settings.base_url}/"},
        "image": [_absolute(article.image.url, settings)] if article.image else [],
        "isAccessibleForFree": True,
    }
    return {name: value for name, value in found.items() if value not in ("", [])}


def _absolute(url: str, settings: Settings) -> str:
    return f"{settings.base_url}{url}" if url.startswith("/") else url
