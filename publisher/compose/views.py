"""What a template sees of an article: ready words, addresses and HTML, in the language of the edition."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_day_names
from babel.lists import format_list
from lxml.html import HtmlElement
from markupsafe import Markup

from publisher.archive.model import GlossaryTerm, Lead
from publisher.compose import body, cadence, rules
from publisher.compose.colour import Accent, accent
from publisher.compose.model import Edition, EditionKind, Furniture, Piece, RelatedLink
from publisher.compose.rules import Explanation, Origin
from publisher.intake.model import Section
from publisher.markup import text_of
from publisher.rendering import Templates, theme

ROW_SUMMARY_AT_MOST = 180
KNOW_AT_MOST = 1_600
"""Characters of a guide section in an issue with many of them; the rest is one link away."""
GUIDE_AT_MOST = 6_000
"""Characters of a guide section under its own article."""
STANDFIRST_SHARED = 60


@dataclass(frozen=True, kw_only=True)
class Look:
    """How an issue looks and speaks."""

    templates: Templates
    furniture: Furniture
    zone: ZoneInfo
    """Of dates."""
    accent: Accent

    def say(self, message: str) -> str:
        return self.templates.translations.gettext(message)

    def date(self, instant: datetime) -> str:
        return self.templates.long_date(instant.astimezone(self.zone).date())


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture with its absolute address."""

    url: str
    alt: str
    credit: str


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A section, or a part of one."""

    heading: str
    root: HtmlElement
    """Parsed, for the text part."""
    html: Markup
    """For the mail."""
    page: Markup
    """For the web; whole."""
    is_cut: bool = False


@dataclass(frozen=True, kw_only=True)
class Link:
    """A row of "Discover More"."""

    url: str
    title: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class Term:
    """A glossary term as a line of "Who's who"."""

    name: str
    aside: str
    """Hangul and romanisation in brackets, as far as they say something new."""
    explanation: str
    link: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """An article as a list shows it."""

    url: str
    slug: str
    language: str
    title: str
    topic: str
    byline: str
    standfirst: str
    happened: str
    image: Picture | None


@dataclass(frozen=True, kw_only=True)
class GuideEntry:
    """An article as the guide shows it."""

    card: Card
    know_label: str
    know: Passage | None
    next: str
    terms: tuple[Term, ...]
    read_on: tuple[Link, ...]


def look_of(templates: Templates, furniture: Furniture, zone: ZoneInfo) -> Look:
    """Put a look together. Raises InputError where the accent is no colour."""
    readable = accent(furniture.accent, light_ground=theme()["light"]["tint"], dark_ground=theme()["dark"]["tint"])
    return Look(templates=templates, furniture=furniture, zone=zone, accent=readable)


def card(look: Look, piece: Piece) -> Card:
    """Return an article as a list shows it."""
    article = piece.article
    return Card(
        url=piece.url,
        slug=article.slug,
        language=article.language,
        title=article.title,
        topic=article.topics[0].name if article.topics else "",
        byline=_byline(look, article),
        standfirst=article.summary if _says_more(article.summary, article.sections) else "",
        happened=rules.what_happened(article),
        image=_picture(look, article),
    )


def guide_entry(look: Look, piece: Piece, terms: Iterable[GlossaryTerm], links: Iterable[RelatedLink]) -> GuideEntry:
    """Return an article as the guide shows it, with the terms and links that are new in the issue."""
    explanation = rules.what_to_know(piece.article)
    return GuideEntry(
        card=card(look, piece),
        know_label=_know_label(look, explanation.origin) if explanation else "",
        know=_know(look, explanation) if explanation else None,
        next=rules.whats_next(piece.article),
        terms=tuple(map(term, terms)),
        read_on=tuple(link(look, each) for each in links),
    )


def passage(look: Look, section: Section, *, at_most: int | None = None, first: int | None = None) -> Passage:
    """
    Return a section for all channels.

    Args:
        look: The issue's.
        section: Clean.
        at_most: In mail, leave out the blocks after so many characters.
        first: In mail, leave out the blocks after so many.

    """
    root = body.parse(section.html)
    if at_most is not None:
        first = body.blocks_within(root, at_most)
    return Passage(
        heading=section.heading,
        root=root,
        html=body.for_mail(root, look.accent.light, first=first),
        page=Markup(section.html),  # noqa: S704 -- cleaned at intake
        is_cut=first is not None and first < len(root),
    )


def link(look: Look, related: RelatedLink) -> Link:
    lead = related.lead
    return Link(
        url=f"{look.furniture.base_url}/articles/{lead.slug}",
        title=lead.title,
        summary=rules.shorten(lead.summary, ROW_SUMMARY_AT_MOST),
    )


def term(found: GlossaryTerm) -> Term:
    names = (name for name in dict.fromkeys((found.hangul, found.romanisation)) if name and name != found.name)
    aside = ", ".join(names)
    return Term(name=found.name, aside=f"({aside})" if aside else "", explanation=found.explanation, link=found.link)


def when(look: Look, edition: Edition) -> str:
    """Say when an edition comes, in its readers' language."""
    if edition.kind is EditionKind.ALERT:
        return look.say("As soon as an article is out")
    if edition.cadence is None:
        return look.say("From time to time")
    weekdays = edition.cadence.weekdays
    told = {
        "days": _day_names(look, weekdays),
        "time": f"{edition.cadence.at:%H:%M}",
        "zone": edition.cadence.time_zone,
    }
    if weekdays == cadence.DAILY:
        return look.say("Every day at %(time)s (%(zone)s)") % told
    if weekdays == cadence.WEEKDAYS:
        return look.say("Monday to Friday at %(time)s (%(zone)s)") % told
    return look.say("Every %(days)s at %(time)s (%(zone)s)") % told


def _day_names(look: Look, weekdays: Iterable[int]) -> str:
    names = get_day_names("wide", locale=look.templates.language)
    return format_list([names[number - 1] for number in sorted(weekdays)], locale=look.templates.language)


def _byline(look: Look, article: Lead) -> str:
    date = look.date(article.published_at)
    if not article.authors:
        return date
    names = format_list([author.name for author in article.authors], locale=look.templates.language)
    by = look.say("By %(authors)s") % {"authors": names}
    return f"{by} · {date}"


def _says_more(summary: str, sections: Iterable[Section]) -> bool:
    """Tell whether a summary is more than the article's own opening, which the reader is about to read."""
    opening = next((text for section in sections if (text := text_of(section.html))), "")
    return bool(summary) and not opening.startswith(summary.rstrip("…")[:STANDFIRST_SHARED])


def _picture(look: Look, article: Lead) -> Picture | None:
    image = article.image
    if image is None:
        return None
    url = f"{look.furniture.base_url}{image.url}" if image.url.startswith("/") else image.url
    return Picture(url=url, alt=image.alt, credit=image.credit)


def _know(look: Look, explanation: Explanation) -> Passage:
    return passage(look, Section(heading="", html=explanation.html), at_most=KNOW_AT_MOST)


def _know_label(look: Look, origin: Origin) -> str:
    labels = {
        Origin.GUIDE: look.say("What to know"),
        Origin.BACKGROUND: look.say("What to know: the background"),
        Origin.EXTRACTED: look.say("What to know, in the article’s own sentences"),
    }
    return labels[origin]
