"""
An SMTP server for tests and benchmarks: it accepts mail, writes down for whom, and fails as it is told.

Every accepted message is in the log before its reply leaves, so the log is the judge of a send: a recipient in it may
have got a copy, a recipient that is not in it has none.

    python tests/dispatch/sink.py --port 2525 --log accepted.log --fault step=rcpt,do='451 4.3.0 busy',every=10

The log is binary: two lengths (network order, 16 bits each), the recipient, the Message-ID.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import signal
import ssl
import struct
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import uvloop

END = b"\r\n.\r\n"
HEAD_AT_MOST = 8 * 1024
_LENGTHS = struct.Struct(">HH")
_OUR_MESSAGE_ID = b"\r\nMessage-ID: <"
_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*<([^>\s]*)>")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """
    Something that goes wrong at a step: connect, ehlo, starttls, auth, mail, rcpt, data, body, final, rset or quit.

    `do` is a reply (`451 4.3.0 busy`; a 421 also closes), `cut` (close without a word), `stall` (never answer), or,
    at the final dot, `accept-cut` (accept, write it down, and close without a word).
    """

    step: str
    do: str
    every: int = 1
    """Only each n-th time."""
    after: int = 0
    """Not the first n times."""
    times: int = 0
    """Only so often; 0: always."""
    matching: str = ""
    """Only for recipients with this in their address (steps rcpt to final)."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How the server behaves."""

    faults: Sequence[Fault] = ()
    pipelining: bool = True
    ehlo: bool = True
    early_354: bool = False
    """Say 354 even when no recipient was taken, as RFC 2920, section 3.1, allows."""
    size_bytes: int = 0
    eight_bit: bool = True
    utf8_addresses: bool = False
    user: str = ""
    password: str = ""
    mechanisms: str = "PLAIN LOGIN"
    tls: ssl.SSLContext | None = None
    latency_s: float = 0.0
    keep: bool = False
    """Whether to keep the messages themselves, in `Sink.messages`."""


@dataclass
class Record:
    """What has happened so far."""

    accepted: int = 0
    connections: int = 0
    violations: list[str] = field(default_factory=list)
    """Where the client broke the rules."""
    commands: list[str] = field(default_factory=list)
    """Filled only with `keep`."""
    recipients: set[bytes] = field(default_factory=set)
    messages: list[tuple[str, bytes]] = field(default_factory=list)


def read_log(path: Path) -> Iterator[tuple[str, str]]:
    """Yield recipient and Message-ID of every accepted message, in order."""
    raw = path.read_bytes()
    at = 0
    while at < len(raw):
        address, message_id = _LENGTHS.unpack_from(raw, at)
        at += _LENGTHS.size
        middle, end = at + address, at + address + message_id
        yield raw[at:middle].decode(), raw[middle:end].decode()
        at = end


def _message_id(head: bytes) -> bytes:
    at = head.find(_OUR_MESSAGE_ID)
    if at >= 0:
        return head[at + len(_OUR_MESSAGE_ID) : head.find(b">", at)]
    found = _MESSAGE_ID.search(head)
    return found[1] if found else b""


