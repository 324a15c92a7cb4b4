from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from math import exp2
from operator import mul

from publisher.archive.model import ArticleId
from publisher.related.model import Embedding, Origin, Profile, Signature
from publisher.related.signatures import IN_PAIRS

SHOWN = 3
KEPT = 5
"""Links stored for an article: those shown, and some to move up when one is withdrawn or banned."""
CANDIDATES = 60
RELINKED = 20
"""So many older articles are asked whether a new one belongs among their links."""
FLOOR = 0.08
FLOOR_IN_PAIRS = 0.05
"""Less alike is not related: two good links are better than three. Measured on news in both scripts."""
SENSE_SHARE = 0.4
"""Weight of what a sentence model says in the likeness of two articles that have both been embedded."""
SENSE_SHARE_SHORT = 0.55
"""The same where one of them is short: few words say less."""
SHORT = 48
"""Terms in the signature of a short text."""
SENSE_SCALE = 0.5
"""Cosines of embeddings are about twice those of signatures. All four measured (docs/decisions/0015)."""
COPY_SHARE = 0.25
"""
Two texts that share so many of their runs of three words are the same text.

Texts that share 30 % are copies to a reader; the sample of 64 runs may err by 6 %. Measured: of
503 articles with such a copy 2 show it, with 0.3 here 35.
"""
VARIETY = 0.2
"""Weight of being unlike the links before, beyond MUCH_ALIKE."""
MUCH_ALIKE = 0.6
"""
Links as alike as this tell the same thing twice.

To ask for variety among all links cost likeness, whatever its weight; among those alone it costs none (measured).
"""
HALF_LIFE = timedelta(days=30)
LEAST_FRESH = 0.75
"""An old but strong match survives a fresh and weak one."""
NAMED_SCORE = 1.0
"""No computed link scores as high as one that the newsroom named."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """An article that is alike enough to be linked."""

    profile: Profile
    likeness: float


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A place among an article's links, and who has it."""

    profile: Profile
    score: float
    origin: Origin


def cosine(one: Signature, other: Signature) -> float:
    """Return how alike two signatures are: 0 (nothing in common) to 1."""
    mine = one.weight_of
    common = sum([mine[term] * weight for term, weight in zip(other.terms, other.weights, strict=True) if term in mine])
    return common / (one.length * other.length) if common else 0.0


def likeness(one: Profile, other: Profile) -> float:
    """Return how alike two articles are: by their words and, where a model has read both, by what they say."""
    by_words = cosine(one.signature, other.signature)
    if not one.embedding or not other.embedding or one.embedding.model != other.embedding.model:
        return by_words
    is_short = min(len(one.signature.terms), len(other.signature.terms)) < SHORT
    share = SENSE_SHARE_SHORT if is_short else SENSE_SHARE
    return (1 - share) * by_words + share * SENSE_SCALE * _angle(one.embedding, other.embedding)


def _angle(one: Embedding, other: Embedding) -> float:
    """Return the cosine of the angle between two embeddings of one model."""
    lengths = one.length * other.length
    return sum(map(mul, one.components, other.components)) / lengths if lengths else 0.0


def shared(one: Signature, other: Signature, *, at_most: int) -> list[int]:
    """Return the terms that make two signatures alike, the strongest first."""
    weights = {term: one.weight_of[term] * weight for term, weight in other.weight_of.items() if term in one.weight_of}
    return sorted(weights, key=lambda term: (-weights[term], term))[:at_most]


def are_copies(one: Profile, other: Profile) -> bool:
    """Return whether two articles are the same text, by the share of common values among the smallest of both."""
    common = one.sketch & other.sketch
    size = max(len(one.sketch), len(other.sketch))
    if not common or len(common) < COPY_SHARE * size:
        return False
    smallest = sorted(one.sketch | other.sketch)[:size]
    return len(common.intersection(smallest)) >= COPY_SHARE * size


