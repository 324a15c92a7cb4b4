from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from publisher.clock import utc_now
from publisher.dispatch import flow
from publisher.dispatch.sending import send_due
from publisher.dispatch.transports.choose import outbox_in
from tests.audience.clocks import SetClock
from tests.dispatch.conftest import certificate
from tests.newsroom import Room, open_room

assert certificate  # a fixture that these tests share


@pytest.fixture
def clock() -> SetClock:
    return SetClock(utc_now())  # PostgreSQL has its own


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    """A newsroom on each database, whose time a test sets."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=clock, BOUNCE_ADDRESS="bounces@news.example") as found:
        yield found


@pytest.fixture
def sent(room: Room) -> Callable[[], int]:
    """Sends one more issue to all readers, and returns its id."""

    def send() -> int:
        issue_id = room.approved_issue()
        flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
        send_due(room.dispatcher(outbox_in(room.settings.data_dir)))
        return issue_id

    return send
