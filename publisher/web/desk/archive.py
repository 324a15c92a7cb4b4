"""The archive as a list: searched, narrowed, newest first."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import search, store
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.archive.tables import article
from publisher.errors import InputError
from publisher.intake.polling import Source, sources
from publisher.intake.tables import source, submission
from publisher.web.cursors import Place, cursor_after, place_of
from publisher.web.desk.seat import AtDesk, Seat, desk_page
from publisher.web.pages import language_name
from publisher.web.parts import Room
from publisher.web.public.frame import house_zone
from publisher.web.shelf import OnShelf

router = APIRouter()

ON_A_PAGE = 30
FOUND_AT_MOST = 100
SEARCHED_AT_MOST = 1_000
"""So many of the best that have the words are narrowed further."""
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
OWN = {"desk": "The desk", "api": "The API", "cli": "The command line", "samples": "The samples"}
"""Where articles come from, besides sources."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the list is narrowed to, as the form has it; empty: to nothing."""

    state: str = ""
    topic: str = ""
    language: str = ""
    source: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if value})


def _wanted(  # noqa: PLR0917 -- FastAPI fills them by name
    state: Annotated[str, Query(max_length=200)] = "",
    topic: Annotated[str, Query(max_length=200)] = "",
    language: Annotated[str, Query(max_length=200)] = "",
    origin: Annotated[str, Query(alias="source", max_length=200)] = "",
    since: Annotated[str, Query(max_length=200)] = "",
    until: Annotated[str, Query(max_length=200)] = "",
) -> Wanted:
    return Wanted(
        state=state if state in set(ArticleState) else "",
        topic=topic,
        language=language,
        source=origin,
        since=since,
        until=until,
    )


@router.get("/desk/articles", include_in_schema=False)
def articles(  # noqa: PLR0917 -- FastAPI fills them by name
    request: Request,
    room: Room,
    seat: AtDesk,
    shelf: OnShelf,
    wanted: Annotated[Wanted, Depends(_wanted)],
    q: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show the archive, newest first, or what is found in it, best first."""
    place, words = _place(after), q.strip()
    with room.database.reading() as connection:
        try:
            limits = _limits(connection, wanted, seat)
        except InputError as problem:
            limits, said = {}, str(problem)
        else:
            said = ""
        found, more = _found(connection, words, limits, place)
        topics = shelf.get(connection, store.topics_in_use)
        languages = shelf.get(connection, store.languages_in_use)
    values: dict[str, Any] = {
        "articles": found,
        "query": words,
        "wanted": wanted,
        "narrowed": wanted.query,
        "problem": said,
        "states": [(each, each) for each in ArticleState],
        "topics": sorted(((each.slug, each.name) for each, _ in topics), key=lambda each: each[1].casefold()),
        "languages": [(each, language_name(each)) for each, _ in languages],
        "origins": [*OWN.items(), *((_origin(each), each.name) for each in sources(room.database))],
        "more": more,
        "is_first": not after,
        "found_at_most": FOUND_AT_MOST,
    }
    return desk_page(request, room, seat, "desk/articles.html", status=422 if said else 200, **values)


def origin_of(connection: Connection, article_id: ArticleId) -> str:
    """Return where an article came from first, in words; empty where nobody knows."""
    first = (
        sa.select(submission.c.origin)
        .join(article, article.c.identity == submission.c.identity)
        .where(article.c.id == article_id)
        .order_by(submission.c.id)
        .limit(1)
    )
    origin = connection.scalar(first) or ""
    kind, _, number = origin.partition(":")
    if kind != "source" or not number.isdecimal():
        return OWN.get(origin, origin)
    name = connection.scalar(sa.select(source.c.name).where(source.c.id == int(number)))
    return f"The source {name}" if name else "A source that is read no longer"


def _found(connection: Connection, words: str, limits: dict[str, Any], place: Place | None) -> tuple[list[Lead], str]:
    """Return what the list shows, and the place after it where there is more."""
    if not words:
        found = store.listed(connection, at_most=ON_A_PAGE + 1, after=place, **({"state": None} | limits))
        return found[:ON_A_PAGE], cursor_after(found[ON_A_PAGE - 1]) if len(found) > ON_A_PAGE else ""
    states = [limits["state"]] if limits.get("state") else list(ArticleState)
    if not limits.keys() - {"state"}:
        ids = search.find(connection, words, at_most=FOUND_AT_MOST, states=states)
        return list(store.leads(connection, ids).values()), ""
    ids = search.find(connection, words, at_most=SEARCHED_AT_MOST, states=states)
    fitting = store.listed(connection, at_most=SEARCHED_AT_MOST, among=ids, **({"state": None} | limits))
    ranks = {each: rank for rank, each in enumerate(ids)}
    return sorted(fitting, key=lambda each: ranks[each.id])[:FOUND_AT_MOST], ""


def _limits(connection: Connection, wanted: Wanted, seat: Seat) -> dict[str, Any]:
    """Return what `store.listed` is asked for besides the words; the rest is left out. Raises InputError."""
    zone = ZoneInfo(seat.editor.time_zone or house_zone(connection))
    until = _day(wanted.until)
    found = {
        "state": ArticleState(wanted.state) if wanted.state else None,
        "topic_slug": wanted.topic,
        "language": wanted.language,
        "origin": wanted.source,
        "since": _midnight(_day(wanted.since), zone),
        "until": _midnight(until + timedelta(days=1) if until else None, zone),
    }
    return {name: value for name, value in found.items() if value}


def _day(typed: str) -> date | None:
    try:
        found = date.fromisoformat(typed) if typed else None
    except ValueError:
        found = date.min
    if found is not None and not FIRST_DAY <= found <= LAST_DAY:
        raise InputError(f"“{typed}” is no day, such as 2026-06-02; the list below is not narrowed.")
    return found


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, tzinfo=zone) if day else None


def _origin(each: Source) -> str:
    return f"source:{each.id}"


def _place(after: str) -> Place | None:
    try:
        return place_of(after)
    except InputError:
        raise HTTPException(404) from None
