import asyncio
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Lock, Thread
from types import TracebackType
from typing import Self

import uvloop

from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome, Untried
from publisher.dispatch.transports.smtp_pool import CLOSED, Pool
from publisher.dispatch.transports.smtp_protocol import Mail
from publisher.dispatch.transports.smtp_url import SmtpSettings

Sign = Callable[[bytes], bytes]
"""Returns a message with a signature in front of it."""

Make = Callable[[], bytes]

_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class SmtpTransport:
    """
    Hands messages to an SMTP server, over a few connections that stay open between calls.

    A thread of its own runs the event loop that the connections live in; callers in any thread wait for their
    outcomes. Messages of several callers share the connections.
    """

    def __init__(self, settings: SmtpSettings, *, sign: Sign | None = None) -> None:
        self.name = settings.name
        self._settings = settings
        self._sign = sign
        self._lock = Lock()
        self._running: _Running | None = None

    def open(self) -> None:
        self._at_work()

    def close(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running:
            running.stop()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send_all(self, message: CompiledMessage, envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(not message.needs <= envelope.values.keys() for envelope in envelopes):
            raise ValueError("an envelope lacks a value for a slot of the message")
        answers = _Answers(len(envelopes))
        splice = message.splicer
        mails = [
            Mail(
                sender=envelope.sender,
                address=envelope.address,
                make=self._signed(partial(splice, envelope.values)),
                settle=partial(answers.take, at),
                is_ascii=envelope.address.isascii(),  # only a To address can be beyond
            )
            for at, envelope in enumerate(envelopes)
        ]
        return self._submit(mails, answers)

    def send_one(self, sender: str, address: str, raw: bytes) -> Outcome:
        answers = _Answers(1)
        signed = self._signed(partial(_LINE_END.sub, b"\r\n", raw.rstrip(b"\r\n") + b"\r\n"))
        mail = Mail(
            sender=sender,
            address=address,
            make=lambda: _LEADING_DOT.sub(b"..", signed()),
            settle=partial(answers.take, 0),
            is_ascii=raw.isascii(),
        )
        return self._submit([mail], answers)[0]

    def _signed(self, make: Make) -> Make:
        sign = self._sign
        return make if sign is None else lambda: sign(make())

    def _submit(self, mails: list[Mail], answers: "_Answers") -> Sequence[Outcome]:
        if not mails:
            return ()
        self._at_work().submit(mails)
        return answers.wait()

    def _at_work(self) -> "_Running":
        with self._lock:
            if self._running is None:
                self._running = _Running(self._settings)
            return self._running


class _Answers:
    """Gathers the outcomes of one call. They arrive in the event loop; the caller waits in its own thread."""

    def __init__(self, count: int) -> None:
        self._outcomes: list[Outcome | None] = [None] * count
        self._left = count
        self._all: Future[None] = Future()

    def take(self, at: int, outcome: Outcome) -> None:
        self._outcomes[at] = outcome
        self._left -= 1
        if not self._left:
            self._all.set_result(None)

    def wait(self) -> Sequence[Outcome]:
        self._all.result()
        return [outcome for outcome in self._outcomes if outcome is not None]


class _Running:
    """An event loop in a thread, with the pool that lives in it."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._loop = uvloop.new_event_loop()
        self._pool = Pool(settings, self._loop)
        self._gate = Lock()
        self._is_open = True
        self._thread = Thread(target=self._run, name=settings.name, daemon=True)
        self._thread.start()

    def submit(self, mails: list[Mail]) -> None:
        with self._gate:
            if self._is_open:
                self._loop.call_soon_threadsafe(self._pool.submit, mails)
                return
        for mail in mails:
            mail.settle(Untried(reason=CLOSED))

    def stop(self) -> None:
        with self._gate:
            self._is_open = False
        asyncio.run_coroutine_threadsafe(self._pool.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
