import asyncio
from collections import deque
from collections.abc import Iterable
from functools import partial

import structlog

from publisher.dispatch.model import Untried
from publisher.dispatch.transports.smtp_connection import Connection, HandshakeError
from publisher.dispatch.transports.smtp_protocol import Dialogue, Mail
from publisher.dispatch.transports.smtp_url import SmtpSettings

log = structlog.get_logger()

CONNECTIONS_A_MAIL = 3
"""A message that lost this many connections before its 354 comes back untried; the caller decides when to go on."""
FRUITLESS_AT_MOST = 3
"""So many connections in a row without a single answer to a message, and the server counts as unavailable."""
GOODBYE_S = 1.0
CLOSED = "the transport was closed"
REST_S = 5.0
"""No further connection is opened for so long after one was refused, as long as others work."""


class Pool:
    """
    The connections of one transport, and the messages that wait for one. Lives in the transport's event loop.

    Connections are opened when there is work for them, serve whichever message is next, and are closed when they
    have been idle for long. A message whose connection ended before it was tried goes to another one.
    """

    def __init__(self, settings: SmtpSettings, loop: asyncio.AbstractEventLoop) -> None:
        self._settings = settings
        self._loop = loop
        self._waiting: deque[Mail] = deque()
        self._connections: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._is_closed = False
        self._fruitless = 0
        self._no_more_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        times = settings.timeouts
        self._tick_s = min(1.0, times.command_s / 4, times.data_s / 4, times.final_s / 4, times.idle_s / 4)

    def submit(self, mails: Iterable[Mail]) -> None:
        """Send these; each is told its outcome."""
        self._waiting.extend(mails)
        if self._is_closed:
            self._give_up(CLOSED)
        self._close_stale()
        self._employ()
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick_s, self._tick)

    async def close(self) -> None:
        """End everything; what waits comes back untried."""
        self._is_closed = True
        if self._timer:
            self._timer.cancel()
        opening, connections = tuple(self._opening), tuple(self._connections)
        for task in opening:
            task.cancel()
        for connection in connections:
            connection.quit(CLOSED)
        self._give_up(CLOSED)
        await asyncio.gather(*opening, return_exceptions=True)
        if connections:
            await asyncio.wait([connection.gone for connection in connections], timeout=GOODBYE_S)
        for connection in connections:
            connection.abort()
        await asyncio.sleep(0)

    def _employ(self) -> None:
        """Give work to idle connections, and open as many more as there is work for."""
        for connection in tuple(self._connections):
            if not self._waiting:
                return
            connection.begin()
        while self._waiting and self._may_open_another():
            task = self._loop.create_task(self._open_one())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _may_open_another(self) -> bool:
        at_work = len(self._connections) + len(self._opening)
        if at_work == 0:
            return not self._is_closed
        is_resting = self._loop.time() < self._no_more_before
        return not is_resting and at_work < self._settings.connections and len(self._opening) < len(self._waiting)

    async def _open_one(self) -> Connection:
        connection = Connection(self._settings, self._loop)
        await connection.open()
        return connection

    def _opened(self, task: asyncio.Task[Connection]) -> None:
        """When a connection did not come about, and none is left that could, nothing can be sent now."""
        self._opening.discard(task)
        if task.cancelled():
            return
        problem = task.exception()
        if problem is None:
            self._start(task.result())
            return
        if not isinstance(problem, HandshakeError):
            log.error("smtp_handshake_failed", transport=self._settings.name, problem=type(problem).__name__)
        self._no_more_before = self._loop.time() + REST_S
        if not self._opening and not self._connections:
            self._give_up(str(problem))

    def _start(self, connection: Connection) -> None:
        if self._is_closed:
            connection.abort()
            return
        self._connections.add(connection)
        connection.start(
            Dialogue(
                connection.abilities,
                take=self._take,
                write=connection.write,
                give_back=self._take_back,
                ended=partial(self._ended, connection),
            )
        )

    def _take(self) -> Mail | None:
        return self._waiting.popleft() if self._waiting else None

    def _take_back(self, mail: Mail, reason: str) -> None:
        if mail.connections < CONNECTIONS_A_MAIL and not self._is_closed:
            self._waiting.appendleft(mail)
        else:
            mail.settle(Untried(reason=reason))

    def _ended(self, connection: Connection, reason: str) -> None:
        self._connections.discard(connection)
        connection.hang_up()
        was_fruitful = connection.dialogue is not None and connection.dialogue.answered > 0
        self._fruitless = 0 if was_fruitful else self._fruitless + 1
        if not self._waiting:
            return
        log.warning("smtp_connection_lost", transport=self._settings.name, reason=reason)
        if self._fruitless >= FRUITLESS_AT_MOST:
            self._no_more_before = self._loop.time() + REST_S
            if not self._connections and not self._opening:
                self._give_up(reason)
        self._employ()

    def _give_up(self, reason: str) -> None:
        self._fruitless = 0
        if self._waiting:
            log.warning("smtp_unavailable", transport=self._settings.name, reason=reason, untried=len(self._waiting))
        while self._waiting:
            self._waiting.popleft().settle(Untried(reason=reason))

    def _tick(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._connections):
            connection.check(now)
        self._close_stale()
        is_needed = self._connections or self._opening
        self._timer = self._loop.call_later(self._tick_s, self._tick) if is_needed else None

    def _close_stale(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._connections):
            if connection.is_stale(now):
                connection.quit("it was idle")
