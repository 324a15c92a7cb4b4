from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.archive.model import ArticleId
from publisher.related import rules
from publisher.related.model import Origin, Profile, Signature
from publisher.related.rules import KEPT, SHOWN, Match, choose, cosine, freshness, matches, may_enter
from publisher.related.signatures import pack_sketch
from tests.related.newsroom import TUESDAY

SIGNATURES = st.dictionaries(st.integers(0, 30), st.integers(1, 255), max_size=12).map(
    lambda weights: Signature(terms=tuple(weights), weights=bytes(weights.values()))
)


def a_profile(
    number: int,
    weights: dict[int, int] | None = None,
    *,
    language: str = "en",
    published_at: datetime = TUESDAY,
    sketch: Sequence[int] = (),
) -> Profile:
    weights = weights or {1: 100, 100 + number: 100}
    return Profile(
        id=ArticleId(number),
        language=language,
        published_at=published_at,
        signature=Signature(terms=tuple(weights), weights=bytes(weights.values())),
        packed_sketch=pack_sketch(sketch),
    )


def chosen_ids(article: Profile, others: Sequence[Profile], named: Sequence[Profile] = ()) -> list[int]:
    return [each.profile.id for each in choose(article, matches(article, others), named=named)]


@given(SIGNATURES, SIGNATURES)
def test_likeness_is_mutual_and_between_nothing_and_all(one: Signature, other: Signature) -> None:
    assert cosine(one, other) == pytest.approx(cosine(other, one))
    assert 0 <= cosine(one, other) <= 1 + 1e-9


@given(SIGNATURES)
def test_an_article_is_wholly_like_itself(one: Signature) -> None:
    assert cosine(one, one) == pytest.approx(1 if one.terms else 0)


def test_the_strongest_shared_terms_come_first() -> None:
    one = Signature(terms=(1, 2, 3, 4), weights=bytes((200, 100, 50, 10)))
    other = Signature(terms=(3, 4, 1, 9), weights=bytes((250, 200, 100, 90)))

    assert rules.shared(one, other, at_most=2) == [1, 3]


def test_too_little_in_common_is_no_relation() -> None:
    article = a_profile(1, {1: 10, 2: 255})

    assert matches(article, [a_profile(2, {1: 10, 3: 255})]) == []


def test_korean_needs_less_in_common_to_be_related() -> None:
    """Its tokens are pairs of characters, and fewer of them meet."""
    english = [a_profile(number, {1: 60, 10 + number: 255}) for number in (1, 2)]
    korean = [a_profile(number, {1: 60, 10 + number: 255}, language="ko") for number in (1, 2)]

    assert 0.05 < cosine(english[0].signature, english[1].signature) < 0.08
    assert matches(english[0], english) == []
    assert [match.profile.id for match in matches(korean[0], korean)] == [2]


def test_another_language_has_no_place_in_the_list() -> None:
    assert matches(a_profile(1), [a_profile(2, language="ko")]) == []


@given(st.lists(st.tuples(st.integers(2, 9), SIGNATURES), max_size=12), st.randoms())
def test_the_same_archive_always_gives_the_same_links(others: list[tuple[int, Signature]], chance: object) -> None:
    """Whatever the order in which the database tells the candidates."""
    found = {
        number: Profile(
            id=ArticleId(number), language="en", published_at=TUESDAY, signature=signature, packed_sketch=b""
        )
        for number, signature in others
    }
    article = a_profile(1, dict.fromkeys(range(6), 100))

    straight = chosen_ids(article, list(found.values()))

    shuffled = list(found.values())
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert chosen_ids(article, shuffled) == straight
    assert len(straight) == len(set(straight)) <= KEPT
    assert 1 not in straight


def test_equal_likeness_is_settled_by_the_newer_article() -> None:
    later = a_profile(2, published_at=TUESDAY + timedelta(hours=1))

    assert chosen_ids(a_profile(1), [a_profile(3), later]) == [2, 3]


@given(st.integers(0, 5_000))
def test_an_old_match_loses_a_quarter_of_its_likeness_at_most(days: int) -> None:
    value = freshness(TUESDAY, TUESDAY - timedelta(days=days))

    assert rules.LEAST_FRESH <= value <= 1
    assert value >= freshness(TUESDAY, TUESDAY - timedelta(days=days + 1))


