"""Articles by topic, author and language, and by the words that a reader looks for."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import search as archive_search
from publisher.archive import store as archive
from publisher.archive.model import Lead
from publisher.errors import InputError
from publisher.syndication.model import FeedKey, FeedKind
from publisher.web.cursors import cursor_after, place_of
from publisher.web.pages import kept_page, language_name
from publisher.web.parts import Room
from publisher.web.public.frame import frame
from publisher.web.shelf import OnShelf, Shelf
from publisher.wiring import Newsroom

router = APIRouter()

ON_A_PAGE = 20
PAGES_OF_HITS = 50
QUERY_AT_MOST = 200
AUTHORS_IN_INDEX = 60

After = Annotated[str, Query(max_length=80)]


@router.get("/topics", include_in_schema=False)
def topics(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        values = {
            "topics": shelf.get(connection, archive.topics_in_use),
            "languages": shelf.get(connection, archive.languages_in_use),
            "authors": shelf.get(connection, archive.authors_in_use)[:AUTHORS_IN_INDEX],
            **frame(connection, room, shelf),
        }
    return kept_page(request, room, "web/topics.html", **values)


@router.get("/topics/{slug}", include_in_schema=False)
def topic(request: Request, room: Room, shelf: OnShelf, slug: str, after: After = "") -> Response:
    with room.database.reading() as connection:
        found = archive.topic_named(connection, slug)
        if found is None:
            raise HTTPException(404)
        number = next((number for each, number in shelf.get(connection, archive.topics_in_use) if each == found), 0)
        if not number:
            raise HTTPException(404)
        values = {"kicker": "Topic", "heading": found.name, "number": number}
        values |= _list(connection, room, shelf, FeedKey(kind=FeedKind.TOPIC, slug=slug), after, topic_slug=slug)
    return kept_page(request, room, "web/list.html", **values)


@router.get("/authors/{slug}", include_in_schema=False)
def author(request: Request, room: Room, shelf: OnShelf, slug: str, after: After = "") -> Response:
    with room.database.reading() as connection:
        found = archive.author_named(connection, slug)
        if found is None:
            raise HTTPException(404)
        number = next((number for each, number in shelf.get(connection, archive.authors_in_use) if each == found), 0)
        if not number:
            raise HTTPException(404)
        values = {"kicker": "Author", "heading": found.name, "number": number}
        values |= _list(connection, room, shelf, FeedKey(kind=FeedKind.AUTHOR, slug=slug), after, author_slug=slug)
    return kept_page(request, room, "web/list.html", **values)


@router.get("/languages/{code}", include_in_schema=False)
def language(request: Request, room: Room, shelf: OnShelf, code: str, after: After = "") -> Response:
    with room.database.reading() as connection:
        number = dict(shelf.get(connection, archive.languages_in_use)).get(code)
        if number is None:
            raise HTTPException(404)
        values = {"kicker": "Language", "heading": language_name(code), "number": number}
        values |= _list(connection, room, shelf, FeedKey(kind=FeedKind.LANGUAGE, slug=code), after, language=code)
        values["heading_language"] = code
    return kept_page(request, room, "web/list.html", **values)


@router.get("/search", include_in_schema=False)
def search(
    request: Request,
    room: Room,
    shelf: OnShelf,
    q: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=PAGES_OF_HITS)] = 1,
) -> Response:
    query = " ".join(q.split())[:QUERY_AT_MOST]
    with room.database.reading() as connection:
        hits = _hits(connection, query, number)
        values = {
            "query": query,
            "articles": hits[:ON_A_PAGE],
            "page_number": number,
            "next_url": _page_url(query, number + 1) if len(hits) > ON_A_PAGE and number < PAGES_OF_HITS else "",
            "previous_url": _page_url(query, number - 1) if number > 1 else "",
            **frame(connection, room, shelf, *([FeedKey(kind=FeedKind.SEARCH, slug=query)] if query else [])),
        }
    return kept_page(request, room, "web/search.html", **values)


def _list(
    connection: Connection, room: Newsroom, shelf: Shelf, feed: FeedKey, after: str, **which: str
) -> dict[str, Any]:
    """Return one page of a list, and one article more than it shows to know whether there is a next."""
    try:
        place = place_of(after)
    except InputError:
        raise HTTPException(404) from None
    found = archive.listed(connection, at_most=ON_A_PAGE + 1, after=place, **which)  # type: ignore[arg-type]
    return {
        "articles": found[:ON_A_PAGE],
        "next_cursor": _next(found),
        "is_first": place is None,
        "heading_language": "",
        "feed_path": feed.path,
        **frame(connection, room, shelf, feed),
    }


def _next(found: Sequence[Lead]) -> str:
    return cursor_after(found[ON_A_PAGE - 1]) if len(found) > ON_A_PAGE else ""


def _hits(connection: Connection, query: str, number: int) -> list[Lead]:
    offset = (number - 1) * ON_A_PAGE
    ids = archive_search.find(connection, query, at_most=ON_A_PAGE + 1, offset=offset) if query else []
    return list(archive.leads(connection, ids).values())


def _page_url(query: str, number: int) -> str:
    return f"/search?{urlencode({'q': query} | ({'page': number} if number > 1 else {}))}"
