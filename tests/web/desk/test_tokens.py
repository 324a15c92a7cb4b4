"""Keys for programs, at the desk."""

from collections.abc import Callable

import sqlalchemy as sa

from publisher.clock import utc_now
from publisher.editors import staff
from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import EditorId, Role, Scope
from publisher.editors.tables import api_token
from tests.web.browser import TestClient
from tests.web.desk.visits import Visit, notes
from tests.web.pages import elements


def make(visit: Visit, *scopes: str, **fields: str) -> str:
    page = visit.post("/desk/tokens", name="CMS", scope=list(scopes), **fields)
    assert page.status_code == 200, notes(page.text)
    return str(elements(page.text, "input", id="token")[0].get("value"))


def asks(web: TestClient, token: str, path: str = "articles") -> int:
    return int(web.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}).status_code)


def test_a_token_is_shown_once_works_and_is_revoked(visit: Visit) -> None:
    token = make(visit, "read")

    assert token not in visit.get("/desk/tokens").text
    assert asks(visit.web, token) == 200
    visit.after(visit.post("/desk/tokens/1/revoke"))
    assert asks(visit.web, token) == 401
    assert visit.post("/desk/tokens/1/revoke").status_code == 404


def test_a_token_runs_out(visit: Visit) -> None:
    token = make(visit, "read", days="30")
    assert asks(visit.web, token) == 200

    with visit.room.database.transaction() as connection:
        connection.execute(sa.update(api_token).values(expires_at=utc_now()))

    assert asks(visit.web, token) == 401
    assert "expired" in visit.get("/desk/tokens").text


def test_an_editor_makes_none_that_may_more_than_she(visit_as: Callable[[Role], Visit]) -> None:
    editor = visit_as(Role.EDITOR)

    assert 'value="subscribers:read"' not in editor.get("/desk/tokens").text
    for scope in ("issues", "subscribers", "subscribers:read"):
        assert editor.post("/desk/tokens", name="CMS", scope=scope).status_code == 403
    assert editor.post("/desk/tokens", name="CMS", scope="everything").status_code == 422
    assert editor.post("/desk/tokens", name="CMS").status_code == 422


def test_a_token_never_outlives_the_powers_of_its_editor(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    token = make(visit_as(Role.CHIEF), "read", "subscribers:read")
    assert asks(visit.web, token, "subscribers") == 200

    staff.set_role(visit.room.database, EditorId(2), Role.EDITOR)
    assert asks(visit.web, token, "subscribers") == 403
    assert asks(visit.web, token) == 200
    visit.post("/desk/editors/2/disable")
    assert asks(visit.web, token) == 401


def test_nobody_sees_or_revokes_the_token_of_somebody_else(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    token = make(visit, "read")
    editor = visit_as(Role.EDITOR)
    own = make(editor, "read")

    assert "/desk/tokens/1/revoke" not in editor.get("/desk/tokens").text
    assert editor.post("/desk/tokens/1/revoke").status_code == 404
    assert asks(visit.web, token) == 200
    visit.after(visit.post("/desk/tokens/2/revoke"))
    assert asks(visit.web, own) == 401


def test_a_token_from_before_goes_on_showing_subscribers(visit: Visit) -> None:
    """An update must not break a program silently; a new token with `read` shows nobody's address."""
    old = add_api_token(visit.room.database, name="old", scopes={Scope.READ}, clock=visit.room.now)
    with visit.room.database.transaction() as connection:
        connection.execute(sa.update(api_token).values(shows_subscribers=None))
    new = add_api_token(visit.room.database, name="new", scopes={Scope.READ}, clock=visit.room.now)

    assert asks(visit.web, old, "subscribers") == 200
    assert asks(visit.web, new, "subscribers") == 403
