from datetime import timedelta

import pytest

from publisher.archive import flow as archive
from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.model import MailingListId
from publisher.compose import store as compose
from publisher.compose.model import (
    Edition,
    EditionId,
    EditionKind,
    Frozen,
    Issue,
    IssueId,
    IssueState,
    Rendering,
)
from publisher.compose.slots import Slot, marker
from tests.syndication.newsroom import House

HOUR = timedelta(hours=1)


def an_edition(house: House, slug: str, kind: EditionKind = EditionKind.DIGEST) -> Edition:
    list_id = audience.add_mailing_list(house.database, slug=f"readers-of-{slug}", name="Readers", clock=house.clock)
    edition = Edition(
        id=EditionId(0),
        slug=slug,
        name=slug.capitalize(),
        kind=kind,
        mailing_list_id=MailingListId(list_id),
        cadence=None,
    )
    with house.database.transaction() as connection:
        return compose.add_edition(connection, edition, now=house.clock())


def a_draft_issue(house: House, edition: Edition, *articles: ArticleId) -> IssueId:
    issue = Issue(
        id=IssueId(0),
        edition_id=edition.id,
        number=0,
        state=IssueState.DRAFT,
        window=None,
        slot_at=None,
        subject="",
        preheader="",
        introduction="",
        article_ids=articles,
        created_at=house.clock(),
    )
    with house.database.transaction() as connection:
        added = compose.add_issue(connection, issue)
    assert added
    return added.id


def approve(house: House, issue_id: IssueId, subject: str = "This week") -> None:
    rendering = Rendering(
        subject=subject,
        preheader="All of it",
        text="",
        html="",
        web_html='<p>The issue. <a href="/feeds">Feeds</a></p>',
        reader="reader",
    )
    house.clock.pass_by(HOUR)
    with house.database.transaction() as connection:
        assert compose.freeze(connection, issue_id, Frozen(rendering=rendering, translations={}), now=house.clock())


@pytest.fixture
def guide(house: House) -> Edition:
    return an_edition(house, "abroad", EditionKind.GUIDE)


def test_each_approved_issue_of_a_guide_edition_is_an_entry_of_the_guide(house: House, guide: Edition) -> None:
    weekly = an_edition(house, "weekly")
    approve(house, a_draft_issue(house, guide), "Guide one")
    approve(house, a_draft_issue(house, weekly), "Weekly one")
    approve(house, a_draft_issue(house, guide), "Guide two")

    house.syndicate()

    assert house.reader.get("/feeds/guide.atom").titles == ["Guide two", "Guide one"]
    assert house.reader.get("/feeds/editions/abroad.atom").titles == ["Guide two", "Guide one"]
    assert house.reader.get("/feeds/editions/weekly.atom").titles == ["Weekly one"]
    assert house.reader.get("/feeds/all.atom").titles == []


def test_an_issue_is_the_same_entry_in_the_guide_and_among_back_issues(house: House, guide: Edition) -> None:
    approve(house, a_draft_issue(house, guide))
    house.syndicate()

    [in_guide] = house.reader.get("/feeds/guide.atom").entries
    [in_edition] = house.reader.get("/feeds/editions/abroad.atom").entries

    assert in_guide.findtext("{*}id") == in_edition.findtext("{*}id")
    assert (in_guide.findtext("{*}id") or "").startswith("tag:news.example,2026-06-02:issue/")
    assert 'href="https://news.example/feeds"' in (in_guide.findtext("{*}content") or "")
    links = {link.get("href") for link in in_guide.findall("{*}link")}
    assert links == {"https://news.example/issues/abroad/1"}


def test_an_entry_speaks_to_no_reader_in_particular(house: House, guide: Edition) -> None:
    """A mail's subject may call each reader by name; the slot for it must not show."""
    approve(house, a_draft_issue(house, guide), f"News for you, {marker(Slot.NAME)}")
    house.syndicate()

    assert house.reader.get("/feeds/guide.atom").titles == ["News for you, reader"]


def test_an_edition_has_a_feed_before_its_first_issue(house: House, guide: Edition) -> None:
    """A draft shows nothing."""
    a_draft_issue(house, guide)
    house.syndicate()

    answer = house.reader.get("/feeds/editions/abroad.atom")

    assert (answer.status, answer.titles) == (200, [])


def test_an_issue_approved_after_later_ones_is_not_passed_over(house: House, guide: Edition) -> None:
    """An editor may let the first draft lie until others have gone out."""
    first = a_draft_issue(house, guide)
    for number in range(3):
        approve(house, a_draft_issue(house, guide), f"Guide {number + 2}")
        house.syndicate()

    approve(house, first, "Guide 1")
    house.syndicate()

    assert house.reader.get("/feeds/guide.atom").titles == ["Guide 1", "Guide 4", "Guide 3", "Guide 2"]


def test_an_issue_is_taken_up_once(house: House, guide: Edition) -> None:
    approve(house, a_draft_issue(house, guide))

    assert house.syndicate() is True
    assert house.syndicate() is False


def test_a_withdrawn_article_leaves_the_issues_too(house: House, guide: Edition) -> None:
    """The mail has gone out; the feed need not repeat what was taken back."""
    stays, goes = house.articles("Stays", "Goes")
    approve(house, a_draft_issue(house, guide, stays, goes), "Stays, and Goes")
    approve(house, a_draft_issue(house, guide, goes), "Goes alone")
    house.syndicate()
    assert house.reader.get("/feeds/guide.atom").titles == ["Goes alone", "Stays, and Goes"]

    house.withdraw(goes)
    withdrawn = house.reader.get("/feeds/guide.atom")
    archive.restore(house.database, goes, clock=house.clock)
    house.catch_up()

    assert b"Goes" not in withdrawn.data
    assert withdrawn.titles == ["Abroad 1"]
    entry = withdrawn.entries[0]
    assert (entry.findtext("{*}updated") or "") > (entry.findtext("{*}published") or "")
    assert 'href="https://news.example/articles/stays"' in (withdrawn.entries[0].findtext("{*}content") or "")
    assert house.reader.get("/feeds/guide.atom").titles == ["Goes alone", "Stays, and Goes"]
