"""Who gets which subject of a test, and which of them did best. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import comb, erfc, sqrt
from typing import Any, Self, TypeVar

from publisher.compose.model import IssueId, SubjectTest

PRIME = (1 << 31) - 1
PLACES = 10_000
PER_PERCENT = PLACES // 100
EXPECTED_AT_LEAST = 5
"""Below so many expected clicks the normal approximation says nothing (W. G. Cochran, Biometrics 10, 1954)."""
CHANCE = 0.05

Number = TypeVar("Number", int, Any)


@dataclass(frozen=True, kw_only=True)
class Split:
    """
    Which readers get which subject of an issue's test.

    A reader's place is (a * id + b) mod 2^31-1 mod 10,000, which Python and both databases work out alike: a family
    of hashes of which any two readers' places are independent (J. L. Carter, M. N. Wegman, J. Comput. Syst. Sci. 18,
    1979). Each issue has a and b of its own, from the house's secret, so that no reader is on trial each time.
    """

    count: int
    """Subjects: two or three."""
    share_percent: int
    a: int
    b: int
    readers: tuple[int, ...]
    """Planned for each subject so far."""
    clicks: tuple[int, ...] = ()
    """Of each when the best was chosen; empty: not yet."""

    @classmethod
    def of(cls, test: SubjectTest, issue_id: IssueId, secret_key: str) -> Self:
        digest = sha256(f"subjects of issue {issue_id}/{secret_key}".encode()).digest()
        a, b = int.from_bytes(digest[:8], "big") % (PRIME - 1) + 1, int.from_bytes(digest[8:16], "big") % PRIME
        count = 1 + len(test.others)
        return cls(count=count, share_percent=test.share_percent, a=a, b=b, readers=(0,) * count)

    def place(self, subscription_id: Number) -> Number:
        """Return a reader's place, 0 to 9,999: of a number, or of a column."""
        return (subscription_id % PRIME * self.a + self.b) % PRIME % PLACES

    @property
    def first_of_rest(self) -> int:
        """The place from which readers wait for the best subject."""
        return self.share_percent * PER_PERCENT

    def subject_for(self, subscription_id: int, best: int | None) -> int:
        """Return the number of the subject that a reader gets. Whoever waits is never asked for before it is known."""
        place = self.place(subscription_id)
        return place % self.count if place < self.first_of_rest else best or 0

    def with_readers(self, more: Sequence[int]) -> Self:
        return replace(self, readers=tuple(a + b for a, b in zip(self.readers, more, strict=True)))

    def to_json(self) -> dict[str, Any]:
        names = ("count", "share_percent", "a", "b")
        return {name: getattr(self, name) for name in names} | {
            "readers": list(self.readers),
            "clicks": list(self.clicks),
        }

    @classmethod
    def from_json(cls, kept: Any) -> Self:
        return cls(**{**kept, "readers": tuple(kept["readers"]), "clicks": tuple(kept["clicks"])})


def best_of(readers: Sequence[int], clicks: Sequence[int]) -> int:
    """Return the number of the subject with the most clicks a reader; of equal ones the first."""
    rates = [each / max(1, number) for each, number in zip(clicks, readers, strict=True)]
    return rates.index(max(rates))


def is_clear(readers: Sequence[int], clicks: Sequence[int]) -> bool:
    """
    Tell whether the best subject is better than each other one by more than chance makes of equal ones.

    Two-sided test of two proportions with pooled variance, at 5 % for all pairs together (Bonferroni). With few
    readers or clicks it is never clear. Clicks are taken as readers who clicked, which is right where an edition
    tracks by reader, and too kind where one reader may be counted twice.
    """
    best = best_of(readers, clicks)
    pairs = comb(len(readers), 2)
    others = [each for each in range(len(readers)) if each != best]
    return all(chance_of(readers[best], clicks[best], readers[each], clicks[each]) * pairs < CHANCE for each in others)


def chance_of(readers: int, clicks: int, other_readers: int, other_clicks: int) -> float:
    """Return how often chance alone makes two equal subjects differ as much as these; 1: too few to tell."""
    if not readers or not other_readers:
        return 1.0
    first, second = min(clicks, readers), min(other_clicks, other_readers)
    pooled = (first + second) / (readers + other_readers)
    expected = min(pooled, 1 - pooled) * min(readers, other_readers)
    if expected < EXPECTED_AT_LEAST:
        return 1.0
    difference = first / readers - second / other_readers
    deviation = sqrt(pooled * (1 - pooled) * (1 / readers + 1 / other_readers))
    return erfc(abs(difference) / deviation / sqrt(2))


def least_difference(readers: int, *, rate: float, count: int) -> float:
    """
    Return how far apart two subjects must be, as shares of readers who click, to be told apart four times in five.

    Args:
        readers: Of each subject.
        rate: The share of readers who usually click.
        count: Subjects on trial; with three, three pairs are compared.

    Source:
        J. L. Fleiss, Statistical Methods for Rates and Proportions, section 4.2, without continuity correction.

    """
    z_two_sided = {2: 1.96, 3: 2.394}[count]
    z_power = 0.8416
    return (z_two_sided + z_power) * sqrt(2 * rate * (1 - rate) / max(1, readers))
