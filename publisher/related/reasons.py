"""Why two articles are related, in words for the desk. Pure."""

import re
from collections.abc import Sequence
from itertools import chain

from publisher.names import CALENDAR, names_within
from publisher.related.model import Origin, Reason, Text

SHARED = 16
"""Shared terms that are looked at."""
TOLD = 2
"""Words told of each kind."""
_PARTICLE = re.compile("(?<=[가-힣]{2})(?:에서|으로|에게|부터|까지|에는|[은는이가을를의에와과도로만])$")


class Spelling:
    """How an article spells its terms: words in small letters, names whole."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._words: dict[int, str] = {}
        for word, tokens in text.vocabulary.items():
            for token in tokens:
                usual = self._words.setdefault(text.terms[token], word)
                if text.often[word] > text.often[usual]:
                    self._words[text.terms[token]] = word
        self._name_terms: dict[str, frozenset[int]] = {}
        self._are_names: dict[str, bool] = {}
        self._names: dict[str, set[str]] = {}
        for name in names_within(text.body):
            for word in name.replace("-", " ").split(" "):
                if name.lower() not in CALENDAR:
                    self._names.setdefault(word, set()).add(name)

    def reason(self, shared: Sequence[int]) -> Reason:
        """Return what to tell about shared terms, given the strongest first."""
        about, names, told = list[str](), list[str](), set[int]()
        for each in shared:
            if each in told or len(about) == len(names) == TOLD:
                continue
            name, its_terms = self._name(each, shared)
            word = name or self._word(each)
            kind = names if self._is_name(word) else about
            if len(kind) < TOLD and word not in (*kind, ""):
                kind.append(word)
                told |= its_terms
        return Reason(about=tuple(about), names=tuple(names))

    def _name(self, each: int, shared: Sequence[int]) -> tuple[str, frozenset[int]]:
        """Return the fullest name that holds a term and is shared as a whole, or nothing."""
        names = self._names.get(self._words.get(each, ""), ())
        for name in sorted(names, key=lambda name: (-len(self._terms(name)), len(name), name)):
            if (its_terms := self._terms(name)).issubset(shared):
                return name, its_terms
        return "", frozenset()

    def _terms(self, name: str) -> frozenset[int]:
        if name not in self._name_terms:
            parts = name.replace("-", " ").split(" ")
            tokens = chain.from_iterable(self._text.vocabulary.get(part, ()) for part in parts)
            self._name_terms[name] = frozenset(self._text.terms[token] for token in tokens)
        return self._name_terms[name]

    def _word(self, each: int) -> str:
        word = _PARTICLE.sub("", self._words.get(each, ""))
        if word.isdecimal() or word.lower() in CALENDAR:
            return ""
        return word if self._is_name(word) else word.lower()

    def _is_name(self, word: str) -> bool:
        """Tell whether the article writes a word with a capital wherever it stands, the title apart."""
        if word not in self._are_names:
            capital = word[:1].isupper() and word.lower() not in self._text.often
            self._are_names[word] = capital and word in self._text.body
        return self._are_names[word]


def sentence(reason: Reason, origin: Origin) -> str:
    """Return a reason as a sentence: "Both about military, alliance; both name Pyongyang."."""
    if origin is Origin.PINNED:
        return "Pinned by an editor."
    if origin is Origin.TEASER:
        return "Named by the newsroom under the article."
    told = [f"both about {', '.join(reason.about)}"] if reason.about else []
    told += [f"both name {', '.join(reason.names)}"] if reason.names else []
    whole = "; ".join(told) or "both use much the same words"
    return f"{whole[0].upper()}{whole[1:]}."
