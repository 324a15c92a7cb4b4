"""The desk's pages about those who work there."""

import re
from collections.abc import Callable

import pytest

from publisher.editors.model import Role
from tests.web.conftest import a_browser
from tests.web.desk.visits import HOSTILE, Visit, hire, must_be_harmless, notes
from tests.web.pages import elements

LEADERS_ONLY = ("/desk/editors", "/desk/editors/1")
LEADERS_ACTS = ("/desk/editors", *(f"/desk/editors/1/{word}" for word in ("role", "disable", "enable", "link")))


def invite(visit: Visit, role: str = "editor", email: str = "bert@desk.example") -> str:
    page = visit.post("/desk/editors", email=email, name="Bert Baum", role=role)
    assert page.status_code == 200, notes(page.text)
    return str(elements(page.text, "input", id="link")[0].get("value"))


def test_who_is_invited_signs_in_by_the_link(visit: Visit) -> None:
    link = invite(visit)

    with a_browser(visit.room) as web:
        assert web.get(link).headers["Location"] == "/desk"
        assert "Bert Baum" in web.get("/desk").text
        web.cookies.clear()
        assert web.get(link).status_code == 410
    assert "Bert Baum" in visit.get("/desk/editors").text


def test_what_is_wrong_with_an_invitation_is_said_and_the_form_stays_filled(visit: Visit) -> None:
    page = visit.post("/desk/editors", email=HOSTILE, name="Bert", role="editor")

    assert page.status_code == 422
    assert notes(page.text) == ["This is not an email address."]
    assert elements(page.text, "input", id="email")[0].get("value") == HOSTILE
    must_be_harmless(page.text)
    assert visit.post("/desk/editors", email="b@desk.example", name="B", role="king").status_code == 422
    odd = visit.post("/desk/editors", email="b@desk.example", name="B", role="chief", language="xx")
    assert notes(odd.text) == ["Choose a language from the list."]
    assert [each.get("value") for each in elements(odd.text, "option", lang="ko")] == ["ko"]


def test_an_editor_sees_nothing_of_leading_and_is_refused(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    assert visit
    editor = visit_as(Role.EDITOR)

    assert "/desk/editors" not in editor.get("/desk").text
    for path in LEADERS_ONLY:
        assert editor.get(path).status_code == 403
    for path in LEADERS_ACTS:
        refused = editor.post(path, role="operator", email="new@desk.example", name="New")
        assert refused.status_code == 403
        assert "This takes the role of chief; yours is editor." in refused.text


@pytest.mark.parametrize("word", ["role", "disable", "enable", "link"])
def test_a_chief_cannot_touch_an_operator(visit: Visit, visit_as: Callable[[Role], Visit], word: str) -> None:
    chief = visit_as(Role.CHIEF)

    assert "stands above your role" in chief.get("/desk/editors/1").text
    assert chief.post(f"/desk/editors/1/{word}", role="editor").status_code == 403
    assert visit.get("/desk/editors").status_code == 200


def test_a_chief_cannot_raise_anybody_above_himself(visit_as: Callable[[Role], Visit]) -> None:
    chief = visit_as(Role.CHIEF)

    assert "<option>operator" not in chief.get("/desk/editors").text
    assert chief.post("/desk/editors/1/role", role="operator").status_code == 403


def test_who_is_shut_out_is_out_at_the_next_click(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    editor = visit_as(Role.EDITOR)

    assert "Shut out" in visit.after(visit.post("/desk/editors/2/disable"))

    assert editor.get("/desk").status_code == 303
    visit.post("/desk/editors/2/enable")
    assert editor.get("/desk").status_code == 303


def test_the_last_operator_stays(visit: Visit) -> None:
    for word in ("disable", "role"):
        page = visit.post(f"/desk/editors/1/{word}", role="editor")
        assert page.status_code == 409
        assert notes(page.text) == ["This is the last operator. Give somebody else the role first."]
    assert visit.get("/desk/editors").status_code == 200


def test_nobody_is_at_a_made_up_address(visit: Visit) -> None:
    assert {visit.get(f"/desk/editors/{each}").status_code for each in (0, 99, 2**63, "x")} == {404}


def test_an_editor_ends_her_other_sessions(visit: Visit) -> None:
    link = str(elements(visit.post("/desk/editors/1/link").text, "input", id="link")[0].get("value"))
    with a_browser(visit.room) as web:
        web.get(link, headers={"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Gecko Firefox/140.0"})
        page = visit.get("/desk/me").text
        assert "Firefox on Windows" in page
        assert "203.0.113.0/24" in page

        (key,) = re.findall(r'name="key" value="([0-9a-f]{64})"', page)
        visit.after(visit.post("/desk/me/sessions/end", key=key))

        assert web.get("/desk").status_code == 303
    assert visit.get("/desk").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    editor = visit_as(Role.EDITOR)
    with a_browser(visit.room) as web:
        web.get(str(elements(visit.post("/desk/editors/1/link").text, "input", id="link")[0].get("value")))
        (key,) = re.findall(r'name="key" value="([0-9a-f]{64})"', visit.get("/desk/me").text)

        editor.post("/desk/me/sessions/end", key=key)
        editor.post("/desk/me/sessions/end-others")

        assert web.get("/desk").status_code == 200
        visit.after(visit.post("/desk/me/sessions/end-others"))
        assert web.get("/desk").status_code == 303


def test_a_new_password_begins_a_new_session_and_asks_for_the_old_one(visit: Visit) -> None:
    planted = visit.web.cookies["desk"]
    assert "signed out" in visit.after(visit.post("/desk/me/password", new="seven wooden spoons"))
    assert visit.web.cookies["desk"] != planted

    wrong = visit.post("/desk/me/password", current="not this one", new="eight wooden spoons")
    right = visit.post("/desk/me/password", current="seven wooden spoons", new="eight wooden spoons")

    assert notes(wrong.text) == ["This is not your password."]
    assert right.status_code == 303
    assert visit.post("/desk/me/password", current="eight wooden spoons", new="short").status_code == 422


def test_the_current_password_cannot_be_guessed_for_long(visit: Visit) -> None:
    visit.post("/desk/me/password", new="seven wooden spoons")

    answers = [visit.post("/desk/me/password", current="a guess", new="eight wooden spoons") for _ in range(6)]

    assert answers[-1].status_code == 429


def test_a_link_for_somebody_who_was_shut_out_is_refused(visit: Visit) -> None:
    hire(visit.room, Role.EDITOR, email="bert@desk.example")
    visit.post("/desk/editors/2/disable")

    assert visit.post("/desk/editors/2/link").status_code == 409
