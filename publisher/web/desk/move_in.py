"""Articles of another system, handed in as the one file that it exports."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from publisher.archive.moving import MoveReport, take_in
from publisher.bell import Job
from publisher.errors import SubmissionError
from publisher.intake.fields import web_address
from publisher.intake.moving import posts
from publisher.web.desk.seat import AtDesk, Seat, desk_page
from publisher.web.desk.subscribers import FileSender
from publisher.web.parts import Room, field
from publisher.wiring import Newsroom

router = APIRouter()
MOVE_IN = "/desk/articles/import"
REFUSALS_SHOWN = 200


@router.get(MOVE_IN, include_in_schema=False)
def move_in(request: Request, room: Room, seat: AtDesk) -> Response:
    return _page(request, room, seat)


@router.post(MOVE_IN, include_in_schema=False)
def take_file(request: Request, room: Room, sender: FileSender) -> Response:
    """Take the posts of a file into the archive, and tell what became of each; a second time changes nothing."""
    seat, form = sender
    file, address = form.get("file"), field(form, "address")
    if not isinstance(file, UploadFile) or not file.filename:
        return _page(request, room, seat, address=address, problem="Choose a file first.")
    try:
        found = posts(file.file, address=web_address(address, "address"))
        report = take_in(room.database, found, origin="desk", domain=room.settings.domain, clock=room.now)
    except SubmissionError as problem:
        return _page(request, room, seat, address=address, problem=str(problem))
    finally:
        room.bell.ring(Job.RELATE)
    return _page(request, room, seat, address=address, report=report)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    address: str = "",
    problem: str = "",
    report: MoveReport | None = None,
) -> Response:
    values: dict[str, Any] = {
        "address": address,
        "problem": problem,
        "report": report,
        "refusals": report.refusals[:REFUSALS_SHOWN] if report else (),
    }
    return desk_page(request, room, seat, "desk/move_in.html", status=422 if problem else 200, **values)
