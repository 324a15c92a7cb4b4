"""
Signed tokens: what a link in a mail carries instead of a password.

A token names one id for one purpose and needs no database. It holds for ever, as the
links in an old mail must; whoever may not use it any more is known by the row it names.
"""

import binascii
import hashlib
import hmac
import struct
from enum import StrEnum

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
    PREFERENCES = "preferences"
    """Its id is a subscriber's."""
    UNSUBSCRIBE = "unsubscribe"
    """Its id is a subscription's."""
    BOUNCE = "bounce"
    """Signs return paths; see publisher/dispatch/return_path.py."""


class Signer:
    """
    Makes and reads tokens: HMAC-SHA-256 (RFC 2104), truncated as its section 5 allows.

    The key of each purpose is derived from the secret key, and both hashes of the HMAC have taken
    in their padded key beforehand, for a send signs two tokens for every reader.
    """

    def __init__(self, secret_key: str) -> None:
        self._started = {purpose: _start(secret_key, purpose) for purpose in Purpose}

    def sign(self, purpose: Purpose, number: int) -> str:
        """Return the token of an id from 0 to 2**64 - 1: 32 characters that need no escaping in a URL."""
        packed = _ID.pack(number)
        token = binascii.b2a_base64(packed + self.mac(purpose, packed), newline=False)
        return token.translate(_TO_URL).decode("ascii")

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
        started = self._started[purpose]
        inner, outer = started[0].copy(), started[1].copy()
        inner.update(packed)
        outer.update(inner.digest())
        return outer.digest()[:MAC_BYTES]


def _start(secret_key: str, purpose: Purpose) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    key = hmac.digest(secret_key.encode(), f"publisher token {purpose}".encode(), "sha256").ljust(64, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in key)), hashlib.sha256(bytes(byte ^ 0x5C for byte in key))
