"""`publisher feed`: list, end, reopen, move."""

import pytest

from publisher.syndication.flow import syndicate_due
from publisher.syndication.membership import follow_articles
from publisher.wiring import newsroom
from tests.builders import a_draft, handed_in
from tests.cli.conftest import Publisher


@pytest.fixture
def feeds(publisher: Publisher) -> Publisher:
    """A house with an article in the topics Food and Cuisine, in its feeds."""
    room = newsroom()
    accepted = handed_in(room.database, [a_draft(topics=("Food", "Cuisine"))], clock=room.now)
    with room.database.transaction() as connection:
        ids = [each.article_id for each in accepted]
        follow_articles(connection, ids, domain=room.settings.domain, now=room.now())
    syndicate_due(room.database, room.site, clock=room.now)
    return publisher


def states(publisher: Publisher) -> dict[str, str]:
    return {each["feed"]: each["state"] for each in publisher("feed", "list", "--json").json}


def test_feeds_are_listed_with_what_stands_in_them(feeds: Publisher) -> None:
    listed = {each["feed"]: each for each in feeds("feed", "list", "--json").json}

    assert next(iter(listed)) == "all"
    assert listed["topics/food"] == {
        "feed": "topics/food",
        "state": "live",
        "entries": 1,
        "moved_to": "",
        "url": "http://127.0.0.1:8000/feeds/topics/food.atom",
    }


def test_a_feed_is_ended_and_opened_again(feeds: Publisher) -> None:
    assert "410" in feeds("feed", "end", "topics/food").out
    ended = states(feeds)["topics/food"]
    feeds("feed", "reopen", "/feeds/topics/food.atom")

    assert (ended, states(feeds)["topics/food"]) == ("ended", "live")


def test_a_feed_leads_to_another_one(feeds: Publisher) -> None:
    done = feeds("feed", "move", "topics/cuisine", "topics/food")

    assert done.code == 0
    [moved] = [each for each in feeds("feed", "list", "--json").json if each["state"] == "moved"]
    assert (moved["feed"], moved["moved_to"]) == ("topics/cuisine", "topics/food")


@pytest.mark.parametrize(
    "words",
    [
        ("end", "all"),
        ("end", "nonsense"),
        ("end", "topics/unknown"),
        ("end", "topics/a+b"),
        ("move", "topics/food", "authors/food"),
        ("move", "topics/food", "topics/food"),
    ],
)
def test_what_is_no_such_feed_is_said_in_a_sentence(feeds: Publisher, words: tuple[str, ...]) -> None:
    done = feeds("feed", *words)

    assert done.code == 1
    assert done.err.startswith("publisher: ")
    assert "Traceback" not in done.err
    assert set(states(feeds).values()) == {"live"}


def test_a_new_house_has_no_feeds(publisher: Publisher) -> None:
    assert "first article" in publisher("feed", "list").out
