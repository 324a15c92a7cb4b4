"""What stands around the content of a public page: topics to go to, feeds to follow, mailing lists to join."""

from typing import Any

from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import Topic
from publisher.audience import store as audience
from publisher.compose import store as compose
from publisher.syndication.discovery import head_links, offer
from publisher.syndication.model import FeedKey, FeedKind
from publisher.web.pages import everything
from publisher.web.shelf import Shelf
from publisher.wiring import Newsroom

TOPICS_IN_BAR = 7
GUIDE = FeedKey(kind=FeedKind.GUIDE)


def frame(connection: Connection, room: Newsroom, shelf: Shelf, *feeds: FeedKey) -> dict[str, Any]:
    """
    Return what every public page shows around its content.

    Args:
        connection: Where to read.
        room: The newsroom.
        shelf: Keeps the topics.
        feeds: The page's own, most particular first; the feed of everything always follows.

    """
    offers = [*(offer(connection, key, room.site) for key in feeds), everything(room.site)]
    return {
        "feeds": head_links(each for each in offers if each),
        "topic_bar": [topic for topic, _ in shelf.get(connection, archive.topics_in_use)[:TOPICS_IN_BAR]],
        "mailing_lists": audience.mailing_lists(connection),
        "time_zone": house_zone(connection),
    }


def house_zone(connection: Connection) -> str:
    """Return the time zone in which dates are shown: that of the first edition with a cadence, as in its issues."""
    cadences = (each.cadence for each in compose.editions(connection))
    return next((cadence.time_zone for cadence in cadences if cadence), "UTC")


def topic_feed(topic: Topic) -> FeedKey:
    return FeedKey(kind=FeedKind.TOPIC, slug=topic.slug)
