"""From values to rendered texts: an issue once for all its readers, and the two letters around a subscription."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from itertools import chain
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from markupsafe import Markup

from publisher.archive.model import Lead
from publisher.compose import body, plain, rules, text, views
from publisher.compose.looks import LOGO_PX
from publisher.compose.model import Edition, EditionKind, Furniture, Issue, Piece, Rendering
from publisher.compose.slots import MARKER_START, Slot, marker
from publisher.compose.views import GuideEntry, Look
from publisher.rendering import Templates, furniture_language

HTML_AT_MOST_BYTES = 90_000
"""Gmail cuts a mail off near 102 KB; slots and tracked links make it longer than it is here."""
TERMS_UNDER_AN_ARTICLE = 8
READ_ON_AT_MOST = 2
CONTENTS_FROM = 5
"""An issue of more than four articles says at its top what it is about."""
PREHEADER_PADDING = "\u034f\u200c\u00a0" * 60
"""Invisible; keeps the mail's first words out of the inbox's preview line."""
NO_ZONE = "UTC"
MAIL_SLOTS = (Slot.NAME, Slot.ADDRESS, Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL, Slot.READ_URL)
MARKERS = re.compile("|".join(re.escape(marker(slot)) for slot in Slot))

Anything = TypeVar("Anything")
Values = dict[str, Any]
Content = Callable[[Look, Sequence[Piece], int | None], Values]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The guide's entries on one topic."""

    topic: str
    slug: str
    entries: tuple[GuideEntry, ...]


def render_issue(
    *,
    edition: Edition,
    issue: Issue,
    pieces: Sequence[Piece],
    furniture: Furniture,
    time_zone: str = "",
    is_page_wanted: bool = True,
) -> Rendering:
    """
    Render an issue: subject, preheader, text, mail and page.

    Args:
        edition: What it is an issue of.
        issue: Its texts may have slots; an empty subject is the edition’s, or made from the articles.
        pieces: At least one, in the order of the issue.
        furniture: What stands around the articles.
        time_zone: Of the dates; empty: the cadence's, else UTC.
        is_page_wanted: Whether the page is wanted as well.

    Raises:
        TemplateTextError: The subject or introduction names an unknown slot.
        InputError: The accent is no colour.

    """
    edition, issue, pieces, furniture = _without_markers((edition, issue, tuple(pieces), furniture))
    look = _look(furniture, time_zone or (edition.cadence.time_zone if edition.cadence else NO_ZONE))
    frame = _issue_frame(look, edition, issue, pieces)
    name, content, most = _layout(edition.kind, pieces)
    whole = frame | content(look, pieces, None)

    def mail(values: Values) -> str:
        return look.templates.render(f"{name}.mjml", **values)

    return Rendering(
        subject=frame["subject"],
        preheader=frame["preheader"],
        text=look.templates.render(f"{name}.txt", **whole, links=plain.Links()),
        html=_fitting(lambda first: mail(whole if first is None else frame | content(look, pieces, first)), most),
        web_html=look.templates.render(f"{name}.html", **whole) if is_page_wanted else "",
        reader=look.say("reader"),
    )


def _layout(kind: EditionKind, pieces: Sequence[Piece]) -> tuple[str, Content, int]:
    """Return an edition's templates, what fills them, and in how many parts its mail can be cut."""
    if kind is EditionKind.ALERT:
        return "email/alert", _alert, sum(body.block_count(section.html) for section in pieces[0].article.sections)
    if kind is EditionKind.DIGEST:
        return "email/digest", _digest, len(pieces) - 1
    return "guide/guide", _guide, len(pieces)


def _fitting(render: Callable[[int | None], str], most: int) -> str:
    """Return the mail whole, or with as many of its parts as Gmail shows."""
    whole = render(None)
    if len(whole.encode()) <= HTML_AT_MOST_BYTES:
        return whole
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(render(middle).encode()) <= HTML_AT_MOST_BYTES
        low, high = (middle, high) if fits else (low, middle - 1)
    return render(low)


# --- what all kinds share


