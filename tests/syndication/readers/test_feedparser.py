"""Every feed read back by feedparser, the parser in most readers written in Python."""

import time
from calendar import timegm
from datetime import timedelta
from typing import Any

import feedparser
import httpx
import pytest

from publisher.archive.model import Article
from tests.syndication.readers.corpus import HARD, edited
from tests.syndication.readers.press import Press, shown, whole_text

FORMATS = ("atom", "rss")
"""feedparser reads no JSON Feed; `reader` does, in the test beside this one."""


def parsed(press: Press, path: str, **headers: str) -> Any:
    answer = httpx.get(f"{press.url}{path}", headers=headers)
    found = feedparser.parse(answer.content, response_headers=dict(answer.headers))
    assert not found.bozo, found.get("bozo_exception")
    return found


@pytest.mark.parametrize("feed_format", FORMATS)
def test_every_feed_is_read_back_whole_and_in_order(press: Press, feed_format: str) -> None:
    feeds = press.feeds()
    assert len(feeds["/feeds/all"]) == len(HARD)
    assert len(feeds) > 10

    for path, articles in feeds.items():
        entries = parsed(press, f"{path}.{feed_format}").entries
        assert [entry.id for entry in entries] == [article.uri for article in articles]
        for entry, article in zip(entries, articles, strict=True):
            check(entry, article, press.url, feed_format)


def check(entry: Any, article: Article, url: str, feed_format: str) -> None:
    assert entry.link == f"{url}/articles/{article.slug}"
    assert timegm(entry.published_parsed) == int(article.published_at.timestamp())
    assert [author.name for author in entry.get("authors", []) if author] == [author.name for author in article.authors]
    assert [tag.term for tag in entry.get("tags", [])] == [topic.name for topic in article.topics]
    [content] = entry.content
    assert shown(content.value).partition("DiscoverMore")[0] == whole_text(article)
    if feed_format == "atom":
        assert entry.title == article.title
        assert entry.summary == article.summary
        assert timegm(entry.updated_parsed) == int(article.updated_at.timestamp())
    else:
        assert shown(entry.title) == shown(article.title)
        assert shown(entry.summary) == "".join(article.summary.split())
    if article.image:
        [media] = entry.media_content
        assert (media["url"], media["medium"]) == (article.image.url, "image")
        assert media.get("width") == (str(article.image.width) if article.image.width else None)


def test_the_newsroom_stands_in_for_who_did_not_sign(press: Press) -> None:
    """Atom wants an author in every entry, or in the feed."""
    assert parsed(press, "/feeds/languages/en.atom").feed.author == "News Example"


@pytest.mark.parametrize("feed_format", FORMATS)
def test_the_second_poll_is_a_304_and_an_edit_is_not(press: Press, feed_format: str) -> None:
    path = f"/feeds/all.{feed_format}"
    first = httpx.get(f"{press.url}{path}")
    conditions = {"If-None-Match": first.headers["etag"], "If-Modified-Since": first.headers["last-modified"]}
    assert httpx.get(f"{press.url}{path}", headers=conditions).status_code == 304

    press.house.clock.pass_by(timedelta(hours=1))
    press.house.publish(edited(4, title="Changed & <b>mended</b>"))

    before, after = (feedparser.parse(each.content).entries for each in (first, httpx.get(f"{press.url}{path}")))
    changed = [each.id for each, now in zip(before, after, strict=True) if each.title != now.title]
    assert [each.id for each in before] == [each.id for each in after]
    assert len(changed) == 1
    [entry] = [each for each in after if each.id in changed]
    assert time.gmtime() > entry.published_parsed
    if feed_format == "atom":
        assert entry.title == "Changed & <b>mended</b>"
        assert entry.updated_parsed > entry.published_parsed
