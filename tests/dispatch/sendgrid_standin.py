"""
SendGrid's `POST /v3/mail/send` for tests: it enforces the documented limits, and fails as it is told.

What it has accepted is in `accepted` before its answer leaves, so the list is the judge of a send. Substitutions are
made as SendGrid makes them, in subject, text and HTML and nowhere else.
"""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

KEY = "SG.a-key.of-the-tests"
PATH = "/v3/mail/send"
MOST_BYTES = 30_000_000
PART = 10_000
ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What one request meets: an HTTP status, `cut` (close without a word) or `stall` (answer too late)."""

    do: str
    is_accepted_first: bool = False
    body: str = '{"errors":[{"message":"no","field":null,"help":null}]}'
    reset_in_s: float = 1.0
    """For 429."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One reader's copy, as SendGrid would make it."""

    to: str
    name: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    custom_args: Mapping[str, str]


@dataclass
class Standin:
    """The server; `with Standin(...) as server`."""

    failures: Sequence[Failure] = ()
    """Met by the first requests, in order; those after them are served."""
    refused: Sequence[str] = ()
    """Addresses that are refused although they look fine."""
    names_fields: bool = True
    """Whether a 400 says which personalization is wrong; SendGrid does so mostly."""
    accepted: list[Mail] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    stall_s: float = 3.0

    def __enter__(self) -> Self:
        self._failures = deque(self.failures)
        self._lock = threading.Lock()
        self._over = threading.Event()
        standin: Standin = self

        class Handler(_Handler):
            server_of_mails = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"sendgrid://{KEY}?host=http://127.0.0.1:{self._server.server_address[1]}&timeout=1"

    @property
    def addresses(self) -> list[str]:
        return [mail.to for mail in self.accepted]

    def next_failure(self) -> Failure | None:
        with self._lock:
            return self._failures.popleft() if self._failures else None

    def stall(self) -> None:
        self._over.wait(self.stall_s)

    def errors_of(self, request: Any, size_bytes: int) -> tuple[int, list[tuple[str | None, str]]]:
        """Judge a request as the documentation does: a status, and the errors with their fields."""
        if size_bytes >= MOST_BYTES:
            return 413, [(None, "The JSON payload you have included in your request is too large.")]
        errors = [*_errors_of_message(request)]
        for at, each in enumerate(request.get("personalizations", ())):
            place = f"personalizations.{at}"
            errors += _errors_of_reader(each, place)
            if each["to"][0]["email"] in self.refused:
                errors.append((f"{place}.to.0.email", "Does not contain a valid address."))
        if not self.names_fields:
            errors = [(None, words) for _, words in errors]
        return (400 if errors else 202), errors

    def accept(self, request: Mapping[str, Any]) -> None:
        with self._lock:
            self.accepted += [_mail(request, each) for each in request["personalizations"]]


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server_of_mails: Standin
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = self.server_of_mails
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(401, [(None, "The provided authorization grant is invalid, expired, or revoked")])
            return
        if self.path != PATH or not self.headers["Content-Type"].startswith("application/json"):
            self._answer(415, [(None, "Content-Type should be application/json.")])
            return
        request = json.loads(raw)
        server.requests.append(request)
        failure = server.next_failure()
        status, errors = server.errors_of(request, len(raw))
        if failure:
            if failure.is_accepted_first and status == 202:
                server.accept(request)
            self._fail(failure)
            return
        if status == 202:
            server.accept(request)
        self._answer(status, errors)

    def _fail(self, failure: Failure) -> None:
        self.close_connection = True
        if failure.do == "stall":
            self.server_of_mails.stall()
        elif failure.do != "cut":
            self._send(int(failure.do), failure.body.encode(), {"X-RateLimit-Reset": _in(failure.reset_in_s)})

    def _answer(self, status: int, errors: Sequence[tuple[str | None, str]]) -> None:
        if status == 202:
            self._send(202, b"", {"X-Message-Id": f"message-{len(self.server_of_mails.requests)}"})
            return
        body = {"errors": [{"message": words, "field": place, "help": None} for place, words in errors]}
        self._send(status, json.dumps(body).encode(), {})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's name
        """Write nothing to the tests' output."""


def _in(seconds: float) -> str:
    return str(int(time.time() + seconds))


def _errors_of_message(request: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    errors: list[tuple[str | None, str]] = []
    readers = request.get("personalizations", ())
    if not 1 <= len(readers) <= 1_000:
        errors.append(("personalizations", "The personalizations field must have 1 to 1000 entries."))
    if not ADDRESS.fullmatch(request.get("from", {}).get("email", "")):
        errors.append(("from.email", "The from email does not contain a valid address."))
    types = [each["type"] for each in request.get("content", ())]
    if types not in (["text/plain", "text/html"], ["text/plain"], ["text/html"]):
        errors.append(("content", "If present, text/plain must be first, followed by text/html."))
    if len(set(request.get("categories", ()))) != len(request.get("categories", ())) or len(types) > 10:
        errors.append(("categories", "At most 10 unique categories."))
    if not request.get("subject"):
        errors.append(("subject", "The subject is required."))
    return errors


def _errors_of_reader(each: Mapping[str, Any], place: str) -> list[tuple[str | None, str]]:
    errors: list[tuple[str | None, str]] = []
    if not ADDRESS.fullmatch(each["to"][0]["email"]) or not each["to"][0]["email"].isascii():
        errors.append((f"{place}.to.0.email", "Does not contain a valid address."))
    tags = sorted(each.get("substitutions", {}))
    if any(longer.startswith(shorter) for shorter, longer in pairwise(tags)):
        errors.append((f"{place}.substitutions", "A tag is the beginning of another."))
    for name in ("substitutions", "custom_args"):
        pairs = each.get(name, {}).items()
        if any(not isinstance(value, str) for _, value in pairs):
            errors.append((f"{place}.{name}", "The values must be strings."))
        elif sum(len(key.encode()) + len(value.encode()) for key, value in pairs) > PART:
            errors.append((f"{place}.{name}", "The values have more than 10000 bytes."))
    for name, value in each.get("headers", {}).items():
        if name.lower() in RESERVED or not value.isascii() or not value.isprintable():
            errors.append((f"{place}.headers", f"The header {name} cannot be used."))
    return errors


def _mail(request: Mapping[str, Any], each: Mapping[str, Any]) -> Mail:
    bodies = {content["type"]: _substituted(content["value"], each) for content in request["content"]}
    return Mail(
        to=each["to"][0]["email"],
        name=each["to"][0].get("name", ""),
        subject=_substituted(request["subject"], each),
        text=bodies.get("text/plain", ""),
        html=bodies.get("text/html", ""),
        headers=each.get("headers", {}),
        custom_args=each.get("custom_args", {}),
    )


def _substituted(text: str, each: Mapping[str, Any]) -> str:
    for tag, value in each.get("substitutions", {}).items():
        text = text.replace(tag, value)
    return text