class _Faults:
    """Decides which fault strikes; one for the whole server, so that `every` counts over all connections."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._by_step: dict[str, list[list[Any]]] = {}
        for fault in faults:
            self._by_step.setdefault(fault.step, []).append([fault, 0, 0])

    def at(self, step: str, recipient: bytes = b"") -> str:
        for entry in self._by_step.get(step, ()):
            fault: Fault = entry[0]
            if fault.matching and fault.matching.encode() not in recipient:
                continue
            entry[1] += 1
            is_due = entry[1] > fault.after and (entry[1] - fault.after) % fault.every == 0
            if is_due and (not fault.times or entry[2] < fault.times):
                entry[2] += 1
                return fault.do
        return ""

    def __bool__(self) -> bool:
        return bool(self._by_step)


class _Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: "Sink") -> None:
        self._sink = sink
        self._terms = sink.terms
        self._record = sink.record
        self._wire: asyncio.Transport | None = None
        self._pending = b""
        self._is_in_body = False
        self._tail = b""
        self._head = b""
        self._body: list[bytes] = []
        self._sender: bytes | None = None
        self._recipient: bytes | None = None
        self._out: list[bytes] = []
        self._log: list[bytes] = []
        self._auth: list[str] | None = None
        self._is_signed_in = not self._terms.user
        self._is_encrypted = False
        self._is_stalled = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        is_first = self._wire is None
        self._wire = cast("asyncio.Transport", transport)
        if not is_first:
            return
        self._record.connections += 1
        self._sink.sessions.add(self)
        if not self._strikes("connect"):
            self._say(b"220 sink.example ESMTP")
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._sink.sessions.discard(self)
        self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._is_stalled:
            return
        while data:
            data = self._read_body(data) if self._is_in_body else self._read_commands(data)
        self._flush()

    # --- reading

    def _read_commands(self, data: bytes) -> bytes:
        """Obey whole lines; return what is left for the body."""
        data, self._pending = self._pending + data, b""
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            if self._is_stalled or self._wire is None or self._wire.is_closing():
                return b""
            if at and not self._terms.pipelining:
                self._record.violations.append("more than one command in a group")
            line, at = data[at:end], end + 2
            if self._auth is None:
                self._on_command(line)
            else:
                self._on_secret(line)
            if self._is_in_body:
                if len(data) > at:
                    self._record.violations.append("the message came before the 354")
                return data[at:]
        self._pending = data[at:]
        return b""

    def _read_body(self, data: bytes) -> bytes:
        is_new = not self._head
        if is_new and self._sink.faults and self._strikes("body", self._recipient or b""):
            return b""
        if len(self._head) < HEAD_AT_MOST:
            self._head += data[:HEAD_AT_MOST]
        length = self._to_end(data)
        if length < 0:
            self._tail = (self._tail + data[-4:])[-4:]
            if self._terms.keep:
                self._body.append(data)
            return b""
        if self._terms.keep:
            self._body.append(data[:length])
        self._is_in_body = False
        self._on_message(is_empty=is_new and length == len(b".\r\n"))
        return data[length:]

    def _to_end(self, data: bytes) -> int:
        """Return how many bytes belong to the message, its last line included; -1: it goes on."""
        across = (self._tail + data[:4]).find(END)  # the last line may have come in two pieces
        if across >= 0:
            return across + len(END) - len(self._tail)
        end = data.find(END)
        return end + len(END) if end >= 0 else -1

    # --- commands

    def _on_command(self, line: bytes) -> None:
        if self._terms.keep:
            self._record.commands.append(line.decode(errors="replace"))
        obey = _COMMANDS.get(line[:4].upper())
        if obey:
            obey(self, line)
        else:
            self._say(b"502 5.5.2 What?")

    def _on_rset(self, _: bytes) -> None:
        self._sender = self._recipient = None
        if not self._strikes("rset"):
            self._say(b"250 2.0.0 Ok")

    def _on_quit(self, _: bytes) -> None:
        if not self._strikes("quit"):
            self._say(b"221 2.0.0 Bye")
        self._close()

    def _on_hello(self, line: bytes) -> None:
        verb = line[:4].upper()
        self._sender = self._recipient = None
        if self._strikes("ehlo"):
            return
        if verb == b"HELO" or not self._terms.ehlo:
            self._say(b"250 sink.example" if verb == b"HELO" else b"502 5.5.1 What?")
            return
        terms = self._terms
        offers = ["sink.example", "ENHANCEDSTATUSCODES"]
        offers += ["PIPELINING"] * terms.pipelining + ["8BITMIME"] * terms.eight_bit
        offers += ["SMTPUTF8"] * terms.utf8_addresses + [f"SIZE {terms.size_bytes}"]
        offers += ["STARTTLS"] * (terms.tls is not None and not self._is_encrypted)
        offers += [f"AUTH {terms.mechanisms}"] * bool(terms.user)
        lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
        self._say("\r\n".join(lines).encode())

    def _on_mail(self, line: bytes) -> None:
        if self._sink.faults and self._strikes("mail"):
            return
        if not self._is_signed_in:
            self._say(b"530 5.7.0 Authentication required")
        elif self._sender is not None:
            self._say(b"503 5.5.1 Nested MAIL")
            self._record.violations.append("nested MAIL")
        else:
            self._sender = line[line.find(b"<") + 1 : line.find(b">")]
            self._say(b"250 2.1.0 Ok")

    def _on_rcpt(self, line: bytes) -> None:
        recipient = line[line.find(b"<") + 1 : line.find(b">")]
        if self._sink.faults and self._strikes("rcpt", recipient):
            return
        if self._sender is None:
            self._say(b"503 5.5.1 MAIL first")
        else:
            self._recipient = recipient
            self._say(b"250 2.1.5 Ok")

    def _on_data(self, _: bytes) -> None:
        recipient = self._recipient or b""
        if self._sink.faults and self._strikes("data", recipient):
            return
        if self._recipient is None and not self._terms.early_354:
            self._say(b"503 5.5.1 No valid recipients")
            return
        self._is_in_body, self._tail, self._head, self._body = True, b"\r\n", b"", []
        self._say(b"354 Go on")

    def _on_message(self, *, is_empty: bool) -> None:
        recipient = self._recipient
        self._sender = self._recipient = None
        if recipient is None:
            self._say(b"554 5.5.1 No valid recipients")
            if not is_empty:
                self._record.violations.append("a message for nobody")
            return
        fault = self._sink.faults.at("final", recipient) if self._sink.faults else ""
        if fault == "accept-cut":
            self._accept(recipient)
            self._flush()
            self._close()
        elif not self._strike(fault):
            self._accept(recipient)
            self._say(b"250 2.0.0 Ok: queued as %X" % self._record.accepted)

    def _accept(self, recipient: bytes) -> None:
        message_id = _message_id(self._head)
        self._log.append(_LENGTHS.pack(len(recipient), len(message_id)) + recipient + message_id)
        self._record.accepted += 1
        self._record.recipients.add(recipient)
        if self._terms.keep:
            raw = b"".join(self._body)[: -len(b".\r\n")]
            self._record.messages.append((recipient.decode(), re.sub(rb"(?m)^\.\.", b".", raw)))

    def _on_starttls(self, _: bytes) -> None:
        if self._strikes("starttls"):
            return
        if self._terms.tls is None or self._is_encrypted:
            self._say(b"502 5.5.1 Not here")
            return
        self._say(b"220 2.0.0 Go on")
        self._flush()
        assert self._wire is not None
        self._wire.pause_reading()
        self._sink.spawn(self._encrypt())

    async def _encrypt(self) -> None:
        assert self._wire is not None
        assert self._terms.tls is not None
        try:
            wire = await asyncio.get_running_loop().start_tls(self._wire, self, self._terms.tls, server_side=True)
        except OSError:
            return
        self._wire = cast("asyncio.Transport", wire)
        self._is_encrypted, self._pending = True, b""

    def _on_auth(self, line: bytes) -> None:
        if self._strikes("auth"):
            return
        if not self._terms.user:
            self._say(b"502 5.5.1 Not here")
            return
        words = line.decode().split()
        self._auth = [words[1].upper()]
        if words[1].upper() not in self._terms.mechanisms.split():
            self._auth = None
            self._say(b"504 5.5.4 Not that way")
        elif len(words) > 2:
            self._on_secret(words[2].encode())
        else:
            self._say(b"334 VXNlcm5hbWU6" if words[1].upper() == "LOGIN" else b"334 ")

    def _on_secret(self, line: bytes) -> None:
        assert self._auth is not None
        self._auth.append(b64decode(line).decode())
        if self._auth[0] == "LOGIN" and len(self._auth) == 2:
            self._say(b"334 UGFzc3dvcmQ6")
            return
        given = self._auth[1:] if self._auth[0] == "LOGIN" else self._auth[1].split("\0")[1:]
        self._auth = None
        self._is_signed_in = given == [self._terms.user, self._terms.password]
        self._say(b"235 2.7.0 Welcome" if self._is_signed_in else b"535 5.7.8 No")

    # --- writing

    def _strikes(self, step: str, recipient: bytes = b"") -> bool:
        return bool(self._sink.faults) and self._strike(self._sink.faults.at(step, recipient))

    def _strike(self, fault: str) -> bool:
        if not fault:
            return False
        if fault == "cut":
            self._flush()
            self._close(abort=True)
        elif fault == "stall":
            self._is_stalled = True
        else:
            self._say(fault.replace("\\r\\n", "\r\n").encode())
            if fault.startswith("421"):
                self._close()
        return True

    def _say(self, line: bytes) -> None:
        self._out.append(line)

    def _flush(self) -> None:
        """Write down what was accepted, then answer."""
        if self._log:
            self._sink.write_down(b"".join(self._log))
            self._log = []
        if not self._out or self._wire is None:
            return
        data = b"\r\n".join(self._out) + b"\r\n"
        self._out = []
        if self._terms.latency_s:
            asyncio.get_running_loop().call_later(self._terms.latency_s, self._wire.write, data)
        else:
            self._wire.write(data)

    def _close(self, *, abort: bool = False) -> None:
        self._flush()
        if self._wire:
            if abort:
                self._wire.abort()
            else:
                self._wire.close()

    def shut(self) -> None:
        if self._wire:
            self._wire.abort()


_COMMANDS: dict[bytes, Callable[[_Session, bytes], None]] = {
    b"MAIL": _Session._on_mail,
    b"RCPT": _Session._on_rcpt,
    b"DATA": _Session._on_data,
    b"EHLO": _Session._on_hello,
    b"HELO": _Session._on_hello,
    b"RSET": _Session._on_rset,
    b"QUIT": _Session._on_quit,
    b"STAR": _Session._on_starttls,
    b"AUTH": _Session._on_auth,
}


class Sink:
    """The server, in a thread of its own: `with Sink(terms) as sink: … sink.port`."""

    def __init__(self, terms: Terms | None = None, *, log: Path | None = None, port: int = 0) -> None:
        self.terms = terms or Terms()
        self.faults = _Faults(self.terms.faults)
        self.record = Record()
        self.sessions: set[_Session] = set()
        self.port = port
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644) if log else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_ready = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._is_ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and cut every connection. Closing twice changes nothing."""
        assert self._loop is not None
        assert self._thread is not None
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self.stop)
            self._thread.join(10)

    def cut_all(self) -> None:
        """Close every connection without a word, and wait until they are closed."""
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(self._cut_all(), self._loop).result(10)

    async def _cut_all(self) -> None:
        sessions = tuple(self.sessions)
        for session in sessions:
            session.shut()
        if sessions:
            await asyncio.wait([session.gone for session in sessions])

    def write_down(self, entries: bytes) -> None:
        if self._log is not None:
            os.write(self._log, entries)

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.serve(ready=self._is_ready.set))

    async def serve(self, *, ready: Callable[[], None]) -> None:
        """Serve until stopped."""
        loop = self._loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(self), "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        ready()
        try:
            await self._stopped.wait()
        finally:
            server.close()
            for session in tuple(self.sessions):
                session.shut()
            await asyncio.sleep(0)
            if self._log is not None:
                os.close(self._log)

    def stop(self) -> None:
        self._stopped.set()


