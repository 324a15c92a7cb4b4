"""
Idempotency-Key: a program that got no answer asks again, and what it wants is done once.

Source:
    draft-ietf-httpapi-idempotency-key-header-07, for POST: 400 for a key that is none, 409 while the first request is
    at work, 422 where the key stands for another request. We keep keys for 24 hours, each token its own.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publisher.editors import api_tokens, calls
from publisher.editors.calls import Answered, Call
from publisher.web.api.rate import counter_of
from publisher.web.problems import Problem, as_json, problem_of
from publisher.wiring import Newsroom

HEADER = "Idempotency-Key"
KEY = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{1,255})"?')
"""A structured string, or the same without its quotes, as most programs send it."""
KEPT_HEADERS = ("content-type", "location", "etag")
UNAVAILABLE = 503
LONGEST_ANSWER = 1_048_576


def with_keys(app: ASGIApp, room_of: Callable[[], Newsroom]) -> ASGIApp:
    """Let POSTs that carry a key be done once."""

    async def layered(scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).get(HEADER) if scope["type"] == "http" and scope["method"] == "POST" else None
        if named is None:
            await app(scope, receive, send)
            return
        keyed = _Keyed(app, room_of(), scope, named)
        await keyed.answer(receive, send)

    return layered


class _Keyed:
    def __init__(self, app: ASGIApp, room: Newsroom, scope: Scope, named: str) -> None:
        self._app = app
        self._room = room
        self._scope = scope
        self._named = named

    async def answer(self, receive: Receive, send: Send) -> None:
        key = KEY.fullmatch(self._named.strip())
        if key is None:
            detail = f"{HEADER} is 1 to 255 printable characters without spaces, such as a UUID."
            await self._refuse(Problem(status=400, detail=detail), receive, send)
            return
        try:
            body = await Request(self._scope, receive).body()
        except Exception as problem:  # noqa: BLE001 -- too long, or gone: the application says so, in its own words
            await self._app(self._scope, _raising(problem), send)
            return
        try:
            await self._answer(key[1], body, receive, send)
        except _NotBegunError as problem:
            await self._refuse(problem_of(problem.reason), receive, send)

    async def _answer(self, key: str, body: bytes, receive: Receive, send: Send) -> None:
        call = await self._call(key, body)
        if call is None:  # no token of ours: the application refuses it
            await self._app(self._scope, _replaying(body, receive), send)
            return
        match await self._begun(call):
            case calls.Answered() as before:
                headers = {**before.headers, "Cache-Control": "no-store", "Idempotent-Replayed": "true"}
                await Response(before.body, before.status, headers)(self._scope, receive, send)
            case calls.Mismatched():
                detail = f"This {HEADER} was used for another request; use a new one for each."
                await self._refuse(Problem(status=422, detail=detail), receive, send)
            case calls.Unanswered(is_lost=True):
                detail = (
                    f"The first request with this {HEADER} ended without an answer, so it may have been done or not. "
                    "Look, and use a new key if it was not."
                )
                await self._refuse(Problem(status=409, detail=detail), receive, send)
            case calls.Unanswered():
                detail = f"The first request with this {HEADER} is still at work; ask again in a moment."
                await self._refuse(Problem(status=409, detail=detail, headers={"Retry-After": "1"}), receive, send)
            case calls.Begun():
                await self._do(call, body, receive, send)

    async def _do(self, call: Call, body: bytes, receive: Receive, send: Send) -> None:
        """Let the application answer, keep the answer, and only then send it."""
        heard, broken = _Heard(), None
        try:
            await self._app(self._scope, _replaying(body, receive), heard.send)
        except Exception as problem:  # noqa: BLE001 -- raised once more below, after the answer that says so
            broken = problem
        if _is_final(heard.status) and len(heard.body) <= LONGEST_ANSWER:
            headers = {name: heard.headers[name] for name in KEPT_HEADERS if name in heard.headers}
            answered = Answered(status=heard.status, headers=headers, body=bytes(heard.body))
            await asyncio.to_thread(calls.answer, self._room.database, call, answered)
        elif heard.status:  # without any answer nobody knows what was done
            await asyncio.to_thread(calls.forget, self._room.database, call)
        for message in heard.messages:
            await send(message)
        if broken:
            raise broken

    async def _call(self, key: str, body: bytes) -> Call | None:
        scheme, _, given = Headers(scope=self._scope).get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            token = await asyncio.to_thread(
                api_tokens.check_api_token, self._room.database, given.strip(), clock=self._room.now
            )
            if token:
                await asyncio.to_thread(counter_of(self._scope), token.id)
        except Exception as problem:
            raise _NotBegunError(problem) from problem
        said = (self._scope["path"], self._scope["query_string"], Headers(scope=self._scope).get("Content-Type", ""))
        digest = hashlib.sha256(repr(said).encode() + b"\n" + body).hexdigest()
        return Call(token_id=token.id, key=key, request_hash=digest) if token else None

    async def _begun(self, call: Call) -> calls.Standing:
        try:
            return await asyncio.to_thread(calls.begin, self._room.database, call, clock=self._room.now)
        except Exception as problem:
            raise _NotBegunError(problem) from problem

    async def _refuse(self, problem: Problem, receive: Receive, send: Send) -> None:
        await as_json(problem)(self._scope, receive, send)


class _NotBegunError(Exception):
    """Nothing was done, for the database did not answer, or the token has asked too often."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(reason)
        self.reason = reason


class _Heard:
    """Keeps an answer back until it is safe."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.body = bytearray()
        self.status = 0
        self.headers: MutableHeaders = MutableHeaders()

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], MutableHeaders(scope=message)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _is_final(status: int) -> bool:
    """
    Tell whether an answer stands.

    Whatever was refused (4xx), or could not be begun (503), was not done, and may be asked again with the same key.
    """
    is_refusal = 400 <= status < 500  # noqa: PLR2004 -- HTTP's own class
    return status not in {0, UNAVAILABLE} and not is_refusal


def _replaying(body: bytes, receive: Receive) -> Receive:
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay


def _raising(problem: Exception) -> Receive:
    async def fail() -> Message:
        raise problem

    return fail
