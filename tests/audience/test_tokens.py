import base64
import hashlib
import string
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience.tokens import Purpose, Signer

SIGNER = Signer("a secret key of the newsroom")
IDS = st.integers(min_value=0, max_value=2**64 - 1)


@given(IDS, st.sampled_from(Purpose))
def test_a_link_names_the_reader_it_was_made_for(number: int, purpose: Purpose) -> None:
    assert SIGNER.read(purpose, SIGNER.sign(purpose, number)) == number


@given(IDS)
def test_a_link_for_one_purpose_is_nothing_for_another(number: int) -> None:
    token = SIGNER.sign(Purpose.UNSUBSCRIBE, number)

    assert SIGNER.read(Purpose.CONFIRM, token) is None
    assert SIGNER.read(Purpose.PREFERENCES, token) is None


@given(IDS, st.integers(0, 31), st.sampled_from(string.ascii_letters + string.digits + "-_+/=! é"))
def test_a_link_with_any_character_changed_is_no_link(number: int, place: int, character: str) -> None:
    """One token has one spelling; `+` and `/` are not read as the `-` and `_` of the URL alphabet."""
    token = SIGNER.sign(Purpose.CONFIRM, number)
    changed = token[:place] + character + token[place + 1 :]

    assert SIGNER.read(Purpose.CONFIRM, changed) == (number if changed == token else None)


@given(st.text())
def test_a_made_up_link_is_no_link(text: str) -> None:
    assert SIGNER.read(Purpose.CONFIRM, text) is None


def test_another_newsrooms_links_are_not_ours() -> None:
    token = Signer("another secret key altogether").sign(Purpose.CONFIRM, 7)

    assert SIGNER.read(Purpose.CONFIRM, token) is None


def test_a_token_is_the_id_and_128_bits_of_ordinary_keyed_blake2s() -> None:
    """So links can be made and checked by any other program that has the key."""
    key, person = (
        hashlib.blake2s(b"a secret key of the newsroom").digest(),
        hashlib.blake2s(b"unsubscribe", digest_size=8),
    )
    packed = (123).to_bytes(8, "big")
    proof = hashlib.blake2s(packed, key=key, digest_size=16, person=person.digest()).digest()
    expected = base64.urlsafe_b64encode(packed + proof).decode()

    assert SIGNER.sign(Purpose.UNSUBSCRIBE, 123) == expected
    assert len(expected) == 32


@pytest.mark.parametrize("number", [-1, 2**64])
def test_what_is_no_id_is_not_signed(number: int) -> None:
    with pytest.raises(struct.error):
        SIGNER.sign(Purpose.CONFIRM, number)


def test_links_for_a_million_readers_take_seconds() -> None:
    """3 µs each is the budget; the slack is for a busy machine."""
    start = time.process_time()
    for number in range(20_000):
        SIGNER.read(Purpose.UNSUBSCRIBE, SIGNER.sign(Purpose.UNSUBSCRIBE, number))

    assert (time.process_time() - start) / 40_000 < 12e-6
