from base64 import b64decode, b64encode
from hashlib import sha256

import dkim
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from publisher.compose.slots import Slot
from publisher.dispatch.dkim import DkimSigner, dkim_key, fields_of, relaxed_body, signed_text
from publisher.errors import InputError
from tests.builders import TUESDAY
from tests.dispatch.mail import a_letter, a_letterhead, reader_values

RFC_8463 = b"""\
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")
RFC_8463_FIELD = (
    b"dkim-signature:v=1; a=ed25519-sha256; c=relaxed/relaxed; d=football.example.com; i=@football.example.com; "
    b"q=dns/txt; s=brisbane; t=1528637909; h=from : to : subject : date : message-id : from : subject : date; "
    b"bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=; b="
)
RFC_8463_SIGNATURE = "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
RFC_8463_PUBLIC_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


@pytest.fixture(scope="module")
def rsa() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: "RSAPrivateKey | Ed25519PrivateKey") -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signer(key: "RSAPrivateKey | Ed25519PrivateKey") -> DkimSigner:
    return DkimSigner([dkim_key(pem(key), domain="gazette.example", selector="s2026")], clock=lambda: TUESDAY)


def is_verified(raw: bytes, key: RSAPrivateKey) -> bool:
    public = b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def ask(name: bytes, timeout: int = 5) -> bytes:  # noqa: ARG001 -- dkimpy passes it
        assert name == b"s2026._domainkey.gazette.example."
        return b"v=DKIM1; k=rsa; p=" + public

    return bool(dkim.verify(raw, dnsfunc=ask))


@pytest.mark.parametrize("sentence", ["The away end sang. ", "원정 응원석은 노래했다. "])
def test_another_implementation_believes_our_signature(rsa: RSAPrivateKey, sentence: str) -> None:
    letter = a_letter(
        text=f"  indented\t\n\n\n{sentence * 9}",
        html=f"<p>  {sentence * 99}</p>",
        letterhead=a_letterhead(unsubscribe_mailto="leave@gazette.example", reply_to="desk@gazette.example"),
    )

    for name in ("Minji Kim", "김민지" * 40, "", "a  b"):
        signed = signer(rsa)(letter.splice(reader_values(values={Slot.NAME: name})))
        assert is_verified(signed, rsa)


def test_a_changed_mail_is_not_believed(rsa: RSAPrivateKey) -> None:
    signed = signer(rsa)(a_letter().splice(reader_values()))

    assert not is_verified(signed.replace(b"The news", b"No news"), rsa)
    assert not is_verified(signed.replace(b"Subject: Good", b"Subject: Bad"), rsa)
    assert not is_verified(b"Subject: Another\r\n" + signed, rsa)
    assert not is_verified(signed.replace(b"/o/", b"/x/"), rsa)


def test_both_fields_of_one_click_are_signed(rsa: RSAPrivateKey) -> None:
    """Gmail and Yahoo honour the button only then (RFC 8058, section 4)."""
    signed = signer(rsa)(a_letter().splice(reader_values())).decode()

    names = signed.partition("h=")[2].partition(";")[0].replace("\r\n ", "").split(":")
    assert {"list-unsubscribe", "list-unsubscribe-post", "from", "to", "subject", "date"} <= set(names)


def test_any_mail_can_be_signed(rsa: RSAPrivateKey) -> None:
    raw = b"From: a@gazette.example\r\nSubject:  two\r\n\tlines  \r\nX:y\r\n\r\nA  b \t c  \r\n\r\n.\r\n\r\n\r\n"

    assert is_verified(signer(rsa)(raw), rsa)
    assert is_verified(signer(rsa)(b"From: a@gazette.example\r\n\r\n"), rsa)


def test_the_rfcs_own_ed25519_signature_holds_over_our_text() -> None:
    """RFC 8463, appendix A."""
    head, _, body = RFC_8463.partition(b"\r\n\r\n")
    names = b"from to subject date message-id from subject date".split()

    text = signed_text(list(fields_of(head + b"\r\n")), names, RFC_8463_FIELD)

    assert b64encode(sha256(relaxed_body(body)).digest()) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    public = Ed25519PublicKey.from_public_bytes(b64decode(RFC_8463_PUBLIC_KEY))
    public.verify(b64decode(RFC_8463_SIGNATURE), sha256(text).digest())


def test_an_ed25519_key_signs_what_rfc_8463_says() -> None:
    key = Ed25519PrivateKey.generate()
    raw = a_letter().splice(reader_values())

    field = signer(key)(raw).removesuffix(raw)

    signature = b64decode("".join(field.decode().rpartition("b=")[2].split()))
    unsigned = next(iter(fields_of(field)))[1]
    unsigned = unsigned[: unsigned.rindex(b" b=") + len(b" b=")]
    names = unsigned.decode().partition("h=")[2].partition(";")[0].replace(" ", "").encode().split(b":")
    text = signed_text(list(fields_of(raw.partition(b"\r\n\r\n")[0] + b"\r\n")), names, unsigned)
    key.public_key().verify(signature, sha256(text).digest())
    with pytest.raises(InvalidSignature):
        key.public_key().verify(signature, sha256(text + b"x").digest())


@given(body=st.text("a. \t\r\n", max_size=60).map(lambda text: text.replace("\r", "").replace("\n", "\r\n").encode()))
def test_a_body_is_relaxed_as_another_implementation_does_it(body: bytes) -> None:
    assert relaxed_body(body) == Relaxed.canonicalize_body(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pem": b"nonsense"},
        {"pem": pem(generate_private_key(public_exponent=65537, key_size=1024)).replace(b"A", b"B")},
        {"domain": "a b"},
        {"selector": ""},
    ],
)
def test_a_key_that_cannot_be_used_is_refused_at_the_start(rsa: RSAPrivateKey, wrong: dict[str, str]) -> None:
    usual = {"pem": pem(rsa), "domain": "gazette.example", "selector": "s1"} | wrong
    with pytest.raises(InputError):
        dkim_key(usual["pem"], domain=str(usual["domain"]), selector=str(usual["selector"]))  # type: ignore[arg-type]


def test_a_key_of_another_kind_is_refused() -> None:
    raw = generate_ec_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(InputError, match="RSA or Ed25519"):
        dkim_key(raw, domain="gazette.example", selector="s1")
