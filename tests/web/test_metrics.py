"""What Prometheus is told."""

from prometheus_client.parser import text_string_to_metric_families

from publisher.bell import Job
from publisher.dispatch import flow as dispatch
from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient

Figures = dict[tuple[str, ...], float]


def figures(api: TestClient, name: str) -> Figures:
    """Return the samples of one gauge by the values of their labels, these in the order of their names."""
    families = text_string_to_metric_families(api.get("/metrics").text)
    return {
        tuple(value for _, value in sorted(each.labels.items())): each.value
        for one in families
        for each in one.samples
        if each.name == name
    }


def test_an_issue_that_stands_still_is_shown_with_its_reason(api: TestClient, room: Newsroom) -> None:
    api.post("/api/v1/editions", json={"slug": "weekly", "kind": "digest", "mailing_list": "readers"})
    handed_in(room.database, [a_draft(title="One")], clock=room.now)
    issue_id = api.post("/api/v1/issues", json={"edition": "weekly"}).json()["id"]
    person = {"email": "a@b.example", "mailing_lists": ["readers"], "confirmed": True, "consent": "Yes."}
    api.post("/api/v1/subscribers", json=person)
    waiting = figures(api, "publisher_issues_draft")
    api.post(f"/api/v1/issues/{issue_id}/approve")
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    under_way = figures(api, "publisher_issue_sending")

    api.post(f"/api/v1/issues/{issue_id}/pause")

    key = str(issue_id)
    assert waiting == {(): 1}
    assert under_way == {("weekly", key): 1}
    assert figures(api, "publisher_issues_draft") == {(): 0}
    assert figures(api, "publisher_issue_sending") == {}
    [(labels, value)] = figures(api, "publisher_issue_paused").items()
    assert labels[:2] == ("weekly", key)
    assert labels[2] == "By a program, through the API."
    assert value == 1
    assert figures(api, "publisher_deliveries")[key, "planned"] == 1


def test_it_is_seen_who_is_silent_and_what_waits(api: TestClient, room: Newsroom) -> None:
    before = figures(api, "publisher_up")
    room.pulse.mark()
    room.bell.ring(Job.EVENTS, Job.EVENTS)

    assert before == {("worker",): 1, ("beat",): 0}
    assert figures(api, "publisher_up") == {("worker",): 1, ("beat",): 1}
    assert figures(api, "publisher_queue_messages")[("events",)] == 2
    handed_in(room.database, [a_draft(title="One")], clock=room.now)
    assert figures(api, "publisher_articles") == {("published",): 1, ("embargoed",): 0, ("withdrawn",): 0}
    assert figures(api, "publisher_disk_free_bytes")[()] > 0


def test_figures_are_for_who_may_read(web: TestClient, room: Newsroom) -> None:
    no_reader = add_api_token(room.database, name="x", scopes={Scope.ARTICLES}, clock=room.now)
    reader = add_api_token(room.database, name="y", scopes={Scope.READ}, clock=room.now)

    def asked_with(token: str) -> int:
        status: int = web.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code
        return status

    assert web.get("/metrics").status_code == 401
    assert (asked_with(no_reader), asked_with(reader)) == (403, 200)
