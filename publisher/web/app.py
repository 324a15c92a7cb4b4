"""The ASGI application: `uvicorn publisher.web.app:app`."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from publisher import logs
from publisher.bell import Job
from publisher.syndication.protocol import STATE
from publisher.syndication.serve import FeedServer
from publisher.web.allowance import Allowance
from publisher.web.api.application import make_api
from publisher.web.api.keys import with_keys
from publisher.web.api.rate import with_rate
from publisher.web.desk.live import Live, close_before_stop
from publisher.web.desk.standing import Paces, look
from publisher.web.layers import HEADERS, TWO_YEARS, quiet_once_answered, with_headers, with_heads, with_limits
from publisher.web.shelf import Shelf
from publisher.web.site import make_site
from publisher.web.webhooks import make_webhooks
from publisher.wiring import Newsroom, newsroom

KIB = 1024
MIB = 1024 * KIB
MOST_BYTES = {
    "/api/v1/articles": 5 * MIB,
    "/api/v1/article-imports": 12 * MIB,
    "/api/v1/subscriber-imports": 12 * MIB,
    "/api/": MIB,
    "/desk": 12 * MIB,
    "/webhooks/": 3 * MIB,
}
"""The longest body by the beginning of the path; the first that fits counts."""
MOST_BYTES_ELSEWHERE = 64 * KIB
SECRETIVE = ("/desk", "/preferences", "/confirm", "/unsubscribe", "/l/", "/o/", "/calendar/")
"""Pages with a secret in them are never compressed: what a reader can put beside it would tell it (BREACH)."""


def make_app(open_room: Callable[[], Newsroom]) -> ASGIApp:
    """Return the application; the newsroom is opened when the server starts."""
    return _Front(open_room)


class _Front:
    """Every request's way in: feeds by the shortest path, programs to the API, people to the site."""

    def __init__(self, open_room: Callable[[], Newsroom]) -> None:
        self._open_room = open_room
        self._api = make_api()
        self._webhooks = make_webhooks()
        self._site = make_site(self._lifespan)
        self._ways: dict[str, ASGIApp] = {}
        self._feeds: FeedServer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._site(scope, receive, send)
        elif scope["type"] == "http" and self._feeds:
            await self._feeds(scope, receive, send)  # type: ignore[arg-type]  # feeds send what is never changed

    async def _behind_feeds(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ways[_way(scope["path"])](scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _site: FastAPI) -> AsyncIterator[dict[str, object]]:
        room = self._open_room()
        for each in (self._site, self._api, self._webhooks):
            each.state.room = room
            each.state.shelf = Shelf()
            each.state.allowance = Allowance(room.settings.redis_url, room.settings.secret_key)
        live = Live(partial(look, room, Paces()))
        self._site.state.live = live
        close_before_stop(live)
        headers = HEADERS | ({"Strict-Transport-Security": TWO_YEARS} if _is_https(room) else {})
        keyed = with_keys(self._api, lambda: room)
        self._ways = {
            "api": _layered(with_rate(keyed, self._api.state.allowance, room.settings.api_rate_per_minute), headers),
            "webhooks": _layered(self._webhooks, headers),
            "secretive": _layered(self._site, headers),
            "site": _layered(GZipMiddleware(self._site, minimum_size=KIB, compresslevel=5), headers),
        }
        self._feeds = FeedServer(
            self._behind_feeds,
            room.database,
            room.site,
            clock=room.now,
            allow_private=room.settings.allow_private_fetch,
            rung=lambda: room.bell.ring(Job.PUSH),
        )
        yield {STATE: self._feeds}
        live.close()
        self._feeds.close()
        room.database.close()


def _way(path: str) -> str:
    if path in {"/api", "/metrics"} or path.startswith("/api/"):
        return "api"
    if path.startswith("/webhooks/"):
        return "webhooks"
    return "secretive" if path.startswith(SECRETIVE) else "site"


def _layered(app: ASGIApp, headers: dict[str, str]) -> ASGIApp:
    return with_heads(with_headers(quiet_once_answered(with_limits(app, _most_bytes)), headers))


def _most_bytes(path: str) -> int:
    return next((most for start, most in MOST_BYTES.items() if path.startswith(start)), MOST_BYTES_ELSEWHERE)


def _is_https(room: Newsroom) -> bool:
    return room.settings.base_url.startswith("https:")


def _open() -> Newsroom:
    logs.set_up()
    return newsroom()


app = make_app(_open)
