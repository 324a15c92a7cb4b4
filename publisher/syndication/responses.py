"""Answers: heads of documents, made once and sent any number of times, and sentences for everything else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from publisher.syndication.conditions import http_date
from publisher.syndication.document import TTL_MINUTES
from publisher.syndication.encodings import Encoding

Message = Mapping[str, Any]
Headers = tuple[tuple[bytes, bytes], ...]

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """
    All that an answer says about a document in one coding; the bytes themselves are kept apart.

    Most polls end in a 304, so the heads of many thousand documents are at hand where their bytes would
    not fit.
    """

    etag: str
    """Without quotes."""
    modified_s: int | None
    described: bytes = field(repr=False)
    """The headers of a 200 alone, as HTTP/1.1 has them."""
    kept: bytes = field(repr=False)
    """The headers of a 304 too."""
    document_id: int | None
    """None for what is not in the database, and has to be made again when its bytes are gone."""
    until: float
    """On the monotonic clock: when it is to be made again, whatever the database says."""

    @property
    def whole(self) -> Message:
        return {"type": "http.response.start", "status": 200, "headers": _pairs(self.described + self.kept)}

    @property
    def unchanged(self) -> Message:
        return {"type": "http.response.start", "status": 304, "headers": _pairs(self.kept)}


def sheet(
    length_bytes: int,
    encoding: Encoding,
    *,
    etag: str,
    modified_s: int | None,
    media_type: str,
    links: str = "",
    document_id: int | None = None,
    until: float = inf,
) -> Sheet:
    """Return the head of a document; a 304 repeats what caches need (RFC 9110, section 15.4.5)."""
    own = etag + encoding.etag_suffix
    kept: list[tuple[bytes, bytes]] = [
        (b"etag", f'"{own}"'.encode()),
        (b"cache-control", b"public, max-age=%d" % (TTL_MINUTES * 60)),
        (b"vary", b"Accept-Encoding"),
        *CROSS_ORIGIN,
    ]
    if modified_s is not None:
        kept.append((b"last-modified", http_date(modified_s).encode()))
    if links:
        kept.append((b"link", links.encode()))
    described = [
        (b"content-type", media_type.encode()),
        (b"content-length", b"%d" % length_bytes),
        (b"x-content-type-options", b"nosniff"),
    ]
    if encoding is not Encoding.IDENTITY:
        described.append((b"content-encoding", encoding.encode()))
    return Sheet(
        etag=own,
        modified_s=modified_s,
        described=_lines(described),
        kept=_lines(kept),
        document_id=document_id,
        until=until,
    )


def sentence(status: int, text: str, *headers: tuple[bytes, bytes]) -> tuple[Message, Message]:
    """Return an answer of one sentence, for people and logs."""
    data = f"{text}\n".encode()
    described = (
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(data)).encode()),
        (b"x-content-type-options", b"nosniff"),
    )
    start = {"type": "http.response.start", "status": status, "headers": [*described, *CROSS_ORIGIN, *headers]}
    return start, body_of(data)


def body_of(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data}


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


def _pairs(lines: bytes) -> list[tuple[bytes, ...]]:
    return [tuple(line.split(b": ", 1)) for line in lines.splitlines()]
