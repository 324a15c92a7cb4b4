"""Answers as ASGI messages, made once for a document and sent any number of times."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from publisher.syndication.conditions import http_date
from publisher.syndication.document import TTL_MINUTES
from publisher.syndication.encodings import Encoding

Message = Mapping[str, Any]
Headers = tuple[tuple[bytes, bytes], ...]

OVERHEAD_BYTES = 4_000
"""What a document costs in memory besides its body, about."""
NO_BODY: Message = {"type": "http.response.body", "body": b""}
CROSS_ORIGIN: Headers = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Link"),
)
PREFLIGHT: Message = {
    "type": "http.response.start",
    "status": 204,
    "headers": [
        *CROSS_ORIGIN,
        (b"access-control-allow-methods", b"GET, HEAD"),
        (b"access-control-allow-headers", b"If-None-Match, If-Modified-Since"),
        (b"access-control-max-age", b"86400"),
        (b"allow", b"GET, HEAD, OPTIONS"),
    ],
}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A document in one coding, ready to be sent."""

    etag: str
    """Without quotes."""
    modified_s: int | None
    whole: Message
    """Begins a 200."""
    body: Message = field(repr=False)
    unchanged: Message
    """Begins a 304."""
    whole_head: bytes = field(repr=False)
    """The headers of a 200 as HTTP/1.1 has them, up to the empty line."""
    unchanged_head: bytes = field(repr=False)
    size_bytes: int
    until: float
    """On the monotonic clock: when it is to be made again, whatever the database says."""


def sheet(
    data: bytes,
    encoding: Encoding,
    *,
    etag: str,
    modified_s: int | None,
    media_type: str,
    links: str = "",
    max_age_s: int = TTL_MINUTES * 60,
    until: float = inf,
) -> Sheet:
    """Return a document with its headers; a 304 repeats what caches need (RFC 9110, section 15.4.5)."""
    own = etag + encoding.etag_suffix
    kept: list[tuple[bytes, bytes]] = [
        (b"etag", f'"{own}"'.encode()),
        (b"cache-control", f"public, max-age={max_age_s}".encode()),
        (b"vary", b"Accept-Encoding"),
        *CROSS_ORIGIN,
    ]
    if modified_s is not None:
        kept.append((b"last-modified", http_date(modified_s).encode()))
    if links:
        kept.append((b"link", links.encode()))
    described = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(data)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    if encoding is not Encoding.IDENTITY:
        described.append((b"content-encoding", encoding.encode()))
    return Sheet(
        etag=own,
        modified_s=modified_s,
        whole={"type": "http.response.start", "status": 200, "headers": [*described, *kept]},
        whole_head=_head([*described, *kept]),
        unchanged_head=_head(kept),
        body={"type": "http.response.body", "body": data},
        unchanged={"type": "http.response.start", "status": 304, "headers": kept},
        size_bytes=len(data) + OVERHEAD_BYTES,
        until=until,
    )


def _head(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n"


def sentence(status: int, text: str, *headers: tuple[bytes, bytes]) -> tuple[Message, Message]:
    """Return an answer of one sentence, for people and logs."""
    data = f"{text}\n".encode()
    described = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(data)).encode()),
        (b"x-content-type-options", b"nosniff"),
    )
    start = {"type": "http.response.start", "status": status, "headers": [*described, *CROSS_ORIGIN, *headers]}
    return start, {"type": "http.response.body", "body": data}
