"""Every form of the desk, sent by another site on behalf of an editor who is signed in."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute

from publisher.database import metadata
from publisher.editors.model import Role
from publisher.web.site import ROUTERS
from publisher.webhooks import flow as webhooks
from publisher.webhooks.flow import Wanted
from publisher.webhooks.model import Happening
from publisher.wiring import Newsroom
from tests.web.desk.visits import Visit, form_values
from tests.web.pages import elements

FORMS = sorted(
    route.path
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and "POST" in (route.methods or ()) and route.path.startswith("/desk")
)
WITHOUT_SESSION = {"/desk/sign-in", "/desk/sign-in/code", "/desk/sign-in/{token}"}
IDS = ("article", "issue", "source", "subscriber", "endpoint", "webhook", "editor", "token")
FILLED = {f"{each}_id": "1" for each in IDS} | {"slug": "weekly", "word": "cancel"}
GUARDED = [path.format(**FILLED) for path in FORMS if path not in WITHOUT_SESSION]
FIELDS = {"edition": "weekly", "text": "Title\n\nText.", "subject": "Other", "article": "1"}


def everything(room: Newsroom) -> dict[str, Any]:
    """All rows of all tables."""
    with room.database.reading() as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in metadata.sorted_tables}


def test_every_form_is_looked_at_here() -> None:
    assert len(GUARDED) >= 9
    assert "/desk/issues/1/approve" in GUARDED


@pytest.fixture
def endpoint(visit: Visit) -> int:
    """An endpoint of webhooks with something in its log, for forms that would change it."""
    wanted = Wanted(url="https://crm.example.org/", happenings=list(Happening))
    added = webhooks.add_endpoint(visit.room.database, wanted, clock=visit.room.now, allow_private=False).endpoint
    webhooks.send_test(visit.room.database, added.id, clock=visit.room.now)
    return added.id


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.usefixtures("endpoint")
def test_a_form_from_elsewhere_changes_nothing(draft: int, visit: Visit, path: str) -> None:
    before = everything(visit.room)

    for key in ({}, {"form_key": ""}, {"form_key": "0" * 32}, {"form_key": "ü"}):
        answer = visit.web.post(path, data=FIELDS | key)
        assert answer.status_code == 403
        assert "came from elsewhere" in answer.text

    assert everything(visit.room) == before
    assert draft


@pytest.mark.parametrize("path", GUARDED)
def test_a_form_without_a_session_changes_nothing(draft: int, visit: Visit, path: str) -> None:
    key = visit.key()
    visit.web.cookies.clear()
    before = everything(visit.room)

    answer = visit.web.post(path, data=FIELDS | {"form_key": key})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sign-in?next=/desk")
    assert everything(visit.room) == before
    assert draft


def test_the_key_of_another_session_is_no_key(draft: int, visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    """Else any editor could let a chief approve what she likes."""
    hers = visit_as(Role.EDITOR).key()

    assert visit.web.post(f"/desk/issues/{draft}/approve", data={"form_key": hers}).status_code == 403


def test_the_key_does_not_tell_the_session(visit: Visit) -> None:
    page = visit.get("/desk").text

    assert visit.web.cookies["desk"] not in page
    assert visit.key() in page


@pytest.mark.parametrize("path", ["/desk", "/desk/articles/new", "/desk/articles/1", "/desk/issues", "/desk/issues/1"])
def test_every_form_on_a_page_carries_its_key(draft: int, visit: Visit, path: str) -> None:
    html = visit.get(path).text

    actions = [form.get("action", "") for form in elements(html, "form", method="post")]

    assert actions
    assert all(form_values(html, action)["form_key"] == visit.key() for action in actions)
    assert draft


def test_what_was_done_is_only_said_by_the_desk_itself(draft: int, visit: Visit) -> None:
    """A link in a mail must not be able to tell an editor that her issue is cancelled."""
    path = f"/desk/issues/{draft}"
    told = visit.save(draft, subject="Other").headers["Location"]

    assert "Saved." in visit.get(told).text
    for forged in (
        "?said=cancelled",
        "?said=Cancelled.",
        "?said=cancelled.",
        f"?said=cancelled.{told[-32:]}",
        "?said=ü.ü",
    ):
        assert 'role="status"' not in visit.get(path + forged).text
    assert 'role="status"' not in visit.get(f"/desk{told.removeprefix(path)}").text, "said of another page"
