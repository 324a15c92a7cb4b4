from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import sqlalchemy as sa

from publisher.archive import flow as archive
from publisher.archive.accept import note_change
from publisher.archive.tables import article
from publisher.database import Database
from publisher.intake.model import Teaser
from publisher.related.flow import relate_due
from publisher.syndication import flow
from publisher.syndication.model import FeedKey, FeedKind
from publisher.syndication.tables import feed, feed_document
from tests.builders import TUESDAY, a_draft
from tests.stock import related_up_to_now, stock
from tests.syndication.newsroom import House

GZIP = {"Accept-Encoding": "gzip"}
HOUR = timedelta(hours=1)


def statements(database: Database, containing: str) -> Callable[[], int]:
    """Count the statements that hold some words, from now on."""
    seen = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if containing in statement:
            seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    return lambda: len(seen)


def test_an_article_stands_in_the_feeds_of_its_topics_authors_and_language(either: House) -> None:
    either.articles("Kimjang Day", topics=("food", "society"), authors=("Kim Minji", "Lee Jiho"), language="ko")

    for path in (
        "/feeds/all.atom",
        "/feeds/topics/food.atom",
        "/feeds/topics/society.atom",
        "/feeds/authors/kim-minji.atom",
        "/feeds/authors/lee-jiho.atom",
        "/feeds/languages/ko.atom",
    ):
        assert either.reader.get(path).titles == ["Kimjang Day"]
    assert either.reader.get("/feeds/languages/en.atom").status == 404


def test_the_newest_article_comes_first_whenever_it_was_handed_in(house: House) -> None:
    house.publish(a_draft(title="Second", published_at=TUESDAY - HOUR))
    house.publish(a_draft(title="First", published_at=TUESDAY - 2 * HOUR), a_draft(title="Third", published_at=TUESDAY))

    assert house.reader.get("/feeds/all.atom").titles == ["Third", "Second", "First"]


def test_an_article_from_long_ago_goes_straight_to_the_archives_of_a_full_feed(house: House) -> None:
    """Loading old articles must not drive the news out of the subscription document."""
    house.articles(*(f"News {number}" for number in range(25)))

    house.publish(a_draft(title="Old", published_at=TUESDAY - 1_000 * HOUR))

    answer = house.reader.get("/feeds/all.atom")
    assert "Old" not in answer.titles
    assert house.reader.get(answer.link("prev-archive") or "").titles == ["Old"]


def test_an_idle_tick_writes_nothing(house: House) -> None:
    house.articles("Kimjang Day")
    written = statements(house.database, "UPDATE"), statements(house.database, "INSERT")

    assert house.syndicate() is False

    assert [count() for count in written] == [0, 0]


def test_an_article_waits_for_its_related_links(house: House) -> None:
    house.articles("Kimjang Day")
    house.hand_in(a_draft(title="Kimjang Day in the City"))

    house.syndicate()
    before = house.reader.get("/feeds/all.atom").titles
    relate_due(house.database, house.clock)
    house.syndicate()

    assert before == ["Kimjang Day"]
    assert house.reader.get("/feeds/all.atom").titles == ["Kimjang Day in the City", "Kimjang Day"]


def test_a_lost_bell_costs_nothing_but_time(either: House) -> None:
    """Nobody rang for either article; the next tick finds both."""
    either.hand_in(a_draft(title="One"))
    either.clock.pass_by(HOUR)
    either.hand_in(a_draft(title="Two"))

    either.catch_up()

    assert either.reader.get("/feeds/all.atom").titles == ["Two", "One"]


def test_a_withdrawn_article_leaves_every_feed_and_comes_back_with_its_id(either: House) -> None:
    stays, goes = either.articles("Stays", "Goes")
    paths = ("/feeds/all", "/feeds/topics/society", "/feeds/authors/kim-minji", "/feeds/languages/en")
    uri = either.uri(goes)
    assert all(uri.encode() in either.reader.get(f"{path}.json").data for path in paths)

    either.withdraw(goes)
    gone = [uri.encode() not in either.reader.get(f"{path}.{each}").data for path in paths for each in ("json", "rss")]
    archive.restore(either.database, goes, clock=either.clock)
    either.catch_up()

    assert all(gone)
    assert either.uri(stays).encode() in either.reader.get("/feeds/all.json").data
    assert all(uri.encode() in either.reader.get(f"{path}.json").data for path in paths)


def test_a_withdrawn_article_is_linked_from_no_entry(house: House) -> None:
    [other] = house.articles("Cabbage for kimjang")
    house.articles("Kimjang in Gangneung", topics=("food",), teasers=(Teaser(title="Cabbage for kimjang"),))
    before = house.reader.get("/feeds/topics/food.atom").data

    house.withdraw(other)

    assert b"Discover More" in before
    assert b"Cabbage" not in house.reader.get("/feeds/topics/food.atom").data
    assert b"Cabbage" not in house.reader.get("/feeds/all.atom").data


