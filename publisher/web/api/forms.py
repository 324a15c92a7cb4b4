"""The API's own form: what programs send, and what they get. All times are RFC 3339 with a zone."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from publisher.archive.model import TermKind
from publisher.compose.model import Approval, Arrival, EditionKind, InDoubt, Tracking
from publisher.compose.timetable import Turn
from publisher.dispatch.model import DeliveryState

Short = Annotated[str, Field(max_length=200)]
Slug = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Form(BaseModel):
    """What programs send. A field that we do not know is an error: a misspelt one would be lost in silence."""

    model_config = ConfigDict(extra="forbid")


# --- issues and editions


class IssueForm(Form):
    """A draft to be made at once: of the articles named, or else of the edition's last interval up to now."""

    edition: str = Field(description="Slug.")
    article_ids: list[int] = Field(default=[], max_length=100, description="In this order.")
    subject: Short = Field(default="", description="Made from the articles if left out.")
    introduction: str = Field(default="", max_length=20_000, description="The editor's words at the top, in Markdown.")


class SubjectTestForm(Form):
    """Subjects on trial: a share of the readers gets them, the rest the best of them some hours later."""

    others: list[Short] = Field(min_length=1, max_length=2, description="Besides the issue's own subject, which is 0.")
    share_percent: int = Field(default=20, ge=2, le=50, description="Of the readers, for all subjects together.")
    hours: int = Field(default=4, ge=1, le=48, description="For how long links are counted.")


class SubjectTried(BaseModel):
    """A subject on trial."""

    number: int
    subject: str
    readers: int
    clicks: int = Field(description="Readers who followed a link; where the edition only counts, how often one was.")


class SubjectTestShown(BaseModel):
    """How a test of subjects stands."""

    subjects: list[SubjectTried]
    share_percent: int
    settles_at: datetime
    best_subject: int | None = Field(description="Whose number the rest gets; null: not chosen yet.")
    is_clear: bool = Field(description="Whether the leading one is ahead by more than chance explains (5 %).")
    by_reader: bool = Field(description="Whether clicks are readers.")


class SubjectForm(Form):
    """Which subject the rest gets."""

    number: int = Field(ge=0, le=2)


class DraftForm(Form):
    """All that an editor decides about a draft; a field that is left out is emptied."""

    article_ids: list[Annotated[int, Field(ge=1, lt=2**63)]] = Field(
        min_length=1, max_length=100, description="In this order; each published, or in the draft already."
    )
    subject: Short = Field(default="", description="Made from the articles if empty.")
    preheader: Short = Field(default="", description="What mail programs show beside the subject.")
    introduction: str = Field(default="", max_length=20_000, description="The editor's words at the top, in Markdown.")
    subject_test: SubjectTestForm | None = Field(default=None, description="Null: one subject for all.")


class TestForm(Form):
    """To whom a draft is sent to be looked at."""

    email: str = Field(max_length=320, description="Of an editor who may sign in to the desk; nobody else gets a test.")


class PreviewShown(BaseModel):
    """The mail as it is or would be sent, to a reader without a name."""

    subject: str
    preheader: str
    text: str
    html: str


class TestSent(BaseModel):
    """What became of a test."""

    said: str


class ApproveForm(Form):
    """When an issue goes out."""

    goes_at: AwareDatetime | None = Field(default=None, description="Within a year. Null: at once.")


class MoveForm(Form):
    """When a scheduled issue goes out instead."""

    goes_at: AwareDatetime = Field(description="Within a year.")


class SlotForm(Form):
    """What becomes of one slot of an edition."""

    slot_at: AwareDatetime = Field(description="The slot as the cadence gives it, such as `next_slot_at`.")
    do: Turn = Turn.MOVE
    to: AwareDatetime | None = Field(default=None, description="The new time, where it is moved.")


class IssueShown(BaseModel):
    """An issue as lists show it."""

    id: int
    edition: str
    number: int
    state: str = Field(description="draft, scheduled, approved, sending, paused, sent, cancelled or skipped.")
    subject: str
    preheader: str
    reason: str = Field(description="Why it was skipped, paused or cancelled.")
    article_ids: list[int]
    url: str | None = Field(description="The back issue; null until it is approved.")
    created_at: datetime
    goes_at: datetime | None = Field(description="When a scheduled issue goes out.")
    approved_at: datetime | None


