"""
SMTP without a socket: bytes in, bytes out, outcomes told.

A message goes out as two writes. The first opens its transaction (MAIL, RCPT, DATA in one group, RFC 2920); the second,
once the server has said 354, is the message itself, its final dot, and behind that the group that opens the
next transaction. So a connection costs one round trip per message, and a reply is matched to what it
answers by its place alone.

A server in good health answers such a pair of writes with four lines at once, message after message. `receive_usual`
knows them by one look; whatever else a server may say goes reply by reply through `receive`.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from functools import lru_cache

from publisher.dispatch import rules
from publisher.dispatch.model import Deferred, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.transports.smtp_replies import Abilities, Reply

START_MAIL = 354

_ALL_IS_WELL = re.compile(
    rb"250 ([^\r\n]*)\r\n250 [^\r\n]*\r\n250 [^\r\n]*\r\n354[ ]?[^\r\n]*\r\n",
)
"""The message is taken; sender and recipient of the next one are, and it may come."""


class Mail:
    """One message on its way to one address."""

    __slots__ = ("address", "body", "connections", "is_ascii", "make", "sender", "settle")

    def __init__(
        self,
        *,
        sender: str,
        address: str,
        make: Callable[[], bytes],
        settle: Callable[[Outcome], None],
        is_ascii: bool = True,
    ) -> None:
        self.sender = sender
        self.address = address
        self.make = make
        """Returns the message: CRLF line ends, the last one included, and no line that begins with a dot."""
        self.settle = settle
        """Takes the outcome; called once, with whatever comes first."""
        self.is_ascii = is_ascii
        """Whether the message is; told, because a look at 20 KB costs as much as all commands together."""
        self.body = b""
        self.connections = 0
        """How many connections have begun with it."""


class Step(Enum):
    """What a reply answers."""

    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    FINAL = auto()
    DISCARDED = auto()
    """The lone dot after a 354 that came although the recipient was refused."""
    RESET = auto()


_MAIL, _RCPT, _DATA, _FINAL = Step.MAIL, Step.RCPT, Step.DATA, Step.FINAL  # plain names: looked up for every reply
_GROUP = (_MAIL, _RCPT, _DATA)
_WHOLE = 1 + len(_GROUP)


class Dialogue:
    """
    The transactions of one connection, after its handshake.

    `take` gives the next message or None; `write` sends pieces of bytes; `give_back` takes a message that this
    connection could not try, and the reason; `ended` is called once, when the connection may not be used any more.
    """

    def __init__(
        self,
        abilities: Abilities,
        *,
        take: Callable[[], Mail | None],
        write: Callable[..., None],
        give_back: Callable[[Mail, str], None],
        ended: Callable[[str], None],
    ) -> None:
        self._abilities = abilities
        self._is_pipelined = abilities.pipelining
        self._take = take
        self._write = write
        self._give_back = give_back
        self._ended = ended
        self._awaited: deque[Step] = deque()
        self._opening: Mail | None = None
        """Between its MAIL and the 354."""
        self._closing: Mail | None = None
        """Between its final dot and the answer to that."""
        self._failure: Outcome | None = None
        self._is_recipient_taken = False
        self._is_over = False
        self.answered = 0
        """Messages that the server has given an answer for."""

    @property
    def awaited(self) -> Step | None:
        """What the next reply will answer; None: the connection is idle."""
        return self._awaited[0] if self._awaited else None

    def begin(self) -> None:
        """Start on the next message, if the connection is idle and there is one."""
        if not self._awaited and not self._is_over:
            self._open_next()

    def receive(self, replies: Iterable[Reply]) -> None:
        """Take the server's replies in their order."""
        for reply in replies:
            if self._is_over:
                return
            if not self._awaited:
                is_closing = reply.code == rules.CLOSING
                self.lose(f"the server is closing: {reply}" if is_closing else "the server spoke out of turn")
                return
            step = self._awaited.popleft()
            if reply.code == rules.CLOSING:
                self._close_for(step, reply)
            else:
                self._on_reply(step, reply)

    def receive_usual(self, data: bytes) -> bool:
        """Take the answers to a message and to the opening of the next, if all is well; False: look at each."""
        closing, opening = self._closing, self._opening
        if closing is None or opening is None or len(self._awaited) != _WHOLE:
            return False
        found = _ALL_IS_WELL.fullmatch(data)
        if found is None:
            return False
        self._awaited.clear()
        self.answered += 1
        closing.settle(rules.accepted(found[1]))
        self._send_body(opening)
        return True

    def lose(self, reason: str) -> None:
        """The connection is gone: what was wholly sent is uncertain, what was not goes back."""
        if self._is_over:
            return
        self._is_over = True
        self._awaited.clear()
        closing, opening = self._closing, self._opening
        self._closing = self._opening = None
        if closing:
            closing.settle(Uncertain(reason=reason))
        if opening:
            self._give_back(opening, reason)
        self._ended(reason)

    def _on_reply(self, step: Step, reply: Reply) -> None:
        if step is _MAIL:
            self._on_mail(reply)
        elif step is _RCPT:
            self._on_rcpt(reply)
        elif step is _DATA:
            self._on_data(reply)
        elif step is _FINAL:
            self._conclude(reply)
        elif not self._awaited:
            self._open_next()

    def _on_mail(self, reply: Reply) -> None:
        """A sender refused for good is no reader's fault, and a refusal to know us neither."""
        if not reply.is_positive:
            self._failure = _no_success(rules.classify(reply.code, reply.text))
            is_ours = isinstance(self._failure, Deferred) or rules.is_too_big(reply.code, reply.text)
            if rules.is_transport_trouble(self._failure) or not is_ours:
                self.lose(f"the server did not accept our sender: {reply}")
                return
        if not self._is_pipelined:
            self._go_on(_RCPT)

    def _on_rcpt(self, reply: Reply) -> None:
        self._is_recipient_taken = reply.is_positive
        if not reply.is_positive:
            if reply.code in rules.AUTHENTICATION_CODES:
                self.lose(f"the server wants us to sign in: {reply}")
                return
            self._failure = self._failure or _no_success(rules.classify(reply.code, reply.text))
        if not self._is_pipelined:
            self._go_on(_DATA)

    def _go_on(self, step: Step) -> None:
        """Without pipelining: send the next command of a transaction, or end one that has failed."""
        mail = self._opening
        assert mail is not None
        if self._failure is None:
            self._awaited.append(step)
            self._write(b"DATA\r\n" if step is _DATA else b"RCPT TO:<%b>\r\n" % mail.address.encode())
        else:
            self._drop(mail, self._failure)

    def _on_data(self, reply: Reply) -> None:
        mail = self._opening
        assert mail is not None
        if reply.code != START_MAIL:
            self._drop(mail, self._failure or _no_success(rules.classify(reply.code, reply.text)))
        elif self._failure is None:
            self._send_body(mail)
        elif self._is_recipient_taken:
            # A lone dot would deliver an empty message: MAIL failed, and the server took the recipient all the same.
            self._opening = None
            mail.settle(self._failure)
            self.lose("the server took a recipient without a sender")
        else:
            self._awaited.append(Step.DISCARDED)
            self._drop(mail, self._failure, b".\r\n")

    def _send_body(self, mail: Mail) -> None:
        self._closing, self._opening = mail, None
        self._awaited.append(_FINAL)
        body, mail.body = mail.body, b""
        self._open_next(body, b".\r\n")

    def _drop(self, mail: Mail, outcome: Outcome, *before: bytes) -> None:
        """End a transaction that failed, and go on with the next one behind a RSET."""
        self._opening = None
        self._awaited.append(Step.RESET)
        self.answered += 1
        mail.settle(outcome)
        self._open_next(*before, b"RSET\r\n")

    def _conclude(self, reply: Reply) -> None:
        mail, self._closing = self._closing, None
        assert mail is not None
        self.answered += 1
        mail.settle(rules.classify(reply.code, reply.text))
        if not self._awaited:
            self._open_next()

    def _close_for(self, step: Step, reply: Reply) -> None:
        """
        Hold a 421 against nobody but the message that it answered, and against that as a temporary failure.

        To MAIL, which is the same for everybody, it is no answer to a message at all.
        """
        outcome = rules.classify(reply.code, reply.text)
        if step is Step.FINAL and self._closing:
            mail, self._closing = self._closing, None
            mail.settle(outcome)
        elif step in {Step.RCPT, Step.DATA} and self._opening:
            mail, self._opening = self._opening, None
            mail.settle(self._failure or outcome)
        self.lose(f"the server is closing: {reply}")

    def _open_next(self, *before: bytes) -> None:
        """Write what is to go before, and behind it the group that opens the next transaction, if there is one."""
        may_open = self._is_pipelined or not self._awaited
        opening = self._next_opening() if may_open else b""
        if before or opening:
            self._write(*before, opening)

    def _next_opening(self) -> bytes:
        """Take the next message that this server can be asked to take, and return what opens its transaction."""
        while mail := self._take():
            self._opening, self._failure, self._is_recipient_taken = mail, None, False
            mail.connections += 1
            self._make_body(mail)
            obstacle = _obstacle(mail, self._abilities)
            if obstacle is None:
                return self._opening_commands(mail)
            self._opening = None
            mail.settle(obstacle)
        return b""

    def _make_body(self, mail: Mail) -> None:
        try:
            mail.body = mail.make()
        except Exception:
            self.lose("a message could not be made")  # an error of ours must not leave a caller waiting
            raise

    def _opening_commands(self, mail: Mail) -> bytes:
        size = b" SIZE=%d" % len(mail.body) if self._abilities.knows_size else b""
        is_plain = mail.is_ascii and mail.address.isascii() and mail.sender.isascii()
        needs = b"" if is_plain else _needs(mail)
        sender = mail.sender.encode()
        if not self._is_pipelined:
            self._awaited.append(_MAIL)
            return b"MAIL FROM:<%b>%b%b\r\n" % (sender, size, needs)
        self._awaited += _GROUP
        address = mail.address.encode()
        return b"MAIL FROM:<%b>%b%b\r\nRCPT TO:<%b>\r\nDATA\r\n" % (sender, size, needs, address)


