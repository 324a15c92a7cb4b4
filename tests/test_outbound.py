import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from publisher import outbound
from publisher.errors import FetchError
from publisher.outbound import address_problem, fetch, is_public, post

PUBLIC = "93.184.215.14"
ANOTHER = "8.8.8.8"


class Site(ThreadingHTTPServer):
    """A web site on loopback; each path answers with what a test has put there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what several tests are about."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def put(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url(path)


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, dict(self.headers.items()), body))
        self.server.answers[self.path](self)

    do_POST = do_GET  # noqa: N815 - the name that the server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        """Tests are quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


class Internet:
    """The name service and the routes of a small internet: every public address leads to one site."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.looked_up: list[str] = []
        self.connected: list[tuple[str, int]] = []
        self._site = site
        self._connect = socket.create_connection
        monkeypatch.setattr(socket, "getaddrinfo", self._resolve(socket.getaddrinfo))
        monkeypatch.setattr(socket, "create_connection", self._route)

    def _resolve(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
            if host not in self.names:
                return real(host, port, *args, **kwargs)
            self.looked_up.append(host)
            answers = self.names[host]
            addresses = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        return resolve

    def _route(self, address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        self.connected.append(address)
        if address[0] == ANOTHER:
            raise ConnectionRefusedError
        return self._connect(("127.0.0.1", self._site.server_port), *args, **kwargs)


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch, site: Site) -> Internet:
    found = Internet(monkeypatch, site)
    found.names = {"news.example": [[PUBLIC]], "inside.example": [["10.0.0.8"]]}
    return found


def test_an_address_gives_its_answer(site: Site) -> None:
    url = site.put("/feed", b"<rss/>", ETag='"1"', Content_Type="text/xml")

    found = fetch(url, headers={"If-None-Match": '"0"'}, allow_private=True)

    assert (found.status, found.body, found.url) == (200, b"<rss/>", url)
    assert (found.headers["etag"], found.headers["content-type"]) == ('"1"', "text/xml")
    assert site.asked[0][2]["If-None-Match"] == '"0"'
    assert site.asked[0][2]["User-Agent"].startswith("Publisher/")


def test_an_answer_without_news_is_an_answer(site: Site) -> None:
    assert fetch(site.put("/feed", status=304), allow_private=True).status == 304


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ],
)
def test_no_spelling_of_our_own_machine_is_connected_to(host: str, site: Site) -> None:
    site.put("/secret", b"secret")

    with pytest.raises(FetchError):
        fetch(f"http://{host}:{site.server_port}/secret")

    assert site.asked == []


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254", "172.16.0.1"),
        *("172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "203.0.113.1"),
        *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
        *("::", "::1", "::ffff:8.8.8.8", "::ffff:10.0.0.1", "::8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b:1::1"),
        *("100::1", "2001::1", "2001:db8::1", "2002:0a00:0001::1", "3fff::1", "5f00::1"),
        *("fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1"),
    ],
)
def test_addresses_that_are_no_open_internet_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]
)
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_name_that_leads_inside_is_refused(internet: Internet) -> None:
    with pytest.raises(FetchError, match="private network"):
        fetch("http://inside.example/")

    assert internet.connected == []


def test_a_name_with_one_address_inside_is_refused_whole(internet: Internet) -> None:
    internet.names["mixed.example"] = [[PUBLIC, "192.168.0.1"]]

    with pytest.raises(FetchError, match="private network"):
        fetch("http://mixed.example/")

    assert internet.connected == []


def test_a_name_that_changes_its_mind_gains_nothing(internet: Internet, site: Site) -> None:
    """DNS rebinding: public when it is checked, private when it is used. We look once, and use what we checked."""
    internet.names["rebind.example"] = [[PUBLIC], ["127.0.0.1"]]
    site.put("/", b"public")

    assert fetch("http://rebind.example/").body == b"public"
    assert internet.looked_up == ["rebind.example"]
    assert internet.connected == [(PUBLIC, 80)]
    assert site.asked[0][2]["Host"] == "rebind.example"


def test_the_next_address_of_a_name_is_tried(internet: Internet, site: Site) -> None:
    internet.names["two.example"] = [[ANOTHER, PUBLIC]]
    site.put("/", b"found")

    assert fetch("http://two.example/").body == b"found"
    assert internet.connected == [(ANOTHER, 80), (PUBLIC, 80)]


@pytest.mark.parametrize("place", ["http://inside.example/", "http://127.0.0.1/", "http://[::1]/", "//10.0.0.1/x"])
def test_every_redirect_is_judged_like_the_first_address(place: str, internet: Internet, site: Site) -> None:
    site.put("/moved", status=302, Location=place)

    with pytest.raises(FetchError, match="private network"):
        fetch("http://news.example/moved")

    assert internet.connected == [(PUBLIC, 80)]


@pytest.mark.usefixtures("internet")
def test_a_redirect_to_a_file_is_refused(site: Site) -> None:
    site.put("/moved", status=301, Location="file:///etc/passwd")

    with pytest.raises(FetchError, match="no http or https address"):
        fetch("http://news.example/moved")


def test_five_redirects_are_followed_and_no_sixth(site: Site) -> None:
    for step in range(6):
        site.put(f"/{step}", status=301, Location=f"/{step + 1}")
    site.put("/6", b"there")

    assert fetch(site.url("/1"), allow_private=True).url == site.url("/6")
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        fetch(site.url("/0"), allow_private=True)


def test_a_password_is_not_carried_to_another_host(internet: Internet, site: Site) -> None:
    internet.names["other.example"] = [[PUBLIC]]
    site.put("/moved", status=302, Location="http://other.example/there")
    site.put("/there")

    fetch("http://news.example/moved", headers={"Authorization": "Bearer secret"})

    assert [("Authorization" in headers) for _, _, headers, _ in site.asked] == [True, False]


def test_an_address_with_a_password_is_refused_and_the_password_not_told() -> None:
    with pytest.raises(FetchError) as refused:
        fetch("http://desk:secret@news.example/")

    assert "user name or password" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_too_long_an_answer_is_cut_off(site: Site) -> None:
    url = site.put("/", b"x" * 100_001)

    assert len(fetch(url, max_bytes=100_001, allow_private=True).body) == 100_001
    with pytest.raises(FetchError, match="longer than 100,000 bytes"):
        fetch(url, max_bytes=100_000, allow_private=True)


def test_compressed_answers_are_read_and_bombs_are_not(site: Site) -> None:
    """The limit is on what comes out, and it holds while it comes out: a small answer may hold gigabytes."""
    small = site.put("/small", gzip.compress(b"words " * 50_000, mtime=0), Content_Encoding="gzip")
    bomb = site.put("/bomb", gzip.compress(bytes(300_000_000), 1), Content_Encoding="gzip")

    assert fetch(small, allow_private=True).body == b"words " * 50_000
    began = time.monotonic()
    with pytest.raises(FetchError, match="longer than 1,000,000 bytes"):
        fetch(bomb, max_bytes=1_000_000, allow_private=True)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("body", "encoding", "problem"),
    [
        (gzip.compress(b"words " * 500, mtime=0)[:-20], "gzip", "ends in the middle"),
        (b"no gzip at all", "gzip", "could not be read"),
        (b"?", "br", "answers in br, which we did not ask for"),
    ],
)
def test_answers_that_cannot_be_unpacked_are_told(body: bytes, encoding: str, problem: str, site: Site) -> None:
    with pytest.raises(FetchError, match=problem):
        fetch(site.put("/", body, Content_Encoding=encoding), allow_private=True)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_site_that_drips_cannot_hold_us(first: bytes, site: Site) -> None:
    """Each byte comes in time, so only a limit on the whole helps."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(first)
        for _ in range(100):
            handler.wfile.write(b"X")
            time.sleep(0.05)

    site.answers["/"] = drip
    began = time.monotonic()

    with pytest.raises(FetchError, match="did not answer in time"):
        fetch(site.url("/"), timeout_s=0.4, allow_private=True)

    assert time.monotonic() - began < 4


