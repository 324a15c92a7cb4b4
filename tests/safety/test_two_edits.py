"""Two programs that change what both have seen: one is told to look again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.intake.flow import HandIn, hand_in
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.conftest import a_browser, a_newsroom

AT_ONCE = 6


@pytest.fixture(params=["sqlite", "postgresql"])
def room(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Newsroom]:
    """A newsroom on either database."""
    variables = {}
    if request.param == "postgresql":
        variables["DATABASE_URL"] = str(request.getfixturevalue("postgresql_url"))
    found = a_newsroom(tmp_path, redis_url, **variables)
    yield found
    found.database.close()


@pytest.fixture
def program(room: Newsroom) -> Iterator[TestClient]:
    token = add_api_token(room.database, name="tests", scopes=set(Scope), clock=room.now)
    with a_browser(room) as web:
        web.headers["Authorization"] = f"Bearer {token}"
        yield web


def test_of_edits_at_the_same_instant_one_passes(room: Newsroom, program: TestClient) -> None:
    """Else an editor's correction is lost without anybody being told."""
    path = f"/api/v1/articles/{handed_in(room.database, [a_draft()], clock=room.now)[0].article_id}"
    seen, start = program.get(path).headers["ETag"], Barrier(AT_ONCE)

    def edit(number: int) -> int:
        start.wait()
        body = {"title": f"Title {number}", "body": "Text."}
        return int(program.put(path, json=body, headers={"If-Match": seen}).status_code)

    with ThreadPoolExecutor(AT_ONCE) as editors:
        statuses = sorted(editors.map(edit, range(AT_ONCE)))

    assert statuses == [200, *[412] * (AT_ONCE - 1)]
    assert program.get(path).json()["revision"] == 2


def test_an_edit_that_still_waits_counts(room: Newsroom, program: TestClient) -> None:
    """What was handed in is safe, and will be the article: whoever has not seen it has not seen the article."""
    first = a_draft(external_id="7")
    path = f"/api/v1/articles/{handed_in(room.database, [first], clock=room.now)[0].article_id}"
    seen = program.get(path).headers["ETag"]
    hand_in(room.database, [HandIn(draft=a_draft(external_id="7", title="Corrected"))], origin="api", clock=room.now)

    answer = program.put(path, json={"title": "Other", "body": "Text."}, headers={"If-Match": seen})

    assert answer.status_code == 412
    assert program.get(path).headers["ETag"] == seen, "the archive takes what waits in its own time"
