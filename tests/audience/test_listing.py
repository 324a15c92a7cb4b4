from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.audience import flow, store
from publisher.audience.flow import Yes
from publisher.audience.model import How, MailingListId, SubscriberId, SubscriptionId
from publisher.database import Database
from publisher.errors import NotFoundError
from tests.audience.clocks import SetClock

PLAN_OF_AN_ISSUE = """
    SELECT id, subscriber_id FROM subscription
    WHERE mailing_list_id = :list AND id > :after AND state = 'confirmed' ORDER BY id LIMIT 1000
"""


def add(database: Database, clock: SetClock, *emails: str, to: str = "weekly") -> None:
    for email in emails:
        flow.add_subscriber(database, email=email, lists=[to], yes=Yes(how=How.CLI), clock=clock)


def pages(database: Database, *, beginning: str = "", mailing_list_id: MailingListId | None = None) -> list[list[str]]:
    found: list[list[str]] = []
    after = ""
    while True:
        with database.reading() as connection:
            page = store.subscribers(
                connection, at_most=2, beginning=beginning, after=after, mailing_list_id=mailing_list_id
            )
        if not page:
            return found
        found.append([each.email for each in page])
        after = page[-1].email


@pytest.mark.usefixtures("weekly")
def test_subscribers_are_paged_through_by_address(either: Database, clock: SetClock) -> None:
    """By bytes in both databases, so that no page leaves anybody out, whatever the server's language."""
    add(either, clock, "bert@example.org", "Anna@example.org", "a_b@example.org", "a.b@example.org", "ab@example.org")

    assert pages(either) == [
        ["a.b@example.org", "a_b@example.org"],
        ["ab@example.org", "Anna@example.org"],
        ["bert@example.org"],
    ]


@pytest.mark.usefixtures("weekly")
def test_subscribers_are_found_by_the_beginning_of_the_address(either: Database, clock: SetClock) -> None:
    add(
        either,
        clock,
        "anna@example.org",
        "anna.berg@example.org",
        "hanna@example.org",
        "an%a@example.org",
        "zoe@a.test",
    )

    assert pages(either, beginning=" ANNA") == [["anna.berg@example.org", "anna@example.org"]]
    assert pages(either, beginning="an%") == [["an%a@example.org"]]
    assert [pages(either, beginning=text) for text in ("nobody", "\0", "\ud800", "김")] == [[], [], [], []]


def test_the_subscribers_of_one_list_are_listed_alone(
    database: Database, clock: SetClock, weekly: MailingListId
) -> None:
    flow.add_mailing_list(database, slug="daily", name="Daily", clock=clock)
    add(database, clock, "anna@example.org")
    add(database, clock, "bert@example.org", to="daily")

    assert pages(database, mailing_list_id=weekly) == [["anna@example.org"]]


def test_lists_are_counted_by_their_confirmed_readers(either: Database, clock: SetClock, weekly: MailingListId) -> None:
    daily = flow.add_mailing_list(either, slug="daily", name="Daily", clock=clock)
    add(either, clock, "anna@example.org", "bert@example.org", "carl@example.org")
    flow.ask_to_subscribe(either, email="dora@example.org", lists=["weekly"], clock=clock)
    flow.unsubscribe(either, SubscriptionId(1), clock=clock)

    with either.reading() as connection:
        assert store.confirmed_counts(connection) == {weekly: 2, daily: 0}
        assert [each.slug for each in store.mailing_lists(connection)] == ["daily", "weekly"]
        assert store.mailing_list_named(connection, "weekly").id == weekly


@pytest.mark.parametrize("slug", ["monthly", "", "a\0b", "\ud800", "w" * 100_000])
def test_an_unknown_list_is_not_found(either: Database, slug: str) -> None:
    with either.reading() as connection, pytest.raises(NotFoundError, match="mailing list"):
        store.mailing_list_named(connection, slug)


def test_nobody_is_found_where_nobody_is(database: Database) -> None:
    with database.reading() as connection:
        assert store.subscriber_with_email(connection, "anna@example.org") is None
        assert store.subscription_with_id(connection, SubscriptionId(1)) is None
        assert store.subscriptions_of(connection, []) == {}


def test_the_plan_of_an_issue_walks_an_index_in_order(either: Database, weekly: MailingListId) -> None:
    """A million readers are planned a page at a time: no page may sort, or look at the readers before it."""
    explain = "EXPLAIN QUERY PLAN" if either.is_sqlite else "EXPLAIN"
    with either.transaction() as connection:
        if not either.is_sqlite:
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))  # the test's table is too small to matter
            connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
        rows = connection.execute(sa.text(f"{explain} {PLAN_OF_AN_ISSUE}"), {"list": weekly, "after": 7})
        plan = "\n".join(str(row[-1]) for row in rows)

    assert "ix_subscription_confirmed" in plan
    assert "id>?" in plan.replace(" ", "") or "(id > " in plan
    assert "SORT" not in plan.upper().replace("B-TREE", "SORT")


def test_confirmations_are_found_by_an_index(database: Database, clock: SetClock) -> None:
    with database.reading() as connection:
        wanted = store._asked(10, (clock.now - timedelta(days=1), SubscriberId(1)))
        sql = str(wanted.compile(database.engine, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}"))

    assert "USING COVERING INDEX ix_subscription_pending" in plan or "USING INDEX ix_subscription_pending" in plan
