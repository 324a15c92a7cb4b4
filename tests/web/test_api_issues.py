from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.compose.model import IssueId
from publisher.dispatch import figures, tallies
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import delivery
from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.pulse import client
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient

WEEKLY = {"slug": "weekly", "kind": "digest", "mailing_list": "readers", "cadence": "fri 07:00 Asia/Seoul"}


@pytest.fixture
def draft(api: TestClient, room: Newsroom) -> dict[str, Any]:
    """A draft of the edition `weekly` with two articles."""
    api.post("/api/v1/editions", json=WEEKLY)
    handed_in(room.database, [a_draft(title="One"), a_draft(title="Two", external_id="2")], clock=room.now)
    found: dict[str, Any] = api.post("/api/v1/issues", json={"edition": "weekly", "subject": "This week"}).json()
    return found


def test_an_edition_is_made_and_listed(api: TestClient) -> None:
    made = api.post("/api/v1/editions", json=WEEKLY | {"name": "The Weekly", "topics": ["society"]})

    assert made.status_code == 201
    edition = made.json()
    assert (edition["name"], edition["topics"]) == ("The Weekly", ["society"])
    assert edition["cadence"] == "Fridays at 07:00, Asia/Seoul"
    assert edition["next_slot_at"].endswith("T22:00:00Z")
    assert edition["stale_after_hours"] == 12
    assert api.get("/api/v1/editions").json() == {"data": [edition], "next": None}
    assert api.get("/api/v1/editions/weekly").json() == edition


@pytest.mark.parametrize(
    ("wrong", "status", "said"),
    [
        ({"cadence": "sometimes"}, 422, "cadence"),
        ({"mailing_list": "nobody"}, 404, "mailing list"),
        ({"slug": "Not A Slug"}, 422, "slug"),
        ({"subject": "{{ secret }}"}, 422, "slot"),
        ({"accent": "red"}, 422, "accent"),
        ({"kind": "flyer"}, 422, "kind"),
        ({"cadance": ""}, 422, "cadance"),
    ],
)
def test_a_wrong_edition_is_refused(api: TestClient, wrong: dict[str, str], status: int, said: str) -> None:
    answer = api.post("/api/v1/editions", json=WEEKLY | wrong)

    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert api.get("/api/v1/editions").json() == {"data": [], "next": None}


def test_the_same_slug_twice_is_a_conflict(api: TestClient) -> None:
    api.post("/api/v1/editions", json=WEEKLY)

    assert api.post("/api/v1/editions", json=WEEKLY).status_code == 409


def test_a_draft_sends_nothing_before_it_is_approved(api: TestClient, draft: dict[str, Any]) -> None:
    assert (draft["state"], draft["number"], len(draft["article_ids"])) == ("draft", 1, 2)
    assert draft["url"] is None
    assert sum(draft["counts"].values()) == 0
    assert api.get(f"/api/v1/issues/{draft['id']}").json() == draft
    assert [each["id"] for each in api.get("/api/v1/issues?edition=weekly").json()["data"]] == [draft["id"]]


def test_an_approved_issue_is_a_back_issue_and_goes_out(api: TestClient, room: Newsroom, draft: dict[str, Any]) -> None:
    approved = api.post(f"/api/v1/issues/{draft['id']}/approve")
    again = api.post(f"/api/v1/issues/{draft['id']}/approve")

    assert (approved.status_code, again.status_code) == (200, 200)
    assert approved.json()["state"] == "approved"
    assert api.get(approved.json()["url"]).status_code == 200
    redis = client(room.settings.redis_url)
    assert redis.llen("dispatch") == 2, "a worker was told to plan it at once"
    redis.close()
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    assert api.get(f"/api/v1/issues/{draft['id']}").json()["state"] == "sent", "there is nobody to send it to"


def test_an_issue_is_paused_resumed_and_cancelled(api: TestClient, draft: dict[str, Any]) -> None:
    person = {"email": "ann@readers.example", "mailing_lists": ["readers"], "confirmed": True, "consent": "Yes."}
    api.post("/api/v1/subscribers", json=person)
    path = f"/api/v1/issues/{draft['id']}"
    too_early = api.post(f"{path}/pause")
    api.post(f"{path}/approve")

    states = [api.post(f"{path}/{move}").json()["state"] for move in ("pause", "pause", "resume", "cancel")]

    assert too_early.status_code == 409
    assert states == ["paused", "paused", "sending", "cancelled"]
    assert api.post(f"{path}/resume").status_code == 409


