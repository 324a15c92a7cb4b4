"""
DKIM signatures (RFC 6376, RFC 8463), relaxed in header and body.

A compiled message is in the relaxed form already (see `encodings.quoted_printable`): its body is hashed as it stands.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from publisher.clock import Clock, utc_now
from publisher.errors import InputError

SMALLEST_RSA_BITS = 1024
"""RFC 8301, section 3.2; 2048 is what it asks for."""

SIGNED_FIELDS = (
    "from",
    "to",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
)
"""One click needs both of its fields signed (RFC 8058, section 4); the rest is RFC 6376, section 5.4.1."""

NEVER_TWICE = ("from", "to", "subject", "date")
"""Named once more than they occur, so that nobody can add another (RFC 6376, section 8.15)."""

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:.*\r\n)(?:[ \t].*\r\n)*)", re.MULTILINE)
_SPACE = re.compile(rb"[ \t\r\n]+")
_INNER_SPACE = re.compile(rb"[ \t]+")
_SPACE_AT_END = re.compile(rb"[ \t]+(?=\r\n)")
_LABELS = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_BASE64_ROW = 72


@dataclass(frozen=True, kw_only=True)
class DkimKey:
    """A key whose public half stands in the DNS as `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"


def dkim_key(pem: bytes, *, domain: str, selector: str) -> DkimKey:
    """Read a private key, RSA or Ed25519, without a passphrase. Raises InputError."""
    if not (_LABELS.fullmatch(domain) and _LABELS.fullmatch(selector)):
        raise InputError("domain and selector must be words such as example.org and s2026", "DKIM")
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError("the key must be a PEM file without a passphrase", "DKIM") from None
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise InputError("the key must be RSA or Ed25519", "DKIM")
    if isinstance(private, RSAPrivateKey) and private.key_size < SMALLEST_RSA_BITS:
        raise InputError(f"an RSA key must have at least {SMALLEST_RSA_BITS} bits", "DKIM")
    return DkimKey(domain=domain, selector=selector, private=private)


class DkimSigner:
    """
    Puts a DKIM signature of every key in front of a message.

    A domain that signs with Ed25519 should sign with RSA as well: many receivers know no other (RFC 8463, section 3).
    """

    def __init__(self, keys: Sequence[DkimKey], *, clock: Clock = utc_now) -> None:
        self._keys = tuple(keys)
        self._clock = clock

    def __call__(self, message: bytes) -> bytes:
        """Return the message with its signatures. Line ends are CRLF."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = list(fields_of(head + b"\r\n"))
        body_hash = b64encode(sha256(relaxed_body(body)).digest())
        signed_at = int(self._clock().timestamp())
        return b"".join([*(_signature(key, fields, body_hash, signed_at) for key in self._keys), message])


def fields_of(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the header fields in order: name in lower case, and the field in its relaxed form, CRLF left out."""
    for field in _FIELD.finditer(head):
        name = field[1].lower()
        yield name, name + b":" + _SPACE.sub(b" ", field[2]).strip()


def relaxed_body(body: bytes) -> bytes:
    """Return a body as it is hashed (RFC 6376, section 3.4.4)."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = _SPACE_AT_END.sub(b"", _INNER_SPACE.sub(b" ", body))
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    if body in {b"", b"\r\n"}:
        return b""
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def signed_text(fields: Sequence[tuple[bytes, bytes]], names: Sequence[bytes], unsigned: bytes) -> bytes:
    """
    Return what the signature is made over.

    Args:
        fields: All header fields, see `fields_of`.
        names: What `h=` says. A name that stands there more often than there are such fields adds nothing.
        unsigned: The DKIM-Signature field in its relaxed form, with nothing behind `b=`.

    """
    left: dict[bytes, list[bytes]] = {}
    for name, relaxed in fields:
        left.setdefault(name, []).append(relaxed)
    chosen = (left[name].pop() for name in names if left.get(name))
    return b"".join(field + b"\r\n" for field in chosen) + unsigned


def _signature(key: DkimKey, fields: Sequence[tuple[bytes, bytes]], body_hash: bytes, signed_at: int) -> bytes:
    names = list(_names(fields))
    rows = (
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain};",
        f"s={key.selector}; t={signed_at};",
        *_folded_names(names),
        f"bh={body_hash.decode()};",
        "b=",
    )
    unsigned = b"DKIM-Signature: " + "\r\n ".join(rows).encode()
    relaxed = b"dkim-signature:" + _SPACE.sub(b" ", unsigned.partition(b":")[2]).strip()
    signature = b64encode(_signed(key, signed_text(fields, names, relaxed)))
    pieces = (signature[at : at + _BASE64_ROW] for at in range(0, len(signature), _BASE64_ROW))
    return unsigned + b"\r\n  ".join(pieces) + b"\r\n"


def _names(fields: Sequence[tuple[bytes, bytes]]) -> Iterator[bytes]:
    there = [name for name, _ in fields]
    for wanted in SIGNED_FIELDS:
        name = wanted.encode()
        count = there.count(name) + (wanted in NEVER_TWICE)
        yield from (name for _ in range(count))


def _folded_names(names: Sequence[bytes]) -> Iterator[str]:
    row = "h="
    for at, name in enumerate(names):
        word = name.decode() + (";" if at == len(names) - 1 else ":")
        if len(row) + len(word) > _BASE64_ROW:
            yield row
            row = ""
        row += word
    yield row


def _signed(key: DkimKey, text: bytes) -> bytes:
    if isinstance(key.private, RSAPrivateKey):
        return key.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
    return key.private.sign(sha256(text).digest())