class LinkShown(BaseModel):
    """A link of an issue, and how often it was followed."""

    url: str
    clicks: int


class Figures(BaseModel):
    """What was counted of a send, some seconds after its end; while it lasts, every quarter of an hour."""

    counted_at: datetime
    span_s: int = Field(description="Each span of `by_time` is so long, in seconds.")
    by_time: list[dict[str, datetime | int]] = Field(description="Mails `sent` in the span that begins at `from`.")
    by_domain: list[dict[str, str | int]] = Field(
        description="`sent` and `failed` of the ten largest domains; an empty `domain` is all others together."
    )
    by_reason: list[dict[str, str | int]] = Field(description="`failed` by `reason`; an empty one is all others.")


class IssueWhole(IssueShown):
    """An issue with how its send stands."""

    introduction: str
    subject_test: SubjectTestForm | None = Field(description="As it was asked for.")
    subject_test_standing: SubjectTestShown | None = Field(description="Null before the send begins.")

    counts: Mapping[str, int] = Field(description="Deliveries by state; together they are the total.")
    total: int
    is_planned: bool = Field(description="Whether the total is final.")
    sent_twice_at_most: int
    started_at: datetime | None
    finished_at: datetime | None
    links: list[LinkShown] = Field(description="In the order of the letter; empty where the edition counts none.")
    figures: Figures | None = Field(description="Null while they have not been counted.")


class EditionRules(Form):
    """The rules of an edition; a field that is left out has what is usual."""

    name: Short = Field(default="", description="Made from the slug if left out.")
    cadence: Short = Field(default="", description="Such as “mon,wed 08:00 Asia/Seoul”; empty: drafted by hand only.")
    topics: list[str] = Field(default=[], description="Slugs; only articles with one of them. Empty: all.")
    languages: list[str] = Field(default=[], description="Only articles in one of them. Empty: all.")
    at_least: int = Field(default=1, ge=1, le=100, description="Fewer articles: the issue is skipped.")
    at_most: int = Field(default=12, ge=1, le=100)
    approval: Approval = Approval.AUTOMATIC
    tracking: Tracking = Field(default=Tracking.TOTALS, description="What is counted of links that readers follow.")
    in_doubt: InDoubt = Field(default=InDoubt.SEND_AGAIN, description="A mail whose answer never came.")
    segment: str = Field(default="", description="Slug; only these of the mailing list’s readers. Empty: all.")
    arrival: Arrival = Field(
        default=Arrival.TOGETHER, description="“local time”: at the cadence’s time of day by each reader’s own clock."
    )
    stale_after_hours: int = Field(default=12, ge=1, le=720, description="Later than this it is no news.")
    language: Annotated[str, Field(min_length=2, max_length=20)] = "en"
    accent: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = "#b5332e"
    footer: Annotated[str, Field(max_length=2_000)] = ""
    logo: Annotated[str, Field(max_length=500)] = Field(
        default="", description="Address of a picture, on our site or elsewhere. Empty: the site’s name."
    )
    subject: Short = Field(default="", description="With slots, such as “{{ lead_title }}”. Empty: made by itself.")


class EditionForm(EditionRules):
    """Something published again and again."""

    slug: Slug
    kind: EditionKind
    mailing_list: str = Field(description="Slug.")


class EditionChange(EditionRules):
    """An edition's rules from now on; its slug, kind and mailing list stay."""

    is_active: bool = Field(default=True, description="Whether issues come about by themselves.")


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
    tracking: Tracking
    in_doubt: InDoubt
    arrival: Arrival
    segment: str | None
    stale_after_hours: float
    language: str
    accent: str
    footer: str
    logo: str
    subject: str
    is_active: bool
    next_slot_at: datetime | None


# --- the glossary


class TermForm(Form):
    """A name or word with its explanation; every spelling belongs to one term only."""

    name: str = Field(description="As newspapers in English spell it.")
    explanation: str = Field(description="One sentence of at most 300 characters.")
    hangul: str = ""
    romanisation: str = Field(default="", description="The official one (Revised Romanisation).")
    kind: TermKind = TermKind.WORD
    link: str = Field(default="", description="Where one can read more; http or https.")
    aliases: list[str] = Field(default=[], description="Other spellings.")
    case_sensitive: bool = Field(default=True, description="Whether it is found only as it is written here.")


