from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from publisher.archive import flow, store
from publisher.archive.accept import Acceptance
from publisher.archive.model import Article, ArticleId, ArticleState
from publisher.database import Database
from publisher.errors import NotFoundError
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.model import Section
from tests.audience.clocks import SetClock
from tests.builders import DOMAIN, TUESDAY, a_draft, handed_in

AN_HOUR = timedelta(hours=1)


def article(database: Database, article_id: ArticleId) -> Article:
    with database.reading() as connection:
        return store.articles(connection, [article_id])[article_id]


def changes(database: Database) -> list[ArticleId]:
    with database.reading() as connection:
        return [each.article_id for each in store.changes(connection, after=0, at_most=100)]


def test_an_article_keeps_everything_that_was_handed_in(database: Database, clock: SetClock) -> None:
    [accepted] = handed_in(database, [a_draft(topics=("Street Food", "society"))], clock=clock)

    found = article(database, accepted.article_id)

    assert accepted.acceptance is Acceptance.NEW
    assert (found.title, found.summary, found.language) == (
        "How Jeonse Works",
        "Korea’s deposit system, explained.",
        "en",
    )
    assert [section.heading for section in found.all_sections] == ["", "Why It Lasts", "Foreign Fans’ Guide"]
    assert [each.name for each in found.authors] == ["Kim Minji"]
    assert [(each.slug, each.name) for each in found.topics] == [("street-food", "Street Food"), ("society", "Society")]
    assert found.slug == "how-jeonse-works"
    assert found.published_at == found.updated_at == TUESDAY
    assert found.uri.startswith(f"tag:{DOMAIN},2026-06-02:article/")


def test_the_same_article_twice_is_one(database: Database, clock: SetClock) -> None:
    [first] = handed_in(database, [a_draft()], clock=clock)
    [second] = handed_in(database, [a_draft()], clock=clock)

    assert second.article_id == first.article_id
    assert second.acceptance is Acceptance.UNCHANGED
    assert changes(database) == [first.article_id]


def test_a_correction_is_a_revision_that_keeps_identity_and_date(database: Database, clock: SetClock) -> None:
    """Every feed reader would show a new id, or a moved date, as a new article."""
    [first] = handed_in(database, [a_draft(external_id="77")], clock=clock)
    before = article(database, first.article_id)
    clock.pass_by(AN_HOUR)

    [second] = handed_in(database, [a_draft(external_id="77", title="How Jeonse Really Works")], clock=clock)

    after = article(database, second.article_id)
    assert second.acceptance is Acceptance.REVISED
    assert (after.id, after.uri, after.slug, after.published_at) == (
        before.id,
        before.uri,
        before.slug,
        before.published_at,
    )
    assert after.updated_at == TUESDAY + AN_HOUR
    assert after.revision == 2


def test_a_new_topic_alone_moves_no_date(database: Database, clock: SetClock) -> None:
    """Feed readers mark an entry unread when it is updated; nobody reads a topic."""
    [first] = handed_in(database, [a_draft(external_id="77")], clock=clock)
    clock.pass_by(AN_HOUR)

    [second] = handed_in(database, [a_draft(external_id="77", topics=("housing",))], clock=clock)

    after = article(database, first.article_id)
    assert second.acceptance is Acceptance.REVISED
    assert after.updated_at == TUESDAY
    assert [each.slug for each in after.topics] == ["housing"]


def test_two_sources_may_number_their_articles_alike(database: Database, clock: SetClock) -> None:
    [one] = handed_in(database, [a_draft(external_id="1")], clock=clock, origin="source:1")
    [other] = handed_in(database, [a_draft(external_id="1", title="Other")], clock=clock, origin="source:2")

    assert one.article_id != other.article_id


def test_equal_titles_get_addresses_of_their_own(database: Database, clock: SetClock) -> None:
    drafts = [a_draft(external_id=str(number)) for number in range(3)]

    slugs = [each.slug for each in handed_in(database, drafts, clock=clock)]

    assert slugs == ["how-jeonse-works", "how-jeonse-works-2", "how-jeonse-works-3"]


def test_an_old_address_leads_to_the_article(database: Database, clock: SetClock) -> None:
    handed_in(database, [a_draft(external_id="77")], clock=clock)
    handed_in(database, [a_draft(external_id="77", slug="jeonse")], clock=clock)

    with database.reading() as connection:
        found = store.by_slug(connection, "how-jeonse-works")

    assert found is not None
    assert found.slug == "jeonse"


def test_a_retired_address_is_given_to_nobody_else(database: Database, clock: SetClock) -> None:
    handed_in(database, [a_draft(external_id="77")], clock=clock)
    handed_in(database, [a_draft(external_id="77", slug="jeonse")], clock=clock)

    [other] = handed_in(database, [a_draft(external_id="78")], clock=clock)

    assert other.slug == "how-jeonse-works-2"


