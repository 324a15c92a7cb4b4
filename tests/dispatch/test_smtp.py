"""The SMTP transport against a server that fails as it is told."""

import random
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from publisher.compose.slots import Slot
from publisher.dispatch.model import Deferred, Envelope, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.transports.smtp import SmtpTransport
from publisher.dispatch.transports.smtp_url import Security, SmtpSettings, Timeouts, smtp_settings
from tests.dispatch.mail import a_letter, an_envelope, reader_values
from tests.dispatch.sink import Fault, Sink, Terms, read_log

QUICK = Timeouts(connect_s=2, greeting_s=0.4, command_s=0.4, data_s=0.4, final_s=0.6, idle_s=10)
LETTER = a_letter()


def envelopes(count: int) -> list[Envelope]:
    return [an_envelope(seq) for seq in range(1, count + 1)]


def settings_for(sink: Sink, **values: Any) -> SmtpSettings:
    usual = SmtpSettings(host="127.0.0.1", port=sink.port, connections=1, timeouts=QUICK)
    return replace(usual, **values)


def kinds(outcomes: Sequence[Outcome]) -> dict[Any, int]:
    return dict(Counter(map(type, outcomes)))


def send(sink: Sink, count: int, **values: Any) -> Sequence[Outcome]:
    with SmtpTransport(settings_for(sink, **values)) as transport:
        return transport.send_all(LETTER, envelopes(count))


def addresses(count: int) -> list[str]:
    return [envelope.address for envelope in envelopes(count)]


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 5
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


# --- what should happen


@pytest.mark.parametrize("pipelining", [True, False])
def test_every_reader_gets_his_own_copy_once(*, pipelining: bool) -> None:
    with Sink(Terms(keep=True, pipelining=pipelining)) as sink:
        outcomes = send(sink, 300, connections=3)

    assert kinds(outcomes) == {Sent: 300}
    assert sorted(sink.record.messages) == sorted((each.address, LETTER.splice(each.values)) for each in envelopes(300))
    assert sink.record.violations == []
    assert sink.record.connections <= 3


def test_outcomes_stand_in_the_order_of_the_envelopes() -> None:
    faults = (
        Fault(step="rcpt", do="550 5.1.1 Unknown", matching="reader7@"),
        Fault(step="final", do="451 4.3.0 Later", every=5),
    )
    with Sink(Terms(faults=faults)) as sink:
        outcomes = send(sink, 20)

    assert outcomes[6] == Refused(code=550, reason="5.1.1 Unknown", enhanced="5.1.1")
    deferred = [at for at, outcome in enumerate(outcomes) if isinstance(outcome, Deferred)]
    assert deferred == [4, 10, 15], "every fifth that came through"


def test_connections_stay_open_between_calls() -> None:
    with Sink() as sink, SmtpTransport(settings_for(sink, connections=2)) as transport:
        for _ in range(5):
            transport.send_all(LETTER, envelopes(20))

        assert sink.record.connections == 2
    assert sink.record.accepted == 100


def test_a_single_message_opens_a_single_connection() -> None:
    with Sink() as sink:
        assert kinds(send(sink, 1, connections=10)) == {Sent: 1}

    assert sink.record.connections == 1


def test_nothing_to_send_connects_to_nothing() -> None:
    with Sink() as sink:
        assert send(sink, 0) == ()

    assert sink.record.connections == 0