def test_a_related_link_follows_the_title_of_its_target(house: House) -> None:
    house.publish(a_draft(external_id="1", title="Cabbage for kimjang"))
    house.articles("Kimjang in Gangneung", topics=("food",), teasers=(Teaser(title="Cabbage for kimjang"),))
    house.reader.get("/feeds/topics/food.atom")

    house.publish(a_draft(external_id="1", title="Cabbages for kimjang"))

    assert b"Cabbages for kimjang" in house.reader.get("/feeds/topics/food.atom").data


def test_an_embargoed_article_appears_when_its_time_has_come_and_not_before(either: House) -> None:
    either.publish(a_draft(title="Seen"), a_draft(title="Secret", publish_at=TUESDAY + 2 * HOUR))
    before = either.reader.get("/feeds/all.atom").data

    either.clock.pass_by(3 * HOUR)
    archive.publish_due(either.database, clock=either.clock)
    either.catch_up()

    assert b"Secret" not in before
    assert either.reader.get("/feeds/all.atom").titles == ["Secret", "Seen"]


def test_a_correction_moves_updated_and_nothing_else(house: House) -> None:
    """A new id or a new date of publication would be a new article to every reader."""
    house.publish(a_draft(external_id="1", title="Befor"))
    [before] = house.reader.get("/feeds/all.atom").entries
    house.clock.pass_by(HOUR)

    house.publish(a_draft(external_id="1", title="After"))

    [after] = house.reader.get("/feeds/all.atom").entries
    same = ("id", "published")
    assert [before.findtext(f"{{*}}{name}") for name in same] == [after.findtext(f"{{*}}{name}") for name in same]
    assert after.findtext("{*}title") == "After"
    assert (after.findtext("{*}updated") or "") > (before.findtext("{*}updated") or "")


def test_an_article_that_changes_its_topic_changes_its_feed(either: House) -> None:
    either.publish(a_draft(external_id="1", topics=("food",)))
    either.reader.get("/feeds/topics/food.atom")

    either.publish(a_draft(external_id="1", topics=("film",)))

    assert either.reader.get("/feeds/topics/food.atom").titles == []
    assert either.reader.get("/feeds/topics/film.atom").titles == ["How Jeonse Works"]


def test_a_feed_that_lost_its_last_article_is_still_there(house: House) -> None:
    """Readers drop a feed that answers 404 or 410; tomorrow there may be an article again."""
    house.withdraw(*house.articles("Only one", topics=("food",)))

    answer = house.reader.get("/feeds/topics/food.atom")

    assert (answer.status, answer.titles) == (200, [])


def test_a_burst_of_a_thousand_articles_renders_each_feed_a_few_times(either: House) -> None:
    stock(either.database, 100, newest_at=TUESDAY, topics=3, topics_each=1, authors=1)
    either.catch_up()
    for path in ("/feeds/topics/topic-1.atom", "/feeds/topics/topic-2.atom", "/feeds/languages/en.rss"):
        assert either.reader.get(path).status == 200
    rendered = statements(either.database, "SET rendered_at")

    stock(either.database, 1_000, newest_at=TUESDAY + 20 * HOUR, topics=3, topics_each=1, authors=1, first=101)
    with either.database.transaction() as connection:
        related_up_to_now(connection)
    either.syndicate()

    read = 4  # these three, and the feed of all
    assert read <= rendered() <= 3 * read
    assert either.reader.get("/feeds/all.atom").titles[0] == "Article 1100 from the archive"
    [all_articles] = either.rows(sa.select(feed.c.last_place).where(feed.c.kind == FeedKind.ALL))
    assert all_articles.last_place == 1_100 - 25


def test_while_articles_keep_coming_a_feed_is_rendered_every_two_seconds(house: House) -> None:
    """The archive is not yet done with all that was handed in: whatever is rendered now is soon old."""
    house.articles("Before")
    rendered = statements(house.database, "SET rendered_at")
    begun = house.clock.now

    for number in range(15):
        house.hand_in(a_draft(title=f"Article {number}", external_id=str(number)))
        relate_due(house.database, house.clock)
        house.hand_in(a_draft(title=f"Next {number}", external_id=f"next {number}"))
        house.syndicate()

    passed_s = (house.clock.now - begun).total_seconds()
    assert rendered() <= passed_s / 2 + 2


