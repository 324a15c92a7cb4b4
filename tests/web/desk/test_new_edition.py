"""A new edition at the desk: told, looked at, started. And the mailing lists and sources that it lives on."""

from typing import Any

import pytest
import sqlalchemy as sa

from publisher.audience import store as audience
from publisher.compose import store
from publisher.compose.cadence import describe
from publisher.compose.model import Edition
from publisher.editors.model import Role
from publisher.intake import polling
from publisher.intake.tables import source
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes, sign_in
from tests.web.pages import elements, words

NEW, LISTS, SOURCES = "/desk/editions/new", "/desk/mailing-lists", "/desk/sources"
EVENING: dict[str, Any] = {"name": "The Evening Post", "cadence": "daily 18:00 Asia/Seoul", "mailing_list": "readers"}


@pytest.fixture
def chief(web: TestClient, room: Newsroom, weekly: Edition) -> Visit:
    assert weekly
    return sign_in(web, room, Role.CHIEF)


def fill_in(visit: Visit, path: str, page: str = "", **changes: Any) -> Any:
    values = form_values(visit.get(page or path).text, path)
    return visit.web.post(path, data=values | changes)


def stored(room: Newsroom, slug: str) -> Edition:
    with room.database.reading() as connection:
        return store.edition_named(connection, slug)


def test_an_edition_is_added_looked_at_and_started(chief: Visit) -> None:
    handed_in(chief.room.database, [a_draft(title="The Night Bus")], clock=chief.room.now)

    page = chief.after(fill_in(chief, NEW, **EVENING))
    added = stored(chief.room, "the-evening-post")
    assert added.cadence
    assert (describe(added.cadence), added.is_active) == ("Every day at 18:00, Asia/Seoul", False)
    assert any("stopped" in each for each in notes(page))

    frames = {each.get("src") for each in elements(page, "iframe")}
    assert frames == {"/desk/editions/the-evening-post/mail"}
    mail = chief.get("/desk/editions/the-evening-post/mail")
    assert "The Night Bus" in mail.text
    assert "default-src 'none'" in mail.headers["Content-Security-Policy"]
    with chief.room.database.reading() as connection:
        assert store.issues(connection, at_most=9) == [], "looking at it drafts nothing"

    chief.after(chief.post("/desk/editions/the-evening-post/start"))
    assert stored(chief.room, "the-evening-post").is_active
    chief.after(chief.post("/desk/editions/the-evening-post/stop"))
    assert not stored(chief.room, "the-evening-post").is_active


def test_there_may_be_nothing_to_look_at_yet(chief: Visit) -> None:
    page = chief.after(fill_in(chief, NEW, **EVENING))

    assert elements(page, "iframe") == []
    assert chief.get("/desk/editions/the-evening-post/mail").status_code == 409
    assert chief.get("/desk/editions/no-such/mail").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "  "}, "needs a name"),
        ({"cadence": "whenever"}, "write it like"),
        ({"mailing_list": "martians"}, "mailing list"),
        ({"kind": "novel"}, "what is offered"),
        ({"languages": "klingon!"}, "language tag"),
    ],
)
def test_what_is_wrong_with_it_is_said_and_what_was_typed_stays(chief: Visit, wrong: dict[str, str], said: str) -> None:
    page = fill_in(chief, NEW, **EVENING | wrong)

    assert page.status_code == 422
    assert said in notes(page.text)[0]
    assert form_values(page.text, NEW)["cadence"] == (EVENING | wrong)["cadence"]


def test_two_editions_of_one_name_have_two_addresses(chief: Visit) -> None:
    for _ in range(2):
        fill_in(chief, NEW, **EVENING)
    fill_in(chief, NEW, **EVENING | {"name": "New"})

    with chief.room.database.reading() as connection:
        slugs = {each.slug for each in store.editions(connection)}
    assert slugs == {"weekly", "the-evening-post", "the-evening-post-2", "new-2"}


# --- mailing lists


