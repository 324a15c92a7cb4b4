"""A newsroom with its feeds, and a reader's program that asks for them, without a network between."""

import asyncio
import gzip
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import brotli
import sqlalchemy as sa

from publisher.archive import flow as archive
from publisher.archive import search
from publisher.archive.model import ArticleId
from publisher.archive.tables import article
from publisher.audience import tables as audience_tables
from publisher.database import Database, metadata
from publisher.intake.model import Draft
from publisher.related.flow import relate_due
from publisher.syndication.flow import syndicate_due
from publisher.syndication.model import Site
from publisher.syndication.serve import FeedServer
from tests.builders import DOMAIN, TUESDAY, a_draft, handed_in

assert search.SQLITE
assert audience_tables.mailing_list is not None
SITE = Site(base_url="https://news.example", site_name="News Example", domain=DOMAIN, hubs=("https://hub.example/",))
ATOM = "{http://www.w3.org/2005/Atom}"


class Ticking:
    """A clock that a test sets; it moves by a millisecond whenever it is looked at."""

    def __init__(self, now: datetime = TUESDAY) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    def pass_by(self, time: timedelta) -> None:
        self.now += time

    def pause(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def data(self) -> bytes:
        """The body as the reader sees it."""
        match self.headers.get("content-encoding"):
            case "gzip":
                return gzip.decompress(self.body)
            case "br":
                unpacked: bytes = brotli.decompress(self.body)
                return unpacked
        return self.body

    @property
    def titles(self) -> list[str]:
        """The titles of an Atom document's entries."""
        return [entry.findtext(f"{ATOM}title", "") for entry in self.entries]

    @property
    def entries(self) -> list[ET.Element]:
        return ET.fromstring(self.data).findall(f"{ATOM}entry")

    def link(self, rel: str) -> str | None:
        found = ET.fromstring(self.data).findall(f"{ATOM}link")
        return next((link.get("href") for link in found if link.get("rel") == rel), None)


class Reader:
    """A web process, and a program that reads from it: one loop, no socket."""

    def __init__(self, database: Database, clock: Ticking, *, site: Site = SITE, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.server = FeedServer(no_other_page, database, site, clock=clock, look_every_s=0, **options)

    def get(
        self,
        path: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        address: str = "203.0.113.9",
        query: str = "",
        body: bytes = b"",
    ) -> Answer:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path.removeprefix(SITE.base_url),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": (address, 1234),
        }
        self._runner.run(_called(self.server, scope, receive, send))
        start, *bodies = messages
        found = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(status=start["status"], headers=found, body=b"".join(each["body"] for each in bodies))

    def close(self) -> None:
        self.server.close()
        self._runner.close()


@dataclass(frozen=True, kw_only=True)
class House:
    """An archive, its feeds and a web process."""

    database: Database
    clock: Ticking
    reader: Reader
    site: Site = SITE

    def publish(self, *drafts: Draft) -> list[ArticleId]:
        """Hand in, accept, relate, syndicate."""
        ids = self.hand_in(*drafts)
        self.catch_up()
        return ids

    def hand_in(self, *drafts: Draft) -> list[ArticleId]:
        return [each.article_id for each in handed_in(self.database, drafts, clock=self.clock)]

    def articles(self, *titles: str, **values: Any) -> list[ArticleId]:
        """Publish articles, each a minute after the other."""
        ids = []
        for title in titles:
            self.clock.pass_by(timedelta(minutes=1))
            ids += self.hand_in(a_draft(title=title, external_id=title, **values))
        self.catch_up()
        return ids

    def withdraw(self, *ids: ArticleId) -> None:
        for each in ids:
            archive.withdraw(self.database, each, clock=self.clock)
        self.catch_up()

    def catch_up(self) -> None:
        relate_due(self.database, self.clock)
        self.syndicate()

    def syndicate(self) -> bool:
        return syndicate_due(self.database, self.site, clock=self.clock, pause=self.clock.pause)

    def rows(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.database.reading() as connection:
            return connection.execute(statement).all()

    def uri(self, article_id: ArticleId) -> str:
        return str(self.rows(sa.select(article.c.uri).where(article.c.id == article_id))[0].uri)


@contextmanager
def open_house(url: str, *, site: Site = SITE, **options: Any) -> Iterator[House]:
    database, clock = Database(url), Ticking()
    metadata.create_all(database.engine)
    reader = Reader(database, clock, site=site, **options)
    yield House(database=database, clock=clock, reader=reader, site=site)
    reader.close()
    database.close()


def walked(reader: Reader, path: str) -> list[str]:
    """Return the ids of all entries from a subscription document back to its first archive."""
    found: list[str] = []
    next_path: str | None = path
    while next_path:
        answer = reader.get(next_path)
        assert answer.status == 200
        found += [entry.findtext(f"{ATOM}id", "") for entry in answer.entries]
        next_path = answer.link("prev-archive")
    return found


async def _called(server: FeedServer, scope: dict[str, Any], receive: Any, send: Any) -> None:
    await server(scope, receive, send)


async def no_other_page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"another page"})
