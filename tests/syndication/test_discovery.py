from xml.etree import ElementTree as ET

from feeds.formats import FeedFormat
from publisher.syndication import discovery, flow
from publisher.syndication.discovery import Offer
from publisher.syndication.model import FeedKey, FeedKind
from tests.syndication.newsroom import SITE, House


def offers(house: House) -> list[Offer]:
    with house.database.reading() as connection:
        return discovery.offers(connection, SITE)


def test_every_feed_with_something_in_it_is_offered_the_most_used_first(house: House) -> None:
    house.articles("One", topics=("food", "film"), authors=("Kim Minji",))
    house.articles("Two", topics=("film",), authors=("Kim Minji",), language="ko")

    paths = [offer.key.path for offer in offers(house)]

    assert paths[:2] == ["/feeds/all", "/feeds/guide"]
    assert paths.index("/feeds/topics/film") < paths.index("/feeds/topics/food")
    assert set(paths[2:]) == {
        "/feeds/languages/en",
        "/feeds/languages/ko",
        "/feeds/topics/film",
        "/feeds/topics/food",
        "/feeds/authors/kim-minji",
    }


def test_what_is_offered_can_be_read_and_calls_itself_what_was_offered(house: House) -> None:
    """A page's link, the feed's own link to itself and its title agree."""
    house.articles("One")

    for offer in offers(house):
        answer = house.reader.get(offer.urls[FeedFormat.ATOM])
        assert answer.status == 200
        assert answer.link("self") == offer.urls[FeedFormat.ATOM]
        assert answer.link("alternate") == offer.home_url
        assert ET.fromstring(answer.data).findtext("{*}title") == offer.title


def test_no_two_feeds_have_the_same_title(house: House) -> None:
    """A topic, a language and an author may all be called Korean."""
    house.articles("One", topics=("Korean",), authors=("Korean",), language="ko")

    titles = [offer.title for offer in offers(house)]

    assert len(set(titles)) == len(titles) == 5


def test_a_feed_that_ended_or_moved_is_not_offered(house: House) -> None:
    for topic in ("olympics", "cuisine", "food"):
        house.articles(topic, topics=(topic,))
    olympics, cuisine = (FeedKey(kind=FeedKind.TOPIC, slug=slug) for slug in ("olympics", "cuisine"))
    flow.end(house.database, olympics)
    flow.move(house.database, cuisine, "food", clock=house.clock)

    assert not {olympics, cuisine} & {offer.key for offer in offers(house)}
    with house.database.reading() as connection:
        assert discovery.offer(connection, olympics, SITE) is None
        assert discovery.offer(connection, cuisine, SITE) is None
        assert discovery.offer(connection, FeedKey(kind=FeedKind.TOPIC, slug="nothing"), SITE) is None


def test_a_page_names_its_own_feed_first_and_atom_before_the_others(house: House) -> None:
    house.articles("One", topics=("food",))
    with house.database.reading() as connection:
        own = discovery.offer(connection, FeedKey(kind=FeedKind.TOPIC, slug="food"), SITE)
    assert own

    links = discovery.head_links([own, offers(house)[0]])

    assert [(link.media_type, link.title) for link in links[:3]] == [
        ("application/atom+xml", "News Example: Food (Atom)"),
        ("application/rss+xml", "News Example: Food (RSS)"),
        ("application/feed+json", "News Example: Food (JSON Feed)"),
    ]
    assert links[3].href == "https://news.example/feeds/all.atom"
    assert len({link.title for link in links}) == 6


def test_all_feeds_can_be_subscribed_to_at_once(house: House) -> None:
    house.articles("One")

    answer = house.reader.get("/feeds.opml", {"Accept-Encoding": "gzip"})

    outlines = ET.fromstring(answer.data).findall("body/outline")
    assert [outline.get("xmlUrl") for outline in outlines] == [each.urls[FeedFormat.ATOM] for each in offers(house)]
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    again = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]}
    assert house.reader.get("/feeds.opml", again).status == 304
