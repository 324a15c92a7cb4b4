"""The SMTP transport against servers of other people: Postfix's smtp-sink, and aiosmtpd."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from publisher.compose.slots import Slot
from publisher.dispatch.model import Deferred, Outcome, Refused, Untried
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import SmtpSettings, Timeouts, smtp_settings
from tests.dispatch.mail import a_letter, an_envelope, parsed, part, reader_values

SMTP_SINK = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
ABSENT = "smtp-sink is not installed (Debian: apt-get install postfix), so Postfix's server was not tested with"
LETTER = a_letter()
QUICK = Timeouts(connect_s=2, greeting_s=2, command_s=2, data_s=2, final_s=2)


@contextmanager
def smtp_sink(*options: str) -> Iterator[int]:
    """Postfix's server on a free port; it reads `RCPT` and `.` where we say rcpt and final."""
    if SMTP_SINK is None:
        if os.environ.get("CI") == "true":
            pytest.fail(ABSENT)
        pytest.skip(ABSENT)
    port = free_port()
    process = subprocess.Popen([SMTP_SINK, "-u", "nobody", *options, f"127.0.0.1:{port}", "100"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + 5
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


def send(port: int, count: int, connections: int = 2) -> Sequence[Outcome]:
    settings = SmtpSettings(host="127.0.0.1", port=port, connections=connections, timeouts=QUICK)
    with SmtpTransport(settings) as transport:
        return transport.send_all(LETTER, [an_envelope(seq) for seq in range(1, count + 1)])


def kinds(outcomes: Sequence[Outcome]) -> dict[str, int]:
    return dict(Counter(type(outcome).__name__ for outcome in outcomes))


@pytest.mark.parametrize("options", [(), ("-p",), ("-e",), ("-8", "-E")])
def test_postfix_takes_everything_in_whatever_dialect(options: tuple[str, ...]) -> None:
    with smtp_sink(*options) as port:
        assert kinds(send(port, 200)) == {"Sent": 200}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("-f", "RCPT"), Refused),
        (("-r", "RCPT"), Deferred),
        (("-f", "DATA"), Refused),
        (("-r", "DATA"), Deferred),
        (("-f", "."), Refused),
        (("-r", "."), Deferred),
        (("-r", "MAIL"), Deferred),
        (("-f", "MAIL"), Untried),
        (("-f", "EHLO,HELO"), Untried),
        (("-f", "CONNECT"), Untried),
        (("-r", "CONNECT"), Untried),
        (("-q", "CONNECT"), Untried),
        (("-q", "EHLO"), Untried),
        (("-q", "MAIL"), Untried),
        (("-q", "RCPT"), Untried),
        (("-q", "DATA"), Untried),
        (("-Q", "EHLO"), Untried),
        (("-Q", "MAIL"), Untried),
    ],
)
def test_what_postfix_says_to_everything_happens_to_everything(
    options: tuple[str, ...], expected: type[Outcome]
) -> None:
    with smtp_sink(*options) as port:
        outcomes = send(port, 10)

    assert kinds(outcomes) == {expected.__name__: 10}


@pytest.mark.parametrize("step", ["RCPT", "DATA", "."])
def test_a_421_of_postfix_is_held_against_few(step: str) -> None:
    with smtp_sink("-Q", step) as port:
        outcomes = send(port, 10, connections=1)

    assert set(kinds(outcomes)) == {"Deferred", "Untried"}
    assert kinds(outcomes)["Deferred"] <= 3


def test_a_postfix_that_hangs_up_on_every_message_leaves_few_in_doubt() -> None:
    with smtp_sink("-q", ".") as port:
        outcomes = send(port, 20, connections=1)

    assert kinds(outcomes) == {"Uncertain": 3, "Untried": 17}


def test_a_slow_postfix_is_waited_for() -> None:
    with smtp_sink("-w", "1") as port:
        assert kinds(send(port, 2)) == {"Sent": 2}


