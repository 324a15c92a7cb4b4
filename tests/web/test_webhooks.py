"""POST /webhooks/sendgrid over the whole application."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.database import metadata
from publisher.events.tables import delivery_event
from publisher.pulse import client
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.events.sendgrid import PUBLIC_KEY, an_event, body_of, signed
from tests.web.browser import TestClient
from tests.web.conftest import a_browser

WAY = "/webhooks/sendgrid"


@pytest.fixture
def told(tmp_path: Path, redis_url: str) -> Iterator[Newsroom]:
    """A newsroom that knows SendGrid's public key."""
    redis = client(redis_url)
    redis.flushdb()
    redis.close()
    found = Newsroom(settings_in(tmp_path, REDIS_URL=redis_url, SENDGRID_WEBHOOK_KEY=PUBLIC_KEY))
    metadata.create_all(found.database.engine)
    yield found
    found.database.close()


@pytest.fixture
def sendgrid(told: Newsroom) -> Iterator[TestClient]:
    with a_browser(told) as browser:
        yield browser


def count(room: Newsroom) -> int:
    with room.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(delivery_event)) or 0


def test_what_is_thanked_for_stands_in_the_database(sendgrid: TestClient, told: Newsroom, redis_url: str) -> None:
    body = body_of(*(an_event(publisher_seq=str(seq)) for seq in range(1, 257)))

    answers = [sendgrid.post(WAY, content=body, headers=signed(body)).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert count(told) == 256, "each once, however often it is told"
    redis = client(redis_url)
    assert redis.llen("events") == 2, "and a worker was told to look"
    redis.close()


def test_what_nobody_has_signed_is_refused(sendgrid: TestClient, told: Newsroom) -> None:
    body = body_of(an_event())

    unsigned = sendgrid.post(WAY, content=body)
    forged = sendgrid.post(WAY, content=body, headers=signed(b"[]"))

    assert (unsigned.status_code, forged.status_code) == (403, 403)
    assert count(told) == 0


def test_without_a_key_they_are_asked_to_come_again(web: TestClient) -> None:
    """A provider tries again for a day after 503, so nothing is lost while the key is being set."""
    body = body_of(an_event())

    assert web.post(WAY, content=body, headers=signed(body)).status_code == 503


def test_three_megabytes_are_taken_and_no_more(sendgrid: TestClient, told: Newsroom) -> None:
    body = body_of(an_event(useragent="x" * 2_900_000))
    large = body_of(an_event(useragent="x" * 3_200_000))

    assert sendgrid.post(WAY, content=body, headers=signed(body)).status_code == 204
    assert sendgrid.post(WAY, content=large, headers=signed(large)).status_code == 413
    assert count(told) == 1


def test_what_is_signed_and_no_array_is_an_error(sendgrid: TestClient) -> None:
    assert sendgrid.post(WAY, content=b"{}", headers=signed(b"{}")).status_code == 422


def test_there_is_nothing_else_to_see(sendgrid: TestClient) -> None:
    assert sendgrid.get(WAY).status_code == 405
    assert sendgrid.post("/webhooks/nobody").status_code == 404


def test_a_database_that_is_away_is_no_reason_to_thank(sendgrid: TestClient, told: Newsroom) -> None:
    with told.database.transaction() as connection:
        connection.execute(sa.text("DROP TABLE delivery_event"))
    body = body_of(an_event())

    assert sendgrid.post(WAY, content=body, headers=signed(body)).status_code >= 500
