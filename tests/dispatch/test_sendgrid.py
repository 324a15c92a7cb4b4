"""SendGrid: one request for many readers, and nobody lost or blamed when it fails."""

import time
from collections import Counter
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest

from publisher.compose.slots import Slot
from publisher.dispatch import rules
from publisher.dispatch.model import Envelope, Outcome, Refused, Sent, Uncertain, Untried
from publisher.dispatch.transports.choose import transport_for
from publisher.dispatch.transports.sendgrid import SendGridTransport
from publisher.dispatch.transports.sendgrid_url import SendGridSettings, sendgrid_settings
from publisher.errors import SettingsError
from tests.dispatch.mail import ADDRESS, NAME, UNSUBSCRIBE, a_letter, an_envelope, reader_values
from tests.dispatch.sendgrid_standin import KEY, Failure, Standin


def send(server: Standin, envelopes: Sequence[Envelope], url: str = "", **letter: str) -> Sequence[Outcome]:
    return transport_for(url or server.url, Path("/nowhere")).send_all(a_letter(**letter), envelopes)


def kinds(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(type(outcome).__name__ for outcome in outcomes)


def test_each_reader_gets_his_own_copy_out_of_one_request() -> None:
    html = f'<p>Dear {NAME},</p><a href="{UNSUBSCRIBE}">Unsubscribe</a><a href="https://x.example/?e={ADDRESS}">x</a>'
    mine = an_envelope(3, values=reader_values(3, {Slot.NAME: "Kim & Söhne <Seoul>"}))
    with Standin() as server:
        outcomes = send(server, [an_envelope(1), an_envelope(2), mine], html=html, subject=f"For {NAME}")

    assert outcomes == [Sent(reply="202 message-1")] * 3
    assert len(server.requests) == 1
    found = server.accepted[2]
    assert found.to == "reader3@mail.example"
    assert found.subject == "For Kim & Söhne <Seoul>"
    assert found.text.startswith("Dear Kim & Söhne <Seoul>,\n")
    assert "Dear Kim &amp; Söhne &lt;Seoul&gt;,</p>" in found.html
    assert 'href="https://x.example/?e=reader3%40mail.example"' in found.html
    assert f"https://gazette.example/u/{3:032d}" in found.html


def test_what_one_click_needs_stands_in_the_headers_of_each_reader() -> None:
    """Substitutions do not reach headers; a List-Unsubscribe for all would end somebody else's subscription."""
    with Standin() as server:
        send(server, [an_envelope(1), an_envelope(2)])

    first, second = (mail.headers for mail in server.accepted)
    assert first["List-Unsubscribe"] == f"<https://gazette.example/o/{1:032d}>"
    assert second["List-Unsubscribe"] == f"<https://gazette.example/o/{2:032d}>"
    assert second["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert second["Message-ID"] == "<17.2@gazette.example>"
    assert second["Feedback-ID"] == "17:morning:alert:gazette"
    assert second["List-Id"] == "Morning alert <morning.gazette.example>"


def test_events_can_find_their_delivery_and_sendgrid_tracks_nobody() -> None:
    with Standin() as server:
        send(server, [an_envelope(41)])

    assert server.accepted[0].custom_args == {"publisher_issue": "17", "publisher_seq": "41"}
    (request,) = server.requests
    assert request["categories"] == ["morning", "issue-17"]
    assert not any(each["enable"] for each in request["tracking_settings"].values())


def test_two_thousand_readers_take_three_requests_of_a_thousand_at_most() -> None:
    envelopes = [an_envelope(seq) for seq in range(1, 2_002)]
    with Standin() as server:
        outcomes = send(server, envelopes)

    assert kinds(outcomes) == {"Sent": 2_001}
    assert [len(each["personalizations"]) for each in server.requests] == [1_000, 1_000, 1]
    assert Counter(server.addresses) == Counter(each.address for each in envelopes)


@pytest.mark.parametrize("names_fields", [True, False])
def test_one_bad_address_costs_no_other_reader_his_copy(*, names_fields: bool) -> None:
    """SendGrid refuses a whole request for the sake of one reader in it."""
    bad = {"reader7@mail.example", "reader55@mail.example"}
    envelopes = [an_envelope(seq) for seq in range(1, 65)]
    with Standin(refused=sorted(bad), names_fields=names_fields) as server:
        outcomes = send(server, envelopes)

    refused = {each.address for each, found in zip(envelopes, outcomes, strict=True) if isinstance(found, Refused)}
    assert refused == bad
    assert Counter(server.addresses) == Counter(each.address for each in envelopes if each.address not in bad)
    if names_fields:
        assert all(rules.is_dead_address(found) for found in outcomes if isinstance(found, Refused))


def test_what_sendgrid_would_refuse_is_not_even_sent() -> None:
    long = an_envelope(2, values=reader_values(2, {Slot.NAME: "x" * 10_001}))
    with Standin() as server:
        outcomes = send(server, [an_envelope(1), long, an_envelope(3, "김@mail.example")])

    assert kinds(outcomes) == {"Sent": 1, "Refused": 2}
    assert [rules.is_dead_address(each) for each in outcomes] == [False, False, True]
    assert len(server.requests) == 1


def test_a_letter_that_is_refused_for_itself_is_held_against_no_reader() -> None:
    with Standin(
        failures=[Failure(do="400", body='{"errors":[{"field":"from.email","message":"Not verified"}]}')]
    ) as server:
        outcomes = send(server, [an_envelope(seq) for seq in range(1, 9)])

    assert outcomes == [Untried(reason="SendGrid refuses the message: Not verified")] * 8
    assert len(server.requests) == 1


def test_when_one_reader_after_another_is_refused_it_is_not_the_readers() -> None:
    nobody = [f"reader{seq}@mail.example" for seq in range(1, 65)]
    with Standin(refused=nobody, names_fields=False) as server:
        outcomes = send(server, [an_envelope(seq) for seq in range(1, 65)])

    assert kinds(outcomes) == {"Untried": 64}
    assert len(server.requests) < 20


def test_a_wrong_key_is_our_trouble() -> None:
    with Standin() as server:
        outcomes = send(server, [an_envelope(1)], url=server.url.replace(KEY, "SG.wrong"))

    assert kinds(outcomes) == {"Untried": 1}
    assert rules.is_transport_trouble(outcomes[0])
    assert "401" in getattr(outcomes[0], "reason", "")


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (Failure(do="cut"), Uncertain),
        (Failure(do="cut", is_accepted_first=True), Uncertain),
        (Failure(do="stall", is_accepted_first=True), Uncertain),
        (Failure(do="500", is_accepted_first=True), Uncertain),
        (Failure(do="502", body="<html>Bad gateway</html>"), Uncertain),
        (Failure(do="503"), Untried),
        (Failure(do="403"), Untried),
        (Failure(do="405"), Untried),
        (Failure(do="200", is_accepted_first=True), Uncertain),
    ],
)
def test_who_may_have_a_copy_is_uncertain_and_who_has_none_is_untried(failure: Failure, outcome: type[Outcome]) -> None:
    with Standin(failures=[failure]) as server:
        outcomes = send(server, [an_envelope(seq) for seq in range(1, 4)])

    assert {type(each) for each in outcomes} == {outcome}
    assert outcome is Uncertain or not server.accepted


