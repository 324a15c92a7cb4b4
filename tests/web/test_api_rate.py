"""How often a program may ask, and how it is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.errors import SettingsError
from publisher.web.api.application import make_api
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.browser import TestClient
from tests.web.conftest import a_browser

LISTS = "/api/v1/mailing-lists"


@contextmanager
def a_program(room: Newsroom, folder: Path, **variables: str) -> Iterator[TestClient]:
    redis_url = {"REDIS_URL": room.settings.redis_url}
    here = Newsroom(settings_in(folder, **redis_url | variables))
    with a_browser(here) as found:
        found.headers["Authorization"] = f"Bearer {a_token(here)}"
        yield found


def a_token(room: Newsroom) -> str:
    return add_api_token(room.database, name="tests", scopes=[Scope.READ], clock=room.now)


def test_a_token_that_asks_too_often_is_told_when_it_may_again(room: Newsroom, tmp_path: Path) -> None:
    """One program in a loop must not take the desk from everybody; and it must learn what to do."""
    with a_program(room, tmp_path, API_RATE_PER_MINUTE="2") as program:
        first, second, third = (program.get(LISTS) for _ in range(3))
        other = program.get(LISTS, headers={"Authorization": f"Bearer {a_token(room)}"})

    assert [each.status_code for each in (first, second, third, other)] == [200, 200, 429, 200]
    assert first.headers["RateLimit-Policy"] == '"token";q=2;w=60'
    assert first.headers["RateLimit"].startswith('"token";r=1;t=')
    assert second.headers["RateLimit"].startswith('"token";r=0;t=')
    assert 1 <= int(third.headers["Retry-After"]) <= 60
    assert third.headers["RateLimit"] == f'"token";r=0;t={third.headers["Retry-After"]}'
    assert third.headers["Content-Type"] == "application/problem+json"
    assert (third.json()["type"], third.json()["status"]) == ("about:blank", 429)
    assert "2 times within a minute" in third.json()["detail"]


def test_an_answer_that_is_given_again_counts_and_a_refusal_does_nothing(room: Newsroom, tmp_path: Path) -> None:
    """A key is no way around the limit, and one that was refused may be used later."""
    with a_program(room, tmp_path, API_RATE_PER_MINUTE="1") as program:
        sent = {"headers": {"Idempotency-Key": "k"}, "json": {"edition": "none"}}
        refused = [program.post("/api/v1/issues", **sent) for _ in range(2)]

    assert [each.status_code for each in refused] == [403, 429]
    assert refused[0].headers["RateLimit"].startswith('"token";r=0;t=')


def test_without_redis_the_api_goes_on(room: Newsroom, tmp_path: Path) -> None:
    with a_program(room, tmp_path, REDIS_URL=f"redis+socket://{tmp_path}/nowhere.sock", API_RATE_PER_MINUTE="1") as it:
        answers = [it.get(LISTS) for _ in range(2)]

    assert [each.status_code for each in answers] == [200, 200]
    assert "RateLimit" not in answers[0].headers


def test_who_has_no_token_is_told_nothing_of_limits(room: Newsroom, web: TestClient) -> None:
    """And takes no place in Redis, however many tokens are made up."""
    assert room
    answer = web.get(LISTS, headers={"Authorization": "Bearer pub_made-up"})

    assert answer.status_code == 401
    assert "RateLimit" not in answer.headers


def test_the_document_names_limit_and_refusal_of_every_call() -> None:
    document = make_api().openapi()
    calls = [call for methods in document["paths"].values() for call in methods.values()]

    assert set(document["components"]["headers"]) == {"RateLimit", "RateLimit-Policy"}
    for call in calls:
        assert "Retry-After" in call["responses"]["429"]["headers"]
        assert all("RateLimit" in answer["headers"] for answer in call["responses"].values())


def test_a_limit_that_is_no_number_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="API_RATE_PER_MINUTE"):
        settings_in(tmp_path, API_RATE_PER_MINUTE="many")
