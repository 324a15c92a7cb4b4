"""Every error of the API is problem JSON (RFC 9457), so that a program reads one form only."""

import pytest

from publisher.editors.api_tokens import add_api_token, revoke_api_token
from publisher.editors.model import ApiTokenId, Scope
from publisher.wiring import Newsroom
from tests.web.browser import TestClient

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/api", {}, 404),
        ("GET", "/api/v1/nothing", {}, 404),
        ("GET", "/api/v1/articles/7", {}, 404),
        ("PUT", "/api/v1/articles/7", {"json": {"title": "x", "body": "y"}}, 404),
        ("DELETE", "/api/v1/articles/7", {}, 404),
        ("GET", "/api/v1/articles/seven", {}, 422),
        ("GET", "/api/v1/articles?limit=0", {}, 422),
        ("GET", "/api/v1/articles?state=lost", {}, 422),
        ("GET", "/api/v1/articles?cursor=nonsense", {}, 422),
        ("PATCH", "/api/v1/articles", {}, 405),
        ("POST", "/api/v1/articles", {"content": b"x"}, 415),
        ("POST", "/api/v1/articles", {"content": b"x", "headers": {"Content-Type": "image/png"}}, 415),
        ("POST", "/api/v1/editions", {"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/api/v1/editions", {"json": {"slug": "x"}}, 422),
        ("POST", "/api/v1/editions", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 422),
        ("GET", "/api/v1/glossary/none", {}, 404),
        ("PUT", "/api/v1/glossary/none", {"json": {"name": "x", "explanation": "y"}}, 404),
        ("DELETE", "/api/v1/glossary/none", {}, 404),
        ("POST", "/api/v1/glossary", {"json": {"name": "x"}}, 422),
        ("POST", "/api/v1/glossary", {"json": {"name": "x", "explanation": ""}}, 422),
        ("POST", "/api/v1/glossary", {"json": {"name": "x", "explanation": "y", "explanaton": "z"}}, 422),
        ("GET", "/api/v1/issues/7", {}, 404),
        ("GET", "/api/v1/issues?cursor=x", {}, 422),
        ("POST", "/api/v1/issues/7/approve", {}, 404),
        ("POST", "/api/v1/issues", {"json": {"edition": "none"}}, 404),
        ("GET", "/api/v1/subscribers?mailing_list=none", {}, 404),
        ("DELETE", "/api/v1/suppressions/nobody@readers.example", {}, 404),
    ],
)
def test_an_error_says_what_it_is(
    api: TestClient, method: str, path: str, sent: dict[str, object], status: int
) -> None:
    answer = api.request(method, path, **sent)  # type: ignore[arg-type]

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    if status == 422:
        assert problem["detail"]
        assert problem["errors"][0]["where"]


