"""What a compiled message says, before any encoding: for a transport that does the encoding itself."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.header import decode_header, make_header
from itertools import pairwise
from typing import TypeAlias

from publisher.dispatch.message import CompiledMessage, Kind, Part, Piece
from publisher.dispatch.places import Insert, Span
from publisher.errors import InputError

Spans: TypeAlias = tuple[Span, ...]

_BODY = frozenset({Kind.QUOTED_PRINTABLE, Kind.BASE64})
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*)\Z", re.DOTALL)
_SUBTYPE = re.compile(rb"Content-Type: text/([a-z]+)")
_FOLD = re.compile(r"\r\n(?=[ \t])")
_HOLE = re.compile(r"\0(\d+)\0")


@dataclass(frozen=True, kw_only=True)
class Unencoded:
    """An issue's mail as text: its fields and its bodies, with the slots in their places."""

    sender: tuple[str, str]
    """The name and the address of From."""
    reply_to: str
    """An address, or empty."""
    subject: Spans
    fields: tuple[tuple[str, Spans], ...]
    """All other header fields, unfolded, in their order; To has none of its own."""
    bodies: tuple[tuple[str, Spans], ...]
    """Each with its subtype of text (`plain`, `html`), line ends as in the mail."""

    @property
    def inserts(self) -> tuple[Insert, ...]:
        """Every slot of the subject and the bodies, each kind once."""
        bodies = (span for _, spans in self.bodies for span in spans)
        return tuple(dict.fromkeys(span for span in (*self.subject, *bodies) if isinstance(span, Insert)))


def unencoded(message: CompiledMessage) -> Unencoded:
    """
    Return what a compiled message says.

    Raises:
        InputError: It is not of the form that `compile_message` makes.

    """
    first = next((at for at, part in enumerate(message.parts) if part.kind in _BODY), 0)
    fields = dict(_fields(message.parts[:first]))
    subject = next((part.pieces for part in message.parts if part.kind is Kind.SUBJECT), None)
    if first == 0 or "From" not in fields:
        raise InputError("is not a letter that we compiled", "message")
    return Unencoded(
        sender=_mailbox(fields.pop("From")),
        reply_to=_mailbox(fields.pop("Reply-To"))[1] if "Reply-To" in fields else "",
        subject=_text_spans(subject) if subject else _decoded(fields.pop("Subject", ())),
        fields=tuple(fields.items()),
        bodies=tuple(_bodies(message.parts)),
    )


def _fields(parts: tuple[Part, ...]) -> Iterator[tuple[str, Spans]]:
    """Split the head of a message into fields; a slot is a numbered hole until its line is unfolded."""
    holes: list[Insert] = []
    head = ""
    for piece in (piece for part in parts if part.kind is Kind.VERBATIM for piece in part.pieces):
        if isinstance(piece, Insert):
            head += f"\0{len(holes)}\0"
            holes.append(piece)
        else:
            head += piece.decode()
    for line in _FOLD.sub("", head.partition("\r\n\r\n")[0]).split("\r\n"):
        found = _FIELD.match(line)
        if found:
            yield found[1], _filled(found[2].strip(), holes)


def _filled(value: str, holes: list[Insert]) -> Spans:
    pieces = _HOLE.split(value)
    spans = [holes[int(piece)] if at % 2 else piece for at, piece in enumerate(pieces)]
    return tuple(span for span in spans if span != "")


def _bodies(parts: tuple[Part, ...]) -> Iterator[tuple[str, Spans]]:
    for head, body in pairwise(parts):
        if body.kind in _BODY:
            found = _SUBTYPE.search(b"".join(piece for piece in head.pieces if isinstance(piece, bytes)))
            if found is None:
                raise InputError("has a part without a type", "message")
            is_quoted = body.kind is Kind.QUOTED_PRINTABLE
            yield found[1].decode(), _text_spans(tuple(_plain(body.pieces)) if is_quoted else body.pieces)


def _plain(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
    return (piece if isinstance(piece, Insert) else binascii.a2b_qp(piece) for piece in pieces)


def _text_spans(pieces: tuple[Piece, ...]) -> Spans:
    return tuple(piece if isinstance(piece, Insert) else piece.decode() for piece in pieces)


def _decoded(spans: Spans) -> Spans:
    """Return a field whose encoded words (RFC 2047) are read."""
    return tuple(span if isinstance(span, Insert) else str(make_header(decode_header(span))) for span in spans)


def _mailbox(spans: Spans) -> tuple[str, str]:
    text = "".join(span for span in spans if isinstance(span, str))
    found = policy.default.header_factory("From", text)
    address = found.addresses[0]
    return address.display_name, address.addr_spec
