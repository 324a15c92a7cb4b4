"""What an editor does with an issue: approve it, test it, and stop it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Request, Response

from publisher.bell import Job
from publisher.compose import flow, store
from publisher.compose.model import Issue, IssueId, IssueState
from publisher.compose.subjects import OTHERS_AT_MOST
from publisher.dispatch import flow as dispatch
from publisher.dispatch.flow import CAN_BE_RETRIED
from publisher.dispatch.letters import send_test
from publisher.dispatch.model import DeliveryState, Outcome, Sent
from publisher.editors import powers
from publisher.editors.model import Editor
from publisher.errors import ConflictError, InputError, PublisherError
from publisher.events import subject_tests
from publisher.web.desk.issue import issue_page, version, zone_of
from publisher.web.desk.said import Said
from publisher.web.desk.seat import Seat, Sender, ask_for, go
from publisher.web.parts import Form, IdInPath, Room, field
from publisher.wiring import Newsroom

router = APIRouter()

SUBJECT_NUMBERS = {str(number) for number in range(1 + OTHERS_AT_MOST)}
CHANGED_MEANWHILE = "This issue was changed after you opened it, so it was not approved. Look at it once more."


class Move(StrEnum):
    """What stops an issue, or lets it go on."""

    CANCEL = "cancel"
    UNDO = "undo"
    PAUSE = "pause"
    RESUME = "resume"


@router.post("/desk/issues/{issue_id}/approve", include_in_schema=False)
def approve(request: Request, room: Room, seat: Sender, form: Form, issue_id: IdInPath) -> Response:
    """Freeze just the draft that the editor has seen, and let it go."""
    ask_for(seat, powers.SENDING)
    with room.database.reading() as connection:
        found = store.issue_of(connection, IssueId(issue_id))
    if found.state is IssueState.DRAFT and version(found) != field(form, "version"):
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=ConflictError(CHANGED_MEANWHILE))
    try:
        goes_at = None if field(form, "now") else _goes_at(room, found, field(form, "goes_at"))
        after = flow.approve(room.database, room.settings, IssueId(issue_id), goes_at=goes_at, clock=room.now)
    except InputError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=422, problem=problem)
    except PublisherError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=problem)
    room.bell.ring(Job.PLAN, Job.SYNDICATE)
    said = Said.SCHEDULED if after.state is IssueState.SCHEDULED else Said.APPROVED
    return go(seat, f"/desk/issues/{issue_id}", said)


@router.post("/desk/issues/{issue_id}/test", include_in_schema=False)
def test(request: Request, room: Room, seat: Sender, issue_id: IdInPath) -> Response:
    """Send the mail, as it is now, to the editor who asks."""
    try:
        outcome = _send_test(room, seat.editor, IssueId(issue_id))
    except PublisherError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=problem)
    if isinstance(outcome, Sent):
        return go(seat, f"/desk/issues/{issue_id}", Said.TESTED)
    untold = ConflictError(f"The test was not sent: {outcome.reason}")
    return issue_page(request, room, seat, IssueId(issue_id), status=502, problem=untold)


@router.post("/desk/issues/{issue_id}/retry", include_in_schema=False)
def retry(request: Request, room: Room, seat: Sender, form: Form, issue_id: IdInPath) -> Response:
    """Send an issue again to those who did not get it."""
    ask_for(seat, powers.SENDING)
    state = field(form, "state")
    if state not in CAN_BE_RETRIED:
        raise HTTPException(404)
    try:
        dispatch.retry(room.database, IssueId(issue_id), DeliveryState(state), clock=room.now)
    except PublisherError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=problem)
    room.bell.ring(Job.DISPATCH)
    return go(seat, f"/desk/issues/{issue_id}", Said.RETRIED)


@router.post("/desk/issues/{issue_id}/subject", include_in_schema=False)
def subject(request: Request, room: Room, seat: Sender, form: Form, issue_id: IdInPath) -> Response:
    """Let the rest of the readers have one of the subjects on trial, before the test is over."""
    ask_for(seat, powers.SENDING)
    number = field(form, "number")
    if number not in SUBJECT_NUMBERS:
        raise HTTPException(404)
    try:
        subject_tests.choose(room.database, IssueId(issue_id), int(number), clock=room.now)
    except PublisherError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=problem)
    room.bell.ring(Job.DISPATCH)
    return go(seat, f"/desk/issues/{issue_id}", Said.SUBJECT_CHOSEN)


@router.post("/desk/issues/{issue_id}/{word}", include_in_schema=False)
def move(request: Request, room: Room, seat: Sender, issue_id: IdInPath, word: str) -> Response:
    """Cancel, pause or resume."""
    if word not in set(Move):
        raise HTTPException(404)
    ask_for(seat, powers.SENDING)
    act, said = MOVES[Move(word)]
    try:
        act(room, IssueId(issue_id), seat)
    except PublisherError as problem:
        return issue_page(request, room, seat, IssueId(issue_id), status=409, problem=problem)
    return go(seat, f"/desk/issues/{issue_id}", said)


def _goes_at(room: Newsroom, found: Issue, typed: str) -> datetime | None:
    """Return when an issue goes out: at the edition's local time that was typed, else after the time to undo it."""
    if not typed:
        return room.now() + timedelta(seconds=room.settings.grace_s) if room.settings.grace_s else None
    with room.database.reading() as connection:
        zone = ZoneInfo(zone_of(connection, store.edition_of(connection, found.edition_id)))
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError("This is no date and time, such as 2026-06-02T08:00.", "goes_at") from None


def _undo(room: Newsroom, issue_id: IssueId, _seat: Seat) -> None:
    flow.undo(room.database, issue_id)


def _send_test(room: Newsroom, editor: Editor, issue_id: IssueId) -> Outcome:
    rendering = flow.preview(room.database, room.settings, issue_id)
    with room.database.reading() as connection:
        found = store.issue_of(connection, issue_id)
        edition = store.edition_of(connection, found.edition_id)
    return send_test(
        room.transport,
        editor,
        settings=room.settings,
        edition=edition,
        found=found,
        rendering=rendering,
        now=room.now(),
    )


def _cancel(room: Newsroom, issue_id: IssueId, seat: Seat) -> None:
    reason = f"Cancelled by {seat.editor.name}."
    if not flow.cancel_draft(room.database, issue_id, reason=reason):
        dispatch.cancel(room.database, room.settings, issue_id, reason=reason, clock=room.now)


def _pause(room: Newsroom, issue_id: IssueId, seat: Seat) -> None:
    reason = f"Paused by {seat.editor.name}."
    dispatch.pause(room.database, room.settings, issue_id, reason=reason, clock=room.now)


def _resume(room: Newsroom, issue_id: IssueId, _seat: Seat) -> None:
    dispatch.resume(room.database, issue_id, clock=room.now)
    room.bell.ring(Job.DISPATCH)


MOVES: dict[Move, tuple[Callable[[Newsroom, IssueId, Seat], None], Said]] = {
    Move.CANCEL: (_cancel, Said.CANCELLED),
    Move.UNDO: (_undo, Said.UNDONE),
    Move.PAUSE: (_pause, Said.PAUSED),
    Move.RESUME: (_resume, Said.RESUMED),
}