def test_the_same_bytes_are_not_written_again(house: House) -> None:
    [_, other] = house.articles("Kimjang Day", "Rent", topics=("food",))
    house.reader.get("/feeds/topics/food.atom")
    before = house.rows(sa.select(feed_document).order_by(feed_document.c.id))

    with house.database.transaction() as connection:
        connection.execute(sa.update(article).where(article.c.id == other).values(revision=7))
        note_change(connection, other, house.clock())
    house.catch_up()

    assert house.rows(sa.select(feed_document).order_by(feed_document.c.id)) == before


def test_last_modified_moves_with_the_bytes_even_when_the_newest_article_goes(house: House) -> None:
    """Some readers keep an old ETag for as long as Last-Modified stands still."""
    [_, newest] = house.articles("Older", "Newest")
    before = house.reader.get("/feeds/all.atom").headers

    house.withdraw(newest)

    after = house.reader.get("/feeds/all.atom").headers
    assert after["etag"] != before["etag"]
    assert _seconds(after) == _seconds(before) + 1


def _seconds(headers: dict[str, str]) -> int:
    return int(parsedate_to_datetime(headers["last-modified"]).timestamp())


def test_only_the_feeds_that_an_article_touches_are_rendered(house: House) -> None:
    house.articles("Film", topics=("film",), authors=("Lee Jiho",))
    house.articles("Food", topics=("food",))
    for topic in ("film", "food"):
        house.reader.get(f"/feeds/topics/{topic}.atom")
    film = sa.select(feed.c.rendered_at, feed.c.version).where(feed.c.slug == "film")
    before = house.rows(film)

    house.articles("More food", topics=("food",))

    assert house.rows(film) == before
    assert house.reader.get("/feeds/topics/food.atom").titles == ["More food", "Food"]


def test_a_renamed_topic_leads_to_its_new_feed(either: House) -> None:
    either.articles("One", topics=("cuisine",))
    either.articles("Two", topics=("food",))
    either.reader.get("/feeds/topics/cuisine.atom")

    flow.move(either.database, FeedKey(kind=FeedKind.TOPIC, slug="cuisine"), "food", clock=either.clock)

    answer = either.reader.get("/feeds/topics/cuisine.atom")
    assert (answer.status, answer.headers["location"]) == (301, "https://news.example/feeds/topics/food.atom")
    assert either.reader.get("/feeds/topics/cuisine/archive/3.rss").headers["location"].endswith("/food.rss")


def test_a_topic_renamed_twice_leads_straight_to_its_last_name_and_may_come_back(house: House) -> None:
    house.articles("One", topics=("a",))
    house.articles("Two", topics=("c",))
    for old, new in (("a", "b"), ("b", "c")):
        flow.move(house.database, FeedKey(kind=FeedKind.TOPIC, slug=old), new, clock=house.clock)
    assert house.reader.get("/feeds/topics/a.atom").headers["location"].endswith("/c.atom")

    flow.move(house.database, FeedKey(kind=FeedKind.TOPIC, slug="c"), "a", clock=house.clock)

    assert house.reader.get("/feeds/topics/a.atom").titles == ["One"]
    assert house.reader.get("/feeds/topics/c.atom").headers["location"].endswith("/a.atom")
    assert house.reader.get("/feeds/topics/b.atom").headers["location"].endswith("/a.atom")


def test_a_feed_that_has_ended_says_so_until_it_is_opened_again(either: House) -> None:
    either.articles("One", topics=("olympics",))
    key = FeedKey(kind=FeedKind.TOPIC, slug="olympics")
    assert either.reader.get("/feeds/topics/olympics.atom").status == 200

    flow.end(either.database, key)
    ended = either.reader.get("/feeds/topics/olympics.atom").status
    either.articles("Two", topics=("olympics",))
    flow.reopen(either.database, key)

    assert ended == 410
    assert either.reader.get("/feeds/topics/olympics.atom").titles == ["Two", "One"]


def test_one_bad_article_does_not_stop_the_other_feeds(house: House) -> None:
    """None is known that could; if one is found one day, the other feeds must not wait for us."""
    house.articles("Good", topics=("good",))
    [bad] = house.articles("Bad", topics=("bad",))
    for topic in ("good", "bad"):
        house.reader.get(f"/feeds/topics/{topic}.atom")
    unreadable: dict[str, object] = {"sections": "lost", "guide": None, "teasers": []}
    with house.database.transaction() as connection:
        connection.execute(sa.update(article).where(article.c.id == bad).values(body=unreadable))

    house.articles("Worse", topics=("bad",))
    house.articles("Better", topics=("good",))

    assert house.reader.get("/feeds/topics/good.atom").titles == ["Better", "Good"]
    assert house.reader.get("/feeds/topics/bad.atom").titles == ["Bad"]
