"""Plain ASGI around the applications: what holds for every answer, and what no request may do."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' https: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""No inline script, no inline style, nothing from elsewhere but pictures."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
TWO_YEARS = "max-age=63072000; includeSubDomains"


def with_headers(app: ASGIApp, headers: Mapping[str, str] = HEADERS) -> ASGIApp:
    """Add security headers to every answer that has not set its own."""

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                for name, value in headers.items():
                    own.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    return layered


def with_limits(app: ASGIApp, limit_of: Callable[[str], int]) -> ASGIApp:
    """
    Refuse a body that is too large with 413, as early as its announced length tells.

    Args:
        app: Reads the body.
        limit_of: The most bytes that may come to a path.

    """

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        await app(scope, _Limited(receive, Headers(scope=scope), limit_of(scope["path"])).receive, send)

    return layered


class _Limited:
    """Counts what comes in; the first byte too many is refused."""

    def __init__(self, receive: Receive, headers: Headers, at_most: int) -> None:
        self._receive = receive
        self._at_most = at_most
        self._left = at_most
        announced = headers.get("Content-Length", "")
        self._is_announced_too_long = announced.isdecimal() and int(announced) > at_most

    async def receive(self) -> Message:
        if self._is_announced_too_long:
            raise self._refusal()
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._refusal()
        return message

    def _refusal(self) -> HTTPException:
        detail = f"This is longer than {self._at_most:,} bytes, the most that is possible here."
        return HTTPException(413, detail, headers={"Connection": "close"})


def with_heads(app: ASGIApp) -> ASGIApp:
    """
    Answer HEAD as GET without its body, everywhere (RFC 9110, section 9.3.2).

    A page for which it makes a difference finds the word that was said in `scope["publisher.method"]`.
    """

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        await app({**scope, "method": "GET", "publisher.method": "HEAD"}, receive, _without_body(send))

    return layered


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def send_without_body(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body


def quiet_once_answered(app: ASGIApp) -> ASGIApp:
    """
    Stop an error here once its page has been sent whole.

    Starlette's outermost layer answers by our handler, which logs, and then raises the error again for
    the server to log a second time.
    """

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        is_answered = False

        async def watched(message: Message) -> None:
            nonlocal is_answered
            await send(message)
            is_answered = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await app(scope, receive, watched)
        except Exception:
            if not is_answered:
                raise

    return layered