def test_several_threads_share_the_connections() -> None:
    found: list[Sequence[Outcome]] = []
    with Sink() as sink, SmtpTransport(settings_for(sink, connections=2)) as transport:
        threads = [
            threading.Thread(target=lambda: found.append(transport.send_all(LETTER, envelopes(50)))) for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [kinds(outcomes) for outcomes in found] == [{Sent: 50}] * 6
    assert sink.record.connections <= 2


def test_an_envelope_without_a_value_is_noticed_before_anything_is_sent() -> None:
    broken = an_envelope(2)._replace(values={Slot.ADDRESS: "x@y.example"})
    with (
        Sink() as sink,
        SmtpTransport(settings_for(sink)) as transport,
        pytest.raises(ValueError, match="lacks a value"),
    ):
        transport.send_all(LETTER, [an_envelope(1), broken])

    assert sink.record.accepted == 0


def test_one_finished_message_can_be_sent_with_dots_and_any_line_ends() -> None:
    raw = b"From: a@g.example\nSubject: x\r\n\r\n.dot\n..two\r\n.\r\nend"
    with Sink(Terms(keep=True)) as sink, SmtpTransport(settings_for(sink)) as transport:
        outcome = transport.send_one("b@g.example", "minji@mail.example", raw)

    assert isinstance(outcome, Sent)
    expected = b"From: a@g.example\r\nSubject: x\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n"
    assert sink.record.messages == [("minji@mail.example", expected)]


def test_a_bad_address_is_refused_and_the_others_go() -> None:
    crooked = an_envelope(2, "x@y.example>\r\nRCPT TO:<z@y.example")
    with Sink(Terms(keep=True)) as sink, SmtpTransport(settings_for(sink)) as transport:
        outcomes = transport.send_all(LETTER, [an_envelope(1), crooked, an_envelope(3)])

    assert [type(outcome) for outcome in outcomes] == [Sent, Refused, Sent]
    assert {recipient for recipient, _ in sink.record.messages} == {"reader1@mail.example", "reader3@mail.example"}


def test_an_address_beyond_ascii_goes_where_the_server_takes_it() -> None:
    envelope = an_envelope(1, "민지@우편.example")
    for can, expected in ((True, Sent), (False, Refused)):
        with Sink(Terms(utf8_addresses=can)) as sink, SmtpTransport(settings_for(sink)) as transport:
            assert [type(outcome) for outcome in transport.send_all(LETTER, [envelope])] == [expected]


def test_a_signature_stands_in_front_of_every_copy() -> None:
    def sign(raw: bytes) -> bytes:
        return b"X-Signed: yes\r\n" + raw

    with Sink(Terms(keep=True)) as sink, SmtpTransport(settings_for(sink), sign=sign) as transport:
        transport.send_all(LETTER, envelopes(3))
        transport.send_one("", "reader4@mail.example", b"Subject: x\r\n\r\n.y\r\n")

    assert len(sink.record.messages) == 4
    assert all(raw.startswith(b"X-Signed: yes\r\n") for _, raw in sink.record.messages)


# --- what a server may answer


@pytest.mark.parametrize("early_354", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
def test_refused_and_deferred_readers_cost_the_others_nothing(*, pipelining: bool, early_354: bool) -> None:
    faults = (
        Fault(step="rcpt", do="451 4.7.1 Greylisted", every=3),
        Fault(step="rcpt", do="550 5.1.1 Unknown", every=4),
        Fault(step="data", do="452 4.3.1 Full", every=11),
        Fault(step="final", do="554 5.7.1 Spam", every=7),
    )
    terms = Terms(faults=faults, pipelining=pipelining, early_354=early_354, keep=True)
    with Sink(terms) as sink:
        outcomes = send(sink, 100, connections=2)

    sent = {address for address, outcome in zip(addresses(100), outcomes, strict=True) if isinstance(outcome, Sent)}
    assert {recipient for recipient, _ in sink.record.messages} == sent
    assert sink.record.accepted == len(sent), "nobody got two"
    assert kinds(outcomes)[Deferred] > 30
    assert kinds(outcomes)[Refused] > 20
    assert sink.record.violations == []


def test_a_421_to_the_message_ends_the_connection_and_the_rest_goes_over_another() -> None:
    with Sink(Terms(faults=[Fault(step="final", do="421 4.3.2 Restarting", after=9, times=1)])) as sink:
        outcomes = send(sink, 30)

    assert kinds(outcomes) == {Sent: 29, Deferred: 1}
    assert outcomes[9] == Deferred(code=421, reason="4.3.2 Restarting", enhanced="4.3.2")
    assert sink.record.connections == 2


def test_a_server_that_takes_so_many_mails_a_connection_gets_them_all() -> None:
    with Sink(Terms(faults=[Fault(step="mail", do="421 4.4.5 Too many mails", every=10)])) as sink:
        outcomes = send(sink, 50)

    assert kinds(outcomes) == {Sent: 50}


@pytest.mark.parametrize("step", ["connect", "ehlo", "mail"])
def test_a_server_that_is_closing_has_tried_nobody(step: str) -> None:
    with Sink(Terms(faults=[Fault(step=step, do="421 4.3.2 Closed")])) as sink:
        outcomes = send(sink, 20, connections=2)

    assert kinds(outcomes) == {Untried: 20}
    assert "421 4.3.2 Closed" in str(outcomes[0])
    assert sink.record.connections < 10, "it gives up soon"


def test_a_server_that_is_closing_at_rcpt_defers_a_few_and_leaves_the_rest_alone() -> None:
    with Sink(Terms(faults=[Fault(step="rcpt", do="421 4.7.0 Slow down")])) as sink:
        outcomes = send(sink, 20)

    assert kinds(outcomes) == {Deferred: 3, Untried: 17}


@pytest.mark.parametrize("reply", ["530 5.7.0 Sign in first", "550 5.7.1 You may not send", "535 5.7.8 No"])
def test_a_no_to_ourselves_fails_no_reader(reply: str) -> None:
    with Sink(Terms(faults=[Fault(step="mail", do=reply)])) as sink:
        assert kinds(send(sink, 20)) == {Untried: 20}


def test_a_server_of_few_connections_is_used_as_far_as_it_lets_us() -> None:
    with Sink(Terms(faults=[Fault(step="connect", do="421 4.7.0 Too many connections", after=1)])) as sink:
        outcomes = send(sink, 200, connections=8)

    assert kinds(outcomes) == {Sent: 200}


# --- what the network may do


@pytest.mark.parametrize("step", ["connect", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("pipelining", [True, False])
def test_a_connection_cut_before_the_354_loses_and_repeats_nothing(step: str, *, pipelining: bool) -> None:
    terms = Terms(faults=[Fault(step=step, do="cut", after=1, times=2)], pipelining=pipelining)
    with Sink(terms) as sink, SmtpTransport(settings_for(sink)) as transport:
        outcomes = [outcome for each in envelopes(20) for outcome in transport.send_all(LETTER, [each])]
        outcomes += transport.send_all(LETTER, envelopes(20))

    assert all(isinstance(outcome, Sent | Untried) for outcome in outcomes)
    assert sink.record.accepted == kinds(outcomes)[Sent] >= 38


@pytest.mark.parametrize("step", ["connect", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("fault", ["cut", "stall"])
def test_a_server_that_always_fails_before_the_354_has_tried_nobody(step: str, fault: str) -> None:
    started = time.monotonic()
    with Sink(Terms(faults=[Fault(step=step, do=fault)])) as sink:
        outcomes = send(sink, 20, connections=2)

    assert kinds(outcomes) == {Untried: 20}
    assert time.monotonic() - started < 6


@pytest.mark.parametrize(
    ("step", "fault"),
    [("body", "cut"), ("body", "stall"), ("final", "cut"), ("final", "stall"), ("final", "accept-cut")],
)
def test_a_message_whose_answer_never_came_is_uncertain_and_no_other(step: str, fault: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Sink(Terms(faults=[Fault(step=step, do=fault, after=5, times=3)]), log=log) as sink:
        outcomes = send(sink, 40)

    assert (kinds(outcomes)[Sent], kinds(outcomes)[Uncertain]) == (37, 3)
    accepted = Counter(recipient for recipient, _ in read_log(log))
    assert set(accepted.values()) == {1}
    for address, outcome in zip(addresses(40), outcomes, strict=True):
        assert (address in accepted) == (isinstance(outcome, Sent) or fault == "accept-cut")


def test_every_message_in_doubt_is_at_most_one_a_connection() -> None:
    with Sink(Terms(latency_s=0.05)) as sink, SmtpTransport(settings_for(sink, connections=4)) as transport:
        found: list[Sequence[Outcome]] = []
        thread = threading.Thread(target=lambda: found.append(transport.send_all(LETTER, envelopes(400))))
        thread.start()
        eventually(lambda: sink.record.accepted > 20)
        sink.close()
        thread.join(10)

        outcomes = found[0]
        assert kinds(outcomes)[Uncertain] <= 4
        assert kinds(outcomes)[Untried] > 200
        assert kinds(outcomes)[Sent] <= sink.record.accepted <= kinds(outcomes)[Sent] + kinds(outcomes)[Uncertain]
        assert kinds(transport.send_all(LETTER, envelopes(2))) == {Untried: 2}, "and the next call knows at once"


def test_a_kept_connection_that_died_unseen_costs_nothing() -> None:
    with Sink() as sink, SmtpTransport(settings_for(sink, connections=3)) as transport:
        assert kinds(transport.send_all(LETTER, envelopes(10))) == {Sent: 10}
        sink.cut_all()

        assert kinds(transport.send_all(LETTER, envelopes(10))) == {Sent: 10}

    assert sink.record.accepted == 20


def test_a_connection_that_was_idle_for_long_is_closed_politely() -> None:
    quick = replace(QUICK, idle_s=0.1)
    with Sink(Terms(keep=True)) as sink, SmtpTransport(settings_for(sink, timeouts=quick)) as transport:
        transport.send_all(LETTER, envelopes(1))
        eventually(lambda: sink.record.commands[-1] == "QUIT")

        assert kinds(transport.send_all(LETTER, envelopes(1))) == {Sent: 1}

    assert sink.record.connections == 2


def test_a_transport_that_is_closed_gives_back_what_waits() -> None:
    with Sink(Terms(faults=[Fault(step="mail", do="stall")])) as sink:
        transport = SmtpTransport(settings_for(sink, timeouts=Timeouts()))
        found: list[Sequence[Outcome]] = []
        thread = threading.Thread(target=lambda: found.append(transport.send_all(LETTER, envelopes(5))))
        thread.start()
        eventually(lambda: bool(sink.record.connections))

        transport.close()
        thread.join(5)

    assert kinds(found[0]) == {Untried: 5}


def test_a_closed_transport_opens_again_when_it_is_used() -> None:
    with Sink() as sink:
        transport = SmtpTransport(settings_for(sink))
        for _ in range(2):
            assert kinds(transport.send_all(LETTER, envelopes(2))) == {Sent: 2}
            transport.close()
        transport.close()


def test_a_server_that_is_not_there_has_tried_nobody() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        settings = SmtpSettings(host="127.0.0.1", port=taken.getsockname()[1], timeouts=QUICK)
        with SmtpTransport(settings) as transport:
            outcomes = transport.send_all(LETTER, envelopes(5))

    assert set(outcomes) == {Untried(reason="it cannot be reached: Connection refused")}


def test_a_host_nobody_knows_has_tried_nobody() -> None:
    with SmtpTransport(SmtpSettings(host="no-such-host.invalid", port=25, timeouts=QUICK)) as transport:
        assert kinds(transport.send_all(LETTER, envelopes(5))) == {Untried: 5}


def test_what_is_no_mail_server_has_tried_nobody() -> None:
    with Sink(Terms(faults=[Fault(step="connect", do="HTTP/1.1 400 Bad Request")])) as sink:
        outcomes = send(sink, 5)

    assert set(outcomes) == {Untried(reason="what answers there does not speak SMTP")}


def test_a_host_name_that_cannot_be_one_leaves_no_caller_waiting() -> None:
    with SmtpTransport(SmtpSettings(host="a..b" + "x" * 80, port=25, timeouts=QUICK)) as transport:
        assert kinds(transport.send_all(LETTER, envelopes(2))) == {Untried: 2}


def test_an_old_server_is_greeted_as_it_wants() -> None:
    with Sink(Terms(ehlo=False, pipelining=False, keep=True)) as sink:
        assert kinds(send(sink, 3)) == {Sent: 3}

    assert [command[:4] for command in sink.record.commands[:2]] == ["EHLO", "HELO"]


def test_no_outcome_names_a_reader() -> None:
    """Reasons are logged and shown."""
    faults = [Fault(step="rcpt", do="550 5.1.1 <reader1@mail.example>: reader1@mail.example is unknown")]
    with Sink(Terms(faults=faults)) as sink:
        assert send(sink, 1) == [Refused(code=550, reason="5.1.1 <address>: <address> is unknown", enhanced="5.1.1")]


def test_a_mail_of_bad_form_is_not_made_worse() -> None:
    values = reader_values(1, {Slot.NAME: "x\r\n.\r\nMAIL FROM:<evil@x.example>"})
    with Sink(Terms(keep=True)) as sink, SmtpTransport(settings_for(sink)) as transport:
        outcomes = transport.send_all(LETTER, [an_envelope(1)._replace(values=values)])

    assert kinds(outcomes) == {Sent: 1}
    assert sink.record.accepted == 1
    assert not any("evil" in command for command in sink.record.commands)


@pytest.mark.parametrize("seed", range(6))
def test_in_any_weather_the_outcomes_say_the_truth(seed: int, tmp_path: Path) -> None:
    """Sent: he has it, once. Deferred, refused, untried: he has it not. Uncertain: one copy or none, and few are."""
    chance = random.Random(seed)
    replies = ("421 4.3.2 Closing", "451 4.3.0 Later", "550 5.1.1 Unknown", "cut")
    faults = [
        Fault(step=step, do=chance.choice(replies), every=chance.randint(3, 60), after=chance.randint(0, 40))
        for step in ("connect", "ehlo", "mail", "rcpt", "data", "final")
    ]
    faults.append(Fault(step="body", do="cut", every=chance.randint(20, 80)))
    faults.append(Fault(step="final", do="accept-cut", every=chance.randint(10, 80)))
    terms = Terms(faults=faults, pipelining=chance.random() < 0.7, early_354=chance.random() < 0.5)
    log = tmp_path / "log"
    connections = chance.randint(1, 5)

    with Sink(terms, log=log) as sink:
        outcomes = send(sink, 400, connections=connections)

    accepted = Counter(recipient for recipient, _ in read_log(log))
    for address, outcome in zip(addresses(400), outcomes, strict=True):
        if isinstance(outcome, Sent):
            assert accepted[address] == 1
        elif isinstance(outcome, Uncertain):
            assert accepted[address] <= 1
        else:
            assert accepted[address] == 0
    assert sum(isinstance(outcome, Uncertain) for outcome in outcomes) <= sink.record.connections
    assert [one for one in sink.record.violations if one != "a message for nobody"] == []


# --- encryption and signing in


@contextmanager
def trusted(certificate: Path) -> Iterator[None]:
    """Let the system vouch for this certificate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        yield


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN"])
def test_a_password_goes_over_an_encrypted_connection(server_tls: ssl.SSLContext, mechanisms: str) -> None:
    with Sink(Terms(tls=server_tls, user="news", password="geheim 비밀", mechanisms=mechanisms, keep=True)) as sink:
        outcomes = send(
            sink, 50, security=Security.REQUIRED, verify=False, user="news", password="geheim 비밀", connections=2
        )

    assert kinds(outcomes) == {Sent: 50}
    verbs = [command[:4] for command in sink.record.commands if command[:4] in {"EHLO", "STAR", "AUTH", "MAIL"}]
    assert verbs.index("STAR") < verbs.index("AUTH") < verbs.index("MAIL")


def test_a_certificate_that_the_system_trusts_is_enough(server_tls: ssl.SSLContext, certificate: Path) -> None:
    with trusted(certificate), Sink(Terms(tls=server_tls)) as sink:
        assert kinds(send(sink, 2, host="localhost", security=Security.REQUIRED)) == {Sent: 2}


def test_a_certificate_for_another_name_is_not(server_tls: ssl.SSLContext, certificate: Path) -> None:
    with trusted(certificate), Sink(Terms(tls=server_tls)) as sink:
        outcomes = send(sink, 2, host="127.0.0.1", security=Security.REQUIRED)

    assert kinds(outcomes) == {Untried: 2}
    assert "127.0.0.1" in str(outcomes[0])


def test_a_certificate_nobody_vouches_for_stops_everything(server_tls: ssl.SSLContext) -> None:
    with Sink(Terms(tls=server_tls, keep=True)) as sink:
        outcomes = send(sink, 2, host="localhost", security=Security.REQUIRED)

    assert kinds(outcomes) == {Untried: 2}
    assert "self-signed certificate" in str(outcomes[0])
    assert not any(command.startswith("MAIL") for command in sink.record.commands)


def test_opportunistic_encryption_takes_any_certificate_and_none(server_tls: ssl.SSLContext) -> None:
    for terms in (Terms(tls=server_tls, keep=True), Terms(keep=True)):
        with Sink(terms) as sink:
            assert kinds(send(sink, 2, security=Security.OPPORTUNISTIC)) == {Sent: 2}
        assert ("STARTTLS" in sink.record.commands) == (terms.tls is not None)


def test_a_server_without_encryption_gets_nothing_where_it_is_required() -> None:
    with Sink(Terms(user="news", password="secret", keep=True)) as sink:
        outcomes = send(sink, 2, security=Security.REQUIRED, user="news", password="secret")

    assert kinds(outcomes) == {Untried: 2}
    assert not any(command.startswith(("AUTH", "MAIL")) for command in sink.record.commands)


@pytest.mark.parametrize("security", [Security.REQUIRED, Security.OPPORTUNISTIC])
def test_what_was_said_in_clear_behind_starttls_is_not_believed(server_tls: ssl.SSLContext, security: Security) -> None:
    """Somebody in between could put words into the server's mouth (the STARTTLS injection of 2011)."""
    smuggled = Fault(step="starttls", do=r"220 Go on\r\n250-evil.example\r\n250 AUTH PLAIN")
    with Sink(Terms(tls=server_tls, faults=[smuggled], keep=True)) as sink:
        outcomes = send(sink, 2, security=security, verify=False)

    assert set(outcomes) == {Untried(reason="it sent something in clear where TLS begins")}


def test_a_refused_starttls_is_fatal_only_where_it_is_required(server_tls: ssl.SSLContext) -> None:
    for security, expected in ((Security.REQUIRED, Untried), (Security.OPPORTUNISTIC, Sent)):
        with Sink(Terms(tls=server_tls, faults=[Fault(step="starttls", do="454 4.7.0 TLS not available")])) as sink:
            assert kinds(send(sink, 2, security=security, verify=False)) == {expected: 2}


def test_a_wrong_password_has_tried_nobody() -> None:
    with Sink(Terms(user="news", password="right")) as sink:
        outcomes = send(sink, 5, security=Security.NEVER, user="news", password="wrong")

    assert set(outcomes) == {Untried(reason="it did not accept our user name and password: 535 5.7.8 No")}


def test_a_way_to_sign_in_that_we_do_not_know_has_tried_nobody() -> None:
    with Sink(Terms(user="news", password="right", mechanisms="GSSAPI")) as sink:
        assert kinds(send(sink, 5, security=Security.NEVER, user="news", password="right")) == {Untried: 5}


def test_settings_from_a_url_reach_a_server() -> None:
    with Sink(Terms(user="n@ws", password="p/w d", keep=True)) as sink:
        url = f"smtp://n%40ws:p%2Fw%20d@127.0.0.1:{sink.port}?starttls=never&sender_domain=mail.gazette.example"
        with SmtpTransport(smtp_settings(url)) as transport:
            assert kinds(transport.send_all(LETTER, envelopes(2))) == {Sent: 2}

    assert "EHLO mail.gazette.example" in sink.record.commands
