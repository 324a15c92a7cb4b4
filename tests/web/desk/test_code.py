"""The second factor, as an editor sets it up and signs in with it."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from publisher.clock import utc_now
from publisher.editors import flow as editors
from publisher.editors import store
from publisher.editors.model import Role
from publisher.editors.tables import editor_recovery_code, editor_second_factor
from tests.web.desk.visits import ANNA, Visit, must_be_harmless, notes
from tests.web.pages import elements, words

PAGE = "/desk/me/second-factor"


class App:
    """An authenticator app that has scanned a secret."""

    def __init__(self, secret: str) -> None:
        self._totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)

    def code(self, at: datetime) -> str:
        return self._totp.generate(int(at.timestamp())).decode()


class Clock:
    """A newsroom's clock, which a test sets forward."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **length: float) -> None:
        self.now += timedelta(**length)


@pytest.fixture
def clock(visit: Visit) -> Clock:
    found = Clock()
    visit.room.now = found
    return found


def set_up(visit: Visit, clock: Clock) -> tuple[App, list[str]]:
    (secret,) = [words(each) for each in elements(visit.get(PAGE).text, "code")]
    app = App(secret)
    page = visit.post(PAGE, code=app.code(clock.now))
    assert page.status_code == 200, notes(page.text)
    clock.pass_by(seconds=30)
    return app, [words(each) for each in elements(page.text, "code")]


def come_back(visit: Visit) -> str:
    """Sign in anew by a link; return where it leads."""
    with visit.room.database.reading() as connection:
        found = store.editor_with_email(connection, ANNA)
    assert found
    visit.web.cookies.clear()
    token = editors.make_sign_in_link(visit.room.database, found[0].id, clock=visit.room.now)
    return str(visit.web.get(f"/desk/sign-in/{token}").headers["Location"])


def give(visit: Visit, code: str) -> int:
    return int(visit.web.post("/desk/sign-in/code", data={"code": code, "next": "/desk/issues"}).status_code)


def test_a_code_of_the_app_is_asked_for_after_the_link(visit: Visit, clock: Clock) -> None:
    app, codes = set_up(visit, clock)
    assert len(set(codes)) == 10

    assert come_back(visit) == "/desk/sign-in/code?next=/desk"
    assert visit.get("/desk").status_code == 303
    waiting = visit.web.cookies["desk"]
    answer = visit.web.post("/desk/sign-in/code", data={"code": app.code(clock.now), "next": "/desk/issues"})

    assert answer.headers["Location"] == "/desk/issues"
    assert visit.web.cookies["desk"] != waiting
    assert visit.get("/desk").status_code == 200


def test_a_code_works_once(visit: Visit, clock: Clock) -> None:
    """Who looks over a shoulder must not use it again within its half minute (RFC 6238, section 5.2)."""
    app, _ = set_up(visit, clock)
    code = app.code(clock.now)
    come_back(visit)
    assert give(visit, code) == 303

    come_back(visit)

    assert give(visit, code) == 422
    clock.pass_by(seconds=30)
    assert give(visit, app.code(clock.now)) == 303


def test_the_code_that_set_it_up_signs_nobody_in(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)
    come_back(visit)

    assert give(visit, app.code(clock.now - timedelta(seconds=30))) == 422


def test_a_code_from_a_minute_ago_is_too_old(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)
    clock.pass_by(minutes=5)
    come_back(visit)

    assert give(visit, app.code(clock.now - timedelta(seconds=61))) == 422
    assert give(visit, app.code(clock.now - timedelta(seconds=30))) == 303


def test_a_recovery_code_works_once_however_it_is_typed(visit: Visit, clock: Clock) -> None:
    _, codes = set_up(visit, clock)
    come_back(visit)
    assert give(visit, codes[3].upper().replace("-", " ")) == 303

    come_back(visit)

    assert give(visit, codes[3]) == 422
    assert give(visit, codes[4]) == 303
    assert "8 recovery codes are left" in visit.get(PAGE).text


def test_codes_cannot_be_guessed_for_long_from_anywhere(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)
    come_back(visit)

    answers = [give(visit, f"{number:06}") for number in range(6)]
    come_back(visit)

    assert answers[:5] == [422] * 5
    assert answers[5] == 429
    assert give(visit, app.code(clock.now)) == 429
    clock.pass_by(minutes=2)
    assert give(visit, app.code(clock.now)) == 303


