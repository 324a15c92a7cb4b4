"""Who got an issue and who did not, on the desk."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from publisher.compose import store
from publisher.compose.model import IssueId
from publisher.dispatch import report
from publisher.dispatch.flow import CAN_BE_RETRIED
from publisher.dispatch.model import DeliveryState
from publisher.editors import powers
from publisher.web.desk.issues import title_of
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.downloads import deliveries_csv
from publisher.web.parts import IdInPath, Room

router = APIRouter()

ON_A_PAGE = 100


@router.get("/desk/issues/{issue_id}/deliveries", include_in_schema=False)
def deliveries(
    request: Request, room: Room, seat: AtDesk, issue_id: IdInPath, *, state: str = "", after: int = 0
) -> Response:
    """List deliveries, those of one state or all."""
    chosen = _chosen(state)
    with room.database.reading() as connection:
        found = report.report(connection, IssueId(issue_id))
        edition = store.edition_of(connection, found.issue.edition_id)
        lines = report.lines(connection, IssueId(issue_id), states=chosen, after=max(after, 0), at_most=ON_A_PAGE + 1)
        values: dict[str, Any] = {
            "issue": found.issue,
            "title": title_of(connection, edition, found.issue),
            "counts": {each: number for each, number in found.counts.items() if number},
            "state": state,
            "total": found.total,
            "lines": lines[:ON_A_PAGE],
            "more": lines[ON_A_PAGE - 1].seq if len(lines) > ON_A_PAGE else None,
            "may_retry": seat.may(powers.SENDING) and found.state == "sent" and set(chosen) <= CAN_BE_RETRIED,
        }
    return desk_page(request, room, seat, "desk/deliveries.html", **values)


@router.get("/desk/issues/{issue_id}/deliveries.csv", include_in_schema=False)
def download(room: Room, _seat: AtDesk, issue_id: IdInPath, state: str = "") -> Response:
    """Return the same list, whole, as CSV."""
    chosen = _chosen(state)
    with room.database.reading() as connection:
        store.issue_of(connection, IssueId(issue_id))
    return deliveries_csv(room, IssueId(issue_id), chosen)


def _chosen(state: str) -> tuple[DeliveryState, ...]:
    if state and state not in set(DeliveryState):
        raise HTTPException(404)
    return (DeliveryState(state),) if state else ()
