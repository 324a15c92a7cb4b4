from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from tests.syndication.readers.corpus import HARD, edited
from tests.syndication.readers.press import Press, shown, whole_text
from tests.syndication.readers.programs import Newsboat

FORMATS = ("atom", "rss")


@pytest.mark.parametrize("feed_format", FORMATS)
def test_newsboat_has_every_article_of_a_feed(press: Press, tmp_path: Path, feed_format: str) -> None:
    """It keeps one item for an id, wherever it met it first, so each feed is read by a newsboat of its own."""
    feeds = press.feeds()
    for number, path in enumerate(("/feeds/all", "/feeds/languages/ko", "/feeds/topics/society", "/feeds/authors/ann")):
        articles = feeds[path]
        url = f"{press.url}{path}.{feed_format}"
        folder = tmp_path / str(number)
        folder.mkdir()
        program = Newsboat(folder, [url])

        program.reload()

        items = {item["guid"]: item for item in program.items(url)}
        assert set(items) == {article.uri for article in articles}
        for article in articles:
            item = items[article.uri]
            assert item["url"] == f"{press.url}/articles/{article.slug}"
            assert item["pubDate"] == int(article.published_at.timestamp())
            assert shown(unescape(item["title"])) == shown(article.title)
            assert shown(item["content"]).partition("DiscoverMore")[0] == whole_text(article)


@pytest.mark.parametrize("feed_format", FORMATS)
def test_newsboat_polls_for_nothing_and_takes_an_edit_for_an_edit(
    press: Press, tmp_path: Path, feed_format: str
) -> None:
    path = f"/feeds/all.{feed_format}"
    program = Newsboat(tmp_path, [f"{press.url}{path}"])
    program.reload()
    program.reload()  # newsboat keeps validators from the second answer on: it has no row to put the first one's in
    before = program.items(f"{press.url}{path}")

    program.reload()
    press.house.clock.pass_by(timedelta(hours=1))
    press.house.publish(edited(0, title="The bridge is closed 🌉"))
    unchanged = program.items(f"{press.url}{path}")
    program.reload()
    after = program.items(f"{press.url}{path}")

    assert press.statuses(path) == [200, 200, 304, 200]
    assert len(before) == len(HARD)
    assert unchanged == before
    assert [item["guid"] for item in after] == [item["guid"] for item in before]
    assert "The bridge is closed 🌉" in {item["title"] for item in after}
