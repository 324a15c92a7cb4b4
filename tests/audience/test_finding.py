"""Readers found by what an editor knows of them, in pages that end in time."""

from datetime import timedelta

import pytest

from publisher.audience import finding, flow, store
from publisher.audience.finding import Found, Instant
from publisher.audience.model import How, MailingListId, SubscriptionState
from publisher.database import Database
from tests.audience.clocks import SetClock

pytestmark = pytest.mark.usefixtures("weekly")


def add(database: Database, clock: SetClock, email: str, name: str = "", *lists: str) -> None:
    flow.add_subscriber(
        database, email=email, name=name, lists=lists or ["weekly"], yes=flow.Yes(how=How.CLI), clock=clock
    )
    clock.pass_by(timedelta(minutes=1))


def ask(database: Database, clock: SetClock, email: str, *lists: str) -> None:
    flow.ask_to_subscribe(database, email=email, lists=lists or ["weekly"], clock=clock)
    clock.pass_by(timedelta(minutes=1))


def leave(database: Database, clock: SetClock, email: str) -> None:
    with database.transaction() as connection:
        reader = store.subscriber_with_email(connection, email)
        assert reader
        ids = [each.id for each in store.subscriptions_of(connection, [reader.id])[reader.id]]
        store.end(connection, ids, now=clock())
    clock.pass_by(timedelta(minutes=1))


def local_parts(found: Found[str] | Found[Instant]) -> str:
    return " ".join(each.email.partition("@")[0] for each in found.subscribers)


def test_names_are_found_by_their_beginning_in_any_script(either: Database, clock: SetClock) -> None:
    for number, name in enumerate(("Minji Kim", "MINA Park", "김민지", "Mo", "", "100% Min")):
        add(either, clock, f"r{number}@example.org", name)

    def named(beginning: str) -> list[str]:
        with either.reading() as connection:
            return [each.name for each in finding.by_name(connection, beginning, at_most=9)]

    assert named("min") == ["MINA Park", "Minji Kim"]
    assert named("김민") == ["김민지"]
    assert named("100%") == ["100% Min"]
    assert named("%") == named("kim") == named("\x00") == []


def test_who_has_not_said_yes_yet_is_found_latest_first(either: Database, clock: SetClock) -> None:
    flow.add_mailing_list(either, slug="daily", name="Daily", clock=clock)
    add(either, clock, "yes@example.org")
    ask(either, clock, "a@example.org")
    ask(either, clock, "b@example.org", "weekly", "daily")
    ask(either, clock, "c@example.org")

    with either.reading() as connection:
        first = finding.by_state(connection, SubscriptionState.PENDING, at_most=2)
        second = finding.by_state(connection, SubscriptionState.PENDING, at_most=2, before=first.next)
        daily = store.mailing_list_named(connection, "daily").id
        only = finding.by_state(connection, SubscriptionState.PENDING, at_most=2, mailing_list_id=daily)

    assert (local_parts(first), local_parts(second), local_parts(only)) == ("c b", "a", "b")
    assert (second.next, only.next) == (None, None)


def test_who_has_left_is_found_latest_first(either: Database, clock: SetClock) -> None:
    for each in "abc":
        add(either, clock, f"{each}@example.org")
    leave(either, clock, "c@example.org")
    leave(either, clock, "a@example.org")

    with either.reading() as connection:
        found = finding.by_state(connection, SubscriptionState.UNSUBSCRIBED, at_most=9)

    assert (local_parts(found), found.next) == ("a c", None)


def test_what_is_rare_is_found_in_a_few_pages(
    either: Database, weekly: MailingListId, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each looks at so many readers only, and the next one goes on where it stopped: nobody is left out."""
    monkeypatch.setattr(finding, "LOOK_AT", 3)
    flow.add_mailing_list(either, slug="daily", name="Daily", clock=clock)
    for each in "abcdefgh":
        add(either, clock, f"{each}@example.org", "", "daily" if each in "bg" else "weekly")
    with either.reading() as connection:
        daily = store.mailing_list_named(connection, "daily").id

    pages, after = list[str](), ""
    with either.reading() as connection:
        while True:
            found = finding.by_address(connection, at_most=5, after=after, mailing_list_id=daily)
            pages.append(local_parts(found))
            if found.next is None:
                break
            after = found.next
        of_weekly = finding.by_address(
            connection, at_most=2, mailing_list_id=weekly, state=SubscriptionState.CONFIRMED, beginning="C"
        )

    assert pages == ["b", "", "g"]
    assert local_parts(of_weekly) == "c"


def test_pages_by_address_leave_nobody_out(either: Database, clock: SetClock) -> None:
    for each in "abcde":
        add(either, clock, f"{each}@example.org")

    with either.reading() as connection:
        first = finding.by_address(connection, at_most=2)
        second = finding.by_address(connection, at_most=2, after=first.next or "")
        third = finding.by_address(connection, at_most=2, after=second.next or "")

    assert [local_parts(each) for each in (first, second, third)] == ["a b", "c d", "e"]
    assert third.next is None
