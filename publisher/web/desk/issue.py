"""One issue on the desk: how it stands, what a draft says, and the mail as readers will see it."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection
from starlette.datastructures import FormData

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Lead
from publisher.audience import rules
from publisher.audience import store as audience
from publisher.audience.model import Subscriber
from publisher.compose import flow, proof, store
from publisher.compose.model import Edition, Issue, IssueId, IssueState, Rendering, SubjectTest
from publisher.compose.subjects import OTHERS_AT_MOST
from publisher.compose.text import SLOTS
from publisher.dispatch import figures, report
from publisher.dispatch.reach import reach
from publisher.dispatch.report import Report
from publisher.dispatch.subjects import least_difference
from publisher.editors import powers
from publisher.errors import ConflictError, InputError, PublisherError
from publisher.events import clicks, subject_tests
from publisher.rendering import furniture_language, languages
from publisher.web.desk.issues import title_of
from publisher.web.desk.plots import plots_of
from publisher.web.desk.previews import darkened, filled, filled_html, framed
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.desk.standing import WATCHED, is_under_way, progress_of
from publisher.web.pages import language_name
from publisher.web.parts import HIGHEST_ID, Form, IdInPath, Room, field, fields, number_in
from publisher.web.public.frame import house_zone
from publisher.wiring import Newsroom

router = APIRouter()

LOOK_AGAIN_S = 2
USUAL_RATE = 0.03
"""Of readers who click: an assumption, for an estimate before anything is known."""
OFFERED = 12
"""Articles that are not in a draft and can be put in: the newest."""
GONE_ON = "This draft was changed after you opened it. Look at what it is now; below stands what you wrote."
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What neither XML nor every database can hold."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as the page shows it."""

    subject: str
    preheader: str
    text: str
    size_kb: float


class Tellable(NamedTuple):
    """What a test of subjects can tell."""

    readers: int
    """Of each subject."""
    points: float
    """How far apart subjects must be to be told apart, in percentage points of readers who click."""
    usual_percent: float


class Spoken(NamedTuple):
    """A language of the mail's furniture."""

    tag: str
    name: str
    is_shown: bool


@router.get("/desk/issues/{issue_id}", include_in_schema=False)
def issue(request: Request, room: Room, seat: AtDesk, issue_id: IdInPath) -> Response:
    return issue_page(request, room, seat, IssueId(issue_id))


@router.get("/desk/issues/{issue_id}/mail", include_in_schema=False)
def mail(
    *, room: Room, _seat: AtDesk, issue_id: IdInPath, language: str = "", reader: str = "", dark: bool = False
) -> Response:
    """Return the mail itself for a frame that can do nothing: no script, no form, no way out."""
    rendering = flow.preview(room.database, room.settings, IssueId(issue_id), language=language)
    with room.database.reading() as connection:
        html = filled_html(rendering, room, _reader(connection, reader))
    return framed(darkened(html) if dark else html, room)


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
    asked_for = request.query_params.get("reader", "").strip()[: rules.EMAIL_AT_MOST]
    with room.database.reading() as connection:
        found = report.report(connection, issue_id)
        edition = store.edition_of(connection, found.issue.edition_id)
        chosen = list(archive.leads(connection, (typed or found.issue).article_ids).values())
        reader = _reader(connection, asked_for)
        values: dict[str, Any] = {
            "report": found,
            "plots": plots_of(figures.figures_of(connection, issue_id), clicks.of_issue(connection, issue_id)),
            "issue": found.issue,
            "draft": typed or found.issue,
            "version": version(found.issue),
            "edition": edition,
            "title": title_of(connection, edition, found.issue),
            "chosen": chosen,
            "offered": _offered(connection, chosen) if found.issue.state is IssueState.DRAFT else (),
            "readers": _reach(connection, edition, found, room.now()),
            "zone": zone_of(connection, edition),
            "subject_test": subject_tests.standing_of(connection, issue_id),
            "spoken": _spoken(connection, found.issue, edition, request.query_params.get("language", "")),
        }
    shown = {"language": next((each.tag for each in values["spoken"][1:] if each.is_shown), "")}
    shown["reader"] = reader.email if reader else ""
    values |= {
        "mail": _mail(rendering, room, reader) if rendering else None,
        "asked_for": asked_for,
        "frame": _frame(issue_id, **shown),
        "dark_frame": _frame(issue_id, **shown, dark="yes"),
        "reader": reader,
        "unrendered": unrendered,
        "remarks": list(proof.remarks(edition, chosen, rendering)) if rendering else [],
        "progress": progress_of(found, room.now()),
        "problem": sentence(problem),
        "wrong": problem.where if isinstance(problem, InputError) else "",
        "is_typed": typed is not None,
        "slots": SLOTS,
        "look_again_s": LOOK_AGAIN_S if is_under_way(found) else 0,
        "is_watched": found.state in WATCHED,
        "is_beating": not is_under_way(found) or room.pulse.is_beating(),
        "may_approve": seat.may(powers.SENDING),
        "tellable": _tellable(values["draft"], values["readers"]),
        "grace_s": room.settings.grace_s,
        "goes_in_s": _seconds_until(found.issue.goes_at, room.now()),
    }
    return desk_page(request, room, seat, "desk/issue.html", status=status, **values)


