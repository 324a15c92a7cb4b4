import quopri
from base64 import b64decode

from hypothesis import example, given
from hypothesis import strategies as st

from publisher.dispatch.encodings import (
    LINE,
    SOFT_BREAK,
    Base64Text,
    Make,
    base64_lines,
    is_dense,
    quoted_printable,
    quoted_value,
)
from publisher.dispatch.model import ReaderValues

LINES = st.lists(st.text("aF. =\t–é김ro m@&", max_size=120), max_size=8).map(lambda rows: "\r\n".join(rows).encode())
VALUES = st.one_of(
    st.text("abcF. =ro m&;é김", max_size=200),
    st.text("abc.", min_size=70, max_size=160),
).filter(lambda value: "\r" not in value and "\n" not in value)


@given(raw=LINES)
@example(raw=b"From here to there")
@example(raw=b"a " * 200)
@example(raw=b"." * 200)
def test_quoted_printable_can_be_read_back(raw: bytes) -> None:
    assert quopri.decodestring(quoted_printable(raw)) == raw


@given(raw=LINES)
def test_no_line_of_it_is_too_long_or_needs_anybody_to_touch_it(raw: bytes) -> None:
    """No dot for SMTP to double, no From for a mailbox to quote, no space that DKIM would fold."""
    encoded = quoted_printable(raw)

    for line in encoded.split(b"\r\n"):
        assert len(line) <= LINE
        assert not line.startswith((b".", b"From "))
        assert not line.endswith(b" ")
    assert encoded.isascii()
    assert b"  " not in encoded
    assert b"\t" not in encoded


@given(value=VALUES)
@example(value="")
@example(value=".hidden")
@example(value="Minji Kim ")
@example(value="a" * 75 + ".b")
@example(value="a" * 76)
@example(value="Fred")
@example(value="From me")
def test_a_value_between_soft_breaks_can_be_read_back(value: str) -> None:
    raw = value.encode()

    encoded = b"Dear=20" + SOFT_BREAK + quoted_value(raw) + SOFT_BREAK + b", welcome"

    assert quopri.decodestring(encoded) == b"Dear " + raw + b", welcome"
    assert all(len(line) <= LINE and line[:1] != b"." for line in encoded.split(b"\r\n"))
    assert b"  " not in encoded


def test_what_nearly_all_values_look_like_is_not_changed() -> None:
    assert quoted_value(b"Minji Kim") == b"Minji Kim"
    assert quoted_value(b"https://gazette.example/u/abc") == b"https://gazette.example/u/abc"


def always(value: bytes) -> Make:
    def made(_: ReaderValues) -> bytes:
        return value

    return made


PIECES = st.lists(
    st.one_of(st.just("slot"), st.binary(min_size=1, max_size=5), st.binary(min_size=50, max_size=200)),
    min_size=1,
    max_size=9,
)


@given(pieces=PIECES, values=st.lists(st.binary(max_size=130), min_size=9, max_size=9))
def test_base64_with_slots_says_the_same_as_base64_without(pieces: list[bytes | str], values: list[bytes]) -> None:
    """Whatever the length of what stands in the slots, and however close they stand."""
    left = iter(values)
    plain = b"".join(piece if isinstance(piece, bytes) else next(left) for piece in pieces)

    again = iter(values)
    encoded = Base64Text([piece if isinstance(piece, bytes) else always(next(again)) for piece in pieces])({})

    assert b64decode(encoded.replace(b"\r\n", b""), validate=True) == plain
    assert all(0 < len(line) <= LINE for line in encoded.removesuffix(b"\r\n").split(b"\r\n")) or not plain
    assert encoded.endswith(b"\r\n") or not plain


@given(raw=st.binary(max_size=400))
def test_base64_lines_are_full_and_end(raw: bytes) -> None:
    encoded = base64_lines(raw)

    rows = encoded.split(b"\r\n")
    assert b64decode(b"".join(rows), validate=True) == raw
    assert rows[-1] == b""
    assert all(len(row) == LINE for row in rows[:-2])


def test_hangul_is_dense_and_english_is_not() -> None:
    assert is_dense("원정 응원석은 불이 꺼질 때까지 노래했다.")
    assert not is_dense("The away end – 원정 – sang until the lights went out, and then it sang some more.")
    assert not is_dense("")
