from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.compose import flow, rules, store
from publisher.compose.model import Edition, Issue, IssueId
from publisher.dispatch import report
from publisher.editors import powers
from publisher.errors import PublisherError
from publisher.web.desk.previews import plain_subject
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, ask_for, desk_page, go
from publisher.web.parts import Form, IdInQuery, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

ON_A_PAGE = 40


@dataclass(frozen=True, kw_only=True)
class ShownIssue:
    """An issue as a list shows it."""

    issue: Issue
    edition: Edition
    title: str
    """Its subject; of a draft without one, the subject that it will get."""
    state: str
    """Of issue and send together."""


def shown_issues(connection: Connection, found: Sequence[Issue]) -> list[ShownIssue]:
    """Return issues with their editions and where their sends stand."""
    editions = {each.id: each for each in store.editions(connection)}
    states = report.states(connection, [each.id for each in found])
    return [
        ShownIssue(
            issue=each,
            edition=editions[each.edition_id],
            title=title_of(connection, editions[each.edition_id], each),
            state=states.get(each.id, each.state.value),
        )
        for each in found
    ]


def title_of(connection: Connection, edition: Edition, found: Issue) -> str:
    """Return what an issue is called on the desk."""
    if written := found.subject or edition.subject:
        return plain_subject(written)
    leads = list(archive.leads(connection, found.article_ids).values())
    return rules.make_subject(edition.kind, leads) if leads else "No article"


@router.get("/desk/issues", include_in_schema=False)
def issues(request: Request, room: Room, seat: AtDesk, edition: str = "", before: IdInQuery = None) -> Response:
    """Show issues, newest first."""
    return _list(request, room, seat, edition=edition, before=before)


@router.post("/desk/issues", include_in_schema=False)
def draft(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Draft an issue of an edition from what was published lately."""
    ask_for(seat, powers.WRITING)
    try:
        added = flow.draft_issue(room.database, room.settings, field(form, "edition"), clock=room.now)
    except PublisherError as problem:
        return _list(request, room, seat, status=409, problem=str(problem))
    return go(seat, f"/desk/issues/{added.id}", Said.DRAFTED)


def _list(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    edition: str = "",
    before: int | None = None,
    status: int = 200,
    problem: str = "",
) -> Response:
    with room.database.reading() as connection:
        editions = store.editions(connection)
        only = next((each for each in editions if each.slug == edition), None)
        found = store.issues(
            connection,
            at_most=ON_A_PAGE + 1,
            edition_id=only.id if only else None,
            before=IssueId(before) if before else None,
        )
        shown = shown_issues(connection, found[:ON_A_PAGE])
    values: dict[str, Any] = {
        "issues": shown,
        "editions": editions,
        "only": only,
        "before": before,
        "more": found[ON_A_PAGE - 1].id if len(found) > ON_A_PAGE else None,
        "problem": problem,
    }
    return desk_page(request, room, seat, "desk/issues.html", status=status, **values)
