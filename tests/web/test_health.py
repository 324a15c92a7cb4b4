from pathlib import Path

from publisher.bell import Job
from publisher.web.app import make_app
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.browser import TestClient


def test_the_site_is_healthy_when_database_and_redis_answer(web: TestClient) -> None:
    answer = web.get("/healthz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


def test_the_site_is_ready_only_once_a_worker_has_ticked(web: TestClient, room: Newsroom) -> None:
    before = web.get("/readyz")
    room.pulse.mark()
    after = web.get("/readyz")

    assert (before.status_code, after.status_code) == (503, 200)
    assert before.json()["problem"] == "No answer from: beat."


def test_ticks_that_pile_up_tell_that_no_worker_runs(web: TestClient, room: Newsroom) -> None:
    """Beat sends them all the same; the operator must look at the workers."""
    room.bell.ring(Job.TICK)

    assert web.get("/readyz").json()["problem"] == "No answer from: worker."


def test_a_silent_redis_is_named(tmp_path: Path, room: Newsroom) -> None:
    """An operator reads the answer at night; it must say which part to look at."""
    alone = Newsroom(settings_in(tmp_path, REDIS_URL=f"redis+socket://{tmp_path}/nowhere.sock"))

    with TestClient(make_app(lambda: alone)) as browser:
        answer = browser.get("/healthz")
        home = browser.get("/")

    assert answer.status_code == 503
    assert answer.json()["problem"] == "No answer from: redis."
    assert answer.json()["parts"]["database"] == "ok"
    assert home.status_code == 200, "readers need no Redis"
    del room


def test_a_lost_database_is_named_and_readers_get_a_page(web: TestClient, room: Newsroom) -> None:
    database_file = Path(str(room.database.url.database))
    room.database.close()
    for file in database_file.parent.glob(f"{database_file.name}*"):
        file.unlink()
    database_file.mkdir()

    health, home, articles = web.get("/healthz"), web.get("/"), web.get("/articles/anything")

    program = web.get("/api/v1/articles", headers={"Authorization": "Bearer pub_x"})
    assert health.json()["problem"] == "No answer from: database."
    assert (program.status_code, program.headers["Content-Type"]) == (503, "application/problem+json")
    assert (health.status_code, home.status_code, articles.status_code) == (503, 503, 503)
    assert "Traceback" not in home.text
    assert home.headers["Retry-After"]
