import gzip
import json
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest

from feeds.formats import FeedFormat
from publisher.syndication.limit import Limit
from publisher.syndication.model import Site
from tests.builders import a_draft
from tests.syndication.newsroom import House, Reader, open_house

TYPES = {
    "atom": "application/atom+xml; charset=utf-8",
    "rss": "application/rss+xml; charset=utf-8",
    "json": "application/feed+json",
}


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_a_feed_comes_with_all_that_caches_and_readers_need(house: House, feed_format: FeedFormat) -> None:
    house.articles("One")

    answer = house.reader.get(f"/feeds/all.{feed_format}")

    assert answer.status == 200
    assert answer.headers["content-type"] == TYPES[feed_format]
    assert answer.headers["cache-control"] == "public, max-age=900"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["link"] == (
        f'<https://news.example/feeds/all.{feed_format}>; rel="self", <https://hub.example/>; rel="hub"'
    )
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_every_coding_holds_the_same_document_under_an_etag_of_its_own(house: House, coding: str) -> None:
    house.articles("One")
    plain = house.reader.get("/feeds/all.atom")

    answer = house.reader.get("/feeds/all.atom", {"Accept-Encoding": coding})

    assert answer.data == plain.data
    assert answer.headers.get("content-encoding", "identity") == coding
    assert (answer.headers["etag"] == plain.headers["etag"]) == (coding == "identity")
    assert answer.headers["last-modified"] == plain.headers["last-modified"]


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
def test_the_second_poll_costs_no_body(house: House, coding: str) -> None:
    house.articles("One")
    first = house.reader.get("/feeds/all.rss", {"Accept-Encoding": coding})

    second = house.reader.get(
        "/feeds/all.rss", {"Accept-Encoding": coding, "If-None-Match": f'"old", W/{first.headers["etag"]}'}
    )

    assert (second.status, second.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "last-modified", "link", "access-control-allow-origin"):
        assert second.headers[name] == first.headers[name]
    assert "content-length" not in second.headers
    assert "content-type" not in second.headers


def test_a_reader_that_knows_only_dates_gets_its_304_too(house: House) -> None:
    house.articles("One")
    modified = house.reader.get("/feeds/all.atom").headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)

    assert house.reader.get("/feeds/all.atom", {"If-Modified-Since": modified}).status == 304
    assert house.reader.get("/feeds/all.atom", {"If-Modified-Since": earlier}).status == 200
    assert house.reader.get("/feeds/all.atom", {"If-Modified-Since": modified, "If-None-Match": '"x"'}).status == 200


def test_if_none_match_sent_in_two_lines_is_one_list(house: House) -> None:
    house.articles("One")
    etag = house.reader.get("/feeds/all.atom").headers["etag"]
    lines = {"If-None-Match": '"x"', "IF-NONE-MATCH": etag}

    assert house.reader.get("/feeds/all.atom", lines).status == 304


def test_an_etag_of_one_coding_is_none_of_another(house: House) -> None:
    house.articles("One")
    etag = house.reader.get("/feeds/all.atom", {"Accept-Encoding": "gzip"}).headers["etag"]

    assert house.reader.get("/feeds/all.atom", {"Accept-Encoding": "br", "If-None-Match": etag}).status == 200


@pytest.mark.parametrize("path", ["/feeds/all.atom", "/feeds/nothing.atom", "/feeds.opml", "/robots.txt"])
def test_head_answers_with_the_headers_of_get(house: House, path: str) -> None:
    house.articles("One")
    get = house.reader.get(path, {"Accept-Encoding": "gzip"})

    head = house.reader.get(path, {"Accept-Encoding": "gzip"}, method="HEAD")

    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


def test_nothing_can_be_written_to_a_feed(house: House) -> None:
    answer = house.reader.get("/feeds/all.atom", method="POST")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_reader_in_a_web_page_may_ask_with_conditions(house: House) -> None:
    answer = house.reader.get("/feeds/all.atom", method="OPTIONS")

    assert answer.status == 204
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_empty_newsroom_has_an_empty_feed(house: House) -> None:
    """A reader that subscribes on the first day must not be turned away."""
    assert house.reader.get("/feeds/all.atom").titles == []
    assert json.loads(house.reader.get("/feeds/guide.json").data)["items"] == []
    assert house.reader.get("/feeds/search.atom", query="q=film").titles == []


@pytest.mark.parametrize(
    "path", ["/feeds/topics/nothing.atom", "/feeds/everything.rss", "/feeds/editions/none.json", "/sitemap-9.xml"]
)
def test_a_feed_that_never_was_is_not_found(house: House, path: str) -> None:
    assert house.reader.get(path).status == 404


@pytest.mark.parametrize("path", ["/", "/feeds", "/feeds/", "/feeds/topics/film/", "/feeds/all", "/articles/a.atom"])
def test_pages_for_people_are_left_to_the_application_behind(house: House, path: str) -> None:
    assert house.reader.get(path).body == b"another page"


def test_unknown_query_parameters_make_no_new_feed(house: House) -> None:
    house.articles("One")
    first = house.reader.get("/feeds/all.atom")

    second = house.reader.get("/feeds/all.atom", query="utm_source=x&q=y")

    assert (second.headers, second.body) == (first.headers, first.body)


