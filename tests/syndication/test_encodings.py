import gzip

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.syndication.encodings import Encoding, body_in, chosen, encoded


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("identity", "identity"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.5, gzip", "gzip"),
        ("br; q=0, gzip; q=0", "identity"),
        ("*", "br"),
        ("*;q=0.5, gzip;q=0.6", "gzip"),
        ("*, br;q=0", "gzip"),
        ("deflate, zstd", "identity"),
        ("identity;q=1, gzip;q=0.5", "identity"),
        ("gzip;q=0.001", "gzip"),
        ("identity;q=0", "identity"),
        ("gzip;q=nonsense, br", "br"),
    ],
)
def test_a_reader_gets_the_coding_that_it_likes_best(header: str, coding: str) -> None:
    assert chosen(header) == coding


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_header_is_answered(header: str) -> None:
    assert chosen(header) in Encoding


def test_the_same_bytes_are_packed_the_same_each_time() -> None:
    """A date inside the gzip would change the bytes under an unchanged ETag."""
    data = b"<feed/>" * 1_000

    assert encoded(data, Encoding.GZIP) == encoded(data, Encoding.GZIP)
    assert gzip.decompress(encoded(data, Encoding.GZIP)) == data
    assert brotli.decompress(encoded(data, Encoding.BROTLI)) == data


@pytest.mark.parametrize("stored", Encoding)
def test_plain_bytes_can_be_had_from_any_coding(stored: Encoding) -> None:
    assert body_in({stored: encoded(b"plain", stored)}, Encoding.IDENTITY) == b"plain"
