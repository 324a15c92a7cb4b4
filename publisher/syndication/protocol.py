import asyncio
from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from publisher.syndication.serve import FeedServer

STATE = "feeds"
"""Under this name the application's lifespan hands its `FeedServer` to the protocol."""

Pairs = Sequence[tuple[bytes, bytes]]


class FeedProtocol(HttpToolsProtocol):
    """
    uvicorn's protocol, with a short cut for feeds that are at hand.

    Most requests to a newsroom are polls of feeds, and of those most end in the bytes that the last one
    got. They are answered here, before uvicorn makes a task of them, which costs four fifths of the
    time. Whatever is not plain, such as a request that came through a proxy, takes the usual way, and
    gets the same answer.
    """

    def on_headers_complete(self) -> None:
        """Answer at once, or let uvicorn begin a request."""
        if not (self.url.startswith(b"/feeds/") and self._is_answered()):
            super().on_headers_complete()

    def _is_answered(self) -> bool:
        feeds: FeedServer | None = self.app_state.get(STATE)
        parser = self.parser
        if feeds is None or self._is_occupied() or parser.get_method() != b"GET":
            return False
        if parser.get_http_version() != "1.1" or not parser.should_keep_alive() or parser.should_upgrade():
            return False
        answer = feeds.at_once(self.url, self.headers, self.client[0] if self.client else "")
        if answer is None:
            return False
        status, *rest = answer
        self.transport.write(b"".join((status, _default_head(self.server_state.default_headers), *rest)))
        self.cycle = _Complete()  # type: ignore[assignment]  # all that is looked at between two requests
        self.on_response_complete()
        return True

    def _is_occupied(self) -> bool:
        """Tell whether an answer is on its way, the reader takes none, or uvicorn has to count who is served."""
        is_busy = self.cycle is not None and not self.cycle.response_complete
        return is_busy or self.flow.write_paused or self.limit_concurrency is not None


class _Complete:
    """Stands where uvicorn keeps the request that it answered last."""

    response_complete = True

    def __init__(self) -> None:
        self.message_event = _NOBODY_WAITS


class _Default:
    """The headers that uvicorn puts before all others, joined; it makes a new list each second."""

    pairs: Any = None
    joined = b""


_NOBODY_WAITS = asyncio.Event()


def _default_head(pairs: Pairs) -> bytes:
    if pairs is not _Default.pairs:
        _Default.joined = b"".join(b"%b: %b\r\n" % pair for pair in pairs)
        _Default.pairs = pairs
    return _Default.joined
