"""From articles to what an issue shows of them: addresses, related links, glossary terms."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from threading import Lock
from urllib.parse import urljoin

from sqlalchemy.engine import Connection

from publisher.archive import glossary, store
from publisher.archive.model import Article, ArticleId, ArticleState
from publisher.compose.glossary import Matcher
from publisher.compose.model import Edition, Furniture, Piece, RelatedLink
from publisher.markup import text_of
from publisher.related.shown import links_shown
from publisher.settings import Settings


class Glossary:
    """The matcher of the present glossary, made again only when an editor changed a term."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stamp: tuple[int, datetime | None] | None = None
        self._matcher = Matcher(())

    def matcher(self, connection: Connection) -> Matcher:
        stamp = glossary.stamp(connection)
        with self._lock:
            if stamp != self._stamp:
                self._matcher, self._stamp = Matcher(glossary.terms(connection)), stamp
            return self._matcher


_glossary = Glossary()


def pieces(connection: Connection, ids: Iterable[ArticleId], settings: Settings) -> tuple[Piece, ...]:
    """Return the published ones among the articles with all that is attached, in the order asked for."""
    articles = {
        each.id: each for each in store.articles(connection, ids).values() if each.state is ArticleState.PUBLISHED
    }
    related, matcher = links_shown(connection, list(articles)), _glossary.matcher(connection)
    return tuple(
        Piece(
            article=_absolute(article, settings.base_url),
            url=f"{settings.base_url}/articles/{article.slug}",
            related=tuple(RelatedLink(lead=link.lead, reason=link.reason) for link in related.get(article.id, ())),
            terms=tuple(found.term for found in matcher.find(whole_text(article))),
        )
        for article in articles.values()
    )


def furniture(edition: Edition, settings: Settings) -> Furniture:
    """Return the house's name and addresses as an edition shows them."""
    return Furniture(
        site_name=settings.site_name,
        base_url=settings.base_url,
        postal_address=settings.postal_address,
        language=edition.language,
        accent=edition.accent,
        footer=edition.footer,
        logo=urljoin(f"{settings.base_url}/", edition.logo) if edition.logo else "",
    )


def _absolute(article: Article, base_url: str) -> Article:
    if article.image is None:
        return article
    return replace(article, image=replace(article.image, url=urljoin(f"{base_url}/", article.image.url)))


def whole_text(article: Article) -> str:
    """Return all words of an article in which terms are looked for."""
    parts = [article.title, article.summary]
    parts += [f"{section.heading}\n{text_of(section.html)}" for section in article.all_sections]
    return "\n".join(parts)
