"""The API's own form: what programs send, and what they get. All times are RFC 3339 with a zone."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from publisher.archive.model import Article, ArticleState, Lead
from publisher.compose.model import Approval, EditionKind
from publisher.related.model import Related
from publisher.settings import Settings

Short = Annotated[str, Field(max_length=200)]
Slug = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Form(BaseModel):
    """What programs send. A field that we do not know is an error: a misspelt one would be lost in silence."""

    model_config = ConfigDict(extra="forbid")


# --- articles


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


class ArticleWhole(ArticleShown):
    """An article with its text and its related links."""

    sections: list[SectionForm]
    guide: SectionForm | None
    teasers: list[TeaserForm]
    related: list[RelatedShown]


class ArticleTaken(ArticleWhole):
    """What became of an article that was handed in."""

    result: str = Field(description="new, revised or unchanged.")


class Waiting(BaseModel):
    """An article that is safely here, but not in the archive yet; it will be without a further call."""

    submission: int
    result: str = "received"


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
        "related": [
            {
                "id": each.lead.id,
                "url": f"{settings.base_url}/articles/{each.lead.slug}",
                "title": each.lead.title,
                "summary": each.lead.summary,
                "reason": each.reason,
            }
            for each in related
        ],
    }


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


# --- issues and editions


class IssueForm(Form):
    """A draft to be made at once: of the articles named, or else of the edition's last interval up to now."""

    edition: str = Field(description="Slug.")
    article_ids: list[int] = Field(default=[], max_length=100, description="In this order.")
    subject: Short = Field(default="", description="Made from the articles if left out.")
    introduction: str = Field(default="", max_length=20_000, description="The editor's words at the top, in Markdown.")


class IssueShown(BaseModel):
    """An issue as lists show it."""

    id: int
    edition: str
    number: int
    state: str = Field(description="draft, approved, sending, paused, sent, cancelled or skipped.")
    subject: str
    preheader: str
    reason: str = Field(description="Why it was skipped, paused or cancelled.")
    article_ids: list[int]
    url: str | None = Field(description="The back issue; null until it is approved.")
    created_at: datetime
    approved_at: datetime | None


class IssueWhole(IssueShown):
    """An issue with how its send stands."""

    counts: Mapping[str, int] = Field(description="Deliveries by state; together they are the total.")
    total: int
    is_planned: bool = Field(description="Whether the total is final.")
    sent_twice_at_most: int
    started_at: datetime | None
    finished_at: datetime | None


class EditionForm(Form):
    """Something published again and again."""

    slug: Slug
    kind: EditionKind
    mailing_list: str = Field(description="Slug.")
    name: Short = Field(default="", description="Made from the slug if left out.")
    cadence: Short = Field(default="", description="Such as “mon,wed 08:00 Asia/Seoul”; empty: drafted by hand only.")
    topics: list[str] = Field(default=[], description="Slugs; only articles with one of them. Empty: all.")
    languages: list[str] = Field(default=[], description="Only articles in one of them. Empty: all.")
    at_least: int = Field(default=1, ge=1, le=100, description="Fewer articles: the issue is skipped.")
    at_most: int = Field(default=12, ge=1, le=100)
    approval: Approval = Approval.AUTOMATIC
    stale_after_hours: int = Field(default=12, ge=1, le=720, description="Later than this it is no news.")
    language: Annotated[str, Field(min_length=2, max_length=20)] = "en"
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#b5332e"
    footer: Annotated[str, Field(max_length=2_000)] = ""
    subject: Short = Field(default="", description="With slots, such as “{{ lead_title }}”. Empty: made by itself.")


class EditionShown(BaseModel):
    """An edition, and when its next issue is due."""

    id: int
    slug: str
    name: str
    kind: EditionKind
    mailing_list: str
    cadence: str | None
    topics: list[str]
    languages: list[str]
    at_least: int
    at_most: int
    approval: Approval
    stale_after_hours: float
    language: str
    accent: str
    footer: str
    subject: str
    is_active: bool
    next_slot_at: datetime | None


# --- audience


class SubscriberForm(Form):
    """A person for some mailing lists: asked for a yes by mail, unless you have it already and say in which words."""

    email: Annotated[str, Field(min_length=3, max_length=320)]
    mailing_lists: Annotated[list[str], Field(min_length=1, max_length=50, description="Slugs.")]
    name: Short = ""
    language: Short = ""
    timezone: Short = Field(default="", description="IANA name, such as Europe/Paris.")
    confirmed: bool = Field(default=False, description="The person has said yes elsewhere; `consent` says how.")
    consent: Annotated[str, Field(max_length=1_000, description="The sentence that was agreed to.")] = ""


class SubscriptionShown(BaseModel):
    """A subscriber's stand on a mailing list."""

    mailing_list: str
    state: str
    confirmed_at: datetime | None
    ended_at: datetime | None
    paused_until: datetime | None


class SubscriberShown(BaseModel):
    """A person with an address."""

    id: int
    email: str
    name: str
    language: str
    timezone: str
    created_at: datetime
    subscriptions: list[SubscriptionShown]


class Asked(BaseModel):
    """A confirmation mail is on its way, if the address can have one; the answer is the same for every address."""

    result: str = "asked"


class MailingListForm(Form):
    """People who may get an edition."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=1_000)] = ""


class MailingListShown(BaseModel):
    """A mailing list with the number of its confirmed subscriptions."""

    id: int
    slug: str
    name: str
    description: str
    confirmed: int
    created_at: datetime


class SuppressionForm(Form):
    """An address that must not be mailed."""

    email: Annotated[str, Field(min_length=3, max_length=320)]
    detail: Annotated[str, Field(max_length=500, description="Why, for editors.")] = ""


class SuppressionShown(BaseModel):
    """An address that we must not mail, and why."""

    email: str
    reason: str
    detail: str
    at: datetime


# --- pages of lists


class Articles(BaseModel):
    """One page of articles, newest first."""

    data: list[ArticleShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


class Issues(BaseModel):
    """One page of issues, newest first."""

    data: list[IssueShown]
    next: str | None


class Editions(BaseModel):
    """All editions."""

    data: list[EditionShown]


class Subscribers(BaseModel):
    """One page of subscribers, by address."""

    data: list[SubscriberShown]
    next: str | None


class MailingLists(BaseModel):
    """All mailing lists."""

    data: list[MailingListShown]


class Suppressions(BaseModel):
    """One page of suppressed addresses, by address."""

    data: list[SuppressionShown]
    next: str | None


class ProblemForm(BaseModel):
    """What every error looks like (RFC 9457), as application/problem+json."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[Mapping[str, str]] | None = Field(default=None, description="Each with `where` and `problem`.")
    reference: str | None = Field(default=None, description="Of an error of ours; the log has it too.")
