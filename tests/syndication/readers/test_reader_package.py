"""Every feed read by `reader`, a library for feed readers; the only one here that knows JSON Feed."""

import sys
from collections.abc import Iterator
from datetime import timedelta

import feedparser_sgmllib
import pytest

from publisher.archive.model import Article
from tests.syndication.readers.corpus import HARD, edited
from tests.syndication.readers.press import Press, shown, whole_text

# reader's own copy of feedparser imports a module that went with Python 2; feedparser has it under another name.
sys.modules.setdefault("sgmllib", feedparser_sgmllib)
import reader  # noqa: E402 -- after the line above

FORMATS = ("atom", "rss", "json")


@pytest.fixture
def program() -> Iterator[reader.Reader]:
    with reader.make_reader(":memory:", search_enabled=False) as program:
        yield program


def check(entry: reader.Entry, article: Article, url: str) -> None:
    assert entry.link == f"{url}/articles/{article.slug}"
    assert shown(entry.title or "") == shown(article.title)
    assert entry.published == article.published_at.replace(microsecond=0)
    content = entry.get_content(prefer_summary=False)
    assert content
    assert shown(content.value).partition("DiscoverMore")[0] == whole_text(article)


@pytest.mark.parametrize("feed_format", FORMATS)
def test_every_feed_is_read_back_whole_and_once(press: Press, program: reader.Reader, feed_format: str) -> None:
    feeds = press.feeds()
    for path in feeds:
        program.add_feed(f"{press.url}{path}.{feed_format}")

    results = list(program.update_feeds_iter())

    assert all(isinstance(each.value, reader.UpdatedFeed) for each in results), results
    for path, articles in feeds.items():
        entries = {entry.id: entry for entry in program.get_entries(feed=f"{press.url}{path}.{feed_format}")}
        assert set(entries) == {article.uri for article in articles}
        for article in articles:
            check(entries[article.uri], article, press.url)


@pytest.mark.parametrize("feed_format", FORMATS)
def test_the_second_poll_adds_nothing_and_an_edit_is_an_edit(
    press: Press, program: reader.Reader, feed_format: str
) -> None:
    path = f"/feeds/all.{feed_format}"
    program.add_feed(f"{press.url}{path}")
    first = program.update_feed(f"{press.url}{path}")

    second = program.update_feed(f"{press.url}{path}")
    press.house.clock.pass_by(timedelta(hours=1))
    press.house.publish(edited(0, body="<p>It is closed again 🌉.</p>"))
    third = program.update_feed(f"{press.url}{path}")

    assert first
    assert (first.new, first.modified) == (len(HARD), 0)
    assert second is None
    assert press.statuses(path) == [200, 304, 200]
    assert third
    assert (third.new, third.modified) == (0, 1)
    [edit] = [entry for entry in program.get_entries() if entry.title == HARD[0]["title"]]
    content = edit.get_content()
    assert content
    assert "It is closed again 🌉." in content.value
