from datetime import timedelta

import argon2
import pytest

from publisher.clock import utc_now
from publisher.editors import flow as editors
from publisher.editors import staff
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.conftest import a_browser, a_newsroom
from tests.web.desk.visits import ANNA, PASSWORD, Visit, hire, sign_in
from tests.web.pages import elements, words


@pytest.fixture(autouse=True)
def _light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs 50 ms for good reason; the tests make dozens."""
    monkeypatch.setattr(editors, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    editors._nobodys_hash.cache_clear()


def give_password(web: TestClient, password: str = PASSWORD, *, email: str = ANNA, **fields: str) -> tuple[int, str]:
    """Fill in the form; return the status, and where it leads or what it says."""
    answer = web.post("/desk/sign-in", data={"email": email, "password": password} | fields)
    if answer.status_code == 303:
        return 303, answer.headers["Location"]
    return answer.status_code, words(elements(answer.text, "p", id="problem")[0])


def test_an_editor_signs_in_with_a_password_and_is_at_the_desk(web: TestClient, room: Newsroom) -> None:
    hire(room, password=PASSWORD)

    assert give_password(web, email="  Anna@Desk.example ") == (303, "/desk")
    assert "Anna Weber" in web.get("/desk").text


def test_a_wrong_password_and_an_unknown_address_say_the_same(web: TestClient, room: Newsroom) -> None:
    hire(room, password=PASSWORD)

    wrong, unknown = give_password(web, "wrong password"), give_password(web, email="bert@desk.example")

    assert wrong == unknown == (401, "The address or the password is not right.")
    assert web.get("/desk").status_code == 303


def test_the_address_stays_in_the_form_and_the_password_does_not(web: TestClient) -> None:
    answer = web.post("/desk/sign-in", data={"email": '"><b>', "password": "secret words here"})

    assert elements(answer.text, "input", id="email")[0].get("value") == '"><b>'
    assert "secret words" not in answer.text


def test_after_five_failures_an_editor_waits_even_with_the_right_password(web: TestClient, room: Newsroom) -> None:
    hire(room, password=PASSWORD)
    for _ in range(5):
        give_password(web, "wrong password")

    answer = web.post("/desk/sign-in", data={"email": ANNA, "password": PASSWORD})

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert "Please wait" in words(elements(answer.text, "p", id="problem")[0])
    assert "desk" not in web.cookies


def test_a_link_signs_in_once(web: TestClient, room: Newsroom) -> None:
    token = editors.make_sign_in_link(room.database, hire(room), clock=room.now)

    first = web.get(f"/desk/sign-in/{token}")
    web.cookies.clear()
    second = web.get(f"/desk/sign-in/{token}")

    assert (first.status_code, first.headers["Location"]) == (303, "/desk")
    assert second.status_code == 410
    assert "has been used" in second.text
    assert web.get("/desk").status_code == 303


def test_a_link_that_the_browser_fetches_ahead_is_not_used_up(web: TestClient, room: Newsroom) -> None:
    token = editors.make_sign_in_link(room.database, hire(room), clock=room.now)

    ahead = web.get(f"/desk/sign-in/{token}", headers={"Sec-Purpose": "prefetch;prerender"})

    assert ahead.status_code == 200
    assert "set-cookie" not in ahead.headers
    assert web.get(f"/desk/sign-in/{token}").status_code == 303


@pytest.fixture
def abroad(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Newsroom:
    """A newsroom that is served to the world."""
    return a_newsroom(
        tmp_path_factory.mktemp("abroad"),
        redis_url,
        BASE_URL="https://news.example",
        SECRET_KEY="a secret of more than 24 letters",
        MAIL_FROM="News <news@news.example>",
        POSTAL_ADDRESS="1 Example Street, Seoul",
    )


def test_a_link_that_travels_asks_for_a_button(abroad: Newsroom) -> None:
    """A chat program that looks at a link must not use it up before its reader."""
    token = editors.make_sign_in_link(abroad.database, hire(abroad), clock=abroad.now)
    with a_browser(abroad) as web:
        page = web.get(f"/desk/sign-in/{token}")
        (form,) = elements(page.text, "form", method="post")
        pressed = web.post(form.get("action", ""))

    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert pressed.headers["Location"] == "/desk"
    assert "desk" in pressed.headers["set-cookie"]
    abroad.database.close()


def test_the_cookie_is_bound_to_the_host_and_to_https(abroad: Newsroom) -> None:
    token = editors.make_sign_in_link(abroad.database, hire(abroad), clock=abroad.now)
    with a_browser(abroad) as web:
        cookie = web.post(f"/desk/sign-in/{token}").headers["set-cookie"]

    assert cookie.startswith("__Host-desk=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    abroad.database.close()


def test_the_cookie_is_out_of_reach_of_scripts(web: TestClient, room: Newsroom) -> None:
    token = editors.make_sign_in_link(room.database, hire(room), clock=room.now)

    cookie = web.get(f"/desk/sign-in/{token}").headers["set-cookie"]

    assert {"HttpOnly", "Path=/desk", "SameSite=lax"} <= set(cookie.split("; "))


def test_a_session_that_somebody_planted_is_not_taken_over(web: TestClient, room: Newsroom) -> None:
    """Session fixation: whoever put a cookie into the browser must not be signed in with her."""
    mallory = sign_in(web, room, Role.EDITOR, email="mallory@desk.example")
    planted = web.cookies["desk"]
    hire(room, password=PASSWORD)

    give_password(mallory.web)

    assert web.cookies["desk"] != planted
    assert editors.session_editor(room.database, planted, clock=room.now) is None
    editor = editors.session_editor(room.database, web.cookies["desk"], clock=room.now)
    assert editor is not None
    assert editor.email == ANNA


def test_signing_out_ends_the_session_everywhere(visit: Visit) -> None:
    token = visit.web.cookies["desk"]

    answer = visit.post("/desk/sign-out")

    assert answer.headers["Location"] == "/desk/sign-in"
    assert 'desk="";' in answer.headers["set-cookie"]
    assert editors.session_editor(visit.room.database, token, clock=visit.room.now) is None
    assert visit.get("/desk").status_code == 303


@pytest.mark.parametrize("path", ["/desk", "/desk/issues?edition=weekly", "/desk/articles/1", "/desk/outbox"])
def test_signing_in_leads_back_to_where_one_wanted_to_go(web: TestClient, room: Newsroom, path: str) -> None:
    hire(room, password=PASSWORD)

    page = web.get(web.get(path).headers["Location"])
    (onward,) = elements(page.text, "input", name="next")

    assert give_password(web, next=onward.get("value", "")) == (303, path)


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example/",
        "//evil.example/desk",
        "/\\evil.example",
        "/desk/\\evil.example",
        "/desk/..//evil.example",
        "/desk.evil.example",
        "/desk@evil.example",
        "javascript:alert(1)",
        "/desk\r\nSet-Cookie: a=b",
        "/",
        "",
    ],
)
def test_signing_in_leads_nowhere_else(web: TestClient, room: Newsroom, onward: str) -> None:
    """An open redirect: the sign-in page is ours, and the next one looks like it."""
    hire(room, password=PASSWORD)

    (hidden,) = elements(web.get("/desk/sign-in", params={"next": onward}).text, "input", name="next")

    assert hidden.get("value") == "/desk"
    assert give_password(web, next=onward) == (303, "/desk")


def test_who_is_signed_in_is_not_asked_again(visit: Visit) -> None:
    assert visit.get("/desk/sign-in?next=/desk/outbox").headers["Location"] == "/desk/outbox"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_sign_an_editor_in_as_somebody_else(web: TestClient, room: Newsroom, site: str) -> None:
    hire(room, password=PASSWORD)

    form = {"email": ANNA, "password": PASSWORD}
    answer = web.post("/desk/sign-in", data=form, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert "desk" not in web.cookies


def test_a_disabled_editor_is_out_at_once(visit: Visit) -> None:
    editor = editors.session_editor(visit.room.database, visit.web.cookies["desk"], clock=visit.room.now)
    assert editor

    hire(visit.room, email="another@desk.example")
    staff.disable_editor(visit.room.database, editor.id, clock=visit.room.now)

    assert visit.get("/desk").status_code == 303


def test_a_session_ends_by_itself(visit: Visit) -> None:
    visit.room.now = lambda: utc_now() + timedelta(hours=13)

    assert visit.get("/desk").status_code == 303