def _issue_frame(look: Look, edition: Edition, issue: Issue, pieces: Sequence[Piece]) -> Values:
    articles = [piece.article for piece in pieces]
    date = look.date(issue.slot_at or issue.created_at)
    values: dict[str, str | int] = {
        "name": marker(Slot.NAME),
        "edition_name": edition.name,
        "issue_number": issue.number,
        "article_count": len(pieces),
        "lead_title": articles[0].title,
        "date": date,
    }
    on_the_web = values | {"name": look.say("reader")}
    language = look.templates.translations
    subject = issue.subject or edition.subject or rules.make_subject(edition.kind, articles, language)
    number = look.say("No. %(number)s") % {"number": issue.number} if issue.number else ""
    why = look.say("You get this because you subscribed to %(list)s at %(site)s. It was sent to %(address)s.")
    introduction = text.introduction_html(issue.introduction, values)
    return _frame(look, why=why, mailing_list=edition.name) | {
        "subject": text.fill_subject(subject, values),
        "headline": text.fill_subject(subject, on_the_web),
        "preheader": issue.preheader or rules.make_preheader(edition.kind, articles, language),
        "edition_line": " · ".join(filter(None, (edition.name, number, date))),
        "greeting": "" if marker(Slot.NAME) in introduction else look.say("Hello, %(name)s") % values,
        "introduction": body.for_mail(body.parse(introduction), look.accent.light),
        "introduction_root": body.parse(introduction),
        "introduction_page": Markup(text.introduction_html(issue.introduction, on_the_web)),  # noqa: S704 -- cleaned
        "slots": _slots(*MAIL_SLOTS),
    }


def _frame(look: Look, *, why: str, mailing_list: str) -> Values:
    furniture = look.furniture
    told = {"list": mailing_list, "site": furniture.site_name, "address": marker(Slot.ADDRESS)}
    return {
        "language": look.templates.language,
        "accent": look.accent,
        "preheader_padding": PREHEADER_PADDING,
        "site_name": furniture.site_name,
        "logo": furniture.logo,
        "logo_px": LOGO_PX,
        "postal_address": furniture.postal_address,
        "footer": furniture.footer.strip().splitlines(),
        "why": why % told,
    }


# --- the three kinds


def _alert(look: Look, pieces: Sequence[Piece], first: int | None) -> Values:
    piece = pieces[0]
    sections, left = [], first
    for section in piece.article.sections:
        if left is not None and left <= 0:
            break
        sections.append(views.passage(look, section, first=left))
        left = None if left is None else left - len(sections[-1].root)
    guide = piece.article.guide
    return {
        "article": views.card(look, piece),
        "sections": sections,
        "is_cut": first is not None,
        "guide": views.passage(look, guide, at_most=views.GUIDE_AT_MOST) if guide else None,
        "terms": [views.term(term) for term in piece.terms[:TERMS_UNDER_AN_ARTICLE]],
        "related": [views.link(look, link) for link in rules.read_on(piece.related, shown=[piece.article])],
    }


def _digest(look: Look, pieces: Sequence[Piece], first: int | None) -> Values:
    cards = [views.card(look, piece) for piece in pieces]
    related = chain.from_iterable(piece.related for piece in pieces)
    links = rules.read_on(related, shown=[piece.article for piece in pieces])
    return {
        "lead": cards[0],
        "others": cards[1:] if first is None else cards[1 : 1 + first],
        "is_cut": first is not None,
        "related": [views.link(look, link) for link in links],
    }


def _guide(look: Look, pieces: Sequence[Piece], first: int | None) -> Values:
    shown = pieces if first is None else pieces[: max(1, first)]
    groups = _groups(look, shown)
    text_of = {line.article.slug: line.text for line in rules.one_minute(piece.article for piece in shown)}
    return {
        "minute": [(entry.card, text_of[entry.card.slug]) for group in groups for entry in group.entries],
        "contents": [group for group in groups if group.topic] if len(pieces) >= CONTENTS_FROM else [],
        "groups": groups,
        "is_cut": first is not None,
    }


def _groups(look: Look, pieces: Sequence[Piece]) -> list[Group]:
    """Return the guide's entries by topic; a term is explained, and a link given, only where it comes first."""
    of_article = {piece.article.id: piece for piece in pieces}
    seen_terms: set[str] = set()
    linked: list[Lead] = [piece.article for piece in pieces]
    groups: list[Group] = []
    for topic, articles in rules.group_by_topic(piece.article for piece in pieces):
        entries = []
        for article in articles:
            piece = of_article[article.id]
            terms = [term for term in piece.terms if term.slug not in seen_terms]
            links = rules.read_on(piece.related, shown=linked, at_most=READ_ON_AT_MOST)
            entries.append(views.guide_entry(look, piece, terms, links))
            seen_terms.update(term.slug for term in terms)
            linked += [link.lead for link in links]
        rest = look.say("More") if groups else ""
        groups.append(
            Group(topic=topic.name if topic else rest, slug=topic.slug if topic else "more", entries=tuple(entries))
        )
    return groups


