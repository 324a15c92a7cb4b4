from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId
from publisher.bell import Job
from publisher.compose import flow, store
from publisher.compose.model import Edition, Issue, IssueId, IssueState
from publisher.dispatch import flow as dispatch
from publisher.dispatch import report
from publisher.dispatch.letters import send_test
from publisher.dispatch.model import SendState, Sent
from publisher.editors.model import Role
from publisher.errors import InputError, PublisherError
from publisher.web.desk.previews import framed
from publisher.web.desk.seat import AtDesk, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, Room, field, fields

router = APIRouter()

ON_A_PAGE = 40
LOOK_AGAIN_S = 2
UNDER_WAY = {IssueState.APPROVED, SendState.SENDING}


@dataclass(frozen=True, kw_only=True)
class ShownIssue:
    """An issue as a list shows it."""

    issue: Issue
    edition: Edition
    state: str
    """Of issue and send together."""


def shown_issues(connection: Connection, found: Sequence[Issue]) -> list[ShownIssue]:
    """Return issues with their editions and where their sends stand."""
    editions = {each.id: each for each in store.editions(connection)}
    states = report.states(connection, [each.id for each in found])
    return [
        ShownIssue(issue=each, edition=editions[each.edition_id], state=states.get(each.id, each.state.value))
        for each in found
    ]


@router.get("/desk/issues", include_in_schema=False)
def issues(request: Request, room: Room, seat: AtDesk, edition: str = "", before: int | None = None) -> Response:
    """Show issues, newest first."""
    with room.database.reading() as connection:
        editions = store.editions(connection)
        only = next((each.id for each in editions if each.slug == edition), None)
        earlier = IssueId(before) if before else None
        found = store.issues(connection, at_most=ON_A_PAGE + 1, edition_id=only, before=earlier)
        shown = shown_issues(connection, found[:ON_A_PAGE])
    more = found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None
    values: dict[str, Any] = {"issues": shown, "editions": editions, "edition": edition, "more": more}
    return desk_page(request, room, seat, "desk/issues.html", **values)


@router.post("/desk/issues", include_in_schema=False)
def draft(room: Room, seat: Sender, form: Form) -> Response:
    """Draft an issue of an edition from what was published lately."""
    ask_for(seat, Role.EDITOR)
    added = flow.draft_issue(
        room.database, room.settings, field(form, "edition"), subject=field(form, "subject"), clock=room.now
    )
    return go(f"/desk/issues/{added.id}", "Drafted. Nothing is sent before it is approved.")


@router.get("/desk/issues/{issue_id}", include_in_schema=False)
def issue(request: Request, room: Room, seat: AtDesk, issue_id: int) -> Response:
    """Show an issue: its mail as readers will see it, its articles, and how its send stands."""
    return _issue_page(request, room, seat, issue_id)


def _issue_page(
    request: Request, room: Room, seat: AtDesk, issue_id: int, *, status: int = 200, problem: str = ""
) -> Response:
    with room.database.reading() as connection:
        found = report.report(connection, IssueId(issue_id))
        carried = archive.leads(connection, found.issue.article_ids)
        edition = store.edition_of(connection, found.issue.edition_id)
    mail, unrendered = None, ""
    try:
        mail = flow.preview(room.database, room.settings, found.issue.id)
    except PublisherError as error:
        unrendered = str(error)
    values: dict[str, Any] = {
        "report": found,
        "issue": found.issue,
        "edition": edition,
        "articles": list(carried.values()),
        "mail": mail,
        "size_kb": len(mail.html.encode()) / 1000 if mail else 0,
        "problem": problem or unrendered,
        "look_again_s": LOOK_AGAIN_S if found.state in UNDER_WAY else 0,
        "may_approve": seat.may(Role.CHIEF),
    }
    return desk_page(request, room, seat, "desk/issue.html", status=status, **values)


@router.get("/desk/issues/{issue_id}/mail", include_in_schema=False)
def mail(room: Room, _seat: AtDesk, issue_id: int) -> Response:
    """Return the mail itself for a frame that can do nothing: no script, no form, no way out."""
    return framed(flow.preview(room.database, room.settings, IssueId(issue_id)).html, room)


