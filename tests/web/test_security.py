import re

import pytest
import structlog
from fastapi import FastAPI

from publisher.archive import store as archive
from publisher.database import metadata
from publisher.intake.model import Image, Section
from publisher.web import layers, problems
from publisher.web.app import make_app
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in, settings_in
from tests.web.browser import TestClient
from tests.web.pages import elements, parsed

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&lt;"
SITES = ("/", "/articles/evil", "/search", "/healthz", "/static/none", "/api/docs", "/api/v1/articles", "/nowhere")


@pytest.mark.parametrize("path", SITES)
def test_every_answer_carries_the_security_headers(full_web: TestClient, path: str) -> None:
    headers = full_web.get(path).headers

    policy = dict(each.strip().split(" ", 1) for each in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Strict-Transport-Security" not in headers, "this site is not served by https"


def test_an_https_site_asks_for_https_for_ever(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("https")
    variables = {"MAIL_FROM": "news@news.example", "POSTAL_ADDRESS": "Seoul", "SECRET_KEY": "k" * 32}
    room = Newsroom(settings_in(folder, BASE_URL="https://news.example", **variables))
    metadata.create_all(room.database.engine)

    with TestClient(make_app(lambda: room)) as browser:
        assert "max-age=63072000" in browser.get("/").headers["Strict-Transport-Security"]
        assert "max-age" in browser.get("/healthz").headers["Strict-Transport-Security"]


def test_what_an_article_says_is_never_run(web: TestClient, room: Newsroom) -> None:
    """A newsroom's feed may be hijacked; its words must stay words on every page."""
    draft = a_draft(
        title=EVIL,
        slug="evil",
        summary=EVIL,
        authors=(EVIL,),
        topics=(EVIL,),
        image=Image(url="https://pictures.example/a.jpg", alt=EVIL, credit=EVIL),
        sections=(Section(heading=EVIL, html="<p>Text.</p>"),),
        guide=Section(heading=EVIL, html="<p>Text.</p>"),
    )
    handed_in(room.database, [draft], clock=room.now)
    with room.database.reading() as connection:
        (lead,) = archive.listed(connection, at_most=1)

    paths = ["/", "/articles/evil", "/topics", f"/topics/{lead.topics[0].slug}", f"/authors/{lead.authors[0].slug}"]
    for path in [*paths, "/feeds", "/languages/en", "/search?q=script"]:
        page = web.get(path)
        assert page.status_code == 200
        scripts = elements(page.text, "script")
        assert all(each.get("type") == "application/ld+json" or each.get("src") for each in scripts)
        assert not any(name.startswith("on") for each in parsed(page.text).iter() for name in each.attrib)
        assert not [each for each in elements(page.text, "img") if each.get("src") == "x"]


def test_what_a_reader_looks_for_is_shown_as_text(full_web: TestClient) -> None:
    html = full_web.get("/search", params={"q": EVIL}).text

    assert elements(html, "input", id="q")[0].get("value") == " ".join(EVIL.split())
    assert not elements(html, "script")


def test_pages_load_nothing_from_elsewhere(full_web: TestClient) -> None:
    """No font, script or counter of strangers: a reader's visit is nobody's business but ours."""
    for path in ("/", "/articles/all-about-jeonse-deposits-0", "/feeds/guide/", "/api/docs"):
        html = full_web.get(path).text
        loaded = [each.get("src") for each in (*elements(html, "script"), *elements(html, "iframe"))]
        loaded += [each.get("href") for each in elements(html, "link", rel="stylesheet")]
        assert all(address is None or address.startswith("/") for address in loaded)
    styles = full_web.get(elements(html, "link", rel="stylesheet")[0].get("href", "")).text
    assert "url(" not in styles
    assert "@import" not in styles


def test_an_unexpected_error_is_a_page_with_a_reference_that_the_log_has(room: Newsroom) -> None:
    site = _that_breaks(room)
    problems.answer_with_pages(site)

    with structlog.testing.capture_logs() as lines, TestClient(layers.quiet_once_answered(site)) as browser:
        page = browser.get("/breaks")

    assert page.status_code == 500
    (found,) = re.findall("<code>([0-9a-f]{8})</code>", page.text)
    assert [line["reference"] for line in lines if line["event"] == "unexpected_error"] == [found]
    assert "secret" not in page.text
    assert "Traceback" not in page.text


def test_an_unexpected_error_of_the_api_is_problem_json(room: Newsroom) -> None:
    api = _that_breaks(room)
    problems.answer_with_json(api)

    with structlog.testing.capture_logs() as lines, TestClient(layers.quiet_once_answered(api)) as program:
        answer = program.get("/breaks")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["reference"] == next(line["reference"] for line in lines)
    assert "secret" not in answer.text


def _that_breaks(room: Newsroom) -> FastAPI:
    app = FastAPI()
    app.state.room = room

    @app.get("/breaks")
    def breaks() -> None:
        raise ZeroDivisionError("a secret of the house")

    return app


def test_a_long_form_is_refused_before_it_is_read(web: TestClient) -> None:
    page = web.post("/subscribe", content=b"email=" + b"x" * 70_000, headers={"Content-Type": "text/plain"})
    form = web.post("/subscribe", data={"email": "x" * 70_000})

    assert form.status_code == 413
    assert page.status_code in {413, 422}
    assert "65,536 bytes" in form.text