def test_a_postfix_that_is_too_slow_is_not() -> None:
    """Its 354 never came in time: nobody was tried."""
    with smtp_sink("-w", "30") as port:
        assert kinds(send(port, 2)) == {"Untried": 2}


def test_what_postfix_wrote_down_is_what_we_sent(tmp_path: Path) -> None:
    """Its dump is the mail as it came over the wire, behind a few lines of its own."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    with smtp_sink("-d", f"{tmp_path}/mail.%M") as port:
        assert kinds(send(port, 3)) == {"Sent": 3}

    found = {}
    for dump in tmp_path.glob("mail.*"):
        raw = dump.read_bytes()
        recipient = re.search(rb"(?m)^X-Rcpt-Args: <([^>]+)>", raw)
        assert recipient
        found[recipient[1].decode()] = raw[raw.index(b"From: The Gazette") :].replace(b"\r\n", b"\n").strip()
    for seq in (1, 2, 3):
        envelope = an_envelope(seq)
        assert found[envelope.address] == LETTER.splice(envelope.values).replace(b"\r\n", b"\n").strip()


class Postbox:
    """What aiosmtpd received."""

    def __init__(self) -> None:
        self.received: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        del server, session
        self.received.append(envelope)
        return "250 2.0.0 Taken"


@contextmanager
def aiosmtpd_server(context: ssl.SSLContext) -> Iterator[tuple[int, Postbox]]:
    def is_right(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        del server, session, envelope, mechanism
        return AuthResult(success=given == LoginPassword(b"news", b"secret"), handled=False)

    postbox = Postbox()
    port = free_port()
    controller = Controller(
        postbox,
        hostname="127.0.0.1",
        port=port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=is_right,
    )
    controller.start()
    try:
        yield port, postbox
    finally:
        controller.stop()


def test_aiosmtpd_takes_our_password_and_our_letter_under_tls(server_tls: ssl.SSLContext) -> None:
    with aiosmtpd_server(server_tls) as (port, postbox):
        settings = smtp_settings(f"smtp://news:secret@127.0.0.1:{port}?verify=no&connections=2")
        with SmtpTransport(settings) as transport:
            outcomes = transport.send_all(LETTER, [an_envelope(seq) for seq in range(1, 21)])

    assert kinds(outcomes) == {"Sent": 20}
    by_reader = {envelope.rcpt_tos[0]: envelope for envelope in postbox.received}
    for seq in range(1, 21):
        wanted = an_envelope(seq)
        assert by_reader[wanted.address].content == LETTER.splice(wanted.values)
        assert by_reader[wanted.address].mail_from == wanted.sender


def test_aiosmtpd_does_not_take_a_wrong_password(server_tls: ssl.SSLContext) -> None:
    with aiosmtpd_server(server_tls) as (port, postbox):
        settings = smtp_settings(f"smtp://news:wrong@127.0.0.1:{port}?verify=no")
        with SmtpTransport(settings) as transport:
            outcomes = transport.send_all(LETTER, [an_envelope(1)])

    assert kinds(outcomes) == {"Untried": 1}
    assert "535" in str(outcomes[0])
    assert postbox.received == []


def test_a_letter_in_hangul_arrives_as_it_was_written(server_tls: ssl.SSLContext) -> None:
    letter = a_letter(subject="안녕하세요 🎉", text="원정 응원석은 불이 꺼질 때까지 노래했다.\n.\n..\n" * 30)
    values = reader_values(1, {Slot.NAME: "김민지"})
    with aiosmtpd_server(server_tls) as (port, postbox):
        settings = smtp_settings(f"smtp://news:secret@127.0.0.1:{port}?verify=no")
        with SmtpTransport(settings) as transport:
            transport.send_all(letter, [an_envelope(1, values=values)])

    raw = postbox.received[0].content
    assert isinstance(raw, bytes)
    assert parsed(raw)["Subject"] == "안녕하세요 🎉"
    assert part(raw, "plain") == "원정 응원석은 불이 꺼질 때까지 노래했다.\r\n.\r\n..\r\n" * 30
    assert message_from_bytes(raw).defects == []