class TermShown(BaseModel):
    """A glossary term."""

    slug: str = Field(description="Its place on the glossary page: /glossary#term-SLUG.")
    name: str
    explanation: str
    hangul: str
    romanisation: str
    kind: TermKind
    link: str
    aliases: list[str]
    case_sensitive: bool


class Terms(BaseModel):
    """All terms."""

    data: list[TermShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


# --- segments


class ConditionsForm(Form):
    """Who belongs to a segment: who meets all that are given. Of several values in one it is enough to meet one."""

    languages: list[str] = Field(default=[], description="BCP 47; `en` holds for `en-GB` as well.")
    countries: list[str] = Field(default=[], description="ISO 3166, of the reader’s time zone.")
    time_zones: list[str] = Field(default=[], description="IANA names.")
    topics: list[str] = Field(default=[], description="Slugs of topics that the reader has chosen.")
    mailing_lists: list[str] = Field(default=[], description="Slugs; a reader of one of them as well.")
    joined_after: date | None = Field(default=None, description="This day or later, in UTC.")
    joined_before: date | None = Field(default=None, description="Before this day, in UTC.")
    clicked_within_days: int | None = Field(
        default=None, ge=1, le=3_650, description="Followed a link lately, in an edition that tells by whom."
    )


class SegmentChange(Form):
    """What a segment is from now on."""

    name: Short
    conditions: ConditionsForm


class SegmentForm(SegmentChange):
    """A part of the readers."""

    slug: Slug


class SegmentShown(BaseModel):
    """A part of the readers; conditions that are not set are left out."""

    slug: str
    name: str
    conditions: ConditionsForm
    created_at: datetime


class Segments(BaseModel):
    """All segments."""

    data: list[SegmentShown]


class SegmentCount(BaseModel):
    """How many subscribers belong to a segment."""

    subscribers: int
    is_all: bool = Field(description="False: there are more; no more than 100,000 are counted.")


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


class EndForm(Form):
    """Which subscriptions are to end."""

    mailing_lists: Annotated[list[str], Field(max_length=50, description="Slugs; empty: all.")] = []


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


class RefusedLine(BaseModel):
    """A line of a file that was left out, and why."""

    line: int
    problem: str


class ImportReportShown(BaseModel):
    """What became of the rows of a file; all numbers but that of the suppressed make up all rows."""

    origin: str = Field(description="The system whose export was recognised; empty for a table of our own form.")
    added: int
    merged: int
    unchanged: int
    unsubscribed: int = Field(description="Who had left here before, and stays so.")
    left: int = Field(description="Who has left there, and so here.")
    barred: int = Field(description="Who is not mailed there, and is suppressed here.")
    suppressed: int = Field(description="Among all of these: not mailed.")
    bad: int
    bad_lines: list[RefusedLine] = Field(description="The first of them.")
    ignored_columns: list[str]


class ImportShown(BaseModel):
    """A file of people, on its way in or taken in."""

    id: int
    name: str
    mailing_list: str
    is_confirmed: bool
    state: Literal["waiting", "running", "done", "refused"]
    rows: int = Field(description="That are done with.")
    problem: str = Field(description="Why the file was refused.")
    report: ImportReportShown | None
    created_at: datetime
    finished_at: datetime | None


# --- pages of lists


class Issues(BaseModel):
    """One page of issues, newest first."""

    data: list[IssueShown]
    next: str | None


class DeliveryShown(BaseModel):
    """One issue to one reader."""

    seq: int = Field(description="Its number in the issue, from 1.")
    email: str = Field(description="Empty where the reader has been erased.")
    state: DeliveryState
    reason: str
    code: int | None = Field(description="The mail server's, such as 550.")
    attempts: int
    tried_at: datetime | None
    due_at: datetime | None = Field(description="When it is tried again.")


class Deliveries(BaseModel):
    """One page of deliveries, in the order of their numbers."""

    data: list[DeliveryShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


class RetryForm(Form):
    """Which deliveries are tried again."""

    state: Literal["failed", "uncertain"]


class Editions(BaseModel):
    """All editions."""

    data: list[EditionShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


class Subscribers(BaseModel):
    """One page of subscribers, by address."""

    data: list[SubscriberShown]
    next: str | None


class MailingLists(BaseModel):
    """All mailing lists."""

    data: list[MailingListShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


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
