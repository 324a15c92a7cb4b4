from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lxml import etree

from feeds.document import Outline, OutlineList
from feeds.opml import render
from tests.feeds.documents import OUTLINES, TUESDAY


def test_a_list_says_what_it_is_and_when_it_was_made() -> None:
    opml = etree.fromstring(render(OUTLINES))

    assert (opml.tag, opml.get("version")) == ("opml", "2.0")
    assert opml.findtext("head/title") == 'Feeds of "News Example" & friends'
    assert parsedate_to_datetime(opml.findtext("head/dateCreated") or "") == TUESDAY


def test_each_feed_can_be_subscribed_to_and_looked_at() -> None:
    """Type "rss" for Atom too: importers skip a type that they do not know (OPML 2.0, Subscription lists)."""
    feed = Outline(title="R & D", feed_url="https://news.example/r.atom?a=1&b=2", home_url="https://news.example/r")

    opml = etree.fromstring(render(OutlineList(title="All", created_at=TUESDAY, outlines=(feed,))))

    [outline] = opml.findall("body/outline")
    assert dict(outline.items()) == {
        "text": "R & D",
        "title": "R & D",
        "type": "rss",
        "xmlUrl": "https://news.example/r.atom?a=1&b=2",
        "htmlUrl": "https://news.example/r",
    }


def test_feeds_stay_in_order_and_one_without_a_title_is_shown_by_its_address() -> None:
    texts = [outline.get("text") for outline in etree.fromstring(render(OUTLINES)).findall("body/outline")]

    assert texts == ["Everything", "R & D <개발>", "https://news.example/feeds/untitled.rss"]


def test_a_list_of_no_feeds_is_a_list() -> None:
    opml = etree.fromstring(render(OutlineList(title="None", created_at=datetime(1970, 1, 1, tzinfo=UTC))))

    assert len(opml.findall("body")) == 1
    assert opml.findall("body/outline") == []
