from collections.abc import Iterator, Mapping
from hashlib import sha256

from publisher.compose.slots import Slot
from publisher.dispatch.encodings import SOFT_BREAK, is_dense, quoted_printable
from publisher.dispatch.headers import Letterhead, fixed_lines, from_line, reply_to_line, subject_line
from publisher.dispatch.message import CompiledMessage, Kind, Part, Piece
from publisher.dispatch.places import Insert, Place, Span, spans_of_html, spans_of_text


def compile_message(
    *, subject: str, text: str, html: str, letterhead: Letterhead, fallbacks: Mapping[Slot, str] | None = None
) -> CompiledMessage:
    """
    Encode an issue's mail once, with slots for what differs per reader.

    The same arguments always give the same bytes.

    Args:
        subject: Plain text; markers (`publisher.compose.slots`) may stand in it, as in `text` and `html`.
        text: The plain form of the letter.
        html: The other form of it.
        letterhead: Where the mail comes from.
        fallbacks: What stands in a slot for a reader without a value, such as a name.

    Raises:
        InputError: The letterhead cannot be written as header fields.
        TemplateTextError: A slot stands where it has no meaning, or where no escaping makes it safe.

    """
    given = dict(fallbacks or {})
    boundary = _boundary(subject, text, html)
    return CompiledMessage(
        parts=(
            Part(kind=Kind.VERBATIM, pieces=(from_line(letterhead.sender),)),
            Part(kind=Kind.TO, pieces=()),
            _subject(subject, given),
            Part(kind=Kind.VERBATIM, pieces=tuple(_other_fields(letterhead, boundary))),
            *_body_part("plain", spans_of_text(_closed(text), given), boundary),
            *_body_part("html", spans_of_html(_closed(html), given), boundary),
            Part(kind=Kind.VERBATIM, pieces=(f"\r\n--{boundary}--\r\n".encode(),)),
        )
    )


def _subject(subject: str, fallbacks: dict[Slot, str]) -> Part:
    spans = spans_of_text(subject, fallbacks)
    if any(isinstance(span, Insert) for span in spans):
        return Part(kind=Kind.SUBJECT, pieces=tuple(_utf8(span) for span in spans))
    return Part(kind=Kind.VERBATIM, pieces=(subject_line(subject),))


def _other_fields(letterhead: Letterhead, boundary: str) -> Iterator[Piece]:
    before, after = fixed_lines(letterhead)
    yield b"%bDate: " % (reply_to_line(letterhead.reply_to) if letterhead.reply_to else b"")
    yield Insert(slot=Slot.DATE, place=Place.DATE)
    yield b"\r\nMessage-ID: <"
    yield Insert(slot=Slot.MESSAGE_ID, place=Place.HEADER)
    yield b">\r\n" + before
    yield Insert(slot=Slot.ONE_CLICK_URL, place=Place.URL)
    yield after + f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n'.encode()


def _body_part(subtype: str, spans: tuple[Span, ...], boundary: str) -> tuple[Part, Part]:
    dense = is_dense("".join(span for span in spans if isinstance(span, str)))
    kind = Kind.BASE64 if dense else Kind.QUOTED_PRINTABLE
    head = (
        f"\r\n--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {kind}\r\n\r\n"
    )
    pieces = (_utf8(span) for span in spans) if dense else _quoted_pieces(spans)
    return Part(kind=Kind.VERBATIM, pieces=(head.encode(),)), Part(kind=kind, pieces=tuple(pieces))


def _quoted_pieces(spans: tuple[Span, ...]) -> Iterator[Piece]:
    """Encode fixed stretches so that each ends where a line ends: at its own, or with a soft break before a slot."""
    for span in spans:
        if isinstance(span, Insert):
            yield span
            continue
        encoded = quoted_printable(span.encode())
        yield encoded if encoded.endswith(b"\r\n") else encoded + SOFT_BREAK


def _utf8(span: Span) -> Piece:
    return span if isinstance(span, Insert) else span.encode()


def _closed(text: str) -> str:
    """Return a text with CRLF line ends, the last line included (RFC 2045, section 6.7: no soft break at the end)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return f"{lines}\n".replace("\n", "\r\n")


def _boundary(*texts: str) -> str:
    """Return a word that no encoded part can contain: neither encoding makes `=_` (RFC 2045, section 6.7)."""
    digest = sha256()
    for text in texts:
        digest.update(text.encode(errors="replace"))
        digest.update(b"\0")
    return f"=_{digest.hexdigest()[:32]}"
