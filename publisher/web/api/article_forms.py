"""Articles in the API's own form: what programs hand in, and what they get. All times are RFC 3339 with a zone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from publisher.archive.model import Article, ArticleState, Lead
from publisher.related.model import Related
from publisher.settings import Settings
from publisher.web.api.forms import Form

Number = Annotated[int, Field(ge=1, lt=2**63)]


class SectionForm(BaseModel):
    """A heading with its paragraphs."""

    heading: str = ""
    html: str = ""


class TeaserForm(BaseModel):
    """A related article as the newsroom names it."""

    title: str
    summary: str = ""
    url: str = ""


class ImageForm(BaseModel):
    """A picture by its address."""

    url: str
    alt: str = ""
    credit: str = ""
    width: int | None = None
    height: int | None = None


class ArticleForm(Form):
    """
    An article as it is handed in. Give the text as `sections`, or as `body` in the `format` it has.

    It is read by the same reader as a file, so what is wrong is said in the same words; this form is
    for the reference and no second check.
    """

    title: str
    body: str | None = Field(default=None, description="The whole text; its guide section and teasers are found.")
    format: str | None = Field(default=None, description="Of the body: markdown (if left out), html or text.")
    sections: list[SectionForm] | None = None
    guide: SectionForm | None = Field(default=None, description="The section for readers abroad.")
    teasers: list[TeaserForm] | None = Field(default=None, description="Related articles, as the newsroom names them.")
    summary: str | None = Field(default=None, description="Made from the opening if left out.")
    language: str | None = Field(default=None, description="BCP 47, such as en or ko; found out if left out.")
    authors: list[str] | None = None
    topics: list[str] | None = Field(default=None, description="The first is the main one.")
    image: ImageForm | str | None = None
    slug: str | None = None
    canonical_url: str | None = Field(default=None, description="Where it was first published, if not here.")
    external_id: str | None = Field(default=None, description="Your own id: the same one is the same article.")
    importance: int | None = Field(default=None, ge=1, le=5, description="1 leads everything; 3 if left out.")
    published_at: datetime | None = None
    publish_at: datetime | None = Field(default=None, description="Embargo: nothing is visible before.")


class ArticleShown(BaseModel):
    """An article as lists show it."""

    id: int
    uri: str = Field(description="Its identity in every feed, for ever.")
    slug: str
    url: str
    state: ArticleState
    title: str
    summary: str
    language: str
    authors: list[str]
    topics: list[str]
    image: ImageForm | None
    canonical_url: str
    external_id: str
    importance: int
    published_at: datetime
    updated_at: datetime
    revision: int


class RelatedShown(BaseModel):
    """A related link, with the reason for it."""

    id: int
    url: str
    title: str
    summary: str
    reason: str


class LinksForm(Form):
    """What an editor decides about the links below an article; the rest is left to the rules."""

    pinned: list[Number] = Field(default=[], max_length=100, description="Ids; they come first, in this order.")
    banned: list[Number] = Field(default=[], max_length=100, description="Ids; they are never shown.")


class LinksShown(BaseModel):
    """What an editor decided about the links below an article, and what a reader sees."""

    pinned: list[int]
    banned: list[int]
    shown: list[RelatedShown]


class ArticleWhole(ArticleShown):
    """An article with its text and its related links."""

    sections: list[SectionForm]
    guide: SectionForm | None
    teasers: list[TeaserForm]
    related: list[RelatedShown]


class ArticleTaken(ArticleWhole):
    """What became of an article that was handed in."""

    result: str = Field(description="new, revised or unchanged.")
    note: str = Field(default="", description="What was left out, such as scripts; mostly empty.")


class Waiting(BaseModel):
    """An article that is safely here, but not in the archive yet; it will be without a further call."""

    submission: int
    result: str = "received"


class Articles(BaseModel):
    """One page of articles, newest first."""

    data: list[ArticleShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


READ_ONLY = frozenset(ArticleTaken.model_fields) - frozenset(ArticleForm.model_fields)
"""Fields of an answer that may come back in a PUT, and are passed over there."""


def shown(lead: Lead, settings: Settings) -> dict[str, Any]:
    """Return an article's values for lists."""
    return {
        "id": lead.id,
        "uri": lead.uri,
        "slug": lead.slug,
        "url": f"{settings.base_url}/articles/{lead.slug}",
        "state": lead.state,
        "title": lead.title,
        "summary": lead.summary,
        "language": lead.language,
        "authors": [each.name for each in lead.authors],
        "topics": [each.name for each in lead.topics],
        "image": _image(lead, settings),
        "canonical_url": lead.canonical_url,
        "external_id": lead.external_id,
        "importance": lead.importance,
        "published_at": lead.published_at,
        "updated_at": lead.updated_at,
        "revision": lead.revision,
    }


def whole(article: Article, related: tuple[Related, ...], settings: Settings) -> dict[str, Any]:
    """Return all of an article's values."""
    return shown(article, settings) | {
        "sections": [{"heading": each.heading, "html": each.html} for each in article.sections],
        "guide": {"heading": article.guide.heading, "html": article.guide.html} if article.guide else None,
        "teasers": [{"title": each.title, "summary": each.summary, "url": each.url} for each in article.teasers],
        "related": related_shown(related, settings),
    }


def related_shown(related: Iterable[Related], settings: Settings) -> list[dict[str, Any]]:
    """Return the related links below an article, best first."""
    return [
        {
            "id": each.lead.id,
            "url": f"{settings.base_url}/articles/{each.lead.slug}",
            "title": each.lead.title,
            "summary": each.lead.summary,
            "reason": each.reason,
        }
        for each in related
    ]


def _image(lead: Lead, settings: Settings) -> dict[str, Any] | None:
    if lead.image is None:
        return None
    url = f"{settings.base_url}{lead.image.url}" if lead.image.url.startswith("/") else lead.image.url
    return {
        "url": url,
        "alt": lead.image.alt,
        "credit": lead.image.credit,
        "width": lead.image.width,
        "height": lead.image.height,
    }


class RefusedPost(BaseModel):
    """A post that was not taken along, and why."""

    name: str
    problem: str


class ArticlesMoved(BaseModel):
    """What became of the posts of another system; the four numbers make up all of them."""

    added: int
    known: int = Field(description="Here already, from an earlier import; they stay as they are.")
    left_out: int = Field(description="Drafts, pages and the like, which were never public.")
    refused: int
    refusals: list[RefusedPost] = Field(description="The first of them.")
