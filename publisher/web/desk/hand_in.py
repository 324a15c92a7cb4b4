"""Handing in an article by typing or pasting it."""

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from publisher.archive import flow
from publisher.archive.accept import Acceptance, Accepted
from publisher.archive.model import ArticleState
from publisher.bell import Job
from publisher.errors import SubmissionError
from publisher.intake.fields import names
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.model import Draft
from publisher.intake.read import read
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, Room, field
from publisher.web.public.frame import house_zone
from publisher.wiring import Newsroom

router = APIRouter()

FIELDS = ("text", "form", "authors", "topics", "publish_at")


class Written(StrEnum):
    """The form that a text is written in."""

    TEXT = "txt"
    MARKDOWN = "md"
    HTML = "html"


@router.get("/desk/articles/new", include_in_schema=False)
def new_article(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat, typed=dict.fromkeys(FIELDS, ""))


@router.post("/desk/articles/new", include_in_schema=False)
def hand_in_article(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Take an article as typed or pasted; what is wrong with it is said above the text, which stays."""
    typed = {name: field(form, name) for name in FIELDS}
    try:
        draft = _draft(room, typed)
    except SubmissionError as problem:
        return _page(request, room, seat, typed=typed, problem=problem.problem, status=422)
    ids = hand_in(room.database, [HandIn(draft=draft)], origin="desk", clock=room.now)
    accepted = flow.accept_these(room.database, ids, domain=room.settings.domain, clock=room.now)
    room.bell.ring(Job.RELATE)
    if not accepted:
        return go(seat, "/desk/articles", Said.RECEIVED)
    ending = accepted[ids[0]]
    return go(seat, f"/desk/articles/{ending.article_id}", _said(ending))


def _draft(room: Newsroom, typed: dict[str, str]) -> Draft:
    """Return what was typed as a draft; the fields beside the text fill in what the text does not say."""
    suffix = typed["form"] if typed["form"] in set(Written) else Written.TEXT
    draft = read(typed["text"].replace("\r\n", "\n").encode(), name=f"article.{suffix}")
    return replace(
        draft,
        authors=draft.authors or names(typed["authors"], "authors"),
        topics=draft.topics or names(typed["topics"], "topics"),
        publish_at=draft.publish_at or _instant(room, typed["publish_at"]),
    )


def _instant(room: Newsroom, typed: str) -> datetime | None:
    """Return a local date and time of the house as an instant. Raises SubmissionError."""
    if not typed:
        return None
    with room.database.reading() as connection:
        zone = ZoneInfo(house_zone(connection))
    try:
        found = datetime.fromisoformat(typed).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SubmissionError("The embargo is no date and time, such as 2026-06-02T08:00.") from None
    if found <= room.now():
        raise SubmissionError("The embargo is over already; leave it empty to publish at once.")
    return found


def _said(ending: Accepted) -> Said:
    match ending.acceptance:
        case Acceptance.UNCHANGED:
            return Said.HANDED_IN_AGAIN
        case Acceptance.REVISED:
            return Said.REVISED
        case Acceptance.NEW:
            return Said.HANDED_IN_EARLY if ending.state is ArticleState.EMBARGOED else Said.HANDED_IN


def _page(
    request: Request, room: Newsroom, seat: Seat, *, typed: dict[str, str], problem: str = "", status: int = 200
) -> Response:
    with room.database.reading() as connection:
        zone = house_zone(connection)
    values: dict[str, Any] = {"typed": typed, "problem": problem, "zone": zone}
    return desk_page(request, room, seat, "desk/new_article.html", status=status, **values)
