"""
The one door to the outside web: no address that an outsider names may lead into our own network.

The host is resolved once, every address is judged, and the connection is made to a judged address,
so a name that changes its mind between check and use gains nothing. Proxies from the environment
are not used: behind one, we could not know whom we talk to.
"""

import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

from publisher.errors import FetchError

MAX_REDIRECTS = 5
USER_AGENT = "Publisher/0.1"
PIECE_BYTES = 65_536
NAT64 = ip_network("64:ff9b::/96")
GLOBAL_UNICAST = ip_network("2000::/3")
REFUSED = tuple(
    ip_network(block)
    for block in (
        "192.0.0.0/24",  # IETF protocol assignments (RFC 6890); a cloud's metadata service lives at 192.0.0.192
        "192.88.99.0/24",  # 6to4 relays, deprecated (RFC 7526)
        "168.63.129.16/32",  # the platform's own address in Azure's networks
        "2001::/23",  # IETF protocol assignments, Teredo among them (RFC 2928, RFC 4380)
        "3fff::/20",  # documentation (RFC 9637)
        "2002::/16",  # 6to4 (RFC 3056): an IPv4 address of any kind inside
    )
)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = field(repr=False)
    url: str
    """Where it came from in the end, after redirects."""


def fetch(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 20,
    max_bytes: int = 10_000_000,
    allow_private: bool = False,
) -> Fetched:
    """
    Return what an outside address answers to GET, after at most five redirects.

    Args:
        url: An http or https address; a redirect is judged like it.
        headers: Sent to the first host; httpx keeps `Authorization` from others.
        timeout_s: For everything after the name is resolved, redirects included.
        max_bytes: Of the body, after decompression.
        allow_private: For a newsroom whose own system is on its own network.

    Raises:
        FetchError: No usable answer: refused address, no connection, too slow, too big.

    """
    door = _Door(timeout_s=timeout_s, allow_private=allow_private)
    return _exchange("GET", url, body=None, headers=headers, door=door, max_bytes=max_bytes)


def post(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = 10,
    max_bytes: int = 100_000,
    allow_private: bool = False,
) -> Fetched:
    """Hand bytes to an outside address under the same guard; a redirect is returned, not followed."""
    door = _Door(timeout_s=timeout_s, allow_private=allow_private)
    return _exchange("POST", url, body=body, headers=headers, door=door, max_bytes=max_bytes)


def address_problem(url: str) -> str:
    """
    Return why no reader could open this address; empty where nothing speaks against it.

    Judged by its text alone: a host that is a name is not looked up. Numbers are read the way
    browsers do, for which http://2130706433/ is 127.0.0.1.
    """
    if problem := _form_problem(url):
        return problem
    host = (urlsplit(url).hostname or "").rstrip(".")
    literal = _literal(host)
    if host == "localhost" or host.endswith(".localhost") or (literal and not is_public(literal)):
        return "leads into a private network"
    return ""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """
    Tell whether an address is one of the open internet's hosts.

    Source:
        The IANA special-purpose address registries (RFC 6890), as Python's `is_global` reads
        them; stricter for IPv6, where only 2000::/3 is in use (RFC 4291, section 2.4). An IPv4
        address inside an IPv6 one is refused, but for NAT64 (RFC 6052), the only way out of an
        IPv6-only network: there the inner address is judged.

    """
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in GLOBAL_UNICAST:
            return False
    refused = any(address in network for network in REFUSED)
    return address.is_global and not address.is_multicast and not address.is_reserved and not refused


def _form_problem(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return "is not a web address"
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        return "is not a web address; it must begin with http:// or https://"
    return "must not hold a user name or password" if parts.username is not None else ""


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _exchange(
    method: str, url: str, *, body: bytes | None, headers: Mapping[str, str] | None, door: "_Door", max_bytes: int
) -> Fetched:
    if problem := _form_problem(url):
        raise FetchError(url.rpartition("@")[2], f"It {problem}.")
    sent = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **(headers or {})}
    with (
        _told_as_fetch_errors(url),
        httpx.Client(transport=_Transport(door), trust_env=False, max_redirects=MAX_REDIRECTS) as client,
        client.stream(method, url, headers=sent, content=body, follow_redirects=method == "GET") as answer,
    ):
        read = _bounded(_decoded(answer), url, max_bytes)
        found = {name.lower(): value for name, value in answer.headers.items()}
        return Fetched(status=answer.status_code, headers=found, body=read, url=str(answer.url))


@contextmanager
def _told_as_fetch_errors(url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TooManyRedirects:
        raise FetchError(url, f"It redirects more than {MAX_REDIRECTS} times.") from None
    except (httpx.TimeoutException, httpcore.TimeoutException):
        raise FetchError(url, "It did not answer in time.") from None
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpcore.UnsupportedProtocol):
        raise FetchError(url, "It is, or redirects to, something that is no http or https address.") from None
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, zlib.error) as error:
        raise FetchError(url, f"It could not be read ({str(error) or type(error).__name__}).") from None


def _decoded(answer: httpx.Response) -> Iterator[bytes]:
    """Yield the body in pieces of bounded size, however well it was compressed."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        yield from answer.iter_raw()
    elif encoding in {"gzip", "x-gzip"}:
        inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        for piece in answer.iter_raw():
            yield from _inflated(inflate, piece)
        if not inflate.eof and answer.num_bytes_downloaded:
            raise FetchError(str(answer.url), "It ends in the middle of its compressed text.")
    else:
        raise FetchError(str(answer.url), f"It answers in {encoding[:40]}, which we did not ask for.")


def _inflated(inflate: Any, piece: bytes) -> Iterator[bytes]:
    while True:
        part = inflate.decompress(piece, PIECE_BYTES)
        yield part
        piece = inflate.unconsumed_tail
        if not piece and len(part) < PIECE_BYTES:
            return


def _bounded(pieces: Iterable[bytes], url: str, max_bytes: int) -> bytes:
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > max_bytes:
            raise FetchError(url, f"It is longer than {max_bytes:,} bytes.")
    return bytes(body)


class _Door(httpcore.SyncBackend):
    """Opens connections to judged addresses only, and lets none outlive the deadline."""

    def __init__(self, *, timeout_s: float, allow_private: bool) -> None:
        self._deadline = time.monotonic() + timeout_s
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each judged address in turn; each gets its share of the time that is left."""
        addresses = self._judged(host, port)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for tried, address in enumerate(addresses):
            timeout = self.seconds_left() / (len(addresses) - tried)
            try:
                return _Timed(super().connect_tcp(address, port, timeout, local_address, socket_options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    def seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def _judged(self, host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("its host name cannot be resolved") from None
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not self._allow_private and not all(is_public(ip_address(each)) for each in addresses):
            raise httpcore.ConnectError("its host is in a private network, where we do not go")
        return addresses


class _Timed(httpcore.NetworkStream):
    """A connection whose every step ends by the deadline, so that a slow drip cannot hold us."""

    def __init__(self, stream: httpcore.NetworkStream, door: _Door) -> None:
        self._stream = stream
        self._door = door

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._stream.read(max_bytes, self._door.seconds_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        self._stream.write(buffer, self._door.seconds_left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        del timeout
        secured = self._stream.start_tls(ssl_context, server_hostname, self._door.seconds_left())
        return _Timed(secured, self._door)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Transport(httpx.BaseTransport):
    """Lets httpx speak through the door."""

    def __init__(self, door: _Door) -> None:
        self._pool = httpcore.ConnectionPool(ssl_context=_trusted(), network_backend=door)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()
