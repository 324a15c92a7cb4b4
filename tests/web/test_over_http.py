from pathlib import Path

import httpx

from tests.builders import a_draft, handed_in
from tests.web.conftest import a_newsroom
from tests.web.served import served


def test_the_site_runs_under_a_real_server(tmp_path: Path, redis_url: str) -> None:
    room = a_newsroom(tmp_path, redis_url)
    handed_in(room.database, [a_draft()], clock=room.now)

    with served(tmp_path, redis_url) as address, httpx.Client(base_url=address, timeout=10) as browser:
        assert browser.get("/healthz").json()["status"] == "ok"
        assert "How Jeonse Works" in browser.get("/articles/how-jeonse-works").text
        assert browser.head("/articles/how-jeonse-works").content == b""
        assert browser.get("/robots.txt").text.startswith("User-agent")
        assert browser.post("/subscribe", data={"email": "x" * 200_000}).status_code == 413
        sent = browser.post("/subscribe", data={"email": "ann@readers.example"})
        refused = browser.post("/api/v1/articles", json={"title": "x"})
    room.database.close()

    assert (sent.status_code, sent.headers["Location"]) == (303, "/subscribe/sent")
    assert refused.headers["Content-Type"] == "application/problem+json"
