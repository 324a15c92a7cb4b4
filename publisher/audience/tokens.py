"""
Signed tokens: what a link in a mail carries instead of a password.

A token names one id for one purpose and needs no database. It holds for ever, as the
links in an old mail must; whoever may not use it any more is known by the row it names.
"""

import binascii
import hmac
import struct
from collections.abc import Callable
from enum import StrEnum
from hashlib import blake2s

MAC_BYTES = 16
"""128 bits of the MAC: with the 8 of the id, 24 bytes, which are 32 characters of base64 and no padding."""

_CHARACTERS = 32
_ID = struct.Struct(">Q")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")  # "!" is refused: one token has one spelling


class Purpose(StrEnum):
    """What a token allows; a token for one purpose is nothing for another."""

    CONFIRM = "confirm"
    """Its id is a subscription's."""
    PREFERENCES = "preferences of the reader of a subscription"
    """
    Its id is a subscription's, as that of everything else in a mail.

    Tokens for plain "preferences" once named a subscriber on pages and a subscription in mails; they are worth nothing.
    """
    UNSUBSCRIBE = "unsubscribe"
    """Its id is a subscription's."""
    LINK = "link"
    """Its id is an issue's and the number of a link in it; see publisher/dispatch/links.py."""
    READER = "reader"
    """Its id is an issue's and the number of a delivery of it."""
    BOUNCE = "bounce"
    """Signs return paths; see publisher/dispatch/return_path.py."""


class Signer:
    """
    Makes and reads tokens, proved by keyed BLAKE2s (RFC 7693, section 2.9) of 128 bits.

    Each purpose has a state of its own that has taken in the key beforehand: a send signs two tokens for every
    reader, and this takes half the time of HMAC-SHA-256.
    """

    def __init__(self, secret_key: str) -> None:
        key = blake2s(secret_key.encode()).digest()
        self._keyed = {each: blake2s(key=key, digest_size=MAC_BYTES, person=_person(each)) for each in Purpose}

    def sign(self, purpose: Purpose, number: int) -> str:
        """Return the token of an id from 0 to 2**64 - 1: 32 characters that need no escaping in a URL."""
        return self.tokens(purpose)(number)

    def tokens(self, purpose: Purpose) -> Callable[[int], str]:
        """Return `sign` for one purpose, for whoever signs a million."""
        copy_keyed, pack = self._keyed[purpose].copy, _ID.pack

        def token(number: int) -> str:
            packed = pack(number)
            proof = copy_keyed()
            proof.update(packed)
            return binascii.b2a_base64(packed + proof.digest(), newline=False).translate(_TO_URL).decode("ascii")

        return token

    def read(self, purpose: Purpose, token: str) -> int | None:
        """Return the id that we signed for this purpose; None for anything else."""
        if len(token) != _CHARACTERS or not token.isascii():
            return None
        try:
            found = binascii.a2b_base64(token.encode("ascii").translate(_FROM_URL), strict_mode=True)
        except binascii.Error:
            return None
        packed = found[: _ID.size]
        if not hmac.compare_digest(found[_ID.size :], self.mac(purpose, packed)):
            return None
        number: int = _ID.unpack(packed)[0]
        return number

    def mac(self, purpose: Purpose, packed: bytes) -> bytes:
        """Return the 16 bytes that prove that something was written by us for this purpose."""
        proof = self._keyed[purpose].copy()
        proof.update(packed)
        return proof.digest()


def _person(purpose: Purpose) -> bytes:
    """Return what sets the tokens of a purpose apart: at most 8 bytes (RFC 7693 calls it personalization)."""
    return blake2s(purpose.encode(), digest_size=blake2s.PERSON_SIZE).digest()
