"""Segments at the desk: put together in a form, counted, chosen by an edition."""

from typing import Any

import pytest

from publisher.audience import flow, segment_store
from publisher.audience.model import How
from publisher.audience.segments import Conditions, Segment
from publisher.compose import store
from publisher.compose.model import Edition
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes, sign_in
from tests.web.pages import elements, words

LIST, NEW = "/desk/segments", "/desk/segments/new"


@pytest.fixture
def chief(web: TestClient, room: Newsroom, weekly: Edition) -> Visit:
    """A chief, the edition `weekly`, and three readers."""
    assert weekly
    for number, (language, zone) in enumerate((("ko", "Asia/Seoul"), ("ko", "Europe/Paris"), ("en", "Asia/Seoul"))):
        yes = flow.Yes(how=How.CLI)
        person = {"email": f"r{number}@x.example", "language": language, "time_zone": zone}
        flow.add_subscriber(room.database, lists=["readers"], yes=yes, clock=room.now, **person)
    return sign_in(web, room, Role.CHIEF)


def fill_in(visit: Visit, path: str, **changes: Any) -> Any:
    values = form_values(visit.get(path).text, path)
    return visit.web.post(path, data=values | changes)


def saved(room: Newsroom) -> list[Segment]:
    with room.database.reading() as connection:
        return segment_store.segments_saved(connection)


def counted(html: str) -> str:
    (line,) = [each for each in elements(html, "p", role="status") if "data-counted" in each.attrib]
    return words(line)


def test_a_segment_is_counted_then_added_changed_and_removed(chief: Visit) -> None:
    asked = {"name": "Koreans at home", "languages": "ko", "countries": "kr"}
    page = fill_in(chief, NEW, **asked, count="yes")
    assert (page.status_code, counted(page.text), saved(chief.room)) == (200, "1 subscriber", [])

    shown = chief.after(fill_in(chief, NEW, **asked))
    (found,) = saved(chief.room)
    assert (found.slug, found.conditions) == ("koreans-at-home", Conditions(languages=("ko",), countries=("KR",)))
    assert "Language: 한국어; Country: KR" in words(elements(shown, "dl")[0])

    path = f"{LIST}/{found.slug}"
    chief.after(fill_in(chief, path, countries="", joined_after="2020-01-01", clicked="30"))
    (changed,) = saved(chief.room)
    assert (changed.conditions.countries, changed.conditions.clicked_within_days) == ((), 30)

    assert "Removed." in chief.after(chief.post(f"{path}/remove"))
    assert saved(chief.room) == []


def test_the_script_is_told_a_line(chief: Visit) -> None:
    assert chief.post(f"{LIST}/count", countries="KR").text == "2 subscribers"
    refused = chief.post(f"{LIST}/count", countries="Korea")
    assert (refused.status_code, "such as KR" in refused.text) == (422, True)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "x"}, "at least one condition"),
        ({"name": "", "languages": "ko"}, "needs a name"),
        ({"name": "x", "languages": "Klingon!"}, "Klingon!"),
        ({"name": "x", "joined_after": "yesterday"}, "such as 2026-06-02"),
        ({"name": "x", "clicked": "many"}, "whole number"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(chief: Visit, typed: dict[str, str], said: str) -> None:
    page = fill_in(chief, NEW, **typed)

    assert page.status_code == 422
    assert said in notes(page.text)[0]
    assert saved(chief.room) == []
    assert form_values(page.text, NEW)["languages"] == typed.get("languages", "")


def test_two_segments_of_one_name_have_two_addresses(chief: Visit) -> None:
    for _ in range(2):
        fill_in(chief, NEW, name="Korean", languages="ko")
    fill_in(chief, NEW, name="New", languages="ko")

    assert {each.slug for each in saved(chief.room)} == {"korean", "korean-2", "new-2"}


def test_an_edition_chooses_a_segment_and_keeps_it_from_being_removed(chief: Visit) -> None:
    fill_in(chief, NEW, name="Korean", languages="ko")
    (found,) = saved(chief.room)

    shown = chief.after(fill_in(chief, "/desk/editions/weekly", segment="korean"))
    with chief.room.database.reading() as connection:
        assert store.edition_named(connection, "weekly").segment_id == found.id
    assert "of these the segment Korean only" in words(elements(shown, "dl")[0])
    assert chief.post(f"{LIST}/korean/remove").status_code == 409

    chief.after(fill_in(chief, "/desk/editions/weekly", segment=""))
    assert chief.post(f"{LIST}/korean/remove").status_code == 303
    gone = fill_in(chief, "/desk/editions/weekly", segment="korean")
    assert "no such segment any more" in notes(gone.text)[0]


def test_hostile_names_stay_words(chief: Visit) -> None:
    fill_in(chief, NEW, name=HOSTILE, languages="ko")
    (found,) = saved(chief.room)

    for path in (LIST, f"{LIST}/{found.slug}", "/desk/editions/weekly"):
        must_be_harmless(chief.get(path).text)


def test_an_editor_looks_and_changes_nothing(web: TestClient, room: Newsroom, weekly: Edition) -> None:
    assert weekly
    visit = sign_in(web, room, Role.EDITOR)
    with room.database.transaction() as connection:
        korean = Conditions(languages=("ko",))
        segment_store.add_segment(connection, slug="korean", name="Korean", conditions=korean, now=room.now())

    assert "Add a segment" not in visit.get(LIST).text
    assert 'name="languages"' not in visit.get(f"{LIST}/korean").text
    assert visit.get(NEW).status_code == 403
    for path in (NEW, f"{LIST}/korean", f"{LIST}/count", f"{LIST}/korean/remove"):
        assert visit.post(path, name="x", languages="ko").status_code == 403
    assert len(saved(room)) == 1
