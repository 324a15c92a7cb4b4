"""What a glossary term must be like, and what it goes by."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlsplit

from publisher.archive.model import GlossaryTerm

NAME_AT_MOST = 100
ALIASES_AT_MOST = 30
EXPLANATION_AT_MOST = 300
LINK_AT_MOST = 500
NOT_IN_TEXT = re.compile(r"[\x00-\x1f\x7f]")
BY_HOST = frozenset({"http", "https"})


class _Owner(NamedTuple):
    """A term that has a spelling."""

    term: GlossaryTerm
    text: str


class Spellings:
    """Which terms of a glossary go by which spelling."""

    def __init__(self, terms: Iterable[GlossaryTerm]) -> None:
        self._owners: dict[str, list[_Owner]] = defaultdict(list)
        for term in terms:
            for text in spellings(term):
                self._owners[text.casefold()].append(_Owner(term, text))

    def __contains__(self, text: str) -> bool:
        """Tell whether any term goes by a spelling, however its capitals stand."""
        return plain(text).casefold() in self._owners

    def owner(self, text: str, term: GlossaryTerm) -> GlossaryTerm | None:
        """Return another term that is found by the same spelling; one that minds capitals may differ in them."""
        found = plain(text)
        for each in self._owners.get(found.casefold(), ()):
            minds = term.case_sensitive and each.term.case_sensitive
            if each.term.slug != term.slug and (each.text == found or not minds):
                return each.term
        return None


def spellings(term: GlossaryTerm) -> list[str]:
    """Return all that a term goes by: name, Hangul, romanisation and aliases, each once."""
    written = (term.name, term.hangul, term.romanisation, *term.aliases)
    tidied = (" ".join(plain(text).split()) for text in written)
    return list(dict.fromkeys(text for text in tidied if text))


def plain(text: str) -> str:
    """Return the text in NFC with typewriter's apostrophes, hyphens and spaces; its NFC length stays."""
    text = unicodedata.normalize("NFC", text)
    return text.replace("’", "'").replace("\u2011", "-").replace("\u00a0", " ")


def tidy(term: GlossaryTerm) -> GlossaryTerm:
    """Return a term without idle space, and without aliases that say again what its name says."""
    named = {_line(text) for text in (term.name, term.hangul, term.romanisation)}
    aliases = dict.fromkeys(_line(alias) for alias in term.aliases)
    return replace(
        term,
        name=_line(term.name),
        hangul=_line(term.hangul),
        romanisation=_line(term.romanisation),
        explanation=_line(term.explanation),
        link=_line(term.link),
        aliases=tuple(alias for alias in aliases if alias and alias not in named),
    )


def faults(term: GlossaryTerm, others: Spellings) -> dict[str, str]:
    """
    Return what is wrong with a tidy term, a sentence for each field; nothing: it can be kept.

    Args:
        term: With its slug, if it is stored already: it may go by what it went by.
        others: The glossary as it will be.

    """
    found = {
        "name": _name_fault(term, others),
        "hangul": _too_long(term.hangul, NAME_AT_MOST) or _shared(term, [term.hangul], others),
        "romanisation": _too_long(term.romanisation, NAME_AT_MOST) or _shared(term, [term.romanisation], others),
        "aliases": _aliases_fault(term, others),
        "explanation": _explanation_fault(term.explanation),
        "link": _link_fault(term.link),
    }
    return {field: problem for field, problem in found.items() if problem}


def _name_fault(term: GlossaryTerm, others: Spellings) -> str:
    if not term.name:
        return "A term needs a name."
    if not any(character.isalnum() for character in term.name):
        return "A name has a letter or a digit in it."
    return _too_long(term.name, NAME_AT_MOST) or _shared(term, [term.name], others)


def _aliases_fault(term: GlossaryTerm, others: Spellings) -> str:
    if len(term.aliases) > ALIASES_AT_MOST:
        return f"A term has at most {ALIASES_AT_MOST} other spellings; these are {len(term.aliases)}."
    if any(not any(character.isalnum() for character in alias) for alias in term.aliases):
        return "Every spelling has a letter or a digit in it."
    longest = max(term.aliases, key=len, default="")
    return _too_long(longest, NAME_AT_MOST) or _shared(term, term.aliases, others)


def _explanation_fault(text: str) -> str:
    if not text:
        return "A term needs an explanation: one sentence for a reader abroad."
    if len(text) > EXPLANATION_AT_MOST:
        return f"One sentence of at most {EXPLANATION_AT_MOST} characters, please; this has {len(text)}."
    return ""


def _link_fault(link: str) -> str:
    if not link:
        return ""
    try:
        parts = urlsplit(link)
        is_address = parts.scheme.lower() in BY_HOST and bool(parts.hostname) and " " not in link
    except ValueError:
        is_address = False
    if not is_address:
        return "A link is an address that begins with https:// or http://."
    return _too_long(link, LINK_AT_MOST)


def _too_long(text: str, at_most: int) -> str:
    return f"At most {at_most} characters, please; this has {len(text)}." if len(text) > at_most else ""


def _shared(term: GlossaryTerm, texts: Iterable[str], others: Spellings) -> str:
    for text in filter(None, texts):
        owner = others.owner(text, term)
        if owner:
            return f"“{text}” belongs to the term “{owner.name}” already."
    return ""


def _line(text: str) -> str:
    return " ".join(NOT_IN_TEXT.sub(" ", unicodedata.normalize("NFC", text)).split())
