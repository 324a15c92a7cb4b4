from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from publisher.syndication import sitemap
from tests.builders import TUESDAY, a_draft
from tests.stock import stock
from tests.syndication.newsroom import SITE, House

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"


def locations(data: bytes) -> list[str]:
    return [each.text or "" for each in ET.fromstring(data).iter(f"{MAP}loc")]


def test_the_sitemap_has_every_page_and_when_it_changed(house: House) -> None:
    house.articles("Kimjang Day", topics=("food",))

    answer = house.reader.get("/sitemap.xml")

    assert locations(answer.data) == [
        "https://news.example/articles/kimjang-day",
        "https://news.example/",
        "https://news.example/feeds",
        "https://news.example/topics/food",
        "https://news.example/authors/kim-minji",
    ]
    assert b"<lastmod>2026-06-02T08:01:00Z</lastmod>" in answer.data
    assert answer.headers["content-type"] == "application/xml"


def test_what_nobody_may_see_is_in_no_sitemap(house: House) -> None:
    [withdrawn] = house.articles("Withdrawn", topics=("gone",), authors=("Lee Jiho",))
    house.publish(a_draft(title="Secret", publish_at=TUESDAY + timedelta(days=9), topics=("secret",)))
    house.withdraw(withdrawn)

    data = house.reader.get("/sitemap.xml").data + house.reader.get("/news-sitemap.xml").data

    for word in (b"withdrawn", b"secret", b"gone", b"lee-jiho"):
        assert word not in data.lower()


def test_a_sitemap_that_is_too_long_is_an_index_of_its_parts(house: House) -> None:
    stock(house.database, 23, newest_at=TUESDAY, topics=2, authors=1)
    with house.database.reading() as connection:
        index = locations(sitemap.sitemap(connection, SITE, urls_at_most=10))
        parts = [sitemap.sitemap_part(connection, SITE, part, urls_at_most=10) for part in range(1, 5)]

    assert index == [f"https://news.example/sitemap-{part}.xml" for part in (1, 2, 3)]
    assert [len(locations(part)) for part in parts if part] == [10, 10, 8]
    assert parts[3] is None
    assert locations(parts[0] or b"")[0] == "https://news.example/articles/article-1"


def test_the_news_sitemap_has_the_articles_of_two_days(house: House) -> None:
    house.publish(a_draft(title="Old", published_at=TUESDAY - timedelta(days=2, minutes=1)))
    house.publish(a_draft(title="New & <fresh>", published_at=TUESDAY - timedelta(days=2) + timedelta(minutes=1)))

    answer = house.reader.get("/news-sitemap.xml")

    [entry] = ET.fromstring(answer.data)
    assert entry.findtext(f"{NEWS}news/{NEWS}title") == "New & <fresh>"
    assert entry.findtext(f"{NEWS}news/{NEWS}publication/{NEWS}name") == "News Example"
    assert entry.findtext(f"{NEWS}news/{NEWS}publication_date") == "2026-05-31T08:01:00Z"


@pytest.mark.parametrize("path", ["/desk", "/unsubscribe/", "/preferences/", "/confirm/", "/api/"])
def test_robots_stay_away_from_what_is_private(house: House, path: str) -> None:
    answer = house.reader.get("/robots.txt")

    lines = answer.data.decode().splitlines()
    assert f"Disallow: {path}" in lines
    assert "Sitemap: https://news.example/sitemap.xml" in lines
    assert not any(line.startswith("Disallow: /feeds") for line in lines)
