import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import ahocorasick

from publisher.archive.model import GlossaryTerm
from publisher.archive.rules import plain, spellings

HANGUL_RUN = re.compile("[가-힣]*")
PARTICLES = re.compile(
    "(?:님|씨|들)?"  # titles and the plural come before particles
    "(?:에(?:서|게|게서)?|께(?:서)?|한테(?:서)?|(?:으)?로(?:서|써)?|부터|까지|하고|이?랑|처럼|같이|보다|마다|조차|마저"
    "|밖에|뿐|대로|만큼|이?나|이?든지?|이?며|이?고|이?자|이?란|이?라(?:고|는|며|서)?|이?다|이었다|였다|이?지만|입니다)?"
    "(?:부터|까지)?"
    "[은는이가을를의와과도만]?"
)
"""Particles and endings that Korean writes onto a name, also one after another: 서울에서는, 대통령으로부터의."""
SHORTEST_WITH_PARTICLE = 2
"""A name of one syllable must stand alone: 정도 is "degree", not 정 with the particle 도."""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """A glossary term where a text first names it."""

    term: GlossaryTerm
    start: int
    """Counted in characters of the text's NFC form, as `end` is."""
    end: int


class _Spelling(NamedTuple):
    """One way to write a term."""

    text: str
    rank: int
    """The term's place among all terms; the earlier one gets a spelling that two of them share."""


class _Hit(NamedTuple):
    start: int
    end: int
    rank: int


class Matcher:
    """
    Finds glossary terms in a text, in time that grows with the text and not with the glossary.

    A term is found by its name, Hangul, romanisation or an alias, as a whole word; Hangul and what
    stands before a Korean particle (서울에서, KTX는) counts as whole. Where two overlap the longer
    one wins: Seoul National University is not Seoul.
    """

    def __init__(self, terms: Iterable[GlossaryTerm]) -> None:
        self._terms = tuple(terms)
        keys: dict[str, list[_Spelling]] = {}
        for rank, term in enumerate(self._terms):
            for text in spellings(term):
                keys.setdefault(_folded(text), []).append(_Spelling(text, rank))
        self._automaton = ahocorasick.Automaton()
        for key, ways in keys.items():
            self._automaton.add_word(key, ways)
        self._automaton.make_automaton()
        self._is_empty = not keys

    def find(self, text: str) -> list[Occurrence]:
        """Return each term that occurs, once, in the order of first occurrence."""
        if self._is_empty:
            return []
        text = plain(text)
        found: dict[int, Occurrence] = {}
        for hit in _without_overlaps(self._hits(text)):
            if hit.rank not in found:
                found[hit.rank] = Occurrence(term=self._terms[hit.rank], start=hit.start, end=hit.end)
        return list(found.values())

    def _hits(self, text: str) -> Iterator[_Hit]:
        folded = _folded(text)
        for last, ways in self._automaton.iter(folded):
            end = last + 1
            start = end - len(ways[0].text)
            if not _starts_a_word(text, start) or not _ends_a_word(text, start, end):
                continue
            for way in ways:
                if not self._terms[way.rank].case_sensitive or text[start:end] == way.text:
                    yield _Hit(start, end, way.rank)
                    break


def _folded(text: str) -> str:
    """Return the text in lower case, as long as it was: positions must stay true (İ would become two characters)."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := character.lower()) == 1 else character for character in text)


def _starts_a_word(text: str, start: int) -> bool:
    return start == 0 or not (_is_part(text[start - 1]) and _is_part(text[start]))


def _ends_a_word(text: str, start: int, end: int) -> bool:
    if end == len(text) or not (_is_part(text[end]) and _is_part(text[end - 1])):
        return True
    tail = HANGUL_RUN.match(text, end)
    if not tail or not tail[0] or (tail.end() < len(text) and _is_part(text[tail.end()])):
        return False
    return end - start >= SHORTEST_WITH_PARTICLE and PARTICLES.fullmatch(tail[0]) is not None


def _is_part(character: str) -> bool:
    return character.isalnum() or character == "_"


def _without_overlaps(hits: Iterable[_Hit]) -> Iterator[_Hit]:
    """Keep the leftmost of overlapping hits, of those that begin together the longest, then the earlier term."""
    reached = 0
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end, hit.rank)):
        if hit.start >= reached:
            yield hit
            reached = hit.end