def test_a_mailing_list_is_added_and_changed(chief: Visit) -> None:
    chief.after(fill_in(chief, LISTS, slug="evening", name="Evening", description="At six."))
    changed = chief.after(fill_in(chief, f"{LISTS}/evening", LISTS, name="Evenings", description=""))

    with chief.room.database.reading() as connection:
        found = audience.mailing_list_named(connection, "evening")
    assert (found.name, found.description) == ("Evenings", "")
    assert "No edition goes to it." in changed


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"slug": "readers", "name": "Again"}, "already"),
        ({"slug": "Not One", "name": "x"}, "short name"),
        ({"slug": "x", "name": " "}, "needs a name"),
    ],
)
def test_a_mailing_list_that_cannot_be_is_said(chief: Visit, typed: dict[str, str], said: str) -> None:
    page = fill_in(chief, LISTS, **typed)

    assert page.status_code == 422
    assert said in notes(page.text)[0]


# --- sources


def test_a_source_is_added_read_and_removed(chief: Visit) -> None:
    added = fill_in(chief, SOURCES, url="https://news.example/feed.xml", name="", minutes="30", topics="Culture, K-pop")
    page = chief.after(added)
    (added_source,) = polling.sources(chief.room.database)
    assert (added_source.name, added_source.every_s, added_source.state) == ("news.example", 1_800, "active")
    assert "https://news.example/feed.xml" in words(elements(page, "main")[0])

    chief.after(chief.post(f"{SOURCES}/{added_source.id}/read"))
    chief.after(chief.post(f"{SOURCES}/{added_source.id}/remove"))
    assert polling.sources(chief.room.database) == []
    assert chief.post(f"{SOURCES}/{added_source.id}/read").status_code == 404


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"url": "ftp://news.example/"}, "cannot be read"),
        ({"url": "https://127.0.0.1/feed"}, "cannot be read"),
        ({"url": "https://news.example/", "minutes": "0"}, "1 to 1,440"),
    ],
)
def test_a_source_that_cannot_be_read_is_said(chief: Visit, typed: dict[str, str], said: str) -> None:
    page = fill_in(chief, SOURCES, **typed)

    assert page.status_code == 422
    assert said in notes(page.text)[0]
    assert polling.sources(chief.room.database) == []


def test_what_went_wrong_with_a_source_stands_beside_it(chief: Visit) -> None:
    room = chief.room
    source_id = polling.add_source(room.database, room.settings, "https://news.example/", clock=room.now)
    with room.database.transaction() as connection:
        failed = sa.update(source).where(source.c.id == source_id)
        connection.execute(failed.values(failures=1, problem="The server answered 500."))

    assert "That is 1 failure in a row." in chief.get(SOURCES).text


# --- all three


def test_an_editor_looks_and_changes_nothing(web: TestClient, room: Newsroom, weekly: Edition) -> None:
    assert weekly
    visit = sign_in(web, room, Role.EDITOR)

    for page in (LISTS, SOURCES):
        assert visit.get(page).status_code == 200
        assert "Add another" not in visit.get(page).text
    assert visit.get(NEW).status_code == 403
    for path in (NEW, f"{LISTS}", f"{LISTS}/readers", SOURCES, f"{SOURCES}/1/remove", "/desk/editions/weekly/stop"):
        assert visit.post(path, name="x").status_code == 403, path
    assert stored(room, "weekly").is_active


def test_hostile_words_stay_words(chief: Visit) -> None:
    fill_in(chief, LISTS, slug="hostile", name=HOSTILE, description=HOSTILE)
    fill_in(chief, SOURCES, url="https://news.example/?<script>", name=HOSTILE, topics=HOSTILE)
    fill_in(chief, NEW, **EVENING | {"name": HOSTILE, "mailing_list": "hostile"})

    for path in (LISTS, SOURCES, NEW, "/desk/editions"):
        must_be_harmless(chief.get(path).text)


def test_the_form_for_another_site_is_ready_to_copy(chief: Visit, room: Newsroom) -> None:
    """An editor who cannot write HTML pastes it; for one list there is nothing to choose in it."""
    everything = chief.get("/desk/mailing-lists/form").text
    one = chief.get("/desk/mailing-lists/form?list=readers")

    (field,) = elements(one.text, "textarea", id="html")
    html = "".join(field.itertext())
    assert field.get("readonly") is not None
    assert elements(everything, "textarea", id="html")
    assert f'action="{room.settings.base_url}/subscribe"' in html
    assert '<input type="hidden" name="list" value="readers">' in html
    assert "style" not in html
    assert "<script" not in html
    preview = chief.get("/desk/mailing-lists/form/preview?list=readers")
    assert html.splitlines()[0] in preview.text
    assert room.settings.base_url in preview.headers["Content-Security-Policy"]
