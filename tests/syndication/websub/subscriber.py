"""A feed reader's server: it confirms subscriptions, takes what is pushed, and keeps all of it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

STOP_WITHIN_S = 10


@dataclass(frozen=True, kw_only=True)
class Received:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    at: float
    """On the monotonic clock."""


@dataclass(kw_only=True)
class Subscriber:
    """What the server does, which a test may change, and what it got."""

    url: str
    agrees: bool = True
    status: int = 200
    delay_s: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    """Sent along with the answer to what is handed over."""
    asked: list[dict[str, str]] = field(default_factory=list)
    got: list[Received] = field(default_factory=list)

    def callback(self, name: str = "callback") -> str:
        return f"{self.url}/{name}"

    def wait_for(self, number: int, within_s: float = 10) -> list[Received]:
        until = time.monotonic() + within_s
        while len(self.got) < number and time.monotonic() < until:
            time.sleep(0.005)
        assert len(self.got) >= number
        return self.got


@contextmanager
def listening() -> Iterator[Subscriber]:
    """Start the server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = dict(parse_qsl(urlsplit(self.path).query))
            subscriber.asked.append(query)
            time.sleep(subscriber.delay_s)
            self._answer(200 if subscriber.agrees else 404, query.get("hub.challenge", "").encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            subscriber.got.append(Received(path=self.path, headers=headers, body=body, at=time.monotonic()))
            time.sleep(subscriber.delay_s)
            self._answer(subscriber.status, b"", subscriber.headers)

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_values: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_values: object) -> None:
            """Who asked is gone, as after kill -9."""

    server = Server(("127.0.0.1", 0), Handler)
    subscriber = Subscriber(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield subscriber
    server.shutdown()
    server.server_close()
    thread.join(STOP_WITHIN_S)
