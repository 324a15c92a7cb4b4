"""The short cut for feeds at hand gives the answers of the usual way, byte for byte, and disturbs nothing else."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from publisher.syndication.limit import Limit
from publisher.syndication.protocol import STATE, FeedProtocol
from publisher.syndication.serve import FeedServer
from tests.syndication.newsroom import SITE, House, no_other_page
from tests.syndication.readers.press import running

HOST = b"Host: news.example\r\n"
GZIP = b"Accept-Encoding: gzip\r\n"
END_WITHIN_S = 5


@dataclass(frozen=True, kw_only=True)
class Port:
    """A web process, and the paths that went through ASGI."""

    number: int
    asked: list[str]

    def send(self, *requests: bytes, pause_s: float = 0.01) -> bytes:
        """Send requests over one connection, then a last one that closes it, and return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.number), timeout=END_WITHIN_S) as connection:
            for request in requests:
                connection.sendall(request)
                time.sleep(pause_s)
            with suppress(ConnectionError):
                connection.sendall(LAST)
            return b"".join(_received(connection))


def get(path: str, *lines: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    return b"%b %b %b\r\n%b%b\r\n" % (method, path.encode(), version, HOST, b"".join(lines))


LAST = get("/the/last", b"Connection: close\r\n")


def _received(connection: socket.socket) -> Iterator[bytes]:
    with suppress(ConnectionError):
        yield from iter(lambda: connection.recv(65_536), b"")


@pytest.fixture
def ports(house: House) -> Iterator[dict[str, Port]]:
    """Two web processes on the same newsroom: one with the short cut, one without."""
    house.articles("One", "Two")
    with ExitStack() as stack:
        found = {}
        for name, protocol in (("short", FeedProtocol), ("usual", "httptools")):
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            limit = Limit(burst=4, per_second=0.001)
            server = FeedServer(no_other_page, house.database, SITE, clock=house.clock, limit=limit, look_every_s=60)
            stack.callback(server.close)
            asked: list[str] = []
            app = with_state(server, asked)
            stack.enter_context(running(app, listening, http=protocol, lifespan="on"))
            found[name] = Port(number=listening.getsockname()[1], asked=asked)
        yield found


def with_state(server: FeedServer, asked: list[str]) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"][STATE] = server
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        asked.append(scope["path"])
        await server(scope, receive, send)

    return app


def both(ports: dict[str, Port], *requests: bytes) -> bytes:
    """Send the same to both, once to have the documents at hand and once more, and return the answer they agree on."""
    for port in ports.values():
        port.send(*requests)
    answers = [re.sub(rb"date: [^\r]*\r\n", b"", port.send(*requests)) for port in ports.values()]
    assert answers[0] == answers[1]
    return answers[0]


def etag(ports: dict[str, Port]) -> bytes:
    found = re.search(rb"etag: ([^\r]*)", ports["usual"].send(get("/feeds/all.atom", GZIP)))
    assert found
    return found[1]


def test_a_feed_at_hand_is_answered_before_uvicorn_makes_a_task_of_it(ports: dict[str, Port]) -> None:
    answer = both(ports, get("/feeds/all.atom", GZIP))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert ports["short"].asked.count("/feeds/all.atom") == 1
    assert ports["usual"].asked.count("/feeds/all.atom") == 2


@pytest.mark.parametrize("line", [b"If-None-Match: %b\r\n", b"If-None-Match: W/%b\r\n", b'If-None-Match: "x", %b\r\n'])
def test_a_poll_for_nothing_new_is_a_304_by_either_way(ports: dict[str, Port], line: bytes) -> None:
    condition = line % etag(ports)

    answer = both(ports, get("/feeds/all.atom", GZIP, condition))

    assert answer.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b"\r\n\r\nHTTP/1.1 418" in answer


@pytest.mark.parametrize(
    "requests",
    [
        (get("/feeds/all.atom"),),
        (get("/feeds/all.json", b"Accept-Encoding: br\r\n"),),
        (get("/feeds/all.atom", GZIP, method=b"HEAD"),),
        (get("/feeds/all.atom", GZIP, b"Connection: close\r\n"),),
        (get("/feeds/all.atom", GZIP, version=b"HTTP/1.0"),),
        (get("/feeds/all.atom?utm_source=x", GZIP),),
        (get("/feeds/all%2Eatom", GZIP),),
        (get("/feeds/all.atom", b"Content-Length: 4\r\n") + b"body",),
        (get("/feeds/all.atom", b"Content-Length: 4\r\n", method=b"POST") + b"body",),
        (get("/feeds/all.atom", b"Expect: 100-continue\r\n"),),
        (get("/feeds/all.atom", b"Upgrade: h2c\r\n", b"Connection: Upgrade\r\n"),),
        (get("/feeds/nothing.atom"),),
        (get("/another/page"),),
        (get("/feeds/all.atom", GZIP) + get("/feeds/all.rss") + get("/another/page") + get("/feeds/all.atom"),),
        (get("/another/page"), get("/feeds/all.atom", GZIP), get("/another/page"), get("/feeds/all.atom")),
        (get("/feeds/all.atom")[:20], get("/feeds/all.atom")[20:]),
        (b"GARBAGE\r\n\r\n",),
    ],
)
def test_both_ways_give_the_same_answer(ports: dict[str, Port], requests: Sequence[bytes]) -> None:
    answer = both(ports, *requests)

    assert answer.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))


def test_many_requests_at_once_are_answered_in_their_order(ports: dict[str, Port]) -> None:
    wanted = ["/feeds/all.atom", "/another/page", "/feeds/all.json", "/feeds/all.rss"] * 25

    answer = both(ports, b"".join(get(path) for path in wanted))

    marks = re.findall(rb"<feed |<rss |jsonfeed.org/version/1.1|another page", answer)[:-1]
    kinds = {b"<feed ": "/feeds/all.atom", b"<rss ": "/feeds/all.rss", b"another page": "/another/page"}
    assert [kinds.get(mark, "/feeds/all.json") for mark in marks] == wanted


def test_readers_behind_a_proxy_are_still_told_apart(ports: dict[str, Port]) -> None:
    """Their address stands in a header, which uvicorn reads for us in the usual way."""
    request = get("/feeds/all.atom", b"X-Forwarded-For: 198.51.100.7\r\n")

    answers = [ports["short"].send(request)[:12] for _ in range(6)]

    assert answers == [b"HTTP/1.1 200"] * 4 + [b"HTTP/1.1 429"] * 2


def test_a_reader_that_reads_slowly_gets_every_answer(ports: dict[str, Port]) -> None:
    """It asks three thousand times before it reads the first byte."""
    number = 3_000
    with socket.create_connection(("127.0.0.1", ports["short"].number), timeout=END_WITHIN_S) as connection:
        asking = threading.Thread(target=connection.sendall, args=(get("/feeds/all.atom") * number + LAST,))
        asking.start()
        time.sleep(0.3)
        answer = b"".join(_received(connection))
        asking.join(END_WITHIN_S)

    assert answer.count(b"HTTP/1.1 200 OK") == number
    assert answer.count(b"</feed>") == number
