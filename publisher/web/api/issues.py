from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId
from publisher.bell import Job
from publisher.compose import flow as compose_flow
from publisher.compose import store as compose
from publisher.compose import subjects
from publisher.compose.model import Edition, Issue, IssueId, IssueState, SubjectTest
from publisher.compose.slots import anybody, filled
from publisher.dispatch import figures, letters
from publisher.dispatch import flow as dispatch
from publisher.dispatch import report as reports
from publisher.dispatch.model import DeliveryState, Sent
from publisher.editors import rules as editor_rules
from publisher.editors import store as editors
from publisher.editors.model import Editor
from publisher.errors import InputError
from publisher.events import clicks, subject_tests
from publisher.settings import Settings
from publisher.web.api.access import MAY_READ_ISSUES, MAY_READ_SUBSCRIBERS, MAY_WRITE_ISSUES, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.forms import (
    ApproveForm,
    Deliveries,
    DraftForm,
    IssueForm,
    Issues,
    IssueWhole,
    MoveForm,
    PreviewShown,
    RetryForm,
    SubjectForm,
    TestForm,
    TestSent,
)
from publisher.web.api.matching import TAGGED, IfMatch, etag
from publisher.web.downloads import deliveries_csv
from publisher.web.parts import IdInPath, Room
from publisher.wiring import Newsroom

router = APIRouter(prefix="/issues", tags=["Issues"])

States = Annotated[tuple[DeliveryState, ...], Query(description="Only in these; may be repeated.")]
BY_API = "By a program, through the API."


