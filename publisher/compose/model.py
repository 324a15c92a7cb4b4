from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NewType

from publisher.archive.model import Article, ArticleId, GlossaryTerm, Lead
from publisher.audience.model import MailingListId
from publisher.audience.segments import SegmentId

EditionId = NewType("EditionId", int)
IssueId = NewType("IssueId", int)


class EditionKind(StrEnum):
    """How an edition's issues come about."""

    ALERT = "alert"
    """One article makes one issue, at once."""
    DIGEST = "digest"
    """A window of articles, leads first, on a cadence."""
    GUIDE = "guide"
    """The foreign fans' guide: the window's guide sections with their glossary terms, on a cadence."""


class Approval(StrEnum):
    """Who lets an issue go."""

    AUTOMATIC = "automatic"
    EDITOR = "editor"


class Tracking(StrEnum):
    """What we learn of the links that readers follow."""

    OFF = "off"
    """Nothing: links lead straight to where they lead."""
    TOTALS = "totals"
    """How often each link was followed, and not by whom."""
    PER_READER = "per reader"
    """By whom as well, and whether a mail was opened, as far as a picture tells."""


class InDoubt(StrEnum):
    """What becomes of a mail that left us whole and whose answer never came."""

    SEND_AGAIN = "send again"
    """With the same Message-ID: a few readers may have two copies, none has none."""
    HOLD = "hold"
    """Until an editor says so, or an event tells: nobody has two copies, a few may have none."""


class Arrival(StrEnum):
    """When an issue reaches readers in other time zones."""

    TOGETHER = "together"
    """Everybody at the same instant."""
    LOCAL_TIME = "local time"
    """Each reader at the edition's time of day by his own clock, within a day."""


class IssueState(StrEnum):
    """Where an issue stands in composition. What happens after `APPROVED` is dispatch's to say."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    """Approved and frozen, and going out at an instant to come; until then that can be undone, and nobody sees it."""
    APPROVED = "approved"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A span of publication time: the start is inside, the end is outside."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """
    A rule of recurrence: on these weekdays, at this time of day, in this time zone.

    A slot in a DST gap moves forward by the gap; in a fold the first of the two instants counts.
    """

    weekdays: frozenset[int]
    """ISO: Monday is 1."""
    at: time
    time_zone: str
    """IANA name."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """Something published again and again."""

    id: EditionId
    slug: str
    name: str
    kind: EditionKind
    mailing_list_id: MailingListId
    cadence: Cadence | None
    topics: tuple[str, ...] = ()
    """Only articles with one of these topic slugs; empty: all."""
    languages: tuple[str, ...] = ()
    at_least: int = 1
    """Fewer articles than this: the issue is skipped."""
    at_most: int = 12
    approval: Approval = Approval.AUTOMATIC
    stale_after: timedelta = timedelta(hours=12)
    """How late an issue may still go out; a later copy is worse than none."""
    language: str = "en"
    """Of the furniture."""
    accent: str = "#b5332e"
    footer: str = ""
    logo: str = ""
    """The address of a picture, absolute or on our site; empty: the site's name stands there."""
    subject: str = ""
    """Jinja text with the documented slots; empty: made from the articles."""
    is_active: bool = True
    tracking: Tracking = Tracking.TOTALS
    in_doubt: InDoubt = InDoubt.SEND_AGAIN
    arrival: Arrival = Arrival.TOGETHER
    """`LOCAL_TIME` needs a cadence."""
    segment_id: SegmentId | None = None
    """The part of the mailing list's readers that it goes to; None: to all of them."""


@dataclass(frozen=True, kw_only=True)
class SubjectTest:
    """
    An issue's subjects on trial: each goes to an equal part of a share of its readers, the best to the rest.

    The subject of the issue itself is the first of them, number 0.
    """

    others: tuple[str, ...]
    """One or two; with slots, as the issue's own."""
    share_percent: int
    """Of the readers who get a subject on trial, all subjects together."""
    hours: int
    """For how long clicks are counted before the rest gets it."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One dated instance of an edition; frozen once approved."""

    id: IssueId
    edition_id: EditionId
    number: int
    state: IssueState
    window: Window | None
    slot_at: datetime | None
    subject: str
    preheader: str
    introduction: str
    """The editor's Markdown."""
    article_ids: tuple[ArticleId, ...]
    created_at: datetime
    approved_at: datetime | None = None
    """When it went out of an editor's hands for good."""
    goes_at: datetime | None = None
    """When a scheduled issue goes out."""
    reason: str = ""
    """Why it was skipped, cancelled, or left to an editor."""
    subject_test: SubjectTest | None = None


@dataclass(frozen=True, kw_only=True)
class RelatedLink:
    """A link from an article to another, with a reason."""

    lead: Lead
    reason: str


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One article as an issue shows it, with everything that is attached to it."""

    article: Article
    url: str
    """Absolute."""
    related: tuple[RelatedLink, ...]
    terms: tuple[GlossaryTerm, ...]
    """Glossary terms that occur in it, in order of first occurrence."""


@dataclass(frozen=True, kw_only=True)
class Furniture:
    """What stands around the articles: the house's name and addresses."""

    site_name: str
    base_url: str
    postal_address: str
    language: str
    accent: str
    footer: str = ""
    logo: str = ""
    """Absolute."""


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """An issue rendered once, with slot markers (`publisher.compose.slots`) where readers differ."""

    subject: str
    preheader: str
    text: str
    html: str
    """The mail."""
    web_html: str
    """The same issue as the inside of a web page, without slots; empty where only its mail was asked for."""
    reader: str
    """What a reader is called whose name we do not know."""


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """All that is kept of an issue when it is approved."""

    rendering: Rendering
    """In the edition's language."""
    translations: Mapping[str, Rendering]
    """Its mail with the furniture in the other languages that readers have chosen, by language."""
    subjects: Mapping[tuple[int, str], Rendering] = field(default_factory=dict)
    """Its mail under the other subjects of a test, by the subject's number and the language; empty: the edition's."""