def test_a_server_that_is_not_there_has_got_nothing() -> None:
    outcomes = SendGridTransport(SendGridSettings(key=KEY, host="http://127.0.0.1:9", timeout_s=1)).send_all(
        a_letter(), [an_envelope(1)]
    )

    assert kinds(outcomes) == {"Untried": 1}


def test_a_request_that_is_too_large_goes_in_halves() -> None:
    with Standin(failures=[Failure(do="413")]) as server:
        outcomes = send(server, [an_envelope(seq) for seq in range(1, 6)])

    assert kinds(outcomes) == {"Sent": 5}
    assert [len(each["personalizations"]) for each in server.requests] == [5, 2, 3]


def test_a_letter_that_is_too_large_for_one_reader_is_refused() -> None:
    with Standin(failures=[Failure(do="413")]) as server:
        outcomes = send(server, [an_envelope(1)])

    assert outcomes == [Refused(code=413, reason="the message is larger than SendGrid takes")]


def test_a_request_of_thirty_megabytes_is_cut_before_it_goes() -> None:
    name = {Slot.NAME: "😀" * 2_400}  # 9,600 bytes, and 28,800 as the library writes them, twice a reader
    envelopes = [an_envelope(seq, values=reader_values(seq, name)) for seq in range(1, 601)]
    with Standin() as server:
        outcomes = send(server, envelopes, url=server.url.replace("timeout=1", "timeout=60"), html="<p>The news.</p>")

    assert kinds(outcomes) == {"Sent": 600}
    assert [len(each["personalizations"]) for each in server.requests] == [300, 300]