def test_an_issue_is_approved_for_later_and_taken_back(api: TestClient, room: Newsroom, draft: dict[str, Any]) -> None:
    path, goes_at = f"/api/v1/issues/{draft['id']}", (room.now() + timedelta(hours=2)).isoformat()

    waiting = api.post(f"{path}/approve", json={"goes_at": goes_at}).json()
    back = api.post(f"{path}/undo")

    assert (waiting["state"], waiting["url"]) == ("scheduled", None)
    assert datetime.fromisoformat(waiting["goes_at"]) == datetime.fromisoformat(goes_at)
    assert (back.status_code, back.json()["state"], back.json()["goes_at"]) == (200, "draft", None)
    assert api.post(f"{path}/approve", json={"goes_at": "2020-01-01T00:00:00Z"}).status_code == 422
    assert api.post(f"{path}/approve", json={"goes_at": "2030-01-01T00:00:00"}).status_code == 422
    assert api.post(f"{path}/approve").json()["state"] == "approved"
    assert api.post(f"{path}/undo").status_code == 409


def test_a_cancelled_draft_cannot_be_approved(api: TestClient, draft: dict[str, Any]) -> None:
    cancelled = api.post(f"/api/v1/issues/{draft['id']}/cancel")

    assert cancelled.json()["state"] == "cancelled"
    assert cancelled.json()["reason"]
    assert api.post(f"/api/v1/issues/{draft['id']}/approve").status_code == 409


def test_an_issue_without_articles_is_a_conflict(api: TestClient) -> None:
    api.post("/api/v1/editions", json=WEEKLY)

    answer = api.post("/api/v1/issues", json={"edition": "weekly"})

    assert answer.status_code == 409
    assert "No article" in answer.json()["detail"]


def test_issues_are_listed_page_by_page(api: TestClient, draft: dict[str, Any]) -> None:
    more = [api.post("/api/v1/issues", json={"edition": "weekly"}).json()["id"] for _ in range(3)]

    first = api.get("/api/v1/issues?limit=3").json()
    second = api.get("/api/v1/issues", params={"limit": 3, "cursor": first["next"]}).json()

    assert [each["id"] for each in first["data"]] == more[::-1]
    assert ([each["id"] for each in second["data"]], second["next"]) == ([draft["id"]], None)


@pytest.fixture
def refused(api: TestClient, room: Newsroom, draft: dict[str, Any]) -> int:
    """The id of an issue that went to three readers, one of whom was refused."""
    for number in range(3):
        person = {"email": f"reader{number}@readers.example", "mailing_lists": ["readers"], "confirmed": True}
        api.post("/api/v1/subscribers", json=person | {"consent": "Yes."})
    api.post(f"/api/v1/issues/{draft['id']}/approve")
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    send_due(room.dispatcher)
    with room.database.transaction() as connection:
        one = sa.and_(delivery.c.issue_id == draft["id"], delivery.c.seq == 2)
        connection.execute(sa.update(delivery).where(one).values(state="failed", code=550, reason="=No such user"))
        tallies.write(connection, IssueId(draft["id"]))
    return int(draft["id"])


def test_what_was_counted_of_a_send_can_be_asked(api: TestClient, room: Newsroom, refused: int) -> None:
    before = api.get(f"/api/v1/issues/{refused}").json()["figures"]
    figures.count_due(room.database, clock=room.now)

    found = api.get(f"/api/v1/issues/{refused}").json()["figures"]

    assert before is None
    assert found["by_domain"] == [{"domain": "readers.example", "sent": 2, "failed": 1}]
    assert found["by_reason"] == [{"reason": "Reply 550, without more", "failed": 1}]
    assert sum(each["sent"] for each in found["by_time"]) == 2