@router.get("", response_model=Issues, dependencies=[MAY_READ_ISSUES])
def list_issues(
    room: Room,
    edition: Annotated[str, Query(description="Slug.")] = "",
    limit: Limit = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """List issues, newest first."""
    with room.database.reading() as connection:
        only = compose.edition_named(connection, edition).id if edition else None
        found = compose.issues(connection, at_most=limit + 1, edition_id=only, before=_before(cursor))
        editions = {each.id: each for each in compose.editions(connection)}
        states = reports.states(connection, [each.id for each in found])
    page = found[:limit]
    data = [_shown(each, editions[each.edition_id], states.get(each.id, ""), "", room.settings) for each in page]
    return {"data": data, "next": str(page[-1].id) if len(found) > limit else None}


@router.post("", status_code=201, response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def draft_issue(room: Room, form: IssueForm) -> dict[str, Any]:
    """Make a draft at once. Nothing is sent before it is approved."""
    draft = compose_flow.draft_issue(
        room.database,
        room.settings,
        form.edition,
        article_ids=[ArticleId(each) for each in form.article_ids],
        subject=form.subject,
        introduction=form.introduction,
        clock=room.now,
    )
    return _reported(room, draft.id)


@router.get("/{issue_id}", response_model=IssueWhole, responses={200: TAGGED}, dependencies=[MAY_READ_ISSUES])
def show_issue(room: Room, issue_id: IdInPath, response: Response) -> dict[str, Any]:
    """Show an issue, and how its send stands. The ETag is that of what an editor decides."""
    with room.database.reading() as connection:
        response.headers["ETag"] = _tag(compose.issue_of(connection, IssueId(issue_id)))
    return _reported(room, IssueId(issue_id))


@router.put(
    "/{issue_id}",
    response_model=IssueWhole,
    responses={200: TAGGED},
    dependencies=[MAY_WRITE_ISSUES, ONLY_JSON],
)
def change_draft(room: Room, issue_id: IdInPath, form: DraftForm, match: IfMatch, response: Response) -> dict[str, Any]:
    """Change a draft: its articles and their order, subject, preheader, introduction. 409 once it is approved."""
    with room.database.reading() as connection:
        found = compose.issue_of(connection, IssueId(issue_id))
        ids = _articles(connection, found, form)
    changed = replace(
        found,
        article_ids=ids,
        subject=" ".join(form.subject.split()),
        preheader=" ".join(form.preheader.split()),
        introduction=form.introduction,
        subject_test=_subject_test(form),
    )
    after = compose_flow.change_draft(
        room.database, room.settings, changed, check=lambda current: match.check(_tag(current))
    )
    response.headers["ETag"] = _tag(after)
    return _reported(room, after.id)


@router.post("/{issue_id}/subject", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def choose_subject(room: Room, issue_id: IdInPath, form: SubjectForm) -> dict[str, Any]:
    """Let the rest of the readers have a subject of the test at once. 409 where another was chosen before."""
    subject_tests.choose(room.database, IssueId(issue_id), form.number, clock=room.now)
    room.bell.ring(Job.DISPATCH)
    return _reported(room, IssueId(issue_id))


@router.get("/{issue_id}/preview", response_model=PreviewShown, dependencies=[MAY_READ_ISSUES])
def preview_issue(
    room: Room, issue_id: IdInPath, language: Annotated[str, Query(max_length=20, description="Of the furniture.")] = ""
) -> dict[str, str]:
    """Show the mail as it is, or for a draft as it would be sent now."""
    rendering = compose_flow.preview(room.database, room.settings, IssueId(issue_id), language=language)
    values = anybody(room.settings.base_url, rendering.reader)
    return {name: filled(getattr(rendering, name), values) for name in PreviewShown.model_fields}


@router.post("/{issue_id}/test", response_model=TestSent, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def send_test(room: Room, issue_id: IdInPath, form: TestForm) -> dict[str, str]:
    """Send the mail, as it is now, to an editor. 502 where the mail server does not take it."""
    rendering = compose_flow.preview(room.database, room.settings, IssueId(issue_id))
    with room.database.reading() as connection:
        found = compose.issue_of(connection, IssueId(issue_id))
        edition = compose.edition_of(connection, found.edition_id)
        editor = _editor(connection, form.email)
    outcome = letters.send_test(
        room.transport,
        editor,
        settings=room.settings,
        edition=edition,
        found=found,
        rendering=rendering,
        now=room.now(),
    )
    if not isinstance(outcome, Sent):
        raise HTTPException(502, f"The test was not sent: {outcome.reason}")
    return {"said": "The test is on its way."}


@router.post("/{issue_id}/approve", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES])
def approve_issue(room: Room, issue_id: IdInPath, form: ApproveForm | None = None) -> dict[str, Any]:
    """Freeze an issue and send it, at once or when its time comes. Approving it again changes nothing."""
    goes_at = form.goes_at if form else None
    compose_flow.approve(room.database, room.settings, IssueId(issue_id), goes_at=goes_at, clock=room.now)
    room.bell.ring(Job.PLAN, Job.SYNDICATE)
    return _reported(room, IssueId(issue_id))


@router.post("/{issue_id}/move", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def move_issue(room: Room, issue_id: IdInPath, form: MoveForm) -> dict[str, Any]:
    """Give a scheduled issue another time, frozen as it is; 409 when it does not wait for one."""
    compose_flow.move(room.database, IssueId(issue_id), form.goes_at, clock=room.now)
    return _reported(room, IssueId(issue_id))


@router.post("/{issue_id}/undo", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES])
def undo_approval(room: Room, issue_id: IdInPath) -> dict[str, Any]:
    """Make a scheduled issue a draft again; 409 when it has gone out."""
    compose_flow.undo(room.database, IssueId(issue_id))
    return _reported(room, IssueId(issue_id))


@router.post("/{issue_id}/cancel", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES])
def cancel_issue(room: Room, issue_id: IdInPath) -> dict[str, Any]:
    """Cancel a draft, or stop an issue for good: who has it keeps it, nobody else gets it."""
    if not compose_flow.cancel_draft(room.database, IssueId(issue_id), reason=BY_API):
        dispatch.cancel(room.database, room.settings, IssueId(issue_id), reason=BY_API, clock=room.now)
    return _reported(room, IssueId(issue_id))


@router.post("/{issue_id}/pause", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES])
def pause_issue(room: Room, issue_id: IdInPath) -> dict[str, Any]:
    """Stop sending an issue for now."""
    dispatch.pause(room.database, room.settings, IssueId(issue_id), reason=BY_API, clock=room.now)
    return _reported(room, IssueId(issue_id))


@router.post("/{issue_id}/resume", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES])
def resume_issue(room: Room, issue_id: IdInPath) -> dict[str, Any]:
    """Go on with a paused issue, exactly where it stopped."""
    dispatch.resume(room.database, IssueId(issue_id), clock=room.now)
    room.bell.ring(Job.DISPATCH)
    return _reported(room, IssueId(issue_id))


@router.get("/{issue_id}/deliveries", response_model=Deliveries, dependencies=[MAY_READ_ISSUES, MAY_READ_SUBSCRIBERS])
def list_deliveries(
    room: Room,
    issue_id: IdInPath,
    state: States = (),
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many.")] = 100,
    cursor: str = "",
) -> dict[str, Any]:
    """List who got an issue and who did not, why, when, and how often it was tried."""
    with room.database.reading() as connection:
        compose.issue_of(connection, IssueId(issue_id))
        found = reports.lines(
            connection, IssueId(issue_id), states=state, after=_before(cursor) or 0, at_most=limit + 1
        )
    page = found[:limit]
    return {"data": [vars(each) for each in page], "next": str(page[-1].seq) if len(found) > limit else None}


