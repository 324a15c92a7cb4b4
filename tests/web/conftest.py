import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import subscriber_with_email, subscriptions_of
from publisher.audience.tokens import Purpose
from publisher.database import metadata
from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.migrations import all_tables
from publisher.pulse import client
from publisher.web.app import make_app
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.chromium import AbsentError, running_chromium
from tests.web.browser import TestClient
from tests.web.pages import Links, fill

assert all_tables
BASE_URL = "http://127.0.0.1:8000"


def a_newsroom(folder: Path, redis_url: str, **variables: str) -> Newsroom:
    """A newsroom with the mailing list `readers`, on a real database and a real Redis."""
    found = Newsroom(settings_in(folder, REDIS_URL=redis_url, SITE_NAME="Korea & Us", **variables))
    metadata.create_all(found.database.engine)
    audience.add_mailing_list(found.database, slug="readers", name="Readers", clock=found.now)
    return found


def a_browser(room: Newsroom) -> TestClient:
    app = make_app(lambda: room)
    return TestClient(app, base_url=BASE_URL, follow_redirects=False, client=("203.0.113.7", 50_000))


@pytest.fixture
def room(tmp_path: Path, redis_url: str) -> Iterator[Newsroom]:
    """A new newsroom; nobody has asked for anything yet."""
    redis = client(redis_url)
    redis.flushdb()
    redis.close()
    found = a_newsroom(tmp_path, redis_url)
    yield found
    found.database.close()


@pytest.fixture
def web(room: Newsroom) -> Iterator[TestClient]:
    """A browser at the new newsroom's site."""
    with a_browser(room) as browser:
        yield browser


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Newsroom]:
    """A newsroom with everything in it, which the tests of a module share."""
    found = a_newsroom(tmp_path_factory.mktemp("full"), redis_url)
    fill(found)
    yield found
    found.database.close()


@pytest.fixture(scope="module")
def full_web(full: Newsroom) -> Iterator[TestClient]:
    """A browser at its site."""
    with a_browser(full) as browser:
        yield browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, started once for the tests of a module."""
    try:
        with running_chromium() as found:
            yield found
    except AbsentError as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(str(problem))
        pytest.skip(f"{problem}, so this was not tested")


@pytest.fixture
def api(room: Newsroom, web: TestClient) -> TestClient:
    """A program with a token for everything."""
    token = add_api_token(room.database, name="tests", scopes=set(Scope), clock=room.now)
    web.headers["Authorization"] = f"Bearer {token}"
    return web


@pytest.fixture
def links(room: Newsroom) -> Links:
    """The links that stand in the mails to one confirmed reader of `readers`; no id of his is one of another kind's."""
    others = audience.Yes(how=How.CLI)
    audience.add_mailing_list(room.database, slug="others", name="Others", clock=room.now)
    audience.add_subscriber(
        room.database, email="other@readers.example", lists=["readers", "others"], yes=others, clock=room.now
    )
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    reader_id = audience.add_subscriber(
        room.database, email="reader@readers.example", lists=["readers"], yes=yes, clock=room.now
    )
    with room.database.reading() as connection:
        (subscription,) = subscriptions_of(connection, [reader_id])[reader_id]
        assert subscriber_with_email(connection, "reader@readers.example")
    assert int(subscription.id) != int(reader_id)
    return Links(
        unsubscribe=f"/unsubscribe/{room.signer.sign(Purpose.UNSUBSCRIBE, subscription.id)}",
        preferences=f"/preferences/{room.signer.sign(Purpose.PREFERENCES, subscription.id)}",
    )
