import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from publisher.dispatch import rules

NOT_A_REPLY_BYTES = 64 * 1024
"""More than this without a line end is no SMTP server (a reply line has 512 bytes: RFC 5321, section 4.5.3.1.5)."""
NOT_A_REPLY_LINES = 1_000

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\r?", re.DOTALL)


class ProtocolError(Exception):
    """The server does not speak SMTP."""


class Reply(NamedTuple):
    """A server's reply: its code, and its text, a line of it on each line."""

    code: int
    text: str

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 300  # noqa: PLR2004 -- RFC 5321, section 4.2.1

    def __str__(self) -> str:
        return f"{self.code} {rules.clean_reason(self.text)}"


class ReplyReader:
    """Cuts what a server sends into replies."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Whether everything the server sent has been read as whole replies."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that are complete by now. Raises ProtocolError."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > NOT_A_REPLY_BYTES or len(self._lines) > NOT_A_REPLY_LINES:
            raise ProtocolError
        replies: list[Reply] = []
        for line in lines:
            reply, is_last = _read_line(line)
            if is_last and not self._lines:
                replies.append(reply)
                continue
            self._lines.append(reply.text)
            if is_last:
                replies.append(Reply(reply.code, "\n".join(self._lines)))
                self._lines = []
        return replies


@lru_cache(maxsize=256)
def _read_line(line: bytes) -> tuple[Reply, bool]:
    """Return one line as a reply, and whether it ends one. Servers repeat themselves: four in five are known."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ProtocolError
    text = (found[3] or b"").decode("utf-8", errors="replace").strip()
    return Reply(int(found[1]), text), found[2] != b"-"


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """What a server offers in its answer to EHLO."""

    pipelining: bool = False
    starttls: bool = False
    eight_bit: bool = False
    utf8_addresses: bool = False
    knows_size: bool = False
    most_bytes: int = 0
    """RFC 1870; 0: no limit told."""
    auth: frozenset[str] = frozenset()


def abilities_of(reply: Reply) -> Abilities:
    """Read the answer to EHLO (RFC 5321, section 4.1.1.1); its first line is the server's name."""
    words: dict[str, str] = {}
    for line in reply.text.upper().split("\n")[1:]:
        keyword, _, rest = line.replace("=", " ", 1).partition(" ")
        words[keyword] = f"{words.get(keyword, '')} {rest}".strip()
    size = words.get("SIZE", "")
    return Abilities(
        pipelining="PIPELINING" in words,
        starttls="STARTTLS" in words,
        eight_bit="8BITMIME" in words,
        utf8_addresses="SMTPUTF8" in words,
        knows_size="SIZE" in words,
        most_bytes=int(size) if size.isascii() and size.isdecimal() else 0,
        auth=frozenset(words.get("AUTH", "").split()),
    )
