from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from publisher.clock import Clock, utc_now
from publisher.database import Database
from publisher.errors import DatabaseBusyError
from publisher.syndication.conditions import is_fresh
from publisher.syndication.document import TTL_MINUTES
from publisher.syndication.encodings import Encoding, chosen
from publisher.syndication.limit import MAKING_COSTS, Limit
from publisher.syndication.making import Absence, Moved
from publisher.syndication.model import MADE_WHEN_ASKED, FeedAddress, FeedKind, Site, address_of
from publisher.syndication.pages import page_at
from publisher.syndication.responses import NO_BODY, PREFLIGHT, Message, body_of, sentence
from publisher.syndication.shelf import BYTES_AT_MOST
from publisher.syndication.supply import LOOK_EVERY_S, Ready, Supply
from publisher.syndication.websub.model import HUB_PATH
from publisher.syndication.websub.serve import Hub
from publisher.syndication.websub.store import own_hub

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Answer = tuple[Message, Message]
Pairs = Iterable[tuple[bytes, bytes]]

FORWARDED = {b"x-forwarded-for", b"forwarded"}
OK = b"HTTP/1.1 200 OK\r\n"
NOT_MODIFIED = b"HTTP/1.1 304 Not Modified\r\n"
END_OF_HEAD = b"\r\n"
SUFFIXES = (".atom", ".rss", ".json")
RETRY_AFTER_S = b"5"
KEEP_A_WHILE = (b"cache-control", f"public, max-age={TTL_MINUTES * 60}".encode())
KEEP_NOT = (b"cache-control", b"no-store")

UNKNOWN = sentence(404, "There is no such feed.", KEEP_NOT)
NO_QUERY = sentence(400, "A search feed needs words to look for: /feeds/search.atom?q=words", KEEP_NOT)
ENDED = sentence(410, "This feed has ended.", KEEP_A_WHILE)


