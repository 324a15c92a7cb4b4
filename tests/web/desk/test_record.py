"""Who did what."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from publisher import acts
from publisher.database import Database
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, PASSWORD, Visit, hire, must_be_harmless, state_of
from tests.web.pages import elements, words

SIGNING_IN = {"signed in", "signed out", "sign-in failed"}


def noted(database: Database) -> list[tuple[str, str, str, str]]:
    with database.reading() as connection:
        found = acts.acts(connection, at_most=100)
    changes = [each for each in found if each.did not in SIGNING_IN]
    return [(each.did, each.thing, each.actor.who, each.actor.via) for each in changes]


def test_who_signs_in_and_out_stands_in_the_record_and_so_does_who_fails(visit: Visit, web: TestClient) -> None:
    """A stranger who guesses for days leaves a line an hour, and no address of somebody who is nobody here."""
    hire(visit.room, email="bert@desk.example", password=PASSWORD)
    visit.post("/desk/sign-out")

    for _ in range(3):
        for email in ("stranger@elsewhere.example", "other@elsewhere.example", "bert@desk.example"):
            web.post("/desk/sign-in", data={"email": email, "password": "a wrong password"})
    web.post("/desk/sign-in", data={"email": "bert@desk.example", "password": PASSWORD})

    with visit.room.database.reading() as connection:
        found = [each for each in acts.acts(connection, at_most=100) if each.did in SIGNING_IN]
    assert [(each.did, each.thing, each.actor.who) for each in reversed(found)] == [
        ("signed in", "editor 1", "Anna Weber"),
        ("signed out", "editor 1", "Anna Weber"),
        ("sign-in failed", "an address of nobody", "Somebody"),
        ("sign-in failed", "editor 2", "Somebody"),
        ("signed in", "editor 2", "Anna Weber"),
    ]
    assert "elsewhere.example" not in str(found)
    assert {each.actor.origin for each in found} == {"203.0.113.0/24"}


def test_what_a_chief_does_to_an_issue_stands_in_the_record(visit: Visit, draft: int, readers: list[str]) -> None:
    assert readers
    visit.approve(draft)
    visit.post(f"/desk/issues/{draft}/cancel")

    thing, who, via = f"issue {draft}", "Anna Weber", "desk"
    assert noted(visit.room.database) == [
        ("issue cancelled", thing, who, via),
        ("issue approved", thing, who, via),
        ("issue drafted", thing, who, via),
    ]
    page = visit.get("/desk/record").text
    assert "203.0.113.0/24" in page
    assert "203.0.113.7" not in page
    assert state_of(visit.get(f"/desk/issues/{draft}").text) == "cancelled"


def test_what_was_refused_is_not_in_the_record(visit: Visit, draft: int, visit_as: Callable[[Role], Visit]) -> None:
    before = noted(visit.room.database)

    visit_as(Role.EDITOR).post(f"/desk/issues/{draft}/approve", now="yes")
    visit.post("/desk/articles/999/withdraw")

    assert noted(visit.room.database) == before


def test_what_a_program_does_is_noted_as_its_tokens(api: TestClient, room: Newsroom) -> None:
    answer = api.post("/api/v1/articles", content="# Title\n\nText.", headers={"Content-Type": "text/markdown"})

    assert answer.status_code in {201, 202}, answer.text
    assert noted(room.database) == [("articles handed in", "“Title”", "tests", "api")]


def test_a_worker_acts_for_nobody(room: Newsroom) -> None:
    with room.database.transaction() as connection:
        acts.note(connection, "issue approved", "issue 1")

    assert noted(room.database) == []


def test_an_act_that_is_rolled_back_never_was(visit: Visit) -> None:
    acts.begin(acts.Actor(via="cli", who="anna"))
    with pytest.raises(ZeroDivisionError):
        _note_and_fail(visit.room.database)

    assert noted(visit.room.database) == []


def _note_and_fail(database: Database) -> None:
    with database.transaction() as connection:
        acts.note(connection, "issue approved", "issue 1")
        connection.execute(sa.text(f"SELECT {1 // 0}"))


def fill(visit: Visit, number: int) -> None:
    acts.begin(acts.Actor(via="cli", who=HOSTILE))
    with visit.room.database.transaction() as connection:
        for each in range(number):
            acts.note(connection, "term added" if each % 2 else "term removed", f"term {each}")


def test_the_record_is_paged_and_filtered(visit: Visit) -> None:
    fill(visit, 120)

    page = visit.get("/desk/record?did=term+added").text
    assert len(elements(page, "tr")) == 51
    must_be_harmless(page)
    older = next(each.get("href", "") for each in elements(page, "a", rel="next"))
    assert len(elements(visit.get(older).text, "tr")) == 11
    assert "term removed" not in words(elements(visit.get(older).text, "table")[0])
    assert elements(visit.get("/desk/record?editor=999").text, "table") == []
    assert elements(visit.get("/desk/record?day=2020-01-01").text, "table") == []


def test_a_day_that_is_none_is_said(visit: Visit) -> None:
    assert visit.get("/desk/record?day=x").status_code == 422
    assert visit.get("/desk/record?before=0").status_code == 422


def test_only_who_leads_may_look_back(visit_as: Callable[[Role], Visit]) -> None:
    editor, chief = visit_as(Role.EDITOR), visit_as(Role.CHIEF)

    assert editor.get("/desk/record").status_code == 403
    assert "/desk/record" not in editor.get("/desk").text
    assert chief.get("/desk/record").status_code == 200


@pytest.fixture(autouse=True)
def _nobody_acts_afterwards() -> Iterator[None]:
    """Who acts is known to a whole thread; the tests that come later begin without."""
    yield
    acts._actor.set(None)
