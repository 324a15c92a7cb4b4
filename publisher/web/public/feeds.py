"""Feeds explained to people: which there are, how to follow one, what is in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.engine import Connection

from feeds.formats import FeedFormat
from publisher.archive import store as archive
from publisher.archive.model import Lead
from publisher.compose import store as compose
from publisher.compose.model import EditionKind, IssueState
from publisher.syndication.discovery import FORMAT_NAMES, Offer, offer, offers
from publisher.syndication.model import OF_ISSUES, FeedKey, FeedKind, address_of
from publisher.web.pages import kept_page
from publisher.web.parts import Room
from publisher.web.public.frame import GUIDE, frame
from publisher.web.shelf import OnShelf

router = APIRouter()

PREVIEWED = 12
HEADINGS = {
    FeedKind.ALL: "Start here",
    FeedKind.GUIDE: "Start here",
    FeedKind.EDITION: "Newsletters",
    FeedKind.LANGUAGE: "Languages",
    FeedKind.TOPIC: "Topics",
    FeedKind.AUTHOR: "Authors",
}


@dataclass(frozen=True, kw_only=True)
class Previewed:
    """One entry, as a list shows it."""

    title: str
    summary: str
    path: str
    at: datetime
    language: str


@router.get("/feeds", include_in_schema=False)
def feeds(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        found = offers(connection, room.site)
        values = {"groups": _grouped(found), "format_names": FORMAT_NAMES, **frame(connection, room, shelf, GUIDE)}
    return kept_page(request, room, "web/feeds.html", **values)


@router.get("/feeds/{rest:path}", include_in_schema=False)
def feed(request: Request, room: Room, shelf: OnShelf, rest: str) -> Response:
    """Show one feed. Its page ends in a slash, as the feed itself says; without one, that is the way there."""
    address = address_of(f"/feeds/{rest.rstrip('/')}.{FeedFormat.ATOM}")
    if address is None or address.archive or address.key.kind is FeedKind.SEARCH:
        raise HTTPException(404)
    with room.database.reading() as connection:
        found = offer(connection, address.key, room.site)
        if found is None:
            raise HTTPException(404)
        if request.url.path != f"{address.key.path}/":
            return RedirectResponse(f"{address.key.path}/", status_code=308)
        values = {"feed": found, "entries": _preview(connection, address.key), "format_names": FORMAT_NAMES}
        values |= frame(connection, room, shelf, address.key)
    return kept_page(request, room, "web/feed.html", **values)


def _grouped(found: Sequence[Offer]) -> list[tuple[str, list[Offer]]]:
    return [(heading, list(group)) for heading, group in groupby(found, key=lambda each: HEADINGS[each.key.kind])]


def _preview(connection: Connection, key: FeedKey) -> list[Previewed]:
    if key.kind in OF_ISSUES:
        return _issues(connection, key)
    found: dict[int, Lead] = {}
    for which in _selections(key):
        found |= {lead.id: lead for lead in archive.listed(connection, at_most=PREVIEWED, **which)}  # type: ignore[arg-type]
    newest = sorted(found.values(), key=lambda lead: (lead.published_at, lead.id), reverse=True)[:PREVIEWED]
    return [
        Previewed(
            title=lead.title,
            summary=lead.summary,
            path=f"/articles/{lead.slug}",
            at=lead.published_at,
            language=lead.language,
        )
        for lead in newest
    ]


def _selections(key: FeedKey) -> list[dict[str, str]]:
    match key.kind:
        case FeedKind.TOPIC | FeedKind.COMBINED:
            return [{"topic_slug": slug} for slug in key.slug.split("+")]
        case FeedKind.AUTHOR:
            return [{"author_slug": key.slug}]
        case FeedKind.LANGUAGE:
            return [{"language": key.slug}]
        case _:
            return [{}]


def _issues(connection: Connection, key: FeedKey) -> list[Previewed]:
    editions = {
        each.id: each
        for each in compose.editions(connection)
        if each.slug == key.slug or (key.kind is FeedKind.GUIDE and each.kind is EditionKind.GUIDE)
    }
    found = [
        (editions[each.edition_id], each)
        for edition_id in editions
        for each in compose.issues(connection, at_most=PREVIEWED, edition_id=edition_id, states=(IssueState.APPROVED,))
    ]
    newest = sorted(found, key=lambda pair: pair[1].id, reverse=True)[:PREVIEWED]
    return [
        Previewed(
            title=issue.subject,
            summary=issue.preheader,
            path=f"/issues/{edition.slug}/{issue.number}",
            at=issue.approved_at or issue.created_at,
            language=edition.language,
        )
        for edition, issue in newest
    ]
