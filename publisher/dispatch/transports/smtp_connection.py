import asyncio
import ssl
from base64 import b64encode
from collections import deque
from typing import cast

from publisher.dispatch import rules
from publisher.dispatch.transports.smtp_protocol import Dialogue, Step
from publisher.dispatch.transports.smtp_replies import Abilities, ProtocolError, Reply, ReplyReader, abilities_of
from publisher.dispatch.transports.smtp_url import Security, SmtpSettings, own_name

READY = 220
SIGNED_IN = 235
GO_ON = 334
NOT_SMTP = "what answers there does not speak SMTP"


class HandshakeError(Exception):
    """A connection did not come about; the one argument is the reason, in words for a log."""


class Connection(asyncio.Protocol):
    """One connection to the server: first the handshake, awaited line by line, then a dialogue in callbacks."""

    def __init__(self, settings: SmtpSettings, loop: asyncio.AbstractEventLoop) -> None:
        self._settings = settings
        self._timeouts = settings.timeouts
        self._loop = loop
        self._wire: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost = ""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done when the socket is closed."""
        self._moved_at = loop.time()
        self.abilities = Abilities()
        self.dialogue: Dialogue | None = None

    # --- handshake

    async def open(self) -> None:
        """Connect, encrypt and sign in. Raises HandshakeError."""
        try:
            await self._shake_hands()
        except BaseException:
            self.abort()
            raise

    async def _shake_hands(self) -> None:
        try:
            async with asyncio.timeout(self._timeouts.connect_s):
                await self._connect()
            await self._greet()
        except TimeoutError:
            raise HandshakeError("it did not answer in time") from None
        except ssl.SSLError as problem:
            reason = getattr(problem, "verify_message", "") or problem.reason or "TLS failed"
            raise HandshakeError(f"the encryption did not come about: {reason}") from None
        except OSError as problem:
            raise HandshakeError(f"it cannot be reached: {problem.strerror or type(problem).__name__}") from None

    async def _connect(self) -> None:
        is_implicit = self._settings.security is Security.IMPLICIT
        await self._loop.create_connection(
            lambda: self,
            self._settings.host,
            self._settings.port,
            ssl=self._settings.ssl_context() if is_implicit else None,
        )

    async def _greet(self) -> None:
        async with asyncio.timeout(self._timeouts.greeting_s):
            greeting = await self._reply()
        if greeting.code != READY:
            raise HandshakeError(f"it said {greeting}")
        await self._hello()
        if self._settings.security in {Security.REQUIRED, Security.OPPORTUNISTIC}:
            await self._encrypt()
        if self._settings.user:
            await self._sign_in()

    async def _hello(self) -> None:
        name = own_name(self._settings).encode()
        reply = await self._ask(b"EHLO " + name)
        if reply.is_positive:
            self.abilities = abilities_of(reply)
            return
        if reply.code != rules.CLOSING:
            reply = await self._ask(b"HELO " + name)
        if not reply.is_positive:
            raise HandshakeError(f"it said {reply}")
        self.abilities = Abilities()

    async def _encrypt(self) -> None:
        """
        Change to TLS where the settings want it.

        What a server (or somebody in between) sent in clear behind its 220 must not be taken for something it
        said under TLS: such a connection is dropped. What was said before is forgotten (RFC 3207, section 4.2).
        """
        is_required = self._settings.security is Security.REQUIRED
        if not self.abilities.starttls:
            if is_required:
                raise HandshakeError("it does not offer STARTTLS, and we may not go on without")
            return
        reply = await self._ask(b"STARTTLS")
        if reply.code != READY:
            if is_required:
                raise HandshakeError(f"it said {reply}")
            return
        if self._replies or not self._reader.is_empty:
            raise HandshakeError("it sent something in clear where TLS begins")
        async with asyncio.timeout(self._timeouts.connect_s):
            await self._start_tls()
        await self._hello()

    async def _start_tls(self) -> None:
        assert self._wire is not None
        wire = await self._loop.start_tls(
            self._wire, self, self._settings.ssl_context(), server_hostname=self._settings.host
        )
        self._wire = cast("asyncio.Transport", wire)

    async def _sign_in(self) -> None:
        user, password = self._settings.user.encode(), self._settings.password.encode()
        if "PLAIN" in self.abilities.auth:
            reply = await self._ask(b"AUTH PLAIN " + b64encode(b"\0%b\0%b" % (user, password)))
        elif "LOGIN" in self.abilities.auth:
            reply = await self._ask(b"AUTH LOGIN")
            for word in (user, password):
                if reply.code == GO_ON:
                    reply = await self._ask(b64encode(word))
        else:
            raise HandshakeError("it offers no way to sign in that we know (PLAIN, LOGIN)")
        if reply.code != SIGNED_IN:
            raise HandshakeError(f"it did not accept our user name and password: {reply}")

    async def _ask(self, line: bytes) -> Reply:
        self.write(line + b"\r\n")
        async with asyncio.timeout(self._timeouts.command_s):
            return await self._reply()

    async def _reply(self) -> Reply:
        while not self._replies:
            if self._lost:
                raise HandshakeError(self._lost)
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._replies.popleft()

    # --- dialogue

    def start(self, dialogue: Dialogue) -> None:
        """Change from the handshake to the dialogue, which is told what has come in between."""
        self.dialogue = dialogue
        if self._lost:
            dialogue.lose(self._lost)
        dialogue.receive(tuple(self._replies))
        dialogue.begin()

    def begin(self) -> None:
        """Start on what is waiting, if the connection is idle."""
        if self.dialogue:
            self.dialogue.begin()

    @property
    def is_idle(self) -> bool:
        return self.dialogue is not None and self.dialogue.awaited is None

    def is_stale(self, now: float) -> bool:
        """Return whether it has been idle for so long that the server may be gone."""
        return self.is_idle and now - self._moved_at > self._timeouts.idle_s

    def check(self, now: float) -> None:
        """Give up a connection whose answer is overdue."""
        step = self.dialogue.awaited if self.dialogue else None
        if self.dialogue is None or step is None:
            return
        limit = {Step.FINAL: self._timeouts.final_s, Step.DATA: self._timeouts.data_s}.get(
            step, self._timeouts.command_s
        )
        if now - self._moved_at > limit:
            self.dialogue.lose(f"the server gave no answer within {limit:g} s")

    def quit(self, reason: str) -> None:
        """Close, with a goodbye unless an answer is awaited; the answer to that does not matter."""
        if self._wire and not self._wire.is_closing():
            if self.is_idle:
                self._wire.write(b"QUIT\r\n")
            self._wire.close()
        if self.dialogue:
            self.dialogue.lose(reason)

    def hang_up(self) -> None:
        """Close at once, unless a goodbye is on its way."""
        if self._wire and not self._wire.is_closing():
            self._wire.abort()

    def abort(self) -> None:
        if self._wire:
            self._wire.abort()

    def write(self, *pieces: bytes) -> None:
        if self._wire is None or self._wire.is_closing():
            return  # `connection_lost` is on its way and tells the dialogue
        self._moved_at = self._loop.time()
        self._wire.write(b"".join(pieces))

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._moved_at = self._loop.time()
        dialogue = self.dialogue
        if dialogue and self._reader.is_empty and dialogue.receive_usual(data):
            return
        try:
            replies = self._reader.feed(data)
        except ProtocolError:
            self._fail(NOT_SMTP)
            return
        if self.dialogue:
            self.dialogue.receive(replies)
        else:
            self._replies.extend(replies)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(getattr(exc, "strerror", None) or "the connection was closed")
        if not self.gone.done():
            self.gone.set_result(None)

    def _fail(self, reason: str) -> None:
        self._lost = self._lost or reason
        if self.dialogue:
            self.dialogue.lose(reason)
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