@pytest.mark.parametrize("field", ["publish_at", "published_at"])
def test_an_embargoed_article_is_nowhere_before_its_time(database: Database, clock: SetClock, field: str) -> None:
    due_at = TUESDAY + AN_HOUR
    [accepted] = handed_in(database, [a_draft(**{field: due_at})], clock=clock)

    clock.pass_by(AN_HOUR - timedelta(seconds=1))
    early = flow.publish_due(database, clock=clock)
    with database.reading() as connection:
        seen_early = store.listed(connection, at_most=5)
    clock.pass_by(timedelta(seconds=1))
    on_time = flow.publish_due(database, clock=clock)

    assert (accepted.state, early, seen_early) == (ArticleState.EMBARGOED, 0, [])
    assert on_time == 1
    found = article(database, accepted.article_id)
    assert (found.state, found.published_at, found.updated_at) == (ArticleState.PUBLISHED, due_at, due_at)
    assert changes(database) == [accepted.article_id]


def test_a_correction_can_move_an_embargo(database: Database, clock: SetClock) -> None:
    later = a_draft(external_id="77", publish_at=TUESDAY + 2 * AN_HOUR)
    [first] = handed_in(database, [a_draft(external_id="77", publish_at=TUESDAY + AN_HOUR)], clock=clock)

    handed_in(database, [later], clock=clock)

    assert article(database, first.article_id).published_at == TUESDAY + 2 * AN_HOUR


def test_a_withdrawn_article_is_gone_until_it_is_restored(database: Database, clock: SetClock) -> None:
    [accepted] = handed_in(database, [a_draft(external_id="77")], clock=clock)

    assert flow.withdraw(database, accepted.article_id, clock=clock)
    assert not flow.withdraw(database, accepted.article_id, clock=clock), "the second time changes nothing"
    handed_in(database, [a_draft(external_id="77", title="Edited")], clock=clock)
    with database.reading() as connection:
        assert store.listed(connection, at_most=5) == [], "an edit does not bring it back"
    assert flow.restore(database, accepted.article_id, clock=clock)

    found = article(database, accepted.article_id)
    assert (found.state, found.title, found.published_at) == (ArticleState.PUBLISHED, "Edited", TUESDAY)


def test_restoring_does_not_break_an_embargo(database: Database, clock: SetClock) -> None:
    [accepted] = handed_in(database, [a_draft(publish_at=TUESDAY + AN_HOUR)], clock=clock)
    flow.withdraw(database, accepted.article_id, clock=clock)

    flow.restore(database, accepted.article_id, clock=clock)

    assert article(database, accepted.article_id).state is ArticleState.EMBARGOED


def test_withdrawing_what_is_not_there_says_so(database: Database, clock: SetClock) -> None:
    with pytest.raises(NotFoundError):
        flow.withdraw(database, ArticleId(999), clock=clock)


def test_an_article_without_summary_and_language_gets_both_from_its_text(database: Database, clock: SetClock) -> None:
    korean = a_draft(
        title="전세 제도의 이해",
        summary="",
        language="",
        sections=(Section(heading="", html="<p>전세는 한국에만 있는 제도다. 세입자는 보증금을 맡긴다.</p>"),),
    )

    [accepted] = handed_in(database, [korean], clock=clock)

    found = article(database, accepted.article_id)
    assert found.language == "ko"
    assert found.summary.startswith("전세는 한국에만 있는 제도다.")


def test_workers_that_accept_at_once_take_each_submission_once(database: Database, clock: SetClock) -> None:
    drafts = [a_draft(external_id=str(number), title=f"Article {number}") for number in range(60)]
    hand_in(database, [HandIn(draft=draft) for draft in drafts], origin="api", clock=clock)

    with ThreadPoolExecutor(4) as workers:
        taken = list(workers.map(lambda _: flow.accept_due(database, domain=DOMAIN, clock=clock), range(4)))

    assert sum(taken) == 60
    found = changes(database)
    assert len(found) == len(set(found)) == 60


def test_changes_are_numbered_in_the_order_of_their_commits(database: Database, clock: SetClock) -> None:
    """A stage keeps its place by the number: one that became visible late would never be seen."""
    drafts = [a_draft(external_id=str(number)) for number in range(40)]
    seen: list[int] = []

    def watch() -> None:
        while len(seen) < 40:
            with database.reading() as connection:
                after = seen[-1] if seen else 0
                seen.extend(each.seq for each in store.changes(connection, after=after, at_most=100))

    with ThreadPoolExecutor(5) as threads:
        watching = threads.submit(watch)
        list(threads.map(lambda draft: handed_in(database, [draft], clock=clock), drafts))
        watching.result(timeout=30)

    assert len(seen) == 40


def test_who_hands_in_is_told_the_same_where_a_worker_was_quicker(database: Database, clock: SetClock) -> None:
    """Between handing in and accepting lies an instant in which a worker's tick may come."""

    def taken(title: str) -> tuple[Acceptance, ArticleId]:
        ids = hand_in(database, [HandIn(draft=a_draft(external_id="7", title=title))], origin="cli", clock=clock)
        flow.accept_due(database, domain=DOMAIN, clock=clock)
        ending = flow.accept_these(database, ids, domain=DOMAIN, clock=clock)[ids[0]]
        return ending.acceptance, ending.article_id

    first, again, revised = taken("One"), taken("One"), taken("Two")

    assert [each[0] for each in (first, again, revised)] == [Acceptance.NEW, Acceptance.UNCHANGED, Acceptance.REVISED]
    assert len({each[1] for each in (first, again, revised)}) == 1
