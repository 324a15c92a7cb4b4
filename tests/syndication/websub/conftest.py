from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from publisher.syndication.websub.flow import push_due
from tests.syndication.newsroom import SITE, Answer, House, open_house
from tests.syndication.websub.subscriber import Subscriber, listening

HUB = f"{SITE.base_url}/hub"
WITH_HUB = replace(SITE, hubs=(HUB,))
ALL = f"{SITE.base_url}/feeds/all.atom"


class Hub:
    """A newsroom with a hub of its own, which trusts addresses on this machine."""

    def __init__(self, house: House) -> None:
        self.house = house

    def ask(self, callback: str, topic: str = ALL, mode: str = "subscribe", **fields: str) -> Answer:
        named = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
        form = urlencode(named | {f"hub.{name}": value for name, value in fields.items()})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.house.reader.get("/hub", headers, method="POST", body=form.encode())

    def subscribe(self, callback: str, topic: str = ALL, **fields: str) -> None:
        assert self.ask(callback, topic, **fields).status == 202
        self.push()

    def push(self) -> bool:
        house = self.house
        return push_due(house.database, house.site, clock=house.clock, allow_private=True, pause=house.clock.pause)


def _open(url: str) -> Iterator[Hub]:
    with open_house(url, site=WITH_HUB, allow_private=True) as house:
        yield Hub(house)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    yield from _open(f"sqlite:///{tmp_path / 'publisher.db'}")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either_hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hub]:
    url = f"sqlite:///{tmp_path / 'publisher.db'}"
    yield from _open(url if request.param == "sqlite" else request.getfixturevalue("postgresql_url"))


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    with listening() as subscriber:
        yield subscriber


@pytest.fixture
def other() -> Iterator[Subscriber]:
    with listening() as subscriber:
        yield subscriber
