import json
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from publisher.compose.slots import Slot
from publisher.dispatch.encodings import SOFT_BREAK, Base64Text, Make, fits_a_line, plain_in_quoted, quoted_value
from publisher.dispatch.headers import subject_line, to_line
from publisher.dispatch.model import ReaderValues
from publisher.dispatch.places import ESCAPES, Insert, Place, harmless
from publisher.errors import InputError

MAGIC = b"PCM1"
"""A stored compiled message, form 1."""

_LENGTH = struct.Struct(">I")
NEVER_MISSING = frozenset({Slot.NAME})
"""A reader need not have a name."""

Piece: TypeAlias = bytes | Insert


class Kind(StrEnum):
    """How the pieces of a part become bytes."""

    VERBATIM = "verbatim"
    TO = "to"
    """The whole To field; it has no pieces of its own."""
    SUBJECT = "subject"
    """The whole Subject field; pieces are UTF-8 text."""
    QUOTED_PRINTABLE = "quoted-printable"
    """Fixed pieces are encoded already."""
    BASE64 = "base64"
    """Fixed pieces are not encoded yet: they are, three times, when the message is loaded."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stretch of the message in one encoding."""

    kind: Kind
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, kw_only=True)
class CompiledMessage:
    """
    An issue's mail: fixed bytes, encoded once, and slots for what differs per reader.

    A copy has CRLF line ends, no line over 76 characters in the body, nothing but ASCII (a To address beyond ASCII
    apart), and no line that begins with a dot, so that SMTP can send it without looking at it again.
    """

    parts: tuple[Part, ...]

    def splice(self, values: ReaderValues) -> bytes:
        """
        Return one reader's copy.

        Raises:
            KeyError: The values lack a slot; see `missing`.

        """
        return self.splicer(values)

    def missing(self, values: ReaderValues) -> frozenset[Slot]:
        """Return the slots that have neither a value nor a fallback."""
        return self.needs - values.keys()

    @cached_property
    def needs(self) -> frozenset[Slot]:
        """The slots that every reader must have a value for."""
        inserts = (piece for part in self.parts for piece in part.pieces if isinstance(piece, Insert))
        return frozenset({Slot.ADDRESS, *(one.slot for one in inserts if not one.fallback)}) - NEVER_MISSING

    @cached_property
    def empty_size_bytes(self) -> int:
        """The size of a copy with nothing in its slots."""
        return len(self.splice(dict.fromkeys(Slot, "")))

    @cached_property
    def splicer(self) -> Callable[[ReaderValues], bytes]:
        """`splice` itself, ready, for whoever splices a million."""
        return _Splicer(self.parts)

    def to_bytes(self) -> bytes:
        """Return the form in which a frozen issue is stored: a JSON table of contents, then the fixed bytes."""
        contents = [[part.kind, [_entry(piece) for piece in part.pieces]] for part in self.parts]
        table = json.dumps(contents, ensure_ascii=False, separators=(",", ":")).encode()
        fixed = (piece for part in self.parts for piece in part.pieces if isinstance(piece, bytes))
        return b"".join((MAGIC, _LENGTH.pack(len(table)), table, *fixed))

    @classmethod
    def from_bytes(cls, stored: bytes) -> "CompiledMessage":
        """Return what `to_bytes` stored. Raises InputError if it is anything else."""
        reader = _Reader(stored)
        if reader.take(len(MAGIC)) != MAGIC:
            raise InputError("is not a compiled message of a form we know", "message")
        try:
            (length,) = _LENGTH.unpack(reader.take(_LENGTH.size))
            contents = json.loads(reader.take(length))
            parts = tuple(
                Part(kind=Kind(kind), pieces=tuple(reader.piece(entry) for entry in pieces))
                for kind, pieces in contents
            )
        except (ValueError, TypeError):
            raise InputError("is damaged", "message") from None
        reader.finish()
        return cls(parts=parts)


class _Reader:
    """Reads a stored message from front to back."""

    def __init__(self, stored: bytes) -> None:
        self._stored = stored
        self._at = 0

    def take(self, length: int) -> bytes:
        taken = self._stored[self._at : self._at + length]
        if len(taken) != length:
            raise InputError("is damaged: its end is missing", "message")
        self._at += length
        return taken

    def piece(self, entry: int | list[str]) -> Piece:
        if isinstance(entry, int):
            return self.take(entry)
        slot, place, fallback = entry
        return Insert(slot=Slot(slot), place=Place(place), fallback=fallback)

    def finish(self) -> None:
        if self._at != len(self._stored):
            raise InputError("is damaged: there is more than its table says", "message")


def _entry(piece: Piece) -> int | tuple[str, str, str]:
    return len(piece) if isinstance(piece, bytes) else (piece.slot, piece.place, piece.fallback)