def test_two_web_processes_serve_the_same_validators(either: House) -> None:
    """Neither warm, and neither the one that made the document."""
    either.articles("One")
    other = Reader(either.database, either.clock)
    paths = ("/feeds/all.atom", "/feeds/topics/society.json", "/feeds/languages/en.rss")
    try:
        for path in paths:
            assert other.get(path).headers == either.reader.get(path).headers
    finally:
        other.close()


def test_a_search_feed_has_the_newest_articles_with_its_words(house: House) -> None:
    house.articles("Street food in Busan")
    house.articles("Food for thought")
    house.articles("A street in Seoul")

    answer = house.reader.get("/feeds/search.atom", query="q=+food++street&page=3")

    assert answer.titles == ["Street food in Busan"]
    assert answer.link("self") == "https://news.example/feeds/search.atom?q=food%20street"
    assert answer.link("hub") is None
    assert "last-modified" not in answer.headers
    again = {"If-None-Match": answer.headers["etag"]}
    assert house.reader.get("/feeds/search.atom", again, query="q=food%20street").status == 304


def test_a_search_needs_words(house: House) -> None:
    assert house.reader.get("/feeds/search.atom").status == 400
    assert house.reader.get("/feeds/search.atom", query="q=%20").status == 400


def test_a_combined_feed_has_the_articles_of_all_its_topics_once(house: House) -> None:
    house.articles("Film", topics=("film",))
    house.articles("Both", topics=("film", "food"))
    house.articles("Food", topics=("food",))
    house.articles("Rent", topics=("rent",))

    assert house.reader.get("/feeds/topics/film+food.atom").titles == ["Food", "Both", "Film"]
    assert house.reader.get("/feeds/topics/film+nothing.atom").status == 404
    moved = house.reader.get("/feeds/topics/food+film.rss")
    assert (moved.status, moved.headers["location"]) == (301, "https://news.example/feeds/topics/film+food.rss")


def test_who_asks_without_end_is_told_when_to_come_back(house: House) -> None:
    reader = Reader(house.database, house.clock, limit=Limit(burst=5, per_second=0.5))
    try:
        answers = [reader.get("/feeds/all.atom", address="198.51.100.7") for _ in range(6)]
        other = reader.get("/feeds/all.atom", address="198.51.100.8")
        ourselves = [reader.get("/feeds/all.atom", address="127.0.0.1").status for _ in range(20)]
    finally:
        reader.close()

    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "2"
    assert other.status == 200
    assert set(ourselves) == {200}


def test_what_is_made_for_one_reader_alone_counts_for_more(house: House) -> None:
    reader = Reader(house.database, house.clock, limit=Limit(burst=30, per_second=0.1))
    try:
        statuses = [reader.get("/feeds/search.atom", query=f"q=word{each}").status for each in range(4)]
    finally:
        reader.close()

    assert statuses == [200, 200, 429, 429]


def test_what_is_in_memory_stays_bounded(house: House) -> None:
    """A polite crawler asks for every feed there is, in every coding."""
    house.publish(*(a_draft(title=f"Article {each}", topics=(f"topic {each}",)) for each in range(30)))
    reader = Reader(house.database, house.clock, bytes_at_most=20_000)
    shelf = reader.server._supply._shelf
    shelf._sheets_at_most = 40
    try:
        for coding in ("gzip", "br", "identity") * 2:
            for each in range(30):
                answer = reader.get(
                    f"/feeds/topics/topic-{each}.atom", {"Accept-Encoding": coding}, address="127.0.0.1"
                )
                assert answer.titles == [f"Article {each}"]
                assert shelf.size_bytes == sum(map(len, shelf._bodies.values())) <= 20_000
                assert len(shelf._sheets) <= 40
    finally:
        reader.close()


def test_a_document_whose_bytes_left_memory_is_still_polled_and_read(house: House) -> None:
    """Its head stays at hand, so a poll for nothing new costs no look at the database."""
    house.articles("One")
    for coding in ("gzip", "br", "identity"):
        first = house.reader.get("/feeds/all.atom", {"Accept-Encoding": coding})
        house.reader.server._supply._shelf._bodies.clear()
        house.reader.server._supply._shelf.size_bytes = 0
        again = {"Accept-Encoding": coding, "If-None-Match": first.headers["etag"]}

        assert house.reader.get("/feeds/all.atom", again).status == 304
        assert house.reader.get("/feeds/all.atom", {"Accept-Encoding": coding}) == first


def test_documents_made_under_another_address_of_the_site_are_made_again(tmp_path: Path) -> None:
    """`make run PORT=8001` on the data of yesterday must not hand out yesterday's port."""
    url = f"sqlite:///{tmp_path / 'publisher.db'}"
    with open_house(url) as house:
        house.articles("One")
        before = house.reader.get("/feeds/all.atom")
        moved = Site(base_url="http://127.0.0.1:8001", site_name="News Example", domain="news.example")
        reader = Reader(house.database, house.clock, site=moved)
        after = reader.get("/feeds/all.atom")
        reader.close()

    assert after.link("self") == "http://127.0.0.1:8001/feeds/all.atom"
    assert after.titles == before.titles
    assert after.headers["last-modified"] > before.headers["last-modified"]


def test_gzip_of_a_feed_holds_no_date(house: House) -> None:
    house.articles("One")

    body = house.reader.get("/feeds/all.atom", {"Accept-Encoding": "gzip"}).body

    assert body[4:8] == bytes(4)
    assert gzip.decompress(body).startswith(b"<?xml")
