import struct
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from math import hypot
from typing import NamedTuple
from zlib import crc32

from publisher import words
from publisher.archive.model import ArticleId, Lead

_OFFSET = 2**31
"""Takes an unsigned hash to the range of the database's INTEGER."""


class Origin(StrEnum):
    """Why there is a related link."""

    TEASER = "teaser"
    """The newsroom named the other article under this one."""
    COMPUTED = "computed"
    PINNED = "pinned"
    """An editor put it there."""


class Choice(StrEnum):
    """What an editor decided about a related link."""

    PINNED = "pinned"
    BANNED = "banned"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What an article is about: the hashes of its best terms, best first, each with a weight of 1 to 255."""

    terms: tuple[int, ...]
    weights: bytes

    @cached_property
    def weight_of(self) -> dict[int, int]:
        return dict(zip(self.terms, self.weights, strict=True))

    @cached_property
    def length(self) -> float:
        return hypot(*self.weights)


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """What a sentence model makes of an article: a direction. Those of two models say nothing of each other."""

    model: int
    """Tells one model from another."""
    values: bytes
    """Signed bytes."""

    @cached_property
    def components(self) -> memoryview:
        return memoryview(self.values).cast("b")

    @cached_property
    def length(self) -> float:
        return hypot(*self.components)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """All that the rules look at when they compare two articles."""

    id: ArticleId
    language: str
    """The primary part only: `en` for `en-GB`."""
    published_at: datetime
    signature: Signature
    packed_sketch: bytes
    """The sketch as it is stored; few of those that are looked at are asked for it."""
    embedding: Embedding | None = None

    @cached_property
    def sketch(self) -> frozenset[int]:
        """The smallest hashes of its runs of three words: tells whether two texts are the same text."""
        return frozenset(struct.unpack(f"<{len(self.packed_sketch) // 4}I", self.packed_sketch))


class Frequency(NamedTuple):
    """How common a term is among the articles of one language."""

    articles: int
    """Articles that hold it."""
    posted: int
    """Articles that are found by it: it is among their best terms."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What was noted of an article when it was last related."""

    digest: bytes | None
    """Of the text that was read; None: it was withdrawn since."""
    posted: tuple[int, ...]
    """The terms by which it is found."""


def terms(tokens: Iterable[str], language: str) -> dict[str, int]:
    """
    Return the 32-bit hash that stands for each token of a language.

    The same token in two languages is two terms, so articles in two languages never meet by chance
    ("die", "gift"), and how common a word is belongs to its language.
    """
    seed = crc32(language.encode())
    return {token: crc32(token.encode(), seed) - _OFFSET for token in tokens}


@dataclass(frozen=True, kw_only=True)
class Text:
    """An article as it is read to relate it."""

    id: ArticleId
    language: str
    title: str
    body: str
    """Plain text of all sections, as far as it is read."""
    published_at: datetime
    names: tuple[int, ...]
    """Keys by which a teaser may name it."""
    teasers: tuple[tuple[int, ...], ...]
    """For each of its own teasers the keys of what it names."""
    digest: bytes
    """Differs when anything above does."""

    @cached_property
    def written(self) -> list[str]:
        """The words of title and body as they are written."""
        return [*words.spelled(self.title), *words.spelled(self.body)]

    @cached_property
    def often(self) -> Counter[str]:
        """How often each of the words stands there."""
        return Counter(self.written)

    @cached_property
    def vocabulary(self) -> dict[str, tuple[str, ...]]:
        """The tokens of each of the words."""
        return words.vocabulary(self.often)

    @cached_property
    def terms(self) -> dict[str, int]:
        """The term that stands for each token."""
        return terms(chain.from_iterable(self.vocabulary.values()), self.language)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An article's place in the index, as it will be written."""

    text: Text
    profile: Profile
    posted: Mapping[int, int]
    """The terms by which it will be found, with their weights."""
    asked: Mapping[int, int]
    """Those of them by which it looks for others."""
    counted: Collection[int]
    """Terms in which it is counted now; none if it was counted before."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """All that one step of the stage will write."""

    entries: Sequence[Entry] = ()
    known: Mapping[ArticleId, Known] = field(default_factory=dict)
    """What was noted before of those that were."""
    gone: Collection[ArticleId] = ()
    """Articles to take out of the index and of everybody's links."""
    links: Mapping[ArticleId, Sequence["Link"]] = field(default_factory=dict)
    """The links of every article that gets other links than it has."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What two articles share, in words of one of them."""

    about: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """A related link as it is stored below the article that carries it."""

    target_id: ArticleId
    score: float
    origin: Origin
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Related:
    """A related link as a reader sees it."""

    lead: Lead
    origin: Origin
    reason: str
    """A sentence for the desk."""
