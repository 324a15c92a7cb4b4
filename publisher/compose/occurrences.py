from dataclasses import dataclass

from sqlalchemy.engine import Connection

from publisher.archive import search, store
from publisher.archive.model import ArticleId, GlossaryTerm, Lead
from publisher.archive.rules import spellings
from publisher.compose.glossary import Matcher
from publisher.compose.pieces import whole_text

LOOKED_AT = 60
"""Articles that are read to see whether a term is in them, those that say most of it first."""


@dataclass(frozen=True, kw_only=True)
class Occurrences:
    """The published articles in which a term is found."""

    articles: tuple[Lead, ...]
    """The newest first."""
    is_all: bool
    """Whether there can be no more of them."""


def occurrences(connection: Connection, term: GlossaryTerm) -> Occurrences:
    """Return where a term is found; the search tells which articles to read, and only some are read."""
    ids = dict[ArticleId, None]()
    for spelling in spellings(term):
        ids |= dict.fromkeys(search.find(connection, spelling, at_most=LOOKED_AT + 1))
    read = store.articles(connection, list(ids)[:LOOKED_AT]).values()
    matcher = Matcher([term])
    found = [article for article in read if matcher.find(whole_text(article))]
    found.sort(key=lambda article: (article.published_at, article.id), reverse=True)
    return Occurrences(articles=tuple(found), is_all=len(ids) <= LOOKED_AT)
