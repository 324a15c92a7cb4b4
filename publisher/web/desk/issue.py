"""One issue on the desk: how it stands, what a draft says, and the mail as readers will see it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.compose import flow, proof, store
from publisher.compose.model import Edition, Issue, IssueId, IssueState, Rendering
from publisher.compose.text import SLOTS
from publisher.dispatch import report
from publisher.dispatch.model import DeliveryState, SendState
from publisher.dispatch.reach import reach
from publisher.dispatch.report import Report
from publisher.editors import powers
from publisher.errors import ConflictError, InputError, PublisherError
from publisher.events import clicks
from publisher.rendering import furniture_language, languages
from publisher.web.desk.issues import title_of
from publisher.web.desk.previews import filled, framed
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.pages import language_name
from publisher.web.parts import HIGHEST_ID, Form, IdInPath, Room, field, fields, number_in
from publisher.web.public.frame import house_zone
from publisher.wiring import Newsroom

router = APIRouter()

LOOK_AGAIN_S = 2
OFFERED = 12
"""Articles that are not in a draft and can be put in: the newest."""
GONE_ON = "This draft was changed after you opened it. Look at what it is now; below stands what you wrote."
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What neither XML nor every database can hold."""
STILL_TO_DO = (DeliveryState.PLANNED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as the page shows it."""

    subject: str
    preheader: str
    text: str
    size_kb: float


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a send has come."""

    ended: int
    """Deliveries that have an outcome."""
    total: int
    under_way: bool
    took: timedelta | None


class Spoken(NamedTuple):
    """A language of the mail's furniture."""

    tag: str
    name: str
    is_shown: bool


@router.get("/desk/issues/{issue_id}", include_in_schema=False)
def issue(request: Request, room: Room, seat: AtDesk, issue_id: IdInPath) -> Response:
    return issue_page(request, room, seat, IssueId(issue_id))


@router.get("/desk/issues/{issue_id}/mail", include_in_schema=False)
def mail(room: Room, _seat: AtDesk, issue_id: IdInPath, language: str = "") -> Response:
    """Return the mail itself for a frame that can do nothing: no script, no form, no way out."""
    rendering = flow.preview(room.database, room.settings, IssueId(issue_id), language=language)
    return framed(filled(rendering.html, rendering, room), room)


@router.post("/desk/issues/{issue_id}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, issue_id: IdInPath) -> Response:
    """Store an editor's changes to a draft; what does not render is said, and nothing changes."""
    with room.database.reading() as connection:
        found = store.issue_of(connection, IssueId(issue_id))
        typed = _typed(connection, form, found)
    if field(form, "version") != version(found):
        return issue_page(request, room, seat, found.id, status=409, problem=ConflictError(GONE_ON), typed=typed)
    try:
        flow.change_draft(room.database, room.settings, typed)
    except InputError as problem:
        return issue_page(request, room, seat, found.id, status=422, problem=problem, typed=typed)
    except PublisherError as problem:
        return issue_page(request, room, seat, found.id, status=409, problem=problem, typed=typed)
    return go(seat, f"/desk/issues/{issue_id}", Said.SAVED)


def issue_page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    issue_id: IssueId,
    *,
    status: int = 200,
    problem: PublisherError | None = None,
    typed: Issue | None = None,
) -> Response:
    """
    Return the page of an issue.

    Args:
        request: Asked for it.
        room: Whose it is.
        seat: Who looks at it.
        issue_id: Which.
        status: Of the answer.
        problem: Why what was asked for has not been done.
        typed: What the form shows in place of what is stored.

    """
    rendering, unrendered = _rendered(room, issue_id, request.query_params.get("language", ""))
    with room.database.reading() as connection:
        found = report.report(connection, issue_id)
        edition = store.edition_of(connection, found.issue.edition_id)
        chosen = list(archive.leads(connection, (typed or found.issue).article_ids).values())
        values: dict[str, Any] = {
            "report": found,
            "links": clicks.of_issue(connection, issue_id),
            "issue": found.issue,
            "draft": typed or found.issue,
            "version": version(found.issue),
            "edition": edition,
            "title": title_of(connection, edition, found.issue),
            "chosen": chosen,
            "offered": _offered(connection, chosen) if found.issue.state is IssueState.DRAFT else (),
            "readers": reach(connection, edition.mailing_list_id, now=room.now()),
            "zone": zone_of(connection, edition),
            "spoken": _spoken(connection, found.issue, edition, request.query_params.get("language", "")),
        }
    values |= {
        "mail": _mail(rendering, room) if rendering else None,
        "unrendered": unrendered,
        "remarks": list(proof.remarks(edition, chosen, rendering)) if rendering else [],
        "progress": _progress(found),
        "problem": sentence(problem),
        "wrong": problem.where if isinstance(problem, InputError) else "",
        "is_typed": typed is not None,
        "slots": SLOTS,
        "look_again_s": LOOK_AGAIN_S if _is_under_way(found) else 0,
        "is_beating": not _is_under_way(found) or room.pulse.is_beating(),
        "may_approve": seat.may(powers.SENDING),
        "grace_s": room.settings.grace_s,
        "goes_in_s": _seconds_until(found.issue.goes_at, room.now()),
    }
    return desk_page(request, room, seat, "desk/issue.html", status=status, **values)


def zone_of(connection: Connection, edition: Edition) -> str:
    """Return the time zone in which an edition's times are typed: its cadence's, else the house's."""
    return edition.cadence.time_zone if edition.cadence else house_zone(connection)


def _spoken(connection: Connection, found: Issue, edition: Edition, wanted: str) -> list[Spoken]:
    """Return the languages in which the mail's furniture can be looked at, the edition's first."""
    own = furniture_language(edition.language)
    kept = store.translations_of(connection, [found.id])[found.id]
    others = [each for each in (languages() if found.state is IssueState.DRAFT else kept) if each != own]
    shown = wanted if wanted in others else own
    return [Spoken(each, language_name(each), each == shown) for each in (own, *others)]


def version(found: Issue) -> str:
    """Return what tells whether a draft is still the one that an editor has seen."""
    seen = (found.state, found.subject, found.preheader, found.introduction, found.article_ids)
    return sha256(repr(seen).encode()).hexdigest()[:16]


def _rendered(room: Newsroom, issue_id: IssueId, language: str) -> tuple[Rendering | None, str]:
    try:
        return flow.preview(room.database, room.settings, issue_id, language=language), ""
    except PublisherError as problem:
        return None, sentence(problem)


def sentence(problem: PublisherError | None) -> str:
    """Return what went wrong as a sentence of a page, which begins with a capital."""
    told = str(problem or "")
    return told[:1].upper() + told[1:]


def _mail(rendering: Rendering, room: Newsroom) -> Mail:
    return Mail(
        subject=filled(rendering.subject, rendering, room),
        preheader=filled(rendering.preheader, rendering, room),
        text=filled(rendering.text, rendering, room),
        size_kb=len(rendering.html.encode()) / 1000,
    )


def _offered(connection: Connection, chosen: Sequence[Lead]) -> list[Lead]:
    ids = {each.id for each in chosen}
    newest = archive.listed(connection, at_most=OFFERED + len(ids))
    return [each for each in newest if each.id not in ids][:OFFERED]


def _is_under_way(found: Report) -> bool:
    return found.state in {IssueState.SCHEDULED, IssueState.APPROVED, SendState.SENDING}


def _seconds_until(instant: datetime | None, now: datetime) -> int:
    return max(0, math.ceil((instant - now).total_seconds())) if instant else 0


def _progress(found: Report) -> Progress:
    left = sum(found.counts[state] for state in STILL_TO_DO)
    took = found.finished_at - found.started_at if found.finished_at and found.started_at else None
    return Progress(ended=found.total - left, total=found.total, under_way=_is_under_way(found), took=took)


# --- what an editor typed


def _typed(connection: Connection, form: Form, found: Issue) -> Issue:
    return replace(
        found,
        subject=_line(field(form, "subject")),
        preheader=_line(field(form, "preheader")),
        introduction=_text(field(form, "introduction")),
        article_ids=_chosen(connection, form, found),
    )


def _text(typed: str) -> str:
    return CONTROL.sub(" ", typed.replace("\r\n", "\n"))


def _line(typed: str) -> str:
    return " ".join(_text(typed).split())


def _chosen(connection: Connection, form: Form, found: Issue) -> tuple[ArticleId, ...]:
    """Return the ticked articles in the order of their numbers; one without a number comes last."""
    ticked = dict.fromkeys(ArticleId(number) for each in fields(form, "article") if (number := number_in(each)))
    leads = archive.leads(connection, ticked).values()
    kept = [each.id for each in leads if each.id in found.article_ids or each.state is ArticleState.PUBLISHED]
    places = {each: number_in(field(form, f"place-{each}")) for each in kept}
    return tuple(sorted(kept, key=lambda each: places[each] or HIGHEST_ID))
