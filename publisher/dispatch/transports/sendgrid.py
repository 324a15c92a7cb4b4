import json
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPException
from threading import Event
from typing import Any, TypeAlias
from urllib.error import URLError

from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from publisher.dispatch.message import CompiledMessage
from publisher.dispatch.model import Envelope, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.rules import clean_reason
from publisher.dispatch.transports.sendgrid_request import (
    BAD_REQUEST,
    MOST_BYTES,
    MOST_READERS,
    Personalization,
    Template,
    fault_of,
    single_request,
    size_bytes,
    template,
)
from publisher.dispatch.transports.sendgrid_url import SendGridSettings

ACCEPTED = 202
TOO_LARGE = 413
TOO_MANY = 429
UNAVAILABLE = 503
LONGEST_WAIT_S = 60.0
"""For X-RateLimit-Reset; what has to wait longer comes back untried."""
WAITS = 5
ALONE_AT_MOST = 3
"""So many readers refused one by one, none accepted: it is the message that is wrong, or we."""

_NAMED = re.compile(r"personalizations\.(\d+)(\.|$)")
_ADDRESS_FIELD = re.compile(r"personalizations\.\d+\.to\.\d+(\.email)?")
_CLOSED = "sending was stopped"


@dataclass(frozen=True, kw_only=True)
class _Accepted:
    """SendGrid has queued it all."""

    message_id: str


@dataclass(frozen=True, kw_only=True)
class _Rejected:
    """Nothing of it was taken, for the sake of what is in it."""

    errors: tuple[tuple[str, str], ...]
    """Each with its field (`personalizations.3.to.0.email`, or empty) and its message."""


@dataclass(frozen=True, kw_only=True)
class _TooLarge:
    """Nothing of it was taken; half of it may be."""


