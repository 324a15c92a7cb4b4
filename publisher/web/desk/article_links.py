"""The links below an article, and what an editor decides about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, Lead
from publisher.errors import InputError, NotFoundError
from publisher.related.model import Choice
from publisher.related.rules import KEPT
from publisher.related.shown import links_shown
from publisher.related.store import choices, links_of
from publisher.web.parts import number_in

HIGHEST_PLACE = 99
WORD_OF_RULES = "rules"
"""What a form says where a link is left to the rules."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A link that is below an article, or could be."""

    lead: Lead
    reason: str
    decision: str
    """`rules`, or what an editor chose."""
    place: int | None
    """From 1 among the pinned ones."""
    is_shown: bool


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What an editor decides about all links below an article."""

    pinned: list[ArticleId]
    banned: list[ArticleId]


def rows_of(connection: Connection, article_id: ArticleId) -> list[Row]:
    """Return the links shown, in their order, then those that would move up, then those banned."""
    decided = choices(connection, article_id)
    shown = {link.lead.id: link for link in links_shown(connection, [article_id]).get(article_id, ())}
    next_ones = {link.lead.id: link for link in links_of(connection, [article_id], at_most=KEPT)[article_id]}
    links = {**shown, **{each: link for each, link in next_ones.items() if each not in shown}}
    others = archive.leads(connection, [each for each in decided if each not in links])
    places = {each: place for place, each in enumerate(_pinned(decided), start=1)}
    found = [
        Row(
            lead=link.lead,
            reason=link.reason,
            decision=decided.get(each, WORD_OF_RULES),
            place=places.get(each),
            is_shown=each in shown,
        )
        for each, link in links.items()
    ]
    found += [
        Row(lead=lead, reason="", decision=decided[each], place=places.get(each), is_shown=False)
        for each, lead in others.items()
    ]
    return found


def version(decided: Mapping[ArticleId, Choice]) -> str:
    """Return what tells whether the links are still decided as an editor has seen them."""
    return sha256(repr(list(decided.items())).encode()).hexdigest()[:16]


def decided(typed: Mapping[ArticleId, tuple[str, str]], another: ArticleId | None) -> Decided:
    """
    Return what a form decides: its links with decision and place, and one more that is pinned.

    Raises InputError. Who has no number comes behind those that have one, in the order of the form.
    """
    ranked = []
    for row, (each, (decision, place)) in enumerate(typed.items()):
        if decision == Choice.PINNED:
            ranked.append((_place(place), row, each))
    pinned = [each for _, _, each in sorted(ranked)]
    if another is not None and another not in pinned:
        pinned.append(another)
    banned = [each for each, (decision, _) in typed.items() if decision == Choice.BANNED and each != another]
    return Decided(pinned=pinned, banned=banned)


def article_meant(connection: Connection, text: str) -> ArticleId | None:
    """Return the article that an editor means by a number, a slug or an address; None: nothing was written."""
    name = urlsplit(text).path.rstrip("/").rpartition("/")[2] if "/" in text else text
    if not name:
        return None
    number = ArticleId(number_in(name))
    if number and number in archive.leads(connection, [number]):
        return number
    found = archive.by_slug(connection, name)
    if found is None:
        raise NotFoundError("article", name)
    return found.id


def _pinned(decided: Mapping[ArticleId, Choice]) -> list[ArticleId]:
    return [each for each, choice in decided.items() if choice is Choice.PINNED]


def _place(text: str) -> int:
    if not text:
        return HIGHEST_PLACE + 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= HIGHEST_PLACE):
        raise InputError(f"A place is a whole number from 1 to {HIGHEST_PLACE}.")
    return int(text)
