"""Idempotency-Key: a program that got no answer asks again, and what it wants is done once."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from publisher.compose.tables import edition
from publisher.database import Database, metadata
from publisher.editors import calls
from publisher.editors.api_tokens import add_api_token
from publisher.editors.calls import Answered, Begun, Call, Mismatched, Unanswered
from publisher.editors.model import ApiTokenId, Scope
from publisher.editors.tables import api_call
from publisher.wiring import Newsroom
from tests.syndication.newsroom import Ticking
from tests.web.browser import TestClient

PATH = "/api/v1/editions"
WEEKLY = {"slug": "weekly", "kind": "digest", "mailing_list": "readers"}


@pytest.fixture
def keyed(api: TestClient) -> TestClient:
    api.headers["Idempotency-Key"] = str(uuid4())
    return api


def kept(room: Newsroom) -> int:
    with room.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(api_call)) or 0


def test_what_is_asked_twice_is_done_once_and_answered_twice(keyed: TestClient, room: Newsroom) -> None:
    first = keyed.post(PATH, json=WEEKLY)
    second = keyed.post(PATH, json=WEEKLY)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    with room.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(edition)) == 1


def test_an_article_without_an_id_of_its_own_is_handed_in_once(keyed: TestClient) -> None:
    article = {"title": "News", "body": "It has rained."}
    first = keyed.post("/api/v1/articles", json=article)
    second = keyed.post("/api/v1/articles", json=article)

    assert first.json()["id"] == second.json()["id"]
    assert second.headers["Location"] == first.headers["Location"]


def test_a_key_stands_for_one_request(keyed: TestClient) -> None:
    keyed.post(PATH, json=WEEKLY)
    for path, form in ((PATH, WEEKLY | {"slug": "daily"}), ("/api/v1/mailing-lists", WEEKLY)):
        answer = keyed.post(path, json=form)
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "another request" in answer.json()["detail"]


def test_what_was_refused_may_be_mended_with_the_same_key(keyed: TestClient, room: Newsroom) -> None:
    assert keyed.post(PATH, json=WEEKLY | {"accent": "red"}).status_code == 422
    assert kept(room) == 0

    assert keyed.post(PATH, json=WEEKLY).status_code == 201


def test_each_token_has_keys_of_its_own(keyed: TestClient, room: Newsroom) -> None:
    keyed.post(PATH, json=WEEKLY)
    other = add_api_token(room.database, name="other", scopes=set(Scope), clock=room.now)

    answer = keyed.post(PATH, json=WEEKLY | {"slug": "daily"}, headers={"Authorization": f"Bearer {other}"})

    assert (answer.status_code, answer.json()["slug"]) == (201, "daily")


def test_who_has_no_token_learns_nothing_by_a_key(keyed: TestClient, room: Newsroom) -> None:
    keyed.post(PATH, json=WEEKLY)

    answer = keyed.post(PATH, json=WEEKLY, headers={"Authorization": "Bearer pub_wrong"})

    assert answer.status_code == 401
    assert kept(room) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(api: TestClient, key: str) -> None:
    answer = api.post(PATH, json=WEEKLY, headers={"Idempotency-Key": key.encode()})

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_body_that_is_too_long_is_said_to_be_so(keyed: TestClient) -> None:
    answer = keyed.post(PATH, json=WEEKLY | {"footer": "x" * 2_000_000})

    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_of_many_at_once_one_does_it(keyed: TestClient, room: Newsroom) -> None:
    answers: list[int] = []

    def ask() -> None:
        answers.append(keyed.post(PATH, json=WEEKLY).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(20)

    assert len(answers) == 6
    assert 201 in answers
    assert set(answers) <= {201, 409}
    with room.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(edition)) == 1


# --- the calls themselves, on both databases


CALL = Call(token_id=ApiTokenId(1), key="k", request_hash="h")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Database]:
    sqlite = f"sqlite:///{tmp_path}/publisher.db"
    found = Database(sqlite if request.param == "sqlite" else request.getfixturevalue("postgresql_url"))
    metadata.create_all(found.engine)
    add_api_token(found, name="CMS", scopes=set(Scope), clock=Ticking())
    yield found
    found.close()


def test_a_call_stands_where_it_stands(database: Database) -> None:
    """Whoever was killed in the middle leaves it open: it is never done a second time by itself."""
    clock = Ticking()
    assert calls.begin(database, CALL, clock=clock) == Begun()
    assert calls.begin(database, CALL, clock=clock) == Unanswered(is_lost=False)
    other = Call(token_id=CALL.token_id, key="k", request_hash="other")
    assert calls.begin(database, other, clock=clock) == Mismatched()
    clock.pass_by(calls.LONGEST + timedelta(seconds=1))
    assert calls.begin(database, CALL, clock=clock) == Unanswered(is_lost=True)
    answered = Answered(status=201, headers={"location": "/x"}, body=b"\x00{}")
    calls.answer(database, CALL, answered)
    assert calls.begin(database, CALL, clock=clock) == answered
    clock.pass_by(calls.KEPT_FOR)
    assert calls.begin(database, CALL, clock=clock) == Begun()
    calls.forget(database, CALL)
    assert calls.begin(database, CALL, clock=clock) == Begun()
