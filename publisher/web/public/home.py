from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import Lead, Topic
from publisher.web.pages import kept_page
from publisher.web.parts import Room
from publisher.web.public.back_issues import newest_of_each
from publisher.web.public.frame import GUIDE, frame
from publisher.web.shelf import OnShelf, Shelf

router = APIRouter()

LATEST = 12
RAIL = 3
PAIR = 2
LEAD_AMONG = 8
"""The lead is the most important of so many newest articles: yesterday's front page is not today's."""
TOPICS = 6
OF_A_TOPIC = 4


@dataclass(frozen=True, kw_only=True)
class FrontPage:
    """The newest articles as the home page lays them out."""

    lead: Lead | None
    pair: Sequence[Lead]
    """Two with pictures below a lead that has none."""
    rail: Sequence[Lead]
    """Beside the lead, without pictures."""
    rest: Sequence[Lead]


@router.get("/", include_in_schema=False)
def home(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        latest = archive.listed(connection, at_most=LATEST)
        values = {
            "front": arrange(latest),
            "by_topic": _by_topic(connection, shelf, latest),
            "back_issues": newest_of_each(connection),
            **frame(connection, room, shelf, GUIDE),
        }
    return kept_page(request, room, "web/home.html", **values)


def arrange(latest: Sequence[Lead]) -> FrontPage:
    """Lay out articles that come newest first; of two equally important ones the newer leads."""
    if not latest:
        return FrontPage(lead=None, pair=(), rail=(), rest=())
    lead = min(latest[:LEAD_AMONG], key=lambda each: each.importance)
    pictured = [each for each in latest if each is not lead and each.image]
    pair = [] if lead.image or len(pictured) < PAIR else pictured[:PAIR]
    others = [each for each in latest if each is not lead and each not in pair]
    return FrontPage(lead=lead, pair=pair, rail=others[:RAIL], rest=others[RAIL:])


def of_topic(found: Sequence[Lead], above: Sequence[Lead]) -> list[Lead]:
    """
    Choose articles for a topic's column: first those that do not stand further up, and on top one with a picture.

    Args:
        found: The topic's newest, newest first.
        above: What the page has shown already.

    """
    fresh = [each for each in found if each not in above]
    chosen = [*fresh, *(each for each in found if each in above)][:OF_A_TOPIC]
    top = next((each for each in chosen if each.image), None)
    return sorted(chosen, key=lambda each: each is not top) if top else chosen


def _by_topic(connection: Connection, shelf: Shelf, above: Sequence[Lead]) -> list[tuple[Topic, list[Lead]]]:
    """Return the topics most written about with their columns; no article is on top of two."""
    shown, columns = list(above), []
    for topic, _ in shelf.get(connection, archive.topics_in_use)[:TOPICS]:
        found = archive.listed(connection, at_most=OF_A_TOPIC + LATEST, topic_slug=topic.slug)
        column = of_topic(found, shown)
        if column:
            columns.append((topic, column))
            shown.append(column[0])
    return columns
