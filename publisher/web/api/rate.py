"""
How often a token may ask, and how much of that is left.

Source:
    draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy` tells the quota and its window in seconds, `RateLimit`
    what is left of it and for how long; RFC 6585, section 4: 429 with Retry-After.
"""

from collections.abc import Callable
from datetime import timedelta

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher.editors.model import ApiTokenId
from publisher.web.allowance import Allowance, Bound, Counted

HELD = "publisher.rate"
WINDOW = timedelta(minutes=1)
POLICY_FIELD, LEFT_FIELD = "RateLimit-Policy", "RateLimit"


class Rate:
    """Counts one request, once, and remembers what is left."""

    def __init__(self, allowance: Allowance, at_most: int) -> None:
        self._allowance = allowance
        self._bound = Bound(name="token", at_most=at_most, within=WINDOW)
        self._counted: Counted | None = None
        self._is_asked = False

    def count(self, token_id: ApiTokenId) -> None:
        """Raises HTTPException where the token has asked too often; where Redis does not answer, it may."""
        if self._is_asked or not self._bound.at_most:
            return
        self._is_asked = True
        self._counted = self._allowance.count(self._bound, str(token_id))
        if self._counted and not self._counted.is_within:
            wait = self._counted.seconds_left
            detail = (
                f"This token has asked more than {self._bound.at_most:,} times within a minute. "
                f"Ask again in {wait} second{'' if wait == 1 else 's'}."
            )
            raise HTTPException(429, detail, headers={"Retry-After": str(wait)})

    @property
    def fields(self) -> dict[str, str]:
        """Return the header fields of the answer: structured fields (RFC 9651)."""
        if self._counted is None:
            return {}
        window = int(self._bound.within.total_seconds())
        return {
            POLICY_FIELD: f'"{self._bound.name}";q={self._bound.at_most};w={window}',
            LEFT_FIELD: f'"{self._bound.name}";r={self._counted.left};t={self._counted.seconds_left}',
        }


def with_rate(app: ASGIApp, allowance: Allowance, at_most: int) -> ASGIApp:
    """
    Let every answer to a token tell how often it may still ask.

    Args:
        app: Calls `counted` once it knows the token.
        allowance: Counts for all web processes together.
        at_most: Requests of one token within a minute; 0: no limit.

    """

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        rate = Rate(allowance, at_most)

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rate.fields)
            await send(message)

        await app({**scope, HELD: rate}, receive, send_with_fields)

    return layered


def counter_of(scope: Scope) -> Callable[[ApiTokenId], None]:
    """Return what counts a request for its token."""
    rate: Rate = scope[HELD]
    return rate.count