def test_what_is_newer_than_the_article_is_wholly_fresh() -> None:
    assert freshness(TUESDAY, TUESDAY + timedelta(days=400)) == 1


def test_three_different_angles_stand_before_the_same_one_again() -> None:
    """A nearly as good match that tells something else comes before the twin of the best."""
    article = a_profile(1, {1: 100, 2: 97, 3: 60})
    best, twin = a_profile(2, {1: 100, 5: 100}), a_profile(3, {1: 100, 5: 101})
    other = a_profile(4, {2: 100, 6: 100})

    assert chosen_ids(article, [best, twin, other]) == [2, 4, 3]


def test_copies_of_each_other_never_stand_in_one_list() -> None:
    runs = range(64)
    twins = [a_profile(number, sketch=runs) for number in (2, 3)]

    assert chosen_ids(a_profile(1), twins) == [3]


def test_a_text_without_three_words_is_no_copy_of_another() -> None:
    assert not rules.are_copies(a_profile(1), a_profile(2))


@pytest.mark.parametrize(("common", "copies"), [(15, False), (16, True)])
def test_a_quarter_of_common_runs_makes_a_copy(common: int, *, copies: bool) -> None:
    one = a_profile(1, sketch=range(64))
    other = a_profile(2, sketch=[*range(common), *range(1000, 1064 - common)])

    assert rules.are_copies(one, other) is copies
    assert rules.are_copies(other, one) is copies


def test_common_runs_count_among_the_smallest_of_both_only() -> None:
    """Else two samples of half-alike long texts would seem more alike than the texts are."""
    even = a_profile(1, sketch=range(0, 128, 2))
    odd_and_sixteen_even = a_profile(2, sketch=[*range(1, 97, 2), *range(96, 128, 2)])

    assert len(even.sketch & odd_and_sixteen_even.sketch) == 16
    assert not rules.are_copies(even, odd_and_sixteen_even)


def test_what_the_newsroom_named_comes_first_and_once() -> None:
    best, named = a_profile(2, {1: 100}), a_profile(3, {9: 100})

    found = choose(a_profile(1), matches(a_profile(1), [best, named]), named=[named, named, a_profile(1)])

    assert [(each.profile.id, each.origin) for each in found] == [(3, Origin.TEASER), (2, Origin.COMPUTED)]


def test_a_copy_of_a_named_article_is_left_out() -> None:
    named, copy = (a_profile(number, sketch=range(64)) for number in (2, 3))

    assert chosen_ids(a_profile(1), [copy], named=[named]) == [2]


def test_a_banned_article_is_neither_computed_nor_named() -> None:
    banned, other = a_profile(2), a_profile(3)

    found = choose(a_profile(1), matches(a_profile(1), [banned, other]), named=[banned], banned={ArticleId(2)})

    assert [each.profile.id for each in found] == [3]


@given(st.lists(SIGNATURES, min_size=KEPT, max_size=10), SIGNATURES)
def test_whom_the_short_cut_turns_away_would_not_have_been_chosen(known: list[Signature], new: Signature) -> None:
    """The older articles that a new one concerns are found without comparing all their links."""
    article = a_profile(1, dict.fromkeys(range(8), 100))
    signatures = dict(enumerate([*known, new], start=2))
    profiles = [
        Profile(id=ArticleId(number), language="en", published_at=TUESDAY, signature=each, packed_sketch=b"")
        for number, each in signatures.items()
    ]
    before = choose(article, matches(article, profiles[:-1]))
    weakest = min(each.score for each in before[:SHOWN]) if len(before) >= SHOWN else None
    match = Match(profile=profiles[-1], likeness=cosine(article.signature, new))

    if match.likeness >= rules.FLOOR and not may_enter(article, match, weakest=weakest):
        kept = [each.profile for each in before]
        again = choose(article, matches(article, [*kept, profiles[-1]]))
        assert [each.profile.id for each in again[:SHOWN]] == [each.id for each in kept[:SHOWN]]
