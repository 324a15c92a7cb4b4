"""Server-sent events: how a send goes on, told to every page that shows it."""

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from contextlib import aclosing, suppress
from types import FrameType
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from publisher.compose import store
from publisher.compose.model import IssueId
from publisher.web.desk.seat import AtDesk
from publisher.web.desk.standing import News
from publisher.web.parts import IdInPath, Room
from publisher.wiring import Newsroom

log = structlog.get_logger()
router = APIRouter()

EVERY_S = 1.0
STREAM_S = 60
"""So long one answer goes on; then the browser asks anew, and who has signed out meanwhile hears no more."""
QUIET_S = 15
"""After so long without news a line goes out that says nothing, or somebody in between ends the connection."""
RETRY_MS = 1_000
PAGES_AT_MOST = 500
"""Open in one process. The others look at the page again as they did before."""
HEADERS = {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}
"""The second tells nginx to pass on what comes at once."""


class Live:
    """
    Looks once a second for everybody who watches, and at nothing while nobody does.

    It lives in the event loop; only the look itself, which reads the database, is done in a thread.
    """

    def __init__(
        self, look: Callable[[Collection[IssueId]], Mapping[IssueId, News]], *, every_s: float = EVERY_S
    ) -> None:
        self._look = look
        self._every_s = every_s
        self._watched: Counter[IssueId] = Counter()
        self._latest: Mapping[IssueId, News] = {}
        self._looked = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        return self._watched.total() >= PAGES_AT_MOST or self._is_closed

    async def news_of(self, issue_id: IssueId) -> AsyncGenerator[News | None, None]:
        """Yield how a send stands whenever that has changed, and None where for a while it has not."""
        self._watched[issue_id] += 1
        try:
            seen, quiet = None, 0
            for _ in range(round(STREAM_S / self._every_s)):
                await self._another_look()
                if self._is_closed:
                    return
                found = self._latest.get(issue_id)
                quiet += 1
                if found != seen or quiet * self._every_s >= QUIET_S:
                    yield found if found != seen else None
                    seen, quiet = found, 0
        finally:
            self._watched[issue_id] -= 1
            self._watched = +self._watched

    def close(self) -> None:
        """End every answer, so that a server can stop; browsers ask the next one."""
        self._is_closed = True
        self._looked.set()

    async def _another_look(self) -> None:
        looked = self._looked
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._go_on_looking())
        await looked.wait()

    async def _go_on_looking(self) -> None:
        while self._watched and not self._is_closed:
            try:
                self._latest = await run_in_threadpool(self._look, tuple(self._watched))
            except Exception as problem:  # noqa: BLE001 -- whatever it was, who waits must not wait for ever
                log.warning("live_look_failed", reason=type(problem).__name__)
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(self._every_s)


async def _live_of(request: Request) -> Live:
    found: Live = request.app.state.live
    return found


@router.get("/desk/issues/{issue_id}/live", include_in_schema=False)
async def live(
    request: Request, room: Room, _seat: AtDesk, told: Annotated[Live, Depends(_live_of)], issue_id: IdInPath
) -> Response:
    """Tell how a send goes on until it has ended, or for a minute: then the browser asks again by itself."""
    await run_in_threadpool(_must_be_there, room, IssueId(issue_id))
    if told.is_full:
        raise HTTPException(503, "Too many pages are watching. Reload the page to see how it stands.")
    if request.scope.get("publisher.method") == "HEAD":
        return Response(media_type="text/event-stream", headers=HEADERS)
    return StreamingResponse(_events(told, IssueId(issue_id)), media_type="text/event-stream", headers=HEADERS)


def close_before_stop(live: Live) -> None:
    """
    End all answers as soon as the server is asked to stop: it would wait for them.

    Uvicorn has no word for that to an application, so we listen to the signal, and pass it on.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _closing_first(live, loop, before))


def _closing_first(
    live: Live, loop: asyncio.AbstractEventLoop, before: Callable[[int, FrameType | None], object]
) -> Callable[[int, FrameType | None], None]:
    def closing_first(number: int, frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(live.close)
        before(number, frame)

    return closing_first


def _must_be_there(room: Newsroom, issue_id: IssueId) -> None:
    with room.database.reading() as connection:
        store.issue_of(connection, issue_id)


async def _events(live: Live, issue_id: IssueId) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    async with aclosing(live.news_of(issue_id)) as heard:
        async for news in heard:
            yield _event(news) if news else ": nothing new\n\n"
            if news and news.is_over:
                return


def _event(news: News) -> str:
    """Return an event as HTML's standard writes it (section 9.2.6): its name is the state, its data the page's part."""
    lines = "".join(f"data: {line}\n" for line in news.html.splitlines() if line)
    return f"event: standing\nid: {news.state}\n{lines}\n"
