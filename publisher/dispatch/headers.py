import re
from binascii import b2a_base64
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

from publisher.dispatch.places import clean, escape_header, escape_url
from publisher.errors import InputError

LINE = 78
"""RFC 5322, section 2.1.1: lines should have at most 78 characters, and must not have more than 998."""

WORD = 75
"""RFC 2047, section 2: an encoded word has at most 75 characters."""

WORD_FRAME = len("=?utf-8?b??=")
LONGEST_TOKEN = 60
"""A longer run without a space goes into encoded words, which can be folded anywhere."""

SHORT = LINE - len("To:  <>")
_SIMPLE = re.compile(r"[A-Za-z0-9-]+( [A-Za-z0-9-]+)* <[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABELS = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_ADDR_SPEC = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, kw_only=True)
class Letterhead:
    """What an issue's mail says about where it comes from; the same for all readers."""

    sender: str
    """`Name <address>`."""
    list_name: str
    list_id: str
    """`label.domain`, the same for ever (RFC 2919)."""
    feedback_id: str
    """`a:b:c:SenderId`, words of the issue and the edition, never of the reader."""
    reply_to: str = ""
    unsubscribe_mailto: str = ""
    """An address; mail to it is a wish to unsubscribe. The HTTPS address of one click stands beside it."""


def from_line(sender: str) -> bytes:
    return _address_line("From", sender)


def reply_to_line(reply_to: str) -> bytes:
    return _address_line("Reply-To", reply_to)


def to_line(name: str, address: str) -> bytes:
    """Return the To field for one reader; without a name it is the address alone."""
    if len(name) + len(address) <= SHORT and _SIMPLE.fullmatch(f"{name} <{address}>"):
        return f"To: {name} <{address}>\r\n".encode()
    return mailbox_line(b"To: ", name, escape_address(address))


def escape_address(address: str) -> str:
    """Return an address without anything that could end it; beyond ASCII it stays as it is (RFC 6532)."""
    return escape_header(address) if address.isascii() else re.sub(r"[\s<>]+", "", clean(address))


def mailbox_line(field: bytes, name: str, address: str) -> bytes:
    """Return `Field: name <address>`, folded where it is longer than a line."""
    name = " ".join(clean(name).split())
    encoded = address.encode()
    if not name:
        return b"%b%b\r\n" % (field, encoded)
    phrase = _phrase(name, room=LINE - len(field))
    last_row = len(phrase) - phrase.rfind(b"\n") - 1 + (len(field) if b"\n" not in phrase else 0)
    space = b" " if last_row + len(encoded) + 3 <= LINE else b"\r\n "
    return b"%b%b%b<%b>\r\n" % (field, phrase, space, encoded)


def subject_line(subject: str) -> bytes:
    """Return the Subject field, folded; as encoded words (RFC 2047) if it is not plain ASCII."""
    return unstructured_line(b"Subject: ", subject)


def unstructured_line(field: bytes, text: str) -> bytes:
    words = clean(text).split()
    text = " ".join(words)
    if not _is_plain(text) or len(max(words, key=len, default="")) > LONGEST_TOKEN:
        return b"%b%b\r\n" % (field, encoded_words(text, room=LINE - len(field)))
    if len(field) + len(text) <= LINE:
        return b"%b%b\r\n" % (field, text.encode())
    return field + "\r\n ".join(_folded(words, room=LINE - len(field))).encode() + b"\r\n"


def encoded_words(text: str, *, room: int) -> bytes:
    """Return RFC 2047 encoded words, each on a line of its own and none with half a letter in it."""
    raw = text.encode(errors="replace")
    if len(raw) <= _payload(room):
        return b"=?utf-8?b?%b?=" % b2a_base64(raw, newline=False)
    return b"\r\n ".join(
        b"=?utf-8?b?%b?=" % b2a_base64(piece, newline=False) for piece in _pieces(text, _payload(room))
    )


def fixed_lines(letterhead: Letterhead) -> tuple[bytes, bytes]:
    """
    Return the fields that are the same for every reader: those before the unsubscribe address, those behind it.

    Between them stands the reader's own one-click URL. No encoded word may stand in a List-* field (RFC 2369,
    section 2), so a list name beyond ASCII is left out.
    """
    mailto = f",\r\n <mailto:{_mailto(letterhead.unsubscribe_mailto)}>" if letterhead.unsubscribe_mailto else ""
    before = _list_id_line(letterhead) + "List-Unsubscribe:\r\n <"
    after = (
        f">{mailto}\r\n"
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        f"Feedback-ID: {_token('Feedback-ID', letterhead.feedback_id)}\r\n"
        "Precedence: bulk\r\n"
        "MIME-Version: 1.0\r\n"
    )
    return before.encode(), after.encode()


def _list_id_line(letterhead: Letterhead) -> str:
    if not _LABELS.fullmatch(letterhead.list_id):
        raise InputError("a list id looks like label.domain", "List-Id")
    name = " ".join(letterhead.list_name.split())
    end = f"<{letterhead.list_id}>\r\n"
    if not name or not _is_plain(name) or len(name) > LONGEST_TOKEN:
        return f"List-Id: {end}"
    phrase = _phrase(name, room=LINE).decode()
    space = " " if len(phrase) + len(end) <= LINE - len("List-Id: ") else "\r\n "
    return f"List-Id: {phrase}{space}{end}"


def _address_line(field: str, mailbox: str) -> bytes:
    name, address = parseaddr(mailbox)
    if not (mailbox.isprintable() and _ADDR_SPEC.fullmatch(address)):
        raise InputError("must be an address, such as News <news@example.org>", field)
    return mailbox_line(f"{field}: ".encode(), name, address)


def _mailto(address: str) -> str:
    if not _ADDR_SPEC.fullmatch(address):
        raise InputError("the unsubscribe address must be a mail address", "List-Unsubscribe")
    return escape_url(address)


def _token(field: str, value: str) -> str:
    if len(value) > LINE - len(field) - 2 or not re.fullmatch(r"[!-~]+", value):
        raise InputError("must be one short word in ASCII", field)
    return value


def _phrase(name: str, *, room: int) -> bytes:
    """Return a display name: as it is, in quotation marks, or as encoded words (RFC 5322, section 3.4)."""
    if not _is_plain(name) or len(name) > LONGEST_TOKEN:
        return encoded_words(name, room=room)
    if _ATOMS.fullmatch(name):
        return name.encode()
    return b'"%b"' % re.sub(r'(["\\])', r"\\\1", name).encode()


def _is_plain(text: str) -> bool:
    """Tell whether a text may stand in a header as it is; what looks like an encoded word would be decoded."""
    return text.isascii() and "=?" not in text


def _payload(room: int) -> int:
    return (min(room, WORD) - WORD_FRAME) // 4 * 3


def _pieces(text: str, first: int) -> Iterator[bytes]:
    piece, limit = b"", first
    for letter in text:
        raw = letter.encode(errors="replace")
        if len(piece) + len(raw) > limit:
            yield piece
            piece, limit = b"", _payload(WORD)
        piece += raw
    yield piece


def _folded(words: list[str], *, room: int) -> Iterator[str]:
    row = words[0]
    for word in words[1:]:
        if len(row) + 1 + len(word) > room:
            yield row
            row, room = word, LINE - 1
        else:
            row = f"{row} {word}"
    yield row