def _needs(mail: Mail) -> bytes:
    form = b"" if mail.is_ascii else b" BODY=8BITMIME"
    names = b"" if mail.address.isascii() and mail.sender.isascii() else b" SMTPUTF8"
    return form + names


def _obstacle(mail: Mail, abilities: Abilities) -> Outcome | None:
    """Return why this server need not be asked at all; None: nothing stands in the way."""
    if not _is_address(mail.address):
        return Refused(code=553, reason="the address is not one", enhanced="5.1.3")
    if mail.sender and not _is_sender(mail.sender):
        return Untried(reason="our return path is not an address")
    if not abilities.utf8_addresses and not (mail.address.isascii() and mail.sender.isascii()):
        return Refused(code=553, reason="the server takes addresses in ASCII only", enhanced="5.6.7")
    if not abilities.eight_bit and not mail.is_ascii:
        return Refused(code=554, reason="the server takes messages in ASCII only", enhanced="5.6.3")
    if 0 < abilities.most_bytes < len(mail.body):
        return Refused(code=552, reason="the message is bigger than the server takes", enhanced="5.3.4")
    return None


@lru_cache(maxsize=64)
def _is_sender(text: str) -> bool:
    return _is_address(text)


def _is_address(text: str) -> bool:
    """Tell whether a text may stand between the angle brackets of MAIL and RCPT; no line end can."""
    is_bracketed = "<" in text or ">" in text or " " in text
    return text.isprintable() and not is_bracketed and "@" in text[1:-1]


def _no_success(outcome: Outcome) -> Outcome:
    """Return the outcome of a message whose body never went: a yes to anything else is no yes to it."""
    return Deferred(code=503, reason="the server answered out of order") if isinstance(outcome, Sent) else outcome
