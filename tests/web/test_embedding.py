"""The form that stands on other people's sites."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from publisher.audience.store import mailing_lists, subscriber_with_email, subscriptions_of
from publisher.web.desk.embedding import embedded_form
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.browser import TestClient
from tests.web.conftest import a_newsroom
from tests.web.pages import standing
from tests.web.served import served

ANN = "ann@readers.example"


@contextmanager
def another_site(html: str) -> Iterator[str]:
    """A site of somebody else's, with one page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f"<!doctype html><html lang=en><title>Fans</title><main>{html}</main>".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def form_of(room: Newsroom, email: str = ANN) -> str:
    with room.database.reading() as connection:
        reader = subscriber_with_email(connection, email)
        assert reader is not None
        (found,) = subscriptions_of(connection, [reader.id])[reader.id]
    assert found.answers is not None
    return found.answers.form


@pytest.mark.browser
def test_a_reader_subscribes_on_another_site(browser: Browser, tmp_path: Path, redis_url: str) -> None:
    """A guard against foreign origins, or our own policy, would break it there and nowhere else."""
    room = a_newsroom(tmp_path, redis_url)
    with served(tmp_path, redis_url) as address:
        with room.database.reading() as connection:
            lists = mailing_lists(connection)
        html = embedded_form(settings_in(tmp_path, BASE_URL=address), lists)
        with another_site(html) as elsewhere:
            page = browser.new_context().new_page()
            page.goto(elsewhere)
            assert not page.get_by_label("Leave this empty").is_visible()
            page.get_by_label("Email address").fill(ANN)
            page.get_by_role("button", name="Subscribe").click()

            assert page.url == f"{address}/subscribe/sent"
            page.context.close()
    assert set(standing(room, ANN).values()) == {"pending"}
    assert form_of(room) == f"embedded at {elsewhere}"
    room.database.close()


def test_a_page_that_hides_where_it_is_subscribes_as_well(web: TestClient, room: Newsroom) -> None:
    """A referrer policy makes browsers say `Origin: null`; the reader has done nothing wrong."""
    answer = web.post("/subscribe", data={"email": ANN, "form": "embedded"}, headers={"Origin": "null"})

    assert answer.status_code == 303
    assert form_of(room) == "embedded"


def test_the_trap_and_the_answer_are_those_of_our_own_form(web: TestClient, room: Newsroom) -> None:
    """A form that is copied about is the first that programs find."""
    answer = web.post("/subscribe", data={"email": ANN, "website": "x"}, headers={"Origin": "https://fans.example"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/subscribe/sent")
    assert standing(room, ANN) == {}
