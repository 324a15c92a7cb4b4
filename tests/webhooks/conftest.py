import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import mailing_list_named, subscriber_with_email, subscriptions_of
from publisher.audience.tokens import Purpose, Signer
from publisher.clock import utc_now
from publisher.related.flow import relate_due
from publisher.webhooks import flow, store
from publisher.webhooks.flow import Added, Wanted, tell_due
from publisher.webhooks.gathering import SETTLED
from publisher.webhooks.model import Endpoint, EndpointId, Happening, Webhook
from tests.newsroom import Room, open_room
from tests.syndication.newsroom import Ticking
from tests.syndication.websub.subscriber import Received, Subscriber, listening

SITE = "https://news.example"


@dataclass(frozen=True, kw_only=True)
class House:
    """A newsroom that tells others what happens, and trusts addresses on this machine."""

    room: Room
    clock: Ticking

    def add(self, url: str, *happenings: Happening, **values: Any) -> Added:
        wanted = Wanted(url=url, happenings=happenings or tuple(Happening), **values)
        return flow.add_endpoint(self.room.database, wanted, clock=self.clock, allow_private=True)

    def tell(self, *, settled: bool = True) -> bool:
        """Tell what is due; what is settled after a while is settled now."""
        if settled:
            self.clock.pass_by(SETTLED)
        return tell_due(self.room.database, base_url=SITE, clock=self.clock, allow_private=True, pause=self.clock.pause)

    def articles(self, *titles: str) -> list[int]:
        ids = [int(each) for each in self.room.articles(*titles)]
        relate_due(self.room.database, self.clock)
        return ids

    def endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        with self.room.database.reading() as connection:
            return store.endpoint_of(connection, endpoint_id)

    def webhooks(self, endpoint_id: EndpointId) -> list[Webhook]:
        with self.room.database.reading() as connection:
            return store.webhooks(connection, endpoint_id, at_most=5_000)

    def confirm(self, address: str) -> int:
        """Ask for the mailing list and say yes, as a reader does; return the subscription's id."""
        audience.ask_to_subscribe(self.room.database, email=address, lists=["readers"], clock=self.clock)
        with self.room.database.reading() as connection:
            reader = subscriber_with_email(connection, address)
            assert reader
            assert mailing_list_named(connection, "readers")
            (found,) = subscriptions_of(connection, [reader.id])[reader.id]
        signer = Signer(self.room.settings.secret_key)
        audience.confirm(self.room.database, signer, signer.sign(Purpose.CONFIRM, found.id), clock=self.clock)
        return int(found.id)

    def add_reader(self, address: str) -> None:
        yes = audience.Yes(how=How.CLI)
        audience.add_subscriber(self.room.database, email=address, lists=["readers"], yes=yes, clock=self.clock)


def told(received: Sequence[Received]) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in received]


@contextmanager
def open_house(folder: Path, url: str = "") -> Iterator[House]:
    clock = Ticking(utc_now() - timedelta(days=30))
    with open_room(folder, database_url=url, clock=clock) as room:
        yield House(room=room, clock=clock)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either_house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with open_house(tmp_path, url) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Subscriber]:
    with listening() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Subscriber]:
    with listening() as found:
        yield found