def freshness(article_at: datetime, target_at: datetime) -> float:
    """
    Return by how much a target's age lessens its likeness: 1 for what is as new as the article or newer.

    Age counts from the article, not from today, so links chosen once stay right.
    """
    age = max(article_at - target_at, timedelta())
    return LEAST_FRESH + (1 - LEAST_FRESH) * exp2(-age / HALF_LIFE)


def matches(article: Profile, profiles: Iterable[Profile]) -> list[Match]:
    """
    Return those who are alike enough to be linked, the most alike first.

    Likeness across languages cannot be compared with likeness within one, so another language has
    no place in this list.
    """
    floor = FLOOR_IN_PAIRS if article.language in IN_PAIRS else FLOOR
    alike = [
        Match(profile=each, likeness=found)
        for each in profiles
        if each.language == article.language and (found := likeness(article, each)) >= floor and each.id != article.id
    ]
    return sorted(alike, key=lambda match: (-match.likeness, -match.profile.id))


def choose(
    article: Profile,
    alike: Iterable[Match],
    *,
    named: Sequence[Profile] = (),
    banned: Collection[ArticleId] = frozenset(),
) -> list[Chosen]:
    """
    Choose an article's links, in order: what the newsroom named, then by likeness, freshness and variety.

    Never itself, never a copy of itself or of a link before. Equal scores are settled by the newer
    article, then by id.

    Args:
        article: Who gets the links.
        alike: Its matches.
        named: The published articles that its teasers name.
        banned: Targets that an editor does not want there.

    Source:
        J. Carbonell, J. Goldstein, The use of MMR (1998): marginal relevance, here beyond a threshold.

    """
    wanted = {each.id: each for each in named if each.id != article.id and each.id not in banned}
    chosen = [Chosen(profile=each, score=NAMED_SCORE, origin=Origin.TEASER) for each in wanted.values()][:KEPT]
    out = {article.id, *wanted, *banned}
    rivals = [_Rival(match.profile, _relevance(article, match)) for match in alike if match.profile.id not in out]
    waiting = [(rival.rank(), rival) for rival in rivals]
    heapify(waiting)
    while waiting and len(chosen) < KEPT:
        _, best = heappop(waiting)
        if best.compared == len(chosen):
            if not are_copies(article, best.profile):
                chosen.append(Chosen(profile=best.profile, score=best.score(), origin=Origin.COMPUTED))
        elif best.compare(chosen):
            heappush(waiting, (best.rank(), best))
    return chosen


class _Rival:
    """Who waits to be chosen. To be compared with more links can only lessen his score, so the best are enough."""

    __slots__ = ("compared", "profile", "relevance", "sameness")

    def __init__(self, profile: Profile, relevance: float) -> None:
        self.profile = profile
        self.relevance = relevance
        self.sameness = 0.0
        self.compared = 0

    def score(self) -> float:
        return round(self.relevance - VARIETY * max(0.0, self.sameness - MUCH_ALIKE), 6)

    def rank(self) -> tuple[float, float, int]:
        """Return what puts the best first; no two are equal."""
        return -self.score(), -self.profile.published_at.timestamp(), -self.profile.id

    def compare(self, chosen: Sequence[Chosen]) -> bool:
        """Learn how much he resembles the chosen ones; return False if he is a copy of one."""
        for each in chosen[self.compared :]:
            if are_copies(each.profile, self.profile):
                return False
            self.sameness = max(self.sameness, cosine(each.profile.signature, self.profile.signature))
        self.compared = len(chosen)
        return True


def may_enter(article: Profile, match: Match, *, weakest: float | None) -> bool:
    """
    Return whether a new match can have a place among an article's links: exact when it says no.

    Args:
        article: Who has the links.
        match: Who may get one.
        weakest: The lowest score among the links that are shown; None: there is room.

    """
    return weakest is None or _Rival(match.profile, _relevance(article, match)).score() >= weakest


def _relevance(article: Profile, match: Match) -> float:
    return match.likeness * freshness(article.published_at, match.profile.published_at)
