"""Changing an edition's rules at the desk."""

from typing import Any

import pytest

from publisher.compose import store
from publisher.compose.model import Edition
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, form_values, sign_in

PATH = "/desk/editions/weekly"


@pytest.fixture
def chief(web: TestClient, room: Newsroom, weekly: Edition) -> Visit:
    """A chief, and the edition `weekly`."""
    assert weekly
    return sign_in(web, room, Role.CHIEF)


def fill_in(visit: Visit, **changes: Any) -> Any:
    """Fill in the form as the page shows it, with some changes, and send it."""
    values = form_values(visit.get(PATH).text, PATH)
    return visit.web.post(PATH, data={name: value for name, value in (values | changes).items() if value is not None})


def stored(room: Newsroom) -> Edition:
    with room.database.reading() as connection:
        return store.edition_named(connection, "weekly")


def test_a_form_sent_as_it_came_changes_nothing(chief: Visit) -> None:
    before = stored(chief.room)

    page = chief.after(fill_in(chief))

    assert stored(chief.room) == before
    assert "Changed." in page


def test_every_rule_can_be_changed(chief: Visit) -> None:
    changes = {
        "name": "The Fortnightly",
        "cadence": "mon,thu 07:30 Europe/Paris",
        "approval": "editor",
        "at_least": "3",
        "at_most": "9",
        "stale_after_hours": "6",
        "tracking": "off",
        "in_doubt": "hold",
        "is_active": None,
        "subject": "{{ lead_title }}, and more",
        "language": "ko",
        "languages": "en, ko-KR",
        "accent": "#1f5f8b",
        "logo": "/media/logo.png",
        "footer": "One line.\r\nAnother.",
    }

    page = chief.after(fill_in(chief, **changes))

    found = stored(chief.room)
    assert (found.name, found.approval, found.at_least, found.at_most) == ("The Fortnightly", "editor", 3, 9)
    assert (found.tracking, found.in_doubt, found.is_active) == ("off", "hold", False)
    assert found.stale_after.total_seconds() == 6 * 3600
    assert (found.subject, found.language, found.languages) == ("{{ lead_title }}, and more", "ko", ("en", "ko-KR"))
    assert (found.accent, found.logo, found.footer) == ("#1f5f8b", "/media/logo.png", "One line.\nAnother.")
    assert "Mondays and Thursdays at 07:30, Europe/Paris" in page


def test_an_edition_without_cadence_waits_for_an_editor(chief: Visit) -> None:
    fill_in(chief, cadence="")

    assert stored(chief.room).cadence is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "needs a name"),
        ({"cadence": "sometimes"}, "is not a cadence"),
        ({"at_least": "9", "at_most": "3"}, "cannot need more articles"),
        ({"at_most": "many"}, "from 1 to 100"),
        ({"at_most": "101"}, "from 1 to 100"),
        ({"stale_after_hours": "0"}, "from 1 to 8,760"),
        ({"tracking": "everything"}, "Choose one"),
        ({"approval": None}, "Choose one"),
        ({"subject": "{{ nmae }}"}, "there is no slot &#39;nmae&#39;"),
        ({"language": "tlh"}, "There is no &#39;tlh&#39;"),
        ({"languages": "en, ???"}, "is not a language tag"),
        ({"accent": "red"}, "is not a colour"),
        ({"logo": "logo.png"}, "address of a picture"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(chief: Visit, changes: dict[str, Any], said: str) -> None:
    before = stored(chief.room)

    answer = fill_in(chief, **({"name": "Another name"} | changes))

    assert answer.status_code == 422
    assert said in answer.text
    assert "Nothing has been changed." in answer.text
    assert changes.get("name", "Another name") in answer.text, "what was typed is still there"
    assert stored(chief.room) == before


def test_a_hostile_name_stays_text(chief: Visit) -> None:
    page = chief.after(fill_in(chief, name=HOSTILE))

    assert "<script>alert" not in page
    assert stored(chief.room).name == HOSTILE


def test_who_only_lays_out_issues_changes_no_edition(web: TestClient, room: Newsroom, weekly: Edition) -> None:
    editor = sign_in(web, room, Role.EDITOR)

    html = editor.get(PATH).text
    answer = editor.post(PATH, name="Mine")

    assert "Change its rules" not in html
    assert answer.status_code == 403
    assert stored(room) == weekly