def test_it_can_be_asked_who_got_an_issue_and_who_did_not(api: TestClient, refused: int) -> None:
    path = f"/api/v1/issues/{refused}/deliveries"

    whole = api.get(path).json()
    failed = api.get(path, params={"state": "failed"}).json()["data"]

    assert [each["state"] for each in whole["data"]] == ["sent", "failed", "sent"]
    assert whole["next"] is None
    assert [(each["email"], each["code"], each["reason"], each["attempts"]) for each in failed] == [
        ("reader1@readers.example", 550, "=No such user", 1)
    ]
    assert api.get(path, params={"state": "lost"}).status_code == 422
    assert api.get("/api/v1/issues/999/deliveries").status_code == 404


def test_deliveries_come_page_by_page(api: TestClient, refused: int) -> None:
    path, seen, cursor = f"/api/v1/issues/{refused}/deliveries", list[int](), ""
    while True:
        page = api.get(path, params={"limit": 2, "cursor": cursor}).json()
        seen += [each["seq"] for each in page["data"]]
        if page["next"] is None:
            break
        cursor = page["next"]

    assert seen == [1, 2, 3]


def test_deliveries_can_be_had_as_csv_that_a_spreadsheet_does_not_run(api: TestClient, refused: int) -> None:
    answer = api.get(f"/api/v1/issues/{refused}/deliveries.csv", params={"state": "failed"})

    assert answer.headers["Content-Type"].startswith("text/csv")
    header, line = answer.text.split("\r\n")[:2]
    assert header == "seq,email,state,reason,code,attempts,tried_at,due_at"
    assert line.startswith("2,reader1@readers.example,failed,'=No such user,550,1,")
    assert api.get("/api/v1/issues/999/deliveries.csv").status_code == 404


def test_who_failed_is_tried_again(api: TestClient, room: Newsroom, refused: int) -> None:
    answer = api.post(f"/api/v1/issues/{refused}/retry", json={"state": "failed"})
    send_due(room.dispatcher)

    assert answer.json()["state"] == "sending"
    assert api.get(f"/api/v1/issues/{refused}").json()["counts"]["sent"] == 3
    assert api.post(f"/api/v1/issues/{refused}/retry", json={"state": "sent"}).status_code == 422


def test_addresses_are_for_who_may_see_readers(api: TestClient, room: Newsroom, refused: int) -> None:
    token = add_api_token(room.database, name="x", scopes={Scope.ISSUES}, clock=room.now)

    answer = api.get(f"/api/v1/issues/{refused}/deliveries", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 403


def test_a_slot_is_moved_or_left_out_without_touching_the_cadence(api: TestClient) -> None:
    """A public holiday is no reason to edit a rule, and to forget to edit it back."""
    form = {"slug": "weekly", "kind": "digest", "mailing_list": "readers", "cadence": "mon 08:00 UTC"}
    edition = api.post("/api/v1/editions", json=form).json()
    slot = datetime.fromisoformat(edition["next_slot_at"])
    to = slot + timedelta(days=1)
    path = "/api/v1/editions/weekly/slots"

    moved = api.post(path, json={"slot_at": slot.isoformat(), "to": to.isoformat()})
    left_out = api.post(path, json={"slot_at": slot.isoformat(), "do": "leave out"})
    unknown = api.post(path, json={"slot_at": to.isoformat(), "do": "leave out"})

    assert datetime.fromisoformat(moved.json()["next_slot_at"]) == to
    assert datetime.fromisoformat(left_out.json()["next_slot_at"]) == slot + timedelta(days=7)
    assert left_out.json()["cadence"] == edition["cadence"]
    assert unknown.status_code == 404
    assert unknown.headers["Content-Type"] == "application/problem+json"


def test_only_a_scheduled_issue_is_moved(api: TestClient, room: Newsroom, draft: dict[str, Any]) -> None:
    """The calendar can; so can a program."""
    path = f"/api/v1/issues/{draft['id']}"
    first, then = ((room.now() + timedelta(days=days)).isoformat() for days in (1, 2))

    too_early = api.post(f"{path}/move", json={"goes_at": then})
    api.post(f"{path}/approve", json={"goes_at": first})
    moved = api.post(f"{path}/move", json={"goes_at": then})

    assert too_early.status_code == 409
    assert datetime.fromisoformat(moved.json()["goes_at"]) == datetime.fromisoformat(then)
