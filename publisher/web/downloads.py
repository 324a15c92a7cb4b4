"""What is handed out as a file, a piece at a time, however long it is."""

from collections.abc import Collection, Iterator
from typing import Any

from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, StreamingResponse

from publisher.compose.model import IssueId
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import lines_as_csv
from publisher.wiring import Newsroom


def data_file(held: dict[str, Any]) -> JSONResponse:
    """Return what is held about a reader as a file to keep."""
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
    return JSONResponse(jsonable_encoder(held), headers=headers)


def deliveries_csv(room: Newsroom, issue_id: IssueId, states: Collection[DeliveryState]) -> StreamingResponse:
    """Return the deliveries of an issue, from one snapshot."""

    def pieces() -> Iterator[str]:
        with room.database.reading(unhurried=True) as connection:
            yield from lines_as_csv(connection, issue_id, states=states)

    headers = {"Content-Disposition": f'attachment; filename="issue-{issue_id}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces(), media_type="text/csv", headers=headers)
