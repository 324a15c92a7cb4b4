"""A newsroom with the hard articles, served on a real port, that remembers what it answered."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from publisher.archive import store as archive
from publisher.archive.model import Article
from publisher.markup import text_of
from publisher.syndication import discovery
from publisher.syndication.model import FeedKind, Site
from publisher.syndication.serve import FeedServer
from tests.builders import DOMAIN
from tests.syndication.newsroom import House, no_other_page, open_house

STOP_WITHIN_S = 10


@dataclass(frozen=True, kw_only=True)
class Press:
    """The newsroom, its address, and every answer it gave: path and status."""

    house: House
    url: str
    answers: list[tuple[str, int]]

    def statuses(self, path: str) -> list[int]:
        return [status for asked, status in self.answers if asked == path]

    def articles(self, kind: FeedKind = FeedKind.ALL, slug: str = "") -> list[Article]:
        """Return what a feed is to show, newest first."""
        names = {FeedKind.TOPIC: "topic_slug", FeedKind.AUTHOR: "author_slug", FeedKind.LANGUAGE: "language"}
        wanted: Mapping[str, Any] = {names[kind]: slug} if slug else {}
        with self.house.database.reading() as connection:
            leads = archive.listed(connection, at_most=100, **wanted)
            return list(archive.articles(connection, [lead.id for lead in leads]).values())

    def feeds(self) -> dict[str, list[Article]]:
        """Return every feed of articles that is offered, by its path without the format, with what it is to show."""
        with self.house.database.reading() as connection:
            keys = [offer.key for offer in discovery.offers(connection, self.house.site)]
        return {key.path: self.articles(key.kind, key.slug) for key in keys if key.kind is not FeedKind.GUIDE}


@contextmanager
def open_press(database_url: str) -> Iterator[Press]:
    """Serve a newsroom's feeds from a thread of this process."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with open_house(database_url, site=Site(base_url=url, site_name="News Example", domain=DOMAIN)) as house:
            answers: list[tuple[str, int]] = []
            server = FeedServer(no_other_page, house.database, house.site, clock=house.clock, look_every_s=0)
            with running(_recording(server, answers), listening):
                yield Press(house=house, url=url, answers=answers)
            server.close()


def shown(markup: str) -> str:
    """Return what a person reads of HTML, without any space: readers break lines where they like."""
    return "".join(text_of(markup).split())


def whole_text(article: Article) -> str:
    """Return all that a person is to read of an article, as `shown` gives it."""
    parts = (f"{section.heading} {text_of(section.html)}" for section in article.all_sections)
    return "".join("".join(parts).split())


def _recording(server: FeedServer, answers: list[tuple[str, int]]) -> Any:
    async def recorded(scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.start":
                answers.append((scope["path"], message["status"]))
            await send(message)

        await server(scope, receive, noted)

    return recorded


@contextmanager
def running(app: Any, listening: socket.socket, **options: Any) -> Iterator[None]:
    """Run uvicorn in a thread, with a socket that listens already."""
    usual: dict[str, Any] = {"loop": "uvloop", "http": "httptools", "lifespan": "off", "log_level": "error"}
    config = uvicorn.Config(app, access_log=False, **usual | options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield
    server.should_exit = True
    thread.join(STOP_WITHIN_S)
    assert not thread.is_alive()