def test_a_site_that_breaks_off_is_told(site: Site) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf")

    site.answers["/"] = break_off

    with pytest.raises(FetchError, match="could not be read"):
        fetch(site.url("/"), allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "news",
        "ftp://news.example/",
        "file:///etc/passwd",
        "http://",
        "http://[",
        "http://news.example:99999/",
        "http://" + "a" * 300,
    ],
)
def test_what_is_no_web_address_is_told(url: str) -> None:
    with pytest.raises(FetchError):
        fetch(url, timeout_s=2)


def test_a_closed_door_is_told() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"

        with pytest.raises(FetchError, match="could not be read"):
            fetch(url, timeout_s=2, allow_private=True)


def test_a_proxy_from_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect for us, to addresses that we have not judged."""
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    assert fetch(site.put("/", b"direct"), allow_private=True).body == b"direct"


def test_bytes_are_handed_over_and_a_redirect_is_not_followed(site: Site) -> None:
    url = site.put("/hook", b"see there", status=307, Location="/elsewhere")

    found = post(url, body=b"{}", headers={"Content-Type": "application/json"}, allow_private=True)

    assert (found.status, found.body, found.headers["location"]) == (307, b"see there", "/elsewhere")
    method, _, headers, body = site.asked[0]
    assert (method, headers["Content-Type"], headers["Content-Length"], body) == (
        "POST",
        "application/json",
        "2",
        b"{}",
    )
    assert len(site.asked) == 1


def test_bytes_are_not_handed_to_an_address_inside(site: Site) -> None:
    with pytest.raises(FetchError, match="private network"):
        post(site.put("/hook"), body=b"{}")

    assert site.asked == []


def test_a_certificate_is_checked_against_the_name_and_not_the_address(
    internet: Internet, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.names["wrong.example"] = [[PUBLIC]]
    certificate = a_certificate("news.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(outbound, "_trusted", lambda: trusting)
    site.put("/", b"secured")

    assert fetch("https://news.example/").body == b"secured"
    with pytest.raises(FetchError, match="could not be read"):
        fetch("https://wrong.example/")
    assert internet.connected == [(PUBLIC, 443)] * 2


def a_certificate(host: str, folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / "certificate.pem"
    path.write_bytes(pem)
    return path


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://news.example/a", ""),
        ("http://news.example:8080/a?b#c", ""),
        ("https://한국.example/", ""),
        ("https://93.184.215.14/", ""),
        ("https://news.example./", ""),
        ("mailto:desk@news.example", "is not a web address; it must begin with http:// or https://"),
        ("news.example/a", "is not a web address; it must begin with http:// or https://"),
        ("https://[::1", "is not a web address"),
        ("https://news.example:port/", "is not a web address"),
        ("https://desk:secret@news.example/", "must not hold a user name or password"),
        ("http://localhost/", "leads into a private network"),
        ("http://LOCALHOST./", "leads into a private network"),
        ("http://desk.localhost/", "leads into a private network"),
        ("http://10.0.0.1/", "leads into a private network"),
        ("http://[fe80::1]/", "leads into a private network"),
        ("http://169.254.169.254/latest/meta-data", "leads into a private network"),
        ("http://2130706433/", "leads into a private network"),
        ("http://0x7f.1/", "leads into a private network"),
    ],
)
def test_an_address_is_judged_by_its_text_alone(url: str, problem: str) -> None:
    assert address_problem(url) == problem