PROTECTED = [
    ("POST", "/api/v1/article-imports"),
    ("POST", "/api/v1/subscriber-imports"),
    ("GET", "/api/v1/subscriber-imports/1"),
    ("POST", "/api/v1/issues/1/subject"),
    ("POST", "/api/v1/issues/1/move"),
    ("POST", "/api/v1/editions/weekly/slots"),
    ("GET", "/api/v1/issues/1/deliveries"),
    ("GET", "/api/v1/issues/1/deliveries.csv"),
    ("POST", "/api/v1/issues/1/retry"),
    ("GET", "/api/v1/articles"),
    ("POST", "/api/v1/articles"),
    ("GET", "/api/v1/articles/1"),
    ("GET", "/api/v1/articles/1/links"),
    ("PUT", "/api/v1/articles/1/links"),
    ("PUT", "/api/v1/articles/1"),
    ("DELETE", "/api/v1/articles/1"),
    ("GET", "/api/v1/issues"),
    ("POST", "/api/v1/issues"),
    ("GET", "/api/v1/issues/1"),
    ("POST", "/api/v1/issues/1/approve"),
    ("POST", "/api/v1/issues/1/undo"),
    ("POST", "/api/v1/issues/1/cancel"),
    ("POST", "/api/v1/issues/1/pause"),
    ("POST", "/api/v1/issues/1/resume"),
    ("GET", "/api/v1/editions"),
    ("POST", "/api/v1/editions"),
    ("GET", "/api/v1/editions/weekly"),
    ("GET", "/api/v1/glossary"),
    ("POST", "/api/v1/glossary"),
    ("GET", "/api/v1/glossary/weekly"),
    ("PUT", "/api/v1/glossary/weekly"),
    ("DELETE", "/api/v1/glossary/weekly"),
    ("GET", "/api/v1/subscribers"),
    ("POST", "/api/v1/subscribers"),
    ("GET", "/api/v1/mailing-lists"),
    ("POST", "/api/v1/mailing-lists"),
    ("GET", "/api/v1/suppressions"),
    ("POST", "/api/v1/suppressions"),
    ("DELETE", "/api/v1/suppressions/a@b.example"),
    ("PUT", "/api/v1/issues/1"),
    ("GET", "/api/v1/issues/1/preview"),
    ("POST", "/api/v1/issues/1/test"),
    ("PUT", "/api/v1/editions/weekly"),
    ("POST", "/api/v1/articles/1/restore"),
    ("GET", "/api/v1/subscribers/1"),
    ("POST", "/api/v1/subscribers/1/unsubscribe"),
    ("GET", "/api/v1/sources"),
    ("POST", "/api/v1/sources"),
    ("GET", "/api/v1/sources/1"),
    ("DELETE", "/api/v1/sources/1"),
    ("GET", "/api/v1/glossary-proposals"),
    ("POST", "/api/v1/glossary-proposals/dismiss"),
    ("POST", "/api/v1/glossary-proposals/propose"),
    ("GET", "/api/v1/webhooks"),
    ("POST", "/api/v1/webhooks"),
    ("GET", "/api/v1/webhooks/1"),
    ("PUT", "/api/v1/webhooks/1"),
    ("DELETE", "/api/v1/webhooks/1"),
    ("POST", "/api/v1/webhooks/1/test"),
    ("POST", "/api/v1/webhooks/1/secret"),
    ("POST", "/api/v1/webhooks/1/on"),
    ("POST", "/api/v1/webhooks/1/off"),
    ("GET", "/api/v1/webhooks/1/log"),
    ("POST", "/api/v1/webhooks/1/log/1/again"),
    ("GET", "/api/v1/subscribers/1/data"),
    ("DELETE", "/api/v1/subscribers/1"),
    ("GET", "/api/v1/segments"),
    ("POST", "/api/v1/segments"),
    ("GET", "/api/v1/segments/weekly"),
    ("PUT", "/api/v1/segments/weekly"),
    ("DELETE", "/api/v1/segments/weekly"),
    ("GET", "/api/v1/segments/weekly/count"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_nothing_is_told_or_done_without_a_token(full_web: TestClient, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer pub_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = full_web.request(method, path, headers=headers, json={} if method in {"POST", "PUT"} else None)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_every_operation_is_protected(full_web: TestClient) -> None:
    """The list above is complete: who adds an operation adds it there."""
    paths = full_web.get("/api/openapi.json").json()["paths"]

    operations = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    assert len(operations) == len(PROTECTED)


def test_a_token_allows_what_its_scopes_say(web: TestClient, room: Newsroom) -> None:
    token = add_api_token(room.database, name="reader", scopes={Scope.READ}, clock=room.now)
    web.headers["Authorization"] = f"Bearer {token}"

    assert web.get("/api/v1/articles").status_code == 200
    assert web.get("/api/v1/mailing-lists").status_code == 200
    assert web.get("/api/v1/subscribers").status_code == 403
    for path in ("articles", "glossary", "issues", "editions", "subscribers", "mailing-lists", "suppressions"):
        answer = web.post(f"/api/v1/{path}", json={})
        assert answer.status_code == 403
        assert "scope" in answer.json()["detail"]


def test_a_revoked_token_is_worth_nothing(api: TestClient, room: Newsroom) -> None:
    assert api.get("/api/v1/articles").status_code == 200

    revoke_api_token(room.database, ApiTokenId(1), clock=room.now)

    assert api.get("/api/v1/articles").status_code == 401


def test_more_than_five_megabytes_are_refused_before_they_are_read(api: TestClient) -> None:
    def slowly() -> object:
        for _ in range(7):
            yield b"x" * MIB

    announced = api.post(
        "/api/v1/articles", content=b"x", headers={"Content-Type": "text/plain", "Content-Length": f"{6 * MIB}"}
    )
    streamed = api.post("/api/v1/articles", content=slowly(), headers={"Content-Type": "text/plain"})
    elsewhere = api.post("/api/v1/editions", json={"slug": "x" * 2 * MIB})

    for answer in (announced, streamed, elsewhere):
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert "5,242,880 bytes" in announced.json()["detail"]


def test_just_five_megabytes_are_read(api: TestClient) -> None:
    """Read, and refused for what it is rather than for its length."""
    data = b"%PDF-".ljust(5 * MIB, b"x")

    answer = api.post("/api/v1/articles", content=data, headers={"Content-Type": "text/plain"})

    assert answer.status_code == 422
    assert "PDF" in answer.json()["detail"]


def test_the_openapi_document_names_everything_a_program_needs(full_web: TestClient) -> None:
    document = full_web.get("/api/openapi.json").json()

    body = document["paths"]["/api/v1/articles"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "text/markdown", "text/plain", "text/html"}
    assert body["application/json"]["schema"]["$ref"] == "#/components/schemas/ArticleForm"
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    problem = document["paths"]["/api/v1/issues"]["get"]["responses"]["422"]["content"]
    assert list(problem) == ["application/problem+json"]
    references = {each for each in str(document).split("'") if each.startswith("#/components/schemas/")}
    assert {each.rpartition("/")[2] for each in references} <= set(document["components"]["schemas"])


def test_the_reference_shows_every_operation(full_web: TestClient) -> None:
    html = full_web.get("/api/docs").text

    for method, path in PROTECTED:
        if "1" not in path.rpartition("v1")[2] and "weekly" not in path and "@" not in path:
            assert path in html
            assert method in html
