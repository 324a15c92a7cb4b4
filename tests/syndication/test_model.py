import pytest

from feeds.formats import FeedFormat
from publisher.syndication.model import FeedAddress, FeedKey, FeedKind, Site, address_of

KEYS = [
    FeedKey(kind=FeedKind.ALL),
    FeedKey(kind=FeedKind.GUIDE),
    FeedKey(kind=FeedKind.TOPIC, slug="street-food"),
    FeedKey(kind=FeedKind.AUTHOR, slug="kim-minji"),
    FeedKey(kind=FeedKind.LANGUAGE, slug="pt-BR"),
    FeedKey(kind=FeedKind.EDITION, slug="weekly"),
    FeedKey(kind=FeedKind.COMBINED, slug="film+food"),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("feed_format", FeedFormat)
def test_every_feed_has_an_address_that_leads_to_it(key: FeedKey, feed_format: FeedFormat) -> None:
    address = FeedAddress(key=key, feed_format=feed_format)

    assert address_of(address.path) == address


def test_an_archive_has_an_address_of_its_own() -> None:
    address = address_of("/feeds/topics/food/archive/50.json")

    assert address == FeedAddress(
        key=FeedKey(kind=FeedKind.TOPIC, slug="food"), feed_format=FeedFormat.JSON, archive=50
    )


@pytest.mark.parametrize(
    "path",
    [
        "/feeds",
        "/feeds/",
        "/feeds/all",
        "/feeds/all.xml",
        "/feeds/topics.atom",
        "/feeds/topics/.atom",
        "/feeds/topics/a/b.atom",
        "/feeds/topics/../all.atom",
        "/feeds/topics/<script>.atom",
        "/feeds/authors/a+b.atom",
        "/feeds/all/archive/0.atom",
        "/feeds/all/archive/07.atom",
        "/feeds/all/archive/x.atom",
        "/feeds/topics/a+b/archive/1.atom",
        "/feeds/topics/" + "+".join(f"t{each}" for each in range(11)) + ".atom",
    ],
)
def test_no_feed_can_be_elsewhere(path: str) -> None:
    assert address_of(path) is None


def test_combined_topics_have_one_order_so_that_caches_keep_one_copy() -> None:
    found = address_of("/feeds/topics/food+film+food.atom")

    assert found is not None
    assert found.path == "/feeds/topics/film+food.atom"


def test_the_same_topic_twice_is_that_topic() -> None:
    found = address_of("/feeds/topics/food+food.atom")

    assert found is not None
    assert found.path == "/feeds/topics/food.atom"


def test_a_search_is_named_by_its_words_and_by_nothing_else() -> None:
    found = address_of("/feeds/search.atom", "  street   food ")

    assert found is not None
    assert found.path == "/feeds/search.atom?q=street%20food"


def test_documents_made_for_another_port_are_told_apart() -> None:
    site = Site(base_url="http://127.0.0.1:8000", site_name="News", domain="news.example")
    other = Site(base_url="http://127.0.0.1:8001", site_name="News", domain="news.example")

    assert site.fingerprint != other.fingerprint