class FeedServer:
    """
    Serves feeds, the list of them, sitemaps and robots.txt, ahead of an application that has the other pages.

    An ASGI callable of its own, for most requests need three headers, two look-ups and no framework.
    """

    def __init__(
        self,
        behind: App,
        database: Database,
        site: Site,
        *,
        clock: Clock = utc_now,
        limit: Limit | None = None,
        bytes_at_most: int = BYTES_AT_MOST,
        look_every_s: float = LOOK_EVERY_S,
        allow_private: bool = False,
        rung: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Put the parts together.

        Args:
            behind: Has all other pages.
            database: Read on the spot, or in threads of our own.
            site: The house.
            clock: Tells the time.
            limit: How many requests one address may make.
            bytes_at_most: Of bodies in memory.
            look_every_s: How often the database is asked whether a document has changed.
            allow_private: Whether the hub takes callbacks on private addresses.
            rung: Called when the hub has work for `push_due`.

        """
        self._behind = behind
        self._base_url = site.base_url
        self._supply = Supply(database, site, clock=clock, bytes_at_most=bytes_at_most, look_every_s=look_every_s)
        self._limit = limit or Limit()
        is_hub = own_hub(site) in site.hubs
        self._hub = Hub(database, site, clock=clock, allow_private=allow_private, rung=rung) if is_hub else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        if is_served(scope["path"]):
            start, body = await self._answer(scope)
        elif scope["path"] == HUB_PATH and self._hub:
            start, body = await self._asked_hub(scope, receive)
        else:
            await self._behind(scope, receive, send)
            return
        await send(start)
        await send(NO_BODY if scope["method"] == "HEAD" else body)

    def at_once(self, url: bytes, headers: Pairs, who: str) -> tuple[bytes, ...] | None:
        """
        Return the parts of a whole answer, in order, to a GET that needs nothing but what is at hand.

        Args:
            url: As it stands in the request: a path without a query.
            headers: Names in lower case.
            who: The address at the other end.

        Returns:
            None: ask in the usual way. So does a request that came through a proxy, for whom to count it
            against stands in its headers.

        """
        coding, if_none_match, if_modified_since = _asked(headers)
        place = (url.decode("latin-1"), coding)
        sheet = self._supply.at_hand(place)
        if sheet is None or any(name in FORWARDED for name, _ in headers) or self._limit.wait_s(who):
            return None
        if is_fresh(sheet.etag, sheet.modified_s, if_none_match=if_none_match, if_modified_since=if_modified_since):
            return NOT_MODIFIED, sheet.kept, END_OF_HEAD
        body = self._supply.body_now(place, sheet)
        return None if body is None else (OK, sheet.described, sheet.kept, END_OF_HEAD, body)

    def close(self) -> None:
        """Let go of threads and of the database."""
        self._supply.close()

    async def _answer(self, scope: Scope) -> Answer:
        if scope["method"] not in {"GET", "HEAD"}:
            return _other_method(scope["method"])
        who = _who(scope)
        wait_s = self._limit.wait_s(who)
        if wait_s:
            return _too_many(wait_s)
        try:
            return await self._document(scope, who)
        except DatabaseBusyError:
            return sentence(503, "This is being made; try again.", (b"retry-after", RETRY_AFTER_S), KEEP_NOT)

    async def _document(self, scope: Scope, who: str) -> Answer:
        coding, if_none_match, if_modified_since = _asked(scope["headers"])
        place = (scope["path"], coding)
        sheet, body = self._supply.at_hand(place), None
        if sheet is None:
            found = await self._found(scope["path"], scope["query_string"], coding, who)
            if isinstance(found, tuple):
                return found
            sheet, body = found.sheet, found.body
        if is_fresh(sheet.etag, sheet.modified_s, if_none_match=if_none_match, if_modified_since=if_modified_since):
            return sheet.unchanged, NO_BODY
        if body is None and scope["method"] == "GET":
            body = await self._supply.body(place, sheet)
            if body is None:  # it has changed since the last look
                self._supply.forget(place)
                return await self._document(scope, who)
        return sheet.whole, body_of(body or b"")

    async def _asked_hub(self, scope: Scope, receive: Receive) -> Answer:
        assert self._hub
        wait_s = self._limit.wait_s(_who(scope), MAKING_COSTS)
        return _too_many(wait_s) if wait_s else await self._hub.answer(scope["method"], scope["headers"], receive)

    async def _found(self, path: str, query: bytes, coding: Encoding, who: str) -> Ready | Answer:
        page = page_at(path)
        if page:
            return await self._supply.page(path, page, coding) or UNKNOWN
        address = address_of(path, _words(query))
        if address is None:
            return UNKNOWN
        is_search = address.key.kind is FeedKind.SEARCH
        if is_search and not address.key.slug:
            return NO_QUERY
        return await self._feed(address, coding, who) if is_search or address.path == path else self._moved(address)

    async def _feed(self, address: FeedAddress, coding: Encoding, who: str) -> Ready | Answer:
        if address.archive or address.key.kind in MADE_WHEN_ASKED:
            wait_s = self._limit.wait_s(who, MAKING_COSTS)
            if wait_s:
                return _too_many(wait_s)
        found = await self._supply.feed(address, coding)
        if isinstance(found, Moved):
            return self._moved(found.to)
        if isinstance(found, Absence):
            return UNKNOWN if found is Absence.UNKNOWN else ENDED
        return found

    def _moved(self, to: FeedAddress) -> Answer:
        url = f"{self._base_url}{to.path}"
        return sentence(301, f"This feed is at {url}", (b"location", url.encode()), KEEP_A_WHILE)


def is_served(path: str) -> bool:
    """Tell whether a path is ours; the HTML pages about feeds are not."""
    return (path.startswith("/feeds/") and path.endswith(SUFFIXES)) or page_at(path) is not None


def _asked(headers: Pairs) -> tuple[Encoding, str | None, str | None]:
    """Return the coding to answer in, If-None-Match and If-Modified-Since; a header sent in lines is one list."""
    coding, if_none_match, if_modified_since = b"", None, None
    for name, value in headers:
        if name == b"accept-encoding":
            coding = coding + b"," + value if coding else value
        elif name == b"if-none-match":
            tags = value.decode("latin-1")
            if_none_match = f"{if_none_match},{tags}" if if_none_match else tags
        elif name == b"if-modified-since":
            if_modified_since = value.decode("latin-1")
    return _coding(coding), if_none_match, if_modified_since


@lru_cache(maxsize=1_000)
def _coding(accept_encoding: bytes) -> Encoding:
    return chosen(accept_encoding.decode("latin-1"))


def _words(query: bytes) -> str:
    return parse_qs(query.decode("latin-1"), errors="replace").get("q", [""])[0]


def _who(scope: Scope) -> str:
    """Return the address that asks, the proxy's client where uvicorn trusts the proxy; empty on a unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _other_method(method: str) -> Answer:
    if method == "OPTIONS":
        return PREFLIGHT, NO_BODY
    return sentence(405, "A feed can be read, nothing else.", (b"allow", b"GET, HEAD, OPTIONS"))


def _too_many(wait_s: int) -> Answer:
    text = "Too many requests from your address; wait a little."
    return sentence(429, text, (b"retry-after", str(wait_s).encode()), KEEP_NOT)
