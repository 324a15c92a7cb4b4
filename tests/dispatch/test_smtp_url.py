from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from publisher.dispatch.transports.choose import transport_for
from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import Security, SmtpSettings, Timeouts, own_name, smtp_settings
from publisher.errors import SettingsError
from tests.dispatch.mail import a_letter, an_envelope
from tests.dispatch.sink import Sink, Terms


def test_a_url_says_everything() -> None:
    url = (
        "smtp://n%40ws:p%3Aw%2F@mail.example:2525/?starttls=never&connections=12&sender_domain=news.example&verify=no"
        "&connect_timeout=3&timeout=4.5&final_timeout=60"
    )

    assert smtp_settings(url) == SmtpSettings(
        host="mail.example",
        port=2525,
        security=Security.NEVER,
        verify=False,
        user="n@ws",
        password="p:w/",
        connections=12,
        sender_domain="news.example",
        timeouts=Timeouts(connect_s=3, greeting_s=4.5, command_s=4.5, data_s=4.5, final_s=60),
    )


@pytest.mark.parametrize(
    ("url", "port", "security"),
    [
        ("smtp://mail.example", 587, Security.OPPORTUNISTIC),
        ("smtp://u:p@mail.example", 587, Security.REQUIRED),
        ("smtps://u:p@mail.example", 465, Security.IMPLICIT),
        ("smtp://u:p@mail.example?starttls=never", 587, Security.NEVER),
        ("smtp://mail.example:25?starttls=required", 25, Security.REQUIRED),
    ],
)
def test_what_a_url_does_not_say_is_what_is_safe(url: str, port: int, security: Security) -> None:
    """A password never travels in clear unless the operator wrote that it may."""
    settings = smtp_settings(url)

    assert (settings.port, settings.security) == (port, security)
    assert settings.verify


def test_the_last_answer_is_waited_for_ten_minutes_unless_said_otherwise() -> None:
    """A shorter wait makes duplicates (RFC 5321, section 4.5.3.2.6)."""
    assert smtp_settings("smtp://mail.example?timeout=1").timeouts.final_s == 600


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "smtp://:25",
        "http://mail.example",
        "smtp://mail.example:99999",
        "smtp://mail.example/path",
        "smtp://user@mail.example",
        "smtp://u:secret@mail.example?starttls=opportunistic",
        "smtp://mail.example?starttls=maybe",
        "smtp://mail.example?verify=perhaps",
        "smtp://mail.example?connections=0",
        "smtp://mail.example?connections=101",
        "smtp://mail.example?connections=many",
        "smtp://mail.example?sender_domain=a%20b",
        "smtp://mail.example?timeout=soon",
        "smtp://mail.example?colour=red",
        "smtps://mail.example?starttls=required",
        "smtp://mail.example?dkim_key=/k.pem",
        "smtp://[::1",
    ],
)
def test_a_wrong_url_is_answered_with_one_sentence_and_no_password(url: str) -> None:
    with pytest.raises(SettingsError) as problem:
        smtp_settings(url)

    assert str(problem.value).startswith("PUBLISHER_MAIL_URL ")
    assert "secret" not in str(problem.value)


def test_a_password_is_never_shown() -> None:
    settings = smtp_settings("smtp://user:geheim@mail.example")

    assert "geheim" not in repr(settings)
    assert settings.name == "smtp mail.example:587"


def test_we_introduce_ourselves_by_a_name_with_a_dot() -> None:
    assert own_name(smtp_settings("smtp://mail.example?sender_domain=news.example")) == "news.example"
    assert "." in own_name(smtp_settings("smtp://mail.example"))
    assert own_name(smtp_settings("smtp://mail.example?sender_domain=localhost")) == "[127.0.0.1]"


def test_the_url_chooses_the_transport(tmp_path: Path) -> None:
    assert isinstance(transport_for("outbox:", tmp_path), OutboxTransport)
    assert isinstance(transport_for("smtp://mail.example", tmp_path), SmtpTransport)
    assert isinstance(transport_for("smtps://mail.example", tmp_path), SmtpTransport)
    with pytest.raises(SettingsError):
        transport_for("pigeon://loft", tmp_path)


def test_mail_is_signed_where_the_url_names_a_key(tmp_path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    options = f"dkim_key={tmp_path}/key.pem&dkim_selector=s2026&dkim_domain=gazette.example"

    with Sink(Terms(keep=True)) as sink:
        transport = transport_for(f"smtp://127.0.0.1:{sink.port}?{options}", tmp_path)
        transport.send_all(a_letter(), [an_envelope(1)])
        transport.close()

    [(_, raw)] = sink.record.messages
    assert raw.startswith(b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=gazette.example;\r\n s=s2026;")


@pytest.mark.parametrize("content", [None, b"no key"])
def test_a_key_that_cannot_be_used_is_said_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    if content:
        (tmp_path / "key.pem").write_bytes(content)

    with pytest.raises(SettingsError, match="dkim_key"):
        transport_for(f"smtp://x.example?dkim_key={tmp_path}/key.pem&dkim_selector=s&dkim_domain=x.example", tmp_path)
