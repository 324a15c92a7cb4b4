from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.syndication.model import ENTRIES
from publisher.syndication.rules import (
    Standing,
    first_place,
    following_archive,
    leaving,
    newest_first,
    previous_archive,
    subscription,
)
from tests.builders import TUESDAY


def standing(entry_id: int, place: int | None = None, minute: int | None = None) -> Standing:
    at = TUESDAY + timedelta(minutes=entry_id if minute is None else minute)
    return Standing(entry_id=entry_id, at=at, place=place)


def test_the_oldest_leave_the_subscription_document_oldest_first() -> None:
    unplaced = [standing(each) for each in (*range(10, 35), 3, 2)]

    assert [each.entry_id for each in leaving(unplaced)] == [2, 3]


def test_nothing_leaves_a_feed_that_fits_into_its_subscription_document() -> None:
    assert leaving([standing(each) for each in range(ENTRIES)]) == []


def test_two_articles_of_the_same_second_keep_their_order() -> None:
    """Without a rule for ties, two web processes could serve the same feed in two orders."""
    assert [each.entry_id for each in newest_first([standing(1, minute=5), standing(2, minute=5)])] == [2, 1]


def test_after_withdrawals_the_end_of_the_archives_fills_the_subscription_document_again() -> None:
    unplaced = [standing(each) for each in range(30, 50)]
    tail = [standing(each, place=each) for each in range(26, 0, -1)]

    entries, boundary = subscription(unplaced, tail)

    assert [each.entry_id for each in entries] == [*range(49, 29, -1), 26, 25, 24, 23, 22]
    assert boundary == 21


def test_a_small_feed_has_no_archives() -> None:
    assert subscription([standing(1)], []) == ([standing(1)], 0)


@settings(deadline=None)
@given(st.sets(st.integers(1, 400)), st.integers(0, ENTRIES))
def test_subscription_document_and_archives_share_no_entry_and_miss_none(places: set[int], unplaced: int) -> None:
    """Whatever holes withdrawals have left in the archives."""
    archived = [standing(each, place=each) for each in sorted(places, reverse=True)]
    fresh = [standing(1_000 + each) for each in range(unplaced)]

    entries, boundary = subscription(fresh, archived[: ENTRIES + 1])

    behind = []
    archive = boundary
    while archive:
        behind += [each for each in places if first_place(archive) <= each <= archive]
        archive = previous_archive(archive)
    met = [each.entry_id for each in entries] + behind
    assert sorted(met) == sorted([*places, *(each.entry_id for each in fresh)])
    assert len(entries) == min(ENTRIES, len(places) + unplaced)


def test_a_full_archive_is_followed_only_by_a_full_one() -> None:
    """RFC 5005 has no link from an archive on to the subscription document."""
    assert following_archive(25, last_place=49) == 0
    assert following_archive(25, last_place=50) == 50
    assert following_archive(30, last_place=100) == 0
