import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import structlog
from sqlalchemy.exc import SQLAlchemyError

from publisher.clock import Clock
from publisher.database import Database
from publisher.errors import InputError
from publisher.syndication.model import Site
from publisher.syndication.responses import Message, sentence
from publisher.syndication.websub import flow
from publisher.syndication.websub.model import hub_request

log = structlog.get_logger()

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = list[tuple[bytes, bytes]]

FORM_BYTES_AT_MOST = 16_384
FORM_TYPE = b"application/x-www-form-urlencoded"


class Hub:
    """Takes requests to our own WebSub hub; whether a callback wants what it is said to want is asked later."""

    def __init__(
        self, database: Database, site: Site, *, clock: Clock, allow_private: bool, rung: Callable[[], None]
    ) -> None:
        self._database = database
        self._site = site
        self._clock = clock
        self._allow_private = allow_private
        self._rung = rung

    async def answer(self, method: str, headers: Headers, receive: Receive) -> tuple[Message, Message]:
        """Return 202 for a request that is taken up, else what is wrong with it."""
        if method != "POST":
            return sentence(405, "This is a WebSub hub; programs subscribe here with POST.", (b"allow", b"POST"))
        form = await _form(headers, receive)
        if form is None:
            return sentence(400, "A request to the hub is a form of a few fields: hub.mode, hub.topic, hub.callback.")
        try:
            await asyncio.to_thread(self._take, form)
        except InputError as problem:
            return sentence(400, str(problem))
        except SQLAlchemyError as problem:
            log.warning("hub_busy", problem=type(problem).__name__)
            return sentence(503, "The hub is busy; try again.", (b"retry-after", b"10"))
        return sentence(202, "Your callback will be asked whether it wants this.")

    def _take(self, form: dict[str, str]) -> None:
        asked = hub_request(form, base_url=self._site.base_url, allow_private=self._allow_private)
        flow.ask(self._database, self._site, asked, clock=self._clock)
        self._rung()


async def _form(headers: Headers, receive: Receive) -> dict[str, str] | None:
    media_type = dict(headers).get(b"content-type", b"").partition(b";")[0].strip().lower()
    body, more = b"", True
    while more and len(body) <= FORM_BYTES_AT_MOST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if media_type != FORM_TYPE or len(body) > FORM_BYTES_AT_MOST:
        return None
    try:
        fields = parse_qs(body.decode("ascii"), errors="strict", max_num_fields=20)
    except ValueError:
        return None
    return {name: values[-1] for name, values in fields.items()}
