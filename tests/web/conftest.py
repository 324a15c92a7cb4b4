from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import subscriber_with_email, subscriptions_of
from publisher.audience.tokens import Purpose
from publisher.database import metadata
from publisher.editors.flow import add_api_token
from publisher.editors.model import Scope
from publisher.migrations import all_tables
from publisher.pulse import client
from publisher.web.app import make_app
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.browser import TestClient
from tests.web.pages import Links

assert all_tables
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def room(tmp_path: Path, redis_url: str) -> Iterator[Newsroom]:
    """A newsroom with the mailing list `readers`, on a real database and a real Redis."""
    redis = client(redis_url)
    redis.flushdb()
    redis.close()
    found = Newsroom(settings_in(tmp_path, REDIS_URL=redis_url, SITE_NAME="Korea & Us"))
    metadata.create_all(found.database.engine)
    audience.add_mailing_list(found.database, slug="readers", name="Readers", clock=found.now)
    yield found
    found.database.close()


@pytest.fixture
def web(room: Newsroom) -> Iterator[TestClient]:
    """A browser at the site."""
    with TestClient(
        make_app(lambda: room), base_url=BASE_URL, follow_redirects=False, client=("203.0.113.7", 50_000)
    ) as browser:
        yield browser


@pytest.fixture
def api(room: Newsroom, web: TestClient) -> TestClient:
    """A program with a token for everything."""
    token = add_api_token(room.database, name="tests", scopes=set(Scope), clock=room.now)
    web.headers["Authorization"] = f"Bearer {token}"
    return web


@pytest.fixture
def links(room: Newsroom) -> Links:
    """The links that stand in the mails to one confirmed reader of `readers`."""
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    reader_id = audience.add_subscriber(
        room.database, email="reader@readers.example", lists=["readers"], yes=yes, clock=room.now
    )
    with room.database.reading() as connection:
        (subscription,) = subscriptions_of(connection, [reader_id])[reader_id]
        assert subscriber_with_email(connection, "reader@readers.example")
    return Links(
        unsubscribe=f"/unsubscribe/{room.signer.sign(Purpose.UNSUBSCRIBE, subscription.id)}",
        preferences=f"/preferences/{room.signer.sign(Purpose.PREFERENCES, reader_id)}",
    )
