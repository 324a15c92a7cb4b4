"""Subjects on trial: who gets which, and when a difference is more than chance."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.model import IssueId, SubjectTest
from publisher.dispatch.subjects import Split, best_of, chance_of, is_clear, least_difference

TWO = SubjectTest(others=("B",), share_percent=20, hours=4)
THREE = SubjectTest(others=("B", "C"), share_percent=30, hours=4)


@pytest.mark.parametrize(("test", "count"), [(TWO, 2), (THREE, 3)])
def test_a_share_of_the_readers_is_parted_evenly(test: SubjectTest, count: int) -> None:
    split = Split.of(test, IssueId(7), "secret")

    places = [split.place(each) for each in range(1, 20_001)]
    tried = Counter(place % count for place in places if place < split.first_of_rest)

    assert sum(tried.values()) == pytest.approx(200 * test.share_percent, rel=0.05)
    assert set(tried) == set(range(count))
    assert max(tried.values()) - min(tried.values()) < 0.1 * sum(tried.values())


def test_another_issue_tries_its_subjects_on_other_readers() -> None:
    """Nobody is on trial each time."""
    readers = range(1, 10_001)
    first, second = (Split.of(TWO, IssueId(each), "secret") for each in (1, 2))

    both = [each for each in readers if max(first.place(each), second.place(each)) < first.first_of_rest]

    assert len(both) == pytest.approx(400, rel=0.3)


@given(reader=st.integers(1, 2**62), issue=st.integers(1, 2**40), best=st.sampled_from([0, 1, 2]))
def test_every_reader_gets_one_subject(reader: int, issue: int, best: int) -> None:
    split = Split.of(THREE, IssueId(issue), "secret")

    subject = split.subject_for(reader, best)

    waits = split.place(reader) >= split.first_of_rest
    assert subject == best if waits else subject in range(3)


def test_a_split_is_kept_whole() -> None:
    split = Split.of(THREE, IssueId(7), "secret").with_readers([5, 6, 7])

    assert Split.from_json(split.to_json()) == split


@pytest.mark.parametrize(
    ("readers", "clicks", "best"),
    [((100, 100), (3, 5), 1), ((100, 50), (6, 4), 1), ((100, 100), (4, 4), 0), ((0, 0), (0, 0), 0)],
)
def test_the_best_has_the_most_clicks_a_reader(readers: tuple[int, ...], clicks: tuple[int, ...], best: int) -> None:
    """Of equal ones, and where nobody clicked, it is the issue's own subject."""
    assert best_of(readers, clicks) == best


def test_the_chance_is_that_of_the_textbook() -> None:
    """100 of 1,000 against 70 of 1,000: z = 2.405 with pooled variance, by hand; two-sided 0.0162."""
    assert chance_of(1_000, 100, 1_000, 70) == pytest.approx(0.0162, abs=0.0003)


@pytest.mark.parametrize(
    ("readers", "clicks", "clear"),
    [
        ((1_000, 1_000), (100, 70), True),
        ((1_000, 1_000, 1_000), (100, 70, 69), True),
        ((1_000, 1_000, 1_000), (100, 73, 60), False),  # 0.031 is little for one pair, and no wonder among three
        ((1_000, 1_000), (80, 70), False),
        ((20, 20), (5, 0), False),  # five clicks and none: too few to tell
        ((0, 0), (0, 0), False),
    ],
)
def test_a_difference_that_chance_makes_is_called_noise(
    readers: tuple[int, ...], clicks: tuple[int, ...], *, clear: bool
) -> None:
    assert is_clear(readers, clicks) is clear


def test_the_more_readers_the_smaller_the_difference_that_can_be_told() -> None:
    """3 in 100, 5,000 each: 0.96 percentage points, by Fleiss's formula without correction."""
    assert least_difference(5_000, rate=0.03, count=2) == pytest.approx(0.0096, abs=0.0001)
    assert least_difference(5_000, rate=0.03, count=3) > least_difference(5_000, rate=0.03, count=2)
