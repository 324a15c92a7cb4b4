"""How Publisher itself does, for operators."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import sqlalchemy as sa

from publisher.audience.imports import put_import
from publisher.audience.tables import subscriber_import
from publisher.editors.model import Role
from publisher.intake.tables import submission
from publisher.pulse import Worker, client
from publisher.wiring import Newsroom
from tests.web.desk.visits import HOSTILE, Visit, must_be_harmless, notes
from tests.web.pages import elements, words

ROW = "{http://www.w3.org/1999/xhtml}tr"


def rows(html: str, section: str) -> dict[str, list[str]]:
    """The rows of a table of the page by their first cell."""
    (found,) = elements(html, "section", aria_labelledby=section)
    cells = [[words(cell) for cell in row] for row in found.iter(ROW)]
    return {row[0]: row[1:] for row in cells[1:]}


def test_a_newsroom_without_workers_says_what_to_start(visit: Visit) -> None:
    html = visit.get("/desk/system").text

    assert rows(html, "parts")["Ticks"][0] == "look"
    assert "start beat" in rows(html, "parts")["Ticks"][2]
    assert rows(html, "parts")["Database"][:1] == ["well"]
    assert rows(html, "queues")["dispatch"][3] == "Nobody takes this queue. Start: publisher worker --queues dispatch"
    assert "No worker has shown itself" in html
    must_be_harmless(html)


def test_workers_that_show_themselves_take_their_queues(visit: Visit) -> None:
    room, now = visit.room, visit.room.now()
    room.pulse.mark()
    room.pulse.show(Worker(name="one", queues=("dispatch",), began_at=now, seen_at=now))
    room.pulse.show(Worker(name="two", queues=("events",), began_at=now, seen_at=now - timedelta(minutes=5)))

    html = visit.get("/desk/system").text

    assert rows(html, "parts")["Ticks"][0] == "well"
    assert rows(html, "workers")["one"][0] == "well"
    assert rows(html, "workers")["two"][0] == "look"
    assert rows(html, "queues")["dispatch"][2] == "1"
    assert rows(html, "queues")["events"][2] == "0"


def test_a_stage_in_which_something_waits_for_long_is_told(visit: Visit) -> None:
    with visit.room.database.transaction() as connection:
        long_ago = visit.room.now() - timedelta(hours=1)
        row = {"origin": "desk", "identity": "x", "content_hash": "x", "draft": {}, "state": "received"}
        connection.execute(sa.insert(submission), row | {"received_at": long_ago})

    found = rows(visit.get("/desk/system").text, "stages")

    assert found["Intake"][:2] == ["look", "1"]
    assert found["Sending"][:2] == ["well", "0"]


def test_a_file_of_readers_that_nobody_takes_in_is_told(visit: Visit) -> None:
    file = BytesIO(b"email\nmina@readers.example\n")
    put_import(
        visit.room.database,
        file,
        name="r.csv",
        list_slug="readers",
        confirmed=True,
        wording="Yes.",
        clock=visit.room.now,
    )
    waits = rows(visit.get("/desk/system").text, "stages")["Imports"]
    with visit.room.database.transaction() as connection:
        connection.execute(sa.update(subscriber_import).values(created_at=visit.room.now() - timedelta(hours=1)))
    late = rows(visit.get("/desk/system").text, "stages")["Imports"]

    assert (waits[:2], late[:2]) == (["well", "1"], ["look", "1"])


def test_what_went_wrong_stands_there_until_it_is_cleared(visit: Visit) -> None:
    visit.room.troubles.note("publisher.relate", f"ValueError: {HOSTILE}", at=visit.room.now())

    html = visit.get("/desk/system").text
    page = visit.after(visit.post("/desk/system/clear"))

    assert "publisher.relate" in html
    must_be_harmless(html)
    assert "publisher.relate" not in page


def test_everything_can_be_tried_again_at_once(visit: Visit, room: Newsroom) -> None:
    page = visit.after(visit.post("/desk/system/ring"))

    redis = client(room.settings.redis_url)
    assert notes(page) == ["Every stage was rung; what is due is done now, by workers that are alive."]
    assert redis.llen("articles") == 2
    assert redis.llen("dispatch") == 2
    redis.close()


def test_only_an_operator_sees_it(visit_as: Callable[[Role], Visit]) -> None:
    chief = visit_as(Role.CHIEF)

    assert chief.get("/desk/system").status_code == 403
    assert chief.post("/desk/system/ring").status_code == 403
    assert 'href="/desk/system"' not in chief.get("/desk").text
