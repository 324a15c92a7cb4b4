"""What is handed out as a file, a piece at a time, however long it is."""

from collections.abc import Collection, Iterator

from fastapi.responses import StreamingResponse

from publisher.compose.model import IssueId
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.report import lines_as_csv
from publisher.wiring import Newsroom


def deliveries_csv(room: Newsroom, issue_id: IssueId, states: Collection[DeliveryState]) -> StreamingResponse:
    """Return the deliveries of an issue, from one snapshot."""

    def pieces() -> Iterator[str]:
        with room.database.reading(unhurried=True) as connection:
            yield from lines_as_csv(connection, issue_id, states=states)

    headers = {"Content-Disposition": f'attachment; filename="issue-{issue_id}.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(pieces(), media_type="text/csv", headers=headers)
