"""Links that go by our site, as a browser follows them."""

import sqlalchemy as sa

from publisher.compose.model import IssueId
from publisher.dispatch.flow import plan_due
from publisher.dispatch.links import link_token
from publisher.dispatch.tables import send, tracked_link
from publisher.events import clicks
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.pages import fill

PLACE = "https://stadium.example/tonight?from=mail&lang=en"


def a_link(room: Newsroom) -> str:
    """Return the path of a tracked link of an issue that was sent."""
    fill(room)
    plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    with room.database.transaction() as connection:
        issue_id = IssueId(connection.scalars(sa.select(send.c.issue_id)).first() or 0)
        connection.execute(sa.insert(tracked_link), {"issue_id": issue_id, "number": 900, "url": PLACE})
    return f"/l/{link_token(room.signer, issue_id, 900)}"


def counted(room: Newsroom) -> int:
    with room.database.reading() as connection:
        issue_id = connection.scalar(sa.select(tracked_link.c.issue_id).where(tracked_link.c.number == 900))
        return next(each.clicks for each in clicks.of_issue(connection, IssueId(issue_id or 0)) if each.url == PLACE)


def test_a_link_leads_on_and_is_counted(room: Newsroom, web: TestClient) -> None:
    answer = web.get(path := a_link(room))

    assert (answer.status_code, answer.headers["Location"]) == (302, PLACE)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert counted(room) == 1
    web.get(path)
    assert counted(room) == 2


def test_head_and_prefetch_are_no_visits(room: Newsroom, web: TestClient) -> None:
    """Programs that look whether a link is alive would else be the most eager readers."""
    path = a_link(room)

    assert web.head(path).headers["Location"] == PLACE
    assert web.get(path, headers={"Sec-Purpose": "prefetch;prerender"}).headers["Location"] == PLACE
    assert counted(room) == 0


def test_our_site_leads_nowhere_else(web: TestClient) -> None:
    for path in ("/l/https://evil.example", "/l/AAAA", f"/l/{'A' * 32}", "/l/%2F%2Fevil.example"):
        answer = web.get(path)

        assert answer.status_code == 404
        assert "Location" not in answer.headers


def test_the_picture_of_nobody_is_a_picture_all_the_same(web: TestClient) -> None:
    answer = web.get("/o/nobody")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
