"""How the import of a file of people goes, and what became of its lines."""

import csv
import io
from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.audience.imports import ImportId, ImportState, import_of
from publisher.editors import powers
from publisher.web.desk.seat import AtDesk, ask_for, desk_page
from publisher.web.desk.subscribers import IMPORTS
from publisher.web.parts import IdInPath, Room

router = APIRouter()

LINES_SHOWN = 200
LOOK_AGAIN_S = 2
UNDER_WAY = frozenset({ImportState.WAITING, ImportState.RUNNING})


@router.get(f"{IMPORTS}/{{import_id}}", include_in_schema=False)
def standing(request: Request, room: Room, seat: AtDesk, import_id: IdInPath) -> Response:
    """Show how far an import is, and in the end what became of each line."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        found = import_of(connection, ImportId(import_id))
    values: dict[str, Any] = {
        "found": found,
        "report": found.report,
        "look_again_s": LOOK_AGAIN_S if found.state in UNDER_WAY else 0,
        "is_beating": room.pulse.is_beating(),
        "bad_lines": found.report.bad_lines[:LINES_SHOWN] if found.report else (),
    }
    return desk_page(request, room, seat, "desk/imported.html", **values)


@router.get(f"{IMPORTS}/{{import_id}}/refused.csv", include_in_schema=False)
def refused(room: Room, seat: AtDesk, import_id: IdInPath) -> Response:
    """Return the lines that were left out, each with the reason, as CSV."""
    ask_for(seat, powers.AUDIENCE)
    with room.database.reading() as connection:
        found = import_of(connection, ImportId(import_id))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "problem"))
    writer.writerows((each.line, each.problem) for each in (found.report.bad_lines if found.report else ()))
    name = f"import-{import_id}-refused.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