def _fault(text: str) -> Fault:
    """Read `step=rcpt,do=451 4.3.0 busy,every=10`."""
    given = dict(pair.split("=", 1) for pair in text.split(","))
    types = {one.name: one.type for one in fields(Fault)}
    values: dict[str, Any] = {name: int(value) if types[name] is int else value for name, value in given.items()}
    return Fault(**values)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An SMTP server for tests: accepts, writes down, fails as told.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one; it is printed")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--fault", type=_fault, action="append", default=[], help="step=…,do=…,every=…,after=…,times=…")
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--size", type=int, default=0)
    return parser.parse_args()


async def _serve_until_told(sink: Sink) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, sink.stop)
    await sink.serve(ready=lambda: print(json.dumps({"port": sink.port}), flush=True))


def main() -> None:
    """Serve in the foreground; print the port at the start, what happened at the end."""
    given = _arguments()
    terms = Terms(
        faults=given.fault,
        pipelining=not given.no_pipelining,
        latency_s=given.latency_ms / 1000,
        size_bytes=given.size,
    )
    sink = Sink(terms, log=given.log, port=given.port)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_told(sink))
    used = resource.getrusage(resource.RUSAGE_SELF)
    summary = {
        "accepted": sink.record.accepted,
        "distinct": len(sink.record.recipients),
        "connections": sink.record.connections,
        "violations": sink.record.violations[:10],
        "cpu_s": round(used.ru_utime + used.ru_stime, 3),
    }
    print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    main()