@pytest.mark.parametrize("code", ["", "abc", "12345", "1234567", "١٢٣٤٥٦", "\ud800", "' OR 1=1 --"])
def test_what_is_no_code_is_refused(visit: Visit, clock: Clock, code: str) -> None:
    set_up(visit, clock)
    come_back(visit)

    answer = visit.web.post(
        "/desk/sign-in/code",
        content=b"code=" + code.encode("utf-8", "replace"),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 422


def test_the_code_must_follow_within_minutes(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)
    come_back(visit)
    clock.pass_by(minutes=11)

    answer = visit.web.post("/desk/sign-in/code", data={"code": app.code(clock.now)})

    assert answer.headers["Location"] == "/desk/sign-in"
    assert visit.get("/desk").status_code == 303


def test_a_code_without_a_password_before_it_is_nothing(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)
    visit.web.cookies.clear()

    answer = visit.web.post("/desk/sign-in/code", data={"code": app.code(clock.now)})

    assert answer.headers["Location"] == "/desk/sign-in"


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/desk/../x", "/\\evil.example", "/preferences"]
)
def test_nothing_leads_out_of_the_desk_after_the_code(visit: Visit, clock: Clock, onward: str) -> None:
    app, _ = set_up(visit, clock)
    come_back(visit)

    answer = visit.web.post("/desk/sign-in/code", data={"code": app.code(clock.now), "next": onward})

    assert answer.headers["Location"] == "/desk"


def test_neither_secret_nor_recovery_codes_stand_in_the_database(visit: Visit, clock: Clock) -> None:
    (secret,) = [words(each) for each in elements(visit.get(PAGE).text, "code")]
    _, codes = set_up(visit, clock)

    with visit.room.database.reading() as connection:
        rows = repr(connection.execute(sa.select(editor_second_factor)).all())
        rows += repr(connection.execute(sa.select(editor_recovery_code)).all())
    assert secret not in rows
    assert not any(each in rows or each.replace("-", "") in rows for each in codes)
    assert secret not in visit.get(PAGE).text


def test_its_page_is_harmless_and_keeps_the_key_until_it_is_on(visit: Visit) -> None:
    first, second = visit.get(PAGE).text, visit.get(PAGE).text

    must_be_harmless(first)
    assert elements(first, "code")[0].text == elements(second, "code")[0].text
    assert notes(visit.post(PAGE, code="000000").text) == [
        "This code is not right, or was used already. Wait for the next one."
    ]


def test_turning_it_off_takes_a_code(visit: Visit, clock: Clock) -> None:
    app, _ = set_up(visit, clock)

    assert visit.post(f"{PAGE}/off", code="000000").status_code == 422
    assert "is off" in visit.after(visit.post(f"{PAGE}/off", code=app.code(clock.now)))
    assert come_back(visit) == "/desk"


def test_a_chief_resets_it_for_an_editor_and_nobody_his_own(
    visit: Visit, clock: Clock, visit_as: Callable[[Role], Visit]
) -> None:
    set_up(visit, clock)
    chief = visit_as(Role.CHIEF)

    assert chief.post("/desk/editors/1/reset-code").status_code == 403
    assert visit.post("/desk/editors/1/reset-code").status_code == 403
    set_up(chief, clock)
    visit.after(visit.post("/desk/editors/2/reset-code"))
    assert "It is on" not in chief.get("/desk/me").text


def test_a_newsroom_may_want_it_of_those_who_lead(
    visit: Visit, clock: Clock, visit_as: Callable[[Role], Visit]
) -> None:
    object.__setattr__(visit.room.settings, "require_second_factor", True)
    editor = visit_as(Role.EDITOR)

    for path in ("/desk", "/desk/issues", "/desk/me", "/desk/editors"):
        assert visit.get(path).headers["Location"] == PAGE
    assert editor.get("/desk").status_code == 200
    key = elements(visit.get(PAGE).text, "input", name="form_key")[0].get("value", "")
    assert visit.web.post("/desk/articles/1/withdraw", data={"form_key": key}).headers["Location"] == PAGE
    code = App(words(elements(visit.get(PAGE).text, "code")[0])).code(clock.now)
    assert visit.web.post(PAGE, data={"form_key": key, "code": code}).status_code == 200
    assert visit.get("/desk").status_code == 200
