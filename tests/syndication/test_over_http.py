"""The same over a real socket, behind uvicorn as it runs in production."""

import time
from collections.abc import Iterator

import httpx
import pytest

from publisher.syndication.supply import LOOK_EVERY_S
from tests.syndication.newsroom import House
from tests.syndication.web_process import served


@pytest.fixture
def client(house: House) -> Iterator[httpx.Client]:
    house.articles("Kimjang Day")
    with served(str(house.database.url), burst=5) as (url, _), httpx.Client(base_url=url, timeout=10) as client:
        yield client


def test_a_feed_comes_over_the_wire_as_it_was_made(house: House, client: httpx.Client) -> None:
    answer = client.get("/feeds/all.atom", headers={"Accept-Encoding": "gzip"})

    expected = house.reader.get("/feeds/all.atom", {"Accept-Encoding": "gzip"})
    assert answer.content == expected.data
    assert answer.headers["etag"] == expected.headers["etag"]
    assert answer.headers["content-length"] == str(len(expected.body))


def test_a_304_and_a_head_have_no_body_and_keep_the_connection(client: httpx.Client) -> None:
    etag = client.get("/feeds/all.atom").headers["etag"]

    for _ in range(3):
        unchanged = client.get("/feeds/all.atom", headers={"If-None-Match": etag})
        head = client.head("/feeds/all.atom")
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", etag)


def test_a_new_article_is_served_by_another_process_within_a_moment(house: House, client: httpx.Client) -> None:
    before = client.get("/feeds/all.json")

    house.articles("News")

    time.sleep(LOOK_EVERY_S)
    after = client.get("/feeds/all.json")
    assert after.headers["etag"] != before.headers["etag"]
    assert after.json()["items"][0]["title"] == "News"


def test_readers_behind_a_proxy_are_told_apart_by_their_own_address(client: httpx.Client) -> None:
    """The web process believes X-Forwarded-For only from this machine, where the proxy is."""
    statuses = [
        client.get("/feeds/all.atom", headers={"X-Forwarded-For": "198.51.100.7"}).status_code for _ in range(8)
    ]

    assert statuses == [200] * 5 + [429] * 3
    assert client.get("/feeds/all.atom", headers={"X-Forwarded-For": "198.51.100.8"}).status_code == 200
    assert client.get("/feeds/all.atom").status_code == 200