@dataclass(frozen=True, kw_only=True)
class _Blocked:
    """Nothing of it was taken, and not for the sake of what is in it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class _Lost:
    """It went out, and what became of it nobody said."""

    reason: str


_Answer: TypeAlias = _Accepted | _Rejected | _TooLarge | _Blocked | _Lost
_Entry: TypeAlias = tuple[int, Personalization]


class SendGridTransport:
    """
    Hands messages to SendGrid's v3 API, up to a thousand readers in one request.

    Their API knows no idempotency key, so a request whose answer is lost leaves all its readers uncertain; the events
    that SendGrid sends about them say later who has got a copy.
    """

    name = "sendgrid"

    def __init__(self, settings: SendGridSettings) -> None:
        self._settings = settings
        self._closed = Event()
        self._not_before = 0.0

    def open(self) -> None:
        self._closed.clear()

    def close(self) -> None:
        self._closed.set()

    def send_all(self, message: CompiledMessage, envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
        if any(not message.needs <= envelope.values.keys() for envelope in envelopes):
            raise ValueError("an envelope lacks a value for a slot of the message")
        if not envelopes:
            return ()
        form = template(message, envelopes[0].issue_id)
        entries = [(at, form.personalization(envelope)) for at, envelope in enumerate(envelopes)]
        return _Sending(self, form, entries).outcomes()

    def send_one(self, sender: str, address: str, raw: bytes) -> Outcome:
        del sender  # SendGrid has return paths of its own
        mail = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        answer = self.post(single_request(address, mail))
        if isinstance(answer, _Rejected):
            field, reason = answer.errors[0]
            return _refused(field, reason)
        return _for_all(answer)

    def post(self, request: Mapping[str, Any]) -> "_Answer":
        """Make one request, waiting while SendGrid asks us to."""
        for _ in range(WAITS):
            if not self._wait():
                break
            answer = self._post(request)
            if answer is not None:
                return answer
        if self._closed.is_set():
            return _Blocked(reason=_CLOSED)
        return _Blocked(reason="SendGrid's rate limit is used up")

    def _wait(self) -> bool:
        """Wait for the end of a rate limit that any thread has met; False if that is too far away, or we close."""
        wait_s = self._not_before - time.time()
        if wait_s > LONGEST_WAIT_S:
            return False
        return not self._closed.wait(max(wait_s, 0))

    def _post(self, request: Mapping[str, Any]) -> "_Answer | None":
        """Return the answer; None after a 429."""
        api = SendGridAPIClient(self._settings.key, host=self._settings.host)
        api.client.timeout = self._settings.timeout_s
        try:
            response = api.client.mail.send.post(request_body=request)
        except HTTPError as problem:
            return self._failed(problem)
        except URLError as problem:  # the library of Python wraps what fails before the request has left us whole
            return _Blocked(reason=f"SendGrid cannot be reached: {_words(problem.reason)}")
        except (OSError, HTTPException) as problem:
            return _Lost(reason=f"the request went out and no answer came: {_words(problem)}")
        if response.status_code != ACCEPTED:
            return _Lost(reason=f"SendGrid answered {response.status_code}, which means nothing to us")
        return _Accepted(message_id=response.headers.get("X-Message-Id") or "")

    def _failed(self, problem: HTTPError) -> "_Answer | None":
        status = problem.status_code
        errors = _errors(problem.body)
        if status == TOO_MANY:
            self._not_before = _reset_at(problem.headers)
            return None
        if status == BAD_REQUEST:
            return _Rejected(errors=errors)
        if status == TOO_LARGE:
            return _TooLarge()
        said = f"SendGrid answered {status}: {errors[0][1]}"
        is_sure = status < 500 or status == UNAVAILABLE  # noqa: PLR2004 -- RFC 9110, sections 15.5, 15.6.4
        return _Blocked(reason=clean_reason(said)) if is_sure else _Lost(reason=clean_reason(said))


class _Sending:
    """One call's readers on their way, in fewer and fewer at once where a request is refused."""

    def __init__(self, transport: SendGridTransport, form: Template, entries: Sequence[_Entry]) -> None:
        self._transport = transport
        self._form = form
        self._outcomes: dict[int, Outcome] = {}
        self._alone: dict[int, str] = {}
        """Readers who were refused for another reason than their address."""
        self._is_any_sent = False
        self._count = len(entries)
        fine = [entry for entry in entries if self._is_fine(entry)]
        starts = range(0, len(fine), MOST_READERS)
        self._waiting = deque(fine[start : start + MOST_READERS] for start in starts)

    def outcomes(self) -> list[Outcome]:
        while self._waiting:
            some = self._waiting.popleft()
            self._take(some, self._ask(some))
            if len(self._alone) >= ALONE_AT_MOST and not self._is_any_sent:
                self._stop(next(iter(self._alone.values())))
        for at, reason in self._alone.items():
            self._outcomes[at] = _refused("", reason)
        return [self._outcomes[at] for at in range(self._count)]

    def _is_fine(self, entry: _Entry) -> bool:
        fault = fault_of(entry[1])
        if fault is not None:
            self._outcomes[entry[0]] = fault
        return fault is None

    def _ask(self, some: Sequence[_Entry]) -> "_Answer":
        request = self._form.request([personalization for _, personalization in some])
        return _TooLarge() if size_bytes(request) >= MOST_BYTES else self._transport.post(request)

    def _take(self, some: list[_Entry], answer: "_Answer") -> None:
        if isinstance(answer, _Rejected):
            self._sift(some, answer)
        elif isinstance(answer, _TooLarge) and len(some) > 1:
            self._halve(some)
        else:
            self._is_any_sent |= isinstance(answer, _Accepted)
            self._outcomes |= dict.fromkeys((at for at, _ in some), _for_all(answer))
            if isinstance(answer, _Blocked | _Lost):
                self._put_off(f"not tried: {answer.reason}")

    def _sift(self, some: list[_Entry], answer: _Rejected) -> None:
        """Find out for whose sake a request was refused: by what SendGrid names, else by halves."""
        shared = next((words for field, words in answer.errors if field and not _NAMED.match(field)), None)
        if shared is not None:
            self._waiting.appendleft(some)
            self._stop(shared)
            return
        named = {int(found[1]): each for each in answer.errors if (found := _NAMED.match(each[0]))}
        if len(some) == 1:
            named = {0: answer.errors[0]}
        named = {place: each for place, each in named.items() if place < len(some)}
        if not named:
            self._halve(some)
            return
        for place, (field, reason) in named.items():
            self._refuse(some[place][0], field, reason)
        rest = [entry for place, entry in enumerate(some) if place not in named]
        if rest:
            self._waiting.appendleft(rest)

    def _refuse(self, at: int, field: str, reason: str) -> None:
        if _ADDRESS_FIELD.fullmatch(field):
            self._outcomes[at] = _refused(field, reason)
        else:
            self._alone[at] = reason

    def _halve(self, some: list[_Entry]) -> None:
        middle = len(some) // 2
        self._waiting.extendleft((some[middle:], some[:middle]))

    def _stop(self, reason: str) -> None:
        """Hold it against no reader: the message is wrong, or our account is."""
        words = clean_reason(f"SendGrid refuses the message: {reason}")
        self._outcomes |= dict.fromkeys(self._alone, Untried(reason=words))
        self._alone = {}
        self._put_off(words)

    def _put_off(self, reason: str) -> None:
        for some in self._waiting:
            self._outcomes |= dict.fromkeys((at for at, _ in some), Untried(reason=reason))
        self._waiting.clear()


def _for_all(answer: _Accepted | _TooLarge | _Blocked | _Lost) -> Outcome:
    match answer:
        case _Accepted(message_id=message_id):
            return Sent(reply=f"{ACCEPTED} {message_id}".strip())
        case _TooLarge():
            return Refused(code=TOO_LARGE, reason="the message is larger than SendGrid takes")
        case _Blocked(reason=reason):
            return Untried(reason=reason)
        case _Lost(reason=reason):
            return Uncertain(reason=reason)


def _refused(field: str, reason: str) -> Refused:
    enhanced = "5.1.3" if _ADDRESS_FIELD.fullmatch(field) else ""  # RFC 3463: bad destination mailbox address syntax
    return Refused(code=BAD_REQUEST, reason=clean_reason(reason), enhanced=enhanced)


def _errors(body: bytes) -> tuple[tuple[str, str], ...]:
    """Read `{"errors": [{"field": …, "message": …}]}`; whatever else came is one error without a field."""
    try:
        found = json.loads(body)["errors"]
        errors = tuple((str(each.get("field") or ""), str(each.get("message") or "")) for each in found)
    except (ValueError, TypeError, KeyError, AttributeError):
        errors = ()
    return errors or (("", clean_reason(body.decode(errors="replace")) or "no reason was given"),)


def _reset_at(headers: Mapping[str, str]) -> float:
    """Return when the rate limit ends, by this machine's clock; a second from now where nothing useful is said."""
    said = headers.get("X-RateLimit-Reset") or ""
    return max(float(said) if said.isdecimal() else 0.0, time.time() + 1)


def _words(problem: object) -> str:
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
