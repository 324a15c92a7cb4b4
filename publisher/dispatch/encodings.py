from binascii import b2a_base64
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from publisher.dispatch.model import ReaderValues

LINE = 76
"""RFC 2045, sections 6.7 and 6.8: an encoded line has at most 76 characters."""

ROW = LINE - 1 - 2
"""Room for the soft break, and for shielding the first letter."""

BYTES_A_LINE = LINE // 4 * 3
SOFT_BREAK = b"=\r\n"
DENSE = 6
"""Base64 is the shorter one when more than one byte in six needs three in quoted-printable."""

Make: TypeAlias = Callable[[ReaderValues], bytes]
"""Makes the bytes of one slot for one reader."""

Aligned: TypeAlias = tuple[bytes, bytes, bytes]
Step: TypeAlias = tuple[Make, tuple[Aligned, Aligned, Aligned]]

_SPACE = ord(" ")
_LITERAL = bytes(byte for byte in range(ord("!"), ord("~") + 1) if byte != ord("="))
_SHIELDED = b".F"
"""What a shielded row begins with: a dot, or “From ”."""
_TOKENS = tuple(b"%c" % byte if byte == _SPACE or byte in _LITERAL else b"=%02X" % byte for byte in range(256))


def is_dense(text: str) -> bool:
    """Return whether a text is mostly outside of ASCII, as Hangul is."""
    raw = text.encode()
    return len(raw.translate(None, bytes(range(128)))) * DENSE > len(raw)


def quoted_printable(raw: bytes) -> bytes:
    """
    Encode lines that end in CRLF as quoted-printable.

    Stricter than RFC 2045 asks, so that nothing on the way has a reason to touch it: no line begins with a dot
    (SMTP would double it) or with “From ” (mailboxes would quote it), and no line holds a tab, two spaces in a row
    or a space at its end, so that DKIM's relaxed form of it (RFC 6376, section 3.4.4) is the text itself.
    """
    return b"\r\n".join(_quoted_line(line) for line in raw.split(b"\r\n"))


def _quoted_line(line: bytes) -> bytes:
    encoded = b"".join(map(_TOKENS.__getitem__, line)).replace(b"  ", b" =20")
    if encoded.endswith(b" "):
        encoded = encoded[:-1] + b"=20"
    if len(encoded) <= ROW:
        return _shielded(encoded)
    return SOFT_BREAK.join(map(_shielded, _rows(encoded)))


def _rows(encoded: bytes) -> Iterator[bytes]:
    """Cut where no encoded byte is cut in two."""
    start = 0
    while len(encoded) - start > ROW:
        end = start + ROW
        mark = encoded.rfind(b"=", end - 2, end)
        end = end if mark < 0 else mark
        yield encoded[start:end]
        start = end
    yield encoded[start:]


def _shielded(row: bytes) -> bytes:
    return b"=%02X%b" % (row[0], row[1:]) if row.startswith((b".", b"From ")) else row


def plain_in_quoted(characters: bytes) -> bytes:
    """Return those characters that quoted-printable leaves as they are wherever they stand."""
    return bytes(byte for byte in characters if byte in _LITERAL)


def fits_a_line(raw: bytes) -> bool:
    """Tell whether characters of `plain_in_quoted` can stand within a line without being shielded or broken."""
    return 0 < len(raw) < LINE and raw[0] not in _SHIELDED


def quoted_value(raw: bytes) -> bytes:
    """
    Encode what stands in a slot; the result ends within a line and never with a space.

    What nearly all names and URLs look like takes half a microsecond; `quoted_printable` is the law for the rest.
    """
    special = raw.translate(None, _LITERAL)
    size = len(raw)
    if size and (not special or special == b" ") and raw[0] not in _SHIELDED and raw[-1] != _SPACE:
        if size < LINE:
            return raw
        if size < 2 * (LINE - 1) and raw[LINE - 1] not in _SHIELDED:
            return b"%b=\r\n%b" % (raw[: LINE - 1], raw[LINE - 1 :])
    return quoted_printable(raw)


def base64_lines(raw: bytes) -> bytes:
    """Encode bytes as base64 in lines of 76, each with its CRLF."""
    encoded = b2a_base64(raw, newline=False)
    if len(encoded) <= LINE:
        return encoded + b"\r\n" if encoded else b""
    if len(encoded) <= 2 * LINE:
        return b"%b\r\n%b\r\n" % (encoded[:LINE], encoded[LINE:])
    return b"\r\n".join([encoded[at : at + LINE] for at in range(0, len(encoded), LINE)]) + b"\r\n"


class Base64Text:
    """
    A base64 part with slots in it.

    Base64 turns three bytes into four letters, so what stands behind a slot of unknown length may begin at any
    of three places in such a group. Every fixed stretch is encoded three times in advance; a reader's copy takes
    the one that fits, and only the slot with the one or two bytes on either side is encoded for him.
    """

    def __init__(self, spans: Sequence[bytes | Make]) -> None:
        self._steps = tuple(_steps(spans))

    def __call__(self, values: ReaderValues) -> bytes:
        made: list[bytes] = []
        carry = b""
        for before, aligned in self._steps:
            raw = carry + before(values)
            head, lines, carry = aligned[-len(raw) % 3]
            made += (base64_lines(raw + head), lines)
        return b"".join(made)


def _steps(spans: Sequence[bytes | Make]) -> Iterator[Step]:
    """Pair what is encoded for each reader (slots, and short stretches between them) with the stretch behind it."""
    loose: list[bytes | Make] = []
    for at, span in enumerate(spans):
        is_last = at == len(spans) - 1
        if isinstance(span, bytes) and (len(span) > BYTES_A_LINE or (is_last and not loose)):
            yield _joined(loose), _aligned(span, is_last=is_last)
            loose = []
        else:
            loose.append(span)
    if loose:
        yield _joined(loose), _aligned(b"", is_last=True)


def _joined(spans: Sequence[bytes | Make]) -> Make:
    if len(spans) == 1 and not isinstance(spans[0], bytes):
        return spans[0]
    parts = tuple(spans)
    return lambda values: b"".join([part if isinstance(part, bytes) else part(values) for part in parts])


def _aligned(raw: bytes, *, is_last: bool) -> tuple[Aligned, Aligned, Aligned]:
    """For each number of bytes that the group before still wants: those bytes, the lines, and what is left over."""
    zero, one, two = (_aligned_after(raw, wanted, is_last=is_last) for wanted in range(3))
    return zero, one, two


def _aligned_after(raw: bytes, wanted: int, *, is_last: bool) -> Aligned:
    whole = len(raw) if is_last else wanted + (len(raw) - wanted) // 3 * 3
    return raw[:wanted], base64_lines(raw[wanted:whole]), raw[whole:]
