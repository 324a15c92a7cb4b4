from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.model import IssueId
from publisher.events import rules
from publisher.events.model import EventKind
from publisher.events.rules import Bounce

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
KINDS = st.lists(st.sampled_from(EventKind), min_size=1, max_size=8)


def bounces(*days_ago: int, one_issue: bool = False) -> list[Bounce]:
    return [
        Bounce(issue_id=IssueId(1 if one_issue else place), at=NOW - timedelta(days=days))
        for place, days in enumerate(days_ago, start=1)
    ]


@given(KINDS, st.randoms())
def test_where_a_delivery_stands_does_not_depend_on_the_order_of_what_we_hear(
    kinds: list[EventKind], dice: object
) -> None:
    shuffled = list(kinds)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    assert rules.standing(shuffled) is rules.standing(kinds)


@given(KINDS, KINDS)
def test_where_a_delivery_stands_never_goes_back(before: list[EventKind], after: list[EventKind]) -> None:
    order = list(EventKind)

    assert order.index(rules.standing(before + after)) >= order.index(rules.standing(before))


def test_a_mail_can_come_back_from_behind_the_server_that_took_it() -> None:
    assert rules.standing([EventKind.BOUNCED, EventKind.DELIVERED, EventKind.PROCESSED]) is EventKind.BOUNCED


def test_three_issues_that_came_back_within_a_month_are_enough() -> None:
    assert rules.is_worn_out(bounces(29, 14, 0), alive_at=None, now=NOW)
    assert not rules.is_worn_out(bounces(14, 0), alive_at=None, now=NOW)
    assert not rules.is_worn_out(bounces(31, 14, 0), alive_at=None, now=NOW)


def test_three_bounces_of_one_issue_are_one_evenings_trouble() -> None:
    assert not rules.is_worn_out(bounces(2, 1, 0, one_issue=True), alive_at=None, now=NOW)


def test_a_mail_that_arrived_in_between_wipes_the_slate() -> None:
    assert not rules.is_worn_out(bounces(20, 10, 0), alive_at=NOW - timedelta(days=15), now=NOW)
    assert rules.is_worn_out(bounces(20, 10, 0), alive_at=NOW - timedelta(days=25), now=NOW)


def test_what_a_receiver_thinks_of_us_says_nothing_of_the_address() -> None:
    assert not rules.counts_against_address("5.7.1")
    assert rules.counts_against_address("5.2.2")
    assert rules.counts_against_address("")