def _reach(connection: Connection, edition: Edition, found: Report, now: datetime) -> int:
    """Return who would get an issue that has not gone; of one that has, it is no question."""
    is_ahead = found.issue.state in {IssueState.DRAFT, IssueState.SCHEDULED}
    return reach(connection, edition, now=now) if is_ahead else 0


def _tellable(draft: Issue, readers: int) -> Tellable | None:
    """Return what a test of subjects can tell with so many readers; None: there is none."""
    test = draft.subject_test
    if test is None or not test.others:
        return None
    count = 1 + len(test.others)
    each = readers * test.share_percent // 100 // count
    apart = least_difference(each, rate=USUAL_RATE, count=min(count, 1 + OTHERS_AT_MOST))
    return Tellable(readers=each, points=apart * 100, usual_percent=USUAL_RATE * 100)


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
    seen = (found.state, found.subject, found.preheader, found.introduction, found.article_ids, found.subject_test)
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


def _frame(issue_id: IssueId, **shown: str) -> str:
    """Return the address of the mail in a frame, shown like this."""
    query = urlencode({name: value for name, value in shown.items() if value})
    return f"/desk/issues/{issue_id}/mail{'?' if query else ''}{query}"


def _reader(connection: Connection, address: str) -> Subscriber | None:
    """Return the reader as whom the mail is looked at."""
    try:
        return audience.subscriber_with_email(connection, rules.normalise_email(address)) if address else None
    except InputError:
        return None


def _mail(rendering: Rendering, room: Newsroom, reader: Subscriber | None) -> Mail:
    return Mail(
        subject=filled(rendering.subject, rendering, room, reader),
        preheader=filled(rendering.preheader, rendering, room, reader),
        text=filled(rendering.text, rendering, room, reader),
        size_kb=len(rendering.html.encode()) / 1000,
    )


def _offered(connection: Connection, chosen: Sequence[Lead]) -> list[Lead]:
    ids = {each.id for each in chosen}
    newest = archive.listed(connection, at_most=OFFERED + len(ids))
    return [each for each in newest if each.id not in ids][:OFFERED]


def _seconds_until(instant: datetime | None, now: datetime) -> int:
    return max(0, math.ceil((instant - now).total_seconds())) if instant else 0


# --- what an editor typed


def _typed(connection: Connection, form: Form, found: Issue) -> Issue:
    return replace(
        found,
        subject=_line(field(form, "subject")),
        preheader=_line(field(form, "preheader")),
        introduction=_text(field(form, "introduction")),
        article_ids=_chosen(connection, form, found),
        subject_test=_subject_test(form),
    )


def _subject_test(form: FormData) -> SubjectTest | None:
    """Return the test that an editor asks for; one without another subject is none."""
    others = tuple(line for each in fields(form, "other_subject") if (line := _line(each)))
    if not others:
        return None
    share, hours = number_in(field(form, "share_percent")), number_in(field(form, "hours"))
    return SubjectTest(others=others, share_percent=share, hours=hours)


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