# --- letters to one reader


def render_confirmation(
    *, furniture: Furniture, mailing_list: str, confirm_url: str, name: str = "", days_valid: int = 0
) -> tuple[str, str, str]:
    """
    Return subject, text and HTML of the letter that asks for the yes; it has no slots.

    Args:
        furniture: The house's.
        mailing_list: As readers know it.
        confirm_url: The page with the button.
        name: The reader's; may be empty.
        days_valid: How long the address works; 0: nothing is said about it.

    """
    look = _look(furniture)
    subject = look.say("Please confirm: %(list)s") % {"list": mailing_list}
    why = look.say("You get this one letter because somebody entered this address at %(site)s.")
    values = _frame(look, why=why, mailing_list=mailing_list) | {
        "subject": subject,
        "preheader": look.say("One press, and the first issue is on its way."),
        "edition_line": mailing_list,
        "name": " ".join(name.split()) or look.say("reader"),
        "mailing_list": mailing_list,
        "confirm_url": confirm_url,
        "days": days_valid,
        "slots": {},
    }
    return subject, *_letter(look, "email/confirmation", values)


def render_welcome(
    *, furniture: Furniture, mailing_list: str, editions: Iterable[Edition], archive_url: str = ""
) -> tuple[str, str, str]:
    """
    Return subject, text and HTML of the letter that follows the yes, with the slots of an issue's mail.

    Args:
        furniture: The house's.
        mailing_list: As readers know it.
        editions: What its readers get, with when.
        archive_url: Of the back issues; empty: no button.

    """
    look = _look(furniture)
    subject = look.say("Welcome to %(list)s") % {"list": mailing_list}
    why = look.say("You get this because you subscribed to %(list)s at %(site)s. It was sent to %(address)s.")
    values = _frame(look, why=why, mailing_list=mailing_list) | {
        "subject": subject,
        "preheader": look.say("What you will receive, and when."),
        "edition_line": mailing_list,
        "mailing_list": mailing_list,
        "editions": [{"name": each.name, "when": views.when(look, each)} for each in editions],
        "archive_url": archive_url,
        "slots": _slots(Slot.NAME, Slot.ADDRESS, Slot.UNSUBSCRIBE_URL, Slot.PREFERENCES_URL),
    }
    return subject, *_letter(look, "email/welcome", values)


def _letter(look: Look, name: str, values: Values) -> tuple[str, str]:
    return look.templates.render(f"{name}.txt", **values), look.templates.render(f"{name}.mjml", **values)


# --- slots and templates


def _slots(*slots: Slot) -> dict[str, str]:
    """Return the markers of the slots that a mail has; an empty word for the others."""
    return {slot.value: marker(slot) if slot in slots else "" for slot in MAIL_SLOTS}


def _without_markers(value: Anything) -> Anything:
    """
    Return a value in which no text can pass for a slot.

    An article from outside that held the marker of the address, in the address of a picture, would
    otherwise send every reader's address to a stranger's server.
    """
    return _defused(value) if _may_hold_marker(value) else value


def _may_hold_marker(value: Any) -> bool:
    if isinstance(value, str):
        return MARKER_START in value
    if isinstance(value, tuple):
        return any(map(_may_hold_marker, value))
    if is_dataclass(value) and not isinstance(value, type):
        return any(_may_hold_marker(getattr(value, name)) for name in value.__dataclass_fields__)
    return False


def _defused(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, StrEnum):
        return MARKERS.sub(lambda found: f"{found[0][0]}\u2060{found[0][1:]}", value)
    if isinstance(value, tuple):
        return tuple(map(_defused, value))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _defused(getattr(value, field.name)) for field in fields(value)})
    return value


def _look(furniture: Furniture, zone: str = NO_ZONE) -> Look:
    return views.look_of(_templates(furniture_language(furniture.language)), furniture, ZoneInfo(zone))


@cache
def _templates(language: str) -> Templates:
    return Templates(language, filters={"wrap": plain.wrap, "underlined": plain.underlined, "plain": plain.from_html})
