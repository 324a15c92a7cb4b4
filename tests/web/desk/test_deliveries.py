"""Who got an issue and who did not, on the desk."""

import pytest
import sqlalchemy as sa

from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch import report, tallies
from publisher.dispatch.model import DeliveryState
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, sign_in


@pytest.fixture
def sent(visit: Visit, draft: int, readers: list[str]) -> int:
    """The id of an issue that went to three readers, one of whom was refused in hostile words."""
    assert readers
    visit.approve(draft)
    room = visit.room
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    send_due(room.dispatcher)
    with room.database.transaction() as connection:
        one = sa.and_(delivery.c.issue_id == draft, delivery.c.seq == 2)
        connection.execute(sa.update(delivery).where(one).values(state="failed", code=550, reason=HOSTILE))
        tallies.write(connection, IssueId(draft))
    return draft


def counts(room: Newsroom, issue_id: int) -> dict[DeliveryState, int]:
    with room.database.reading() as connection:
        return report.report(connection, IssueId(issue_id)).counts


def test_an_issue_leads_to_its_deliveries(visit: Visit, sent: int, readers: list[str]) -> None:
    assert f'href="/desk/issues/{sent}/deliveries"' in visit.get(f"/desk/issues/{sent}").text

    html = visit.get(f"/desk/issues/{sent}/deliveries").text

    assert all(address in html for address in readers)
    assert "550" in html
    assert "<script>alert" not in html


def test_deliveries_of_one_state_can_be_looked_at_and_downloaded(visit: Visit, sent: int, readers: list[str]) -> None:
    html = visit.get(f"/desk/issues/{sent}/deliveries?state=failed").text
    file = visit.get(f"/desk/issues/{sent}/deliveries.csv?state=failed")

    assert readers[1] in html
    assert readers[0] not in html
    assert file.headers["Content-Disposition"] == f'attachment; filename="issue-{sent}.csv"'
    assert [line.split(",")[1] for line in file.text.splitlines()[:2]] == ["email", readers[1]]
    assert visit.get(f"/desk/issues/{sent}/deliveries?state=lost").status_code == 404
    assert visit.get("/desk/issues/999/deliveries").status_code == 404
    assert visit.get("/desk/issues/999/deliveries.csv").status_code == 404


def test_a_chief_sends_again_to_those_who_were_refused(visit: Visit, sent: int) -> None:
    assert "Send again to 1" in visit.get(f"/desk/issues/{sent}/deliveries?state=failed").text

    page = visit.after(visit.post(f"/desk/issues/{sent}/retry", state="failed"))
    send_due(visit.room.dispatcher)

    assert "tried again" in page
    assert counts(visit.room, sent)[DeliveryState.SENT] == 3
    assert visit.post(f"/desk/issues/{sent}/retry", state="sent").status_code == 404


def test_an_editor_looks_and_sends_nothing(web: TestClient, room: Newsroom, sent: int) -> None:
    editor = sign_in(web, room, Role.EDITOR, email="ed@desk.example")

    html = editor.get(f"/desk/issues/{sent}/deliveries?state=failed").text

    assert "Send again" not in html
    assert editor.post(f"/desk/issues/{sent}/retry", state="failed").status_code == 403
    assert counts(room, sent)[DeliveryState.FAILED] == 1


def test_whoever_is_not_signed_in_sees_no_address(web: TestClient, room: Newsroom) -> None:
    del room
    for path in ("/desk/issues/1/deliveries", "/desk/issues/1/deliveries.csv"):
        assert web.get(path).status_code == 303
