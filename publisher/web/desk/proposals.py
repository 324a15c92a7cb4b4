"""Names that recur in the articles, for editors to add to the glossary or to dismiss."""

from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.archive import proposals as archive
from publisher.web.desk.glossary import PROPOSALS_AT_MOST
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Sender, desk_page, go
from publisher.web.parts import Form, Room, field

router = APIRouter()

PATH = "/desk/glossary/proposals"
DISMISSED_AT_MOST = 50


@router.get(PATH, include_in_schema=False)
def proposals(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show the names in most articles first, and those that were dismissed of late."""
    with room.database.reading() as connection:
        found = archive.proposals(connection, at_most=PROPOSALS_AT_MOST)
        dismissed = archive.dismissed(connection, at_most=DISMISSED_AT_MOST)
    values: dict[str, Any] = {
        "proposals": found,
        "dismissed": dismissed,
        "recurs": archive.RECURS,
        "at_most": PROPOSALS_AT_MOST,
    }
    return desk_page(request, room, seat, "desk/proposals.html", **values)


@router.post(f"{PATH}/dismiss", include_in_schema=False)
def dismiss(room: Room, seat: Sender, form: Form) -> Response:
    with room.database.transaction() as connection:
        archive.dismiss(connection, field(form, "name"), now=room.now())
    return go(seat, PATH, Said.DISMISSED)


@router.post(f"{PATH}/propose", include_in_schema=False)
def propose_again(room: Room, seat: Sender, form: Form) -> Response:
    with room.database.transaction() as connection:
        archive.propose_again(connection, field(form, "name"))
    return go(seat, PATH, Said.PROPOSED_AGAIN)