@router.post("/desk/issues/{issue_id}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, issue_id: int) -> Response:
    """Store an editor's changes to a draft; what does not render is said, and nothing changes."""
    with room.database.reading() as connection:
        found = store.issue_of(connection, IssueId(issue_id))
    changed = replace(
        found,
        subject=field(form, "subject"),
        preheader=field(form, "preheader"),
        introduction=field(form, "introduction"),
        article_ids=_chosen(form, found),
    )
    try:
        flow.change_draft(room.database, room.settings, changed)
    except PublisherError as problem:
        return _issue_page(request, room, seat, issue_id, status=422, problem=str(problem))
    return go(f"/desk/issues/{issue_id}", "Saved.")


def _chosen(form: Form, found: Issue) -> tuple[ArticleId, ...]:
    """Return the ticked articles in the order of their numbers."""
    kept = [each for each in found.article_ids if str(each) in fields(form, "article")]
    places = {each: field(form, f"place-{each}") for each in kept}
    order = {each: int(place) if place.isdecimal() else number for number, (each, place) in enumerate(places.items())}
    return tuple(sorted(kept, key=lambda each: order[each]))


@router.post("/desk/issues/{issue_id}/approve", include_in_schema=False)
def approve(request: Request, room: Room, seat: Sender, issue_id: int) -> Response:
    ask_for(seat, Role.CHIEF)
    try:
        flow.approve(room.database, room.settings, IssueId(issue_id), clock=room.now)
    except PublisherError as problem:
        return _issue_page(request, room, seat, issue_id, status=409, problem=str(problem))
    room.bell.ring(Job.PLAN, Job.SYNDICATE)
    return go(f"/desk/issues/{issue_id}", "Approved. It is on its way.")


@router.post("/desk/issues/{issue_id}/test", include_in_schema=False)
def test(request: Request, room: Room, seat: Sender, issue_id: int) -> Response:
    """Send the mail, as it is now, to the editor who asks."""
    rendering = flow.preview(room.database, room.settings, IssueId(issue_id))
    with room.database.reading() as connection:
        found = store.issue_of(connection, IssueId(issue_id))
        edition = store.edition_of(connection, found.edition_id)
    outcome = send_test(
        room.transport,
        seat.editor,
        settings=room.settings,
        edition=edition,
        found=found,
        rendering=rendering,
        now=room.now(),
    )
    if isinstance(outcome, Sent):
        return go(f"/desk/issues/{issue_id}", f"A test is on its way to {seat.editor.email}.")
    problem = f"The test was not sent: {outcome.reason}"
    return _issue_page(request, room, seat, issue_id, status=502, problem=problem)


@router.post("/desk/issues/{issue_id}/{move}", include_in_schema=False)
def move(request: Request, room: Room, seat: Sender, issue_id: int, move: str) -> Response:
    """Cancel, pause or resume."""
    ask_for(seat, Role.CHIEF)
    try:
        said = _move(room, IssueId(issue_id), move, seat.editor.name)
    except PublisherError as problem:
        return _issue_page(request, room, seat, issue_id, status=409, problem=str(problem))
    return go(f"/desk/issues/{issue_id}", said)


def _move(room: Room, issue_id: IssueId, move: str, name: str) -> str:
    match move:
        case "cancel":
            reason = f"Cancelled by {name}."
            if not flow.cancel_draft(room.database, issue_id, reason=reason):
                dispatch.cancel(room.database, room.settings, issue_id, reason=reason, clock=room.now)
            return "Cancelled."
        case "pause":
            dispatch.pause(room.database, room.settings, issue_id, reason=f"Paused by {name}.", clock=room.now)
            return "Paused after the mails that were on the wire."
        case "resume":
            dispatch.resume(room.database, issue_id, clock=room.now)
            room.bell.ring(Job.DISPATCH)
            return "It goes on where it stopped."
    raise InputError(f"{move!r} cannot be done to an issue.")