@router.get(
    "/{issue_id}/deliveries.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    dependencies=[MAY_READ_ISSUES, MAY_READ_SUBSCRIBERS],
)
def export_deliveries(room: Room, issue_id: IdInPath, state: States = ()) -> StreamingResponse:
    """Return the same list, whole, as CSV."""
    with room.database.reading() as connection:
        compose.issue_of(connection, IssueId(issue_id))
    return deliveries_csv(room, IssueId(issue_id), state)


@router.post("/{issue_id}/retry", response_model=IssueWhole, dependencies=[MAY_WRITE_ISSUES, ONLY_JSON])
def retry_issue(room: Room, issue_id: IdInPath, form: RetryForm) -> dict[str, Any]:
    """Send an issue again to those who did not get it."""
    dispatch.retry(room.database, IssueId(issue_id), DeliveryState(form.state), clock=room.now)
    room.bell.ring(Job.DISPATCH)
    return _reported(room, IssueId(issue_id))


def _reported(room: Newsroom, issue_id: IssueId) -> dict[str, Any]:
    with room.database.reading() as connection:
        found = reports.report(connection, issue_id)
        edition = compose.edition_of(connection, found.issue.edition_id)
        links = clicks.of_issue(connection, issue_id)
        tried = subject_tests.standing_of(connection, issue_id)
        counted = figures.as_json(figures.figures_of(connection, issue_id))
    return _shown(found.issue, edition, found.state, found.reason, room.settings) | {
        "introduction": found.issue.introduction,
        "subject_test": subjects.to_json(found.issue.subject_test),
        "subject_test_standing": asdict(tried) if tried else None,
        "counts": {state.value: number for state, number in found.counts.items()},
        "total": found.total,
        "is_planned": found.is_planned,
        "sent_twice_at_most": found.sent_twice_at_most,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "links": [{"url": each.url, "clicks": each.clicks} for each in links],
        "figures": counted,
    }


def _shown(issue: Issue, edition: Edition, send_state: str, reason: str, settings: Settings) -> dict[str, Any]:
    is_back_issue = issue.state is IssueState.APPROVED
    return {
        "id": issue.id,
        "edition": edition.slug,
        "number": issue.number,
        "state": send_state or issue.state,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "reason": reason or issue.reason,
        "article_ids": list(issue.article_ids),
        "url": f"{settings.base_url}/issues/{edition.slug}/{issue.number}" if is_back_issue else None,
        "created_at": issue.created_at,
        "goes_at": issue.goes_at,
        "approved_at": issue.approved_at,
    }


def _subject_test(form: DraftForm) -> SubjectTest | None:
    asked = form.subject_test
    if asked is None:
        return None
    others = tuple(" ".join(each.split()) for each in asked.others)
    if not all(others):
        raise InputError("A subject on trial has words.", "subject_test")
    return SubjectTest(others=others, share_percent=asked.share_percent, hours=asked.hours)


def _tag(found: Issue) -> str:
    """Return the entity tag of what an editor decides; how the send stands changes by itself."""
    decided = (
        found.state,
        found.subject,
        found.preheader,
        found.introduction,
        list(found.article_ids),
        subjects.to_json(found.subject_test),
    )
    return etag({"id": found.id, "decided": decided})


def _articles(connection: Connection, found: Issue, form: DraftForm) -> tuple[ArticleId, ...]:
    ids = tuple(dict.fromkeys(ArticleId(each) for each in form.article_ids))
    visible = archive.visible(connection, ids)
    for each in ids:
        if each not in visible and each not in found.article_ids:
            raise InputError(f"Article {each} is not published.", "article_ids")
    return ids


def _editor(connection: Connection, email: str) -> Editor:
    key = editor_rules.email_key(email.strip())
    for each in editors.editors(connection):
        if editor_rules.email_key(each.email) == key and each.disabled_at is None:
            return each
    raise InputError("No editor has this address; a test goes to editors only.", "email")


def _before(cursor: str) -> IssueId | None:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):  # noqa: PLR2004 -- digits of 2**63
        raise InputError("This is no place in the list; begin with its first page.", "cursor")
    return IssueId(int(cursor)) if cursor else None