def test_a_rate_limit_is_waited_for() -> None:
    with Standin(failures=[Failure(do="429", reset_in_s=2)]) as server:
        began = time.time()
        outcomes = send(server, [an_envelope(1)])

    assert kinds(outcomes) == {"Sent": 1}
    assert time.time() - began > 0.9


def test_a_rate_limit_that_ends_much_later_is_not_waited_for() -> None:
    with Standin(failures=[Failure(do="429", reset_in_s=3_600)]) as server:
        outcomes = send(server, [an_envelope(1), an_envelope(2)])

    assert outcomes == [Untried(reason="SendGrid's rate limit is used up")] * 2


def test_a_confirmation_goes_as_it_was_written() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "The Gazette <news@gazette.example>", "kim@mail.example", "확인"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("Press the button.")
    mail.add_alternative("<p>Press the button.</p>", subtype="html")
    with Standin() as server:
        outcome = transport_for(server.url, Path("/nowhere")).send_one("", "kim@mail.example", mail.as_bytes())

    assert isinstance(outcome, Sent)
    (found,) = server.accepted
    assert (found.to, found.subject, found.text) == ("kim@mail.example", "확인", "Press the button.\n")
    assert found.headers == {"Auto-Submitted": "auto-generated"}
    assert found.custom_args == {}


def test_a_reader_without_a_value_stops_it_all() -> None:
    with Standin() as server, pytest.raises(ValueError, match="lacks a value"):
        send(server, [an_envelope(1, values={Slot.ADDRESS: "a@b.example"})])

    assert server.requests == []


@pytest.mark.parametrize(
    ("url", "host"),
    [
        (f"sendgrid://{KEY}", "https://api.sendgrid.com"),
        (f"sendgrid://{KEY}?host=api.eu.sendgrid.com", "https://api.eu.sendgrid.com"),
        (f"sendgrid://{KEY}?host=http://127.0.0.1:4010&timeout=5", "http://127.0.0.1:4010"),
    ],
)
def test_an_address_of_sendgrid_is_read(url: str, host: str) -> None:
    found = sendgrid_settings(url)

    assert (found.key, found.host) == (KEY, host)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("sendgrid://", "must look like sendgrid://KEY"),
        ("sendgrid://user:word@host", "must look like sendgrid://KEY"),
        (f"sendgrid://{KEY}?hots=x", "an option we do not know: hots"),
        (f"sendgrid://{KEY}?host=http://elsewhere.example", "host must be a name"),
        (f"sendgrid://{KEY}?timeout=soon", "timeout must be a number"),
    ],
)
def test_a_wrong_address_of_sendgrid_is_explained_without_its_key(url: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as found:
        sendgrid_settings(url)

    assert KEY not in str(found.value)
