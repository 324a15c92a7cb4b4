from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from publisher.intake.model import Image, Section, Teaser

ArticleId = NewType("ArticleId", int)
ChangeSeq = NewType("ChangeSeq", int)

DEFAULT_IMPORTANCE = 3


class ArticleState(StrEnum):
    """Where an article stands; only a published one is visible anywhere."""

    EMBARGOED = "embargoed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class Author:
    """A byline."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What an article is about; the first of an article's topics is its main one."""

    slug: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Lead:
    """What a list shows of an article: everything but its sections."""

    id: ArticleId
    uri: str
    """The `tag:` URI (RFC 4151), minted once; the article's identity in every feed."""
    slug: str
    state: ArticleState
    title: str
    summary: str
    language: str
    authors: tuple[Author, ...]
    topics: tuple[Topic, ...]
    image: Image | None
    importance: int
    canonical_url: str
    """Where the newsroom first published it; empty: here."""
    published_at: datetime
    """Never moves once the article was visible."""
    updated_at: datetime
    """Moves on an edit of substance only."""
    revision: int
    external_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Article(Lead):
    """A piece in the archive, whole."""

    sections: tuple[Section, ...]
    guide: Section | None
    teasers: tuple[Teaser, ...]

    @property
    def all_sections(self) -> tuple[Section, ...]:
        return (*self.sections, self.guide) if self.guide else self.sections


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something happened to an article that the stages after the archive must know."""

    seq: ChangeSeq
    """Rises in the order of commits, without exception: a reader may keep its place by it."""
    article_id: ArticleId
    at: datetime


class TermKind(StrEnum):
    """What a glossary term names."""

    PERSON = "person"
    PLACE = "place"
    ORGANISATION = "organisation"
    OUTLET = "outlet"
    EVENT = "event"
    WORD = "word"


@dataclass(frozen=True, kw_only=True)
class GlossaryTerm:
    """A name or word with a short explanation for readers abroad."""

    slug: str
    """Its place on the glossary page; it stays when the name changes. Empty: not stored yet."""
    name: str
    hangul: str = ""
    romanisation: str = ""
    kind: TermKind = TermKind.WORD
    explanation: str = ""
    link: str = ""
    aliases: tuple[str, ...] = ()
    case_sensitive: bool = True
    """Whether its spellings count only as they are written."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A name that recurs in the published articles and is no glossary term."""

    name: str
    articles: int
    """Published articles that hold it in the middle of a sentence."""
    newest: Lead
    """The last of them that was handed in."""
    sentence: str
    """Where that one names it; empty if it was changed a moment ago."""