class _Splicer:
    """
    The fast form of a message: fixed bytes, makers of what differs, and the order of both.

    A copy is a list of made bytes, one pick and one join; what stands in several places is made once.
    """

    def __init__(self, parts: tuple[Part, ...]) -> None:
        sequence = list(_merged(stretch for part in parts for stretch in _LAY_OUT[part.kind](part.pieces)))
        self._fixed = [one for one in sequence if isinstance(one, bytes)]
        self._make = tuple(dict.fromkeys(one for one in sequence if callable(one)))
        inserts = dict.fromkeys(one for one in sequence if isinstance(one, Insert))
        groups = {key: tuple(group) for key, group in groupby(sorted(inserts, key=_value_key), key=_value_key)}
        self._quoted = tuple(_quoted_group(group) for group in groups.values())
        made: list[object] = [*self._make, *(insert for group in groups.values() for insert in group)]
        fixed = iter(range(len(self._fixed)))
        order = [next(fixed) if isinstance(one, bytes) else len(self._fixed) + made.index(one) for one in sequence]
        self._pick: Callable[[list[bytes]], tuple[bytes, ...]] = itemgetter(*order)

    def __call__(self, values: ReaderValues) -> bytes:
        pool = self._fixed + [make(values) for make in self._make]
        for make_all in self._quoted:
            pool += make_all(values)
        return b"".join(self._pick(pool))


Stretch: TypeAlias = bytes | Make | Insert
"""In the order of the message: fixed bytes, what a maker makes, or a slot in a quoted-printable part."""


def _lay_out_verbatim(pieces: tuple[Piece, ...]) -> Iterator[Stretch]:
    return (piece if isinstance(piece, bytes) else unencoded_value(piece) for piece in pieces)


def _lay_out_to(_: tuple[Piece, ...]) -> Iterator[Stretch]:
    yield _to


def _lay_out_subject(pieces: tuple[Piece, ...]) -> Iterator[Stretch]:
    parts = tuple(piece if isinstance(piece, bytes) else unencoded_value(piece) for piece in pieces)
    yield lambda values: subject_line(
        b"".join([part if isinstance(part, bytes) else part(values) for part in parts]).decode()
    )


def _lay_out_quoted(pieces: tuple[Piece, ...]) -> Iterator[Stretch]:
    for piece in pieces:
        yield piece
        if isinstance(piece, Insert):
            yield SOFT_BREAK


def _lay_out_base64(pieces: tuple[Piece, ...]) -> Iterator[Stretch]:
    yield Base64Text([piece if isinstance(piece, bytes) else unencoded_value(piece) for piece in pieces])


_LAY_OUT: dict[Kind, Callable[[tuple[Piece, ...]], Iterator[Stretch]]] = {
    Kind.VERBATIM: _lay_out_verbatim,
    Kind.TO: _lay_out_to,
    Kind.SUBJECT: _lay_out_subject,
    Kind.QUOTED_PRINTABLE: _lay_out_quoted,
    Kind.BASE64: _lay_out_base64,
}


def _merged(sequence: Iterable[Stretch]) -> Iterator[Stretch]:
    """Join fixed bytes that follow one another: each piece costs every copy a little."""
    fixed: list[bytes] = []
    for one in sequence:
        if isinstance(one, bytes):
            fixed.append(one)
            continue
        if fixed:
            yield b"".join(fixed)
            fixed = []
        yield one
    if fixed:
        yield b"".join(fixed)


def _to(values: ReaderValues) -> bytes:
    return to_line(values.get(Slot.NAME, ""), values[Slot.ADDRESS])


def _value_key(insert: Insert) -> tuple[str, str, bytes]:
    """What two inserts share whose values look alike, as long as nothing in them has to be escaped."""
    return insert.slot, insert.fallback, harmless(insert)


def _value(insert: Insert) -> Callable[[ReaderValues], str]:
    slot, fallback = insert.slot, insert.fallback
    if fallback or slot in NEVER_MISSING:
        return lambda values: values.get(slot) or fallback
    return itemgetter(slot)


@lru_cache(maxsize=512)
def unencoded_value(insert: Insert) -> Make:
    """Return the maker of a value as UTF-8, escaped for its place and not encoded."""
    value_of, escape, as_it_is = _value(insert), ESCAPES[insert.place], harmless(insert)

    def make(values: ReaderValues) -> bytes:
        value = value_of(values)
        raw = value.encode("utf-8", "replace")
        return escape(value).encode() if raw.translate(None, as_it_is) else raw

    return make


def _quoted_group(inserts: tuple[Insert, ...]) -> Callable[[ReaderValues], list[bytes]]:
    """
    Return the maker of one slot's value in quoted-printable, once for each kind of place that it stands in.

    Nearly all values need no escaping anywhere, and are made once for all their places; nearly all of these need
    no encoding either, and one look tells both.
    """
    value_of, as_it_is = _value(inserts[0]), harmless(inserts[0])
    as_it_is_encoded = plain_in_quoted(as_it_is)
    makers, count = [unencoded_value(insert) for insert in inserts], len(inserts)

    def make_all(values: ReaderValues) -> list[bytes]:
        raw = value_of(values).encode("utf-8", "replace")
        if not raw.translate(None, as_it_is_encoded) and fits_a_line(raw):
            return [raw] * count
        if raw.translate(None, as_it_is):
            return [quoted_value(make(values)) for make in makers]
        return [quoted_value(raw)] * count

    return make_all
