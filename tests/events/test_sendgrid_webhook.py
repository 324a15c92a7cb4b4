"""What SendGrid tells us, as it tells it: twice, out of order, with kinds nobody has heard of."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import InputError
from publisher.events.model import EventKind
from publisher.events.sendgrid_webhook import is_genuine, read
from tests.events.sendgrid import NOW_S, PUBLIC_KEY, an_event, body_of, signed

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def genuine(body: bytes, headers: dict[str, str]) -> bool:
    return is_genuine(PUBLIC_KEY, signature=headers.get(SIGNATURE), timestamp=headers.get(TIMESTAMP), body=body)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("processed", EventKind.PROCESSED),
        ("delivered", EventKind.DELIVERED),
        ("deferred", EventKind.DEFERRED),
        ("bounce", EventKind.BOUNCED),
        ("dropped", EventKind.DROPPED),
        ("open", EventKind.OPENED),
        ("click", EventKind.CLICKED),
        ("spamreport", EventKind.COMPLAINED),
        ("unsubscribe", EventKind.UNSUBSCRIBED),
        ("group_unsubscribe", EventKind.UNSUBSCRIBED),
    ],
)
def test_each_of_their_words_is_one_of_ours(event: str, kind: EventKind) -> None:
    (found,) = read(body_of(an_event(event)))

    assert (found.kind, found.issue_id, found.seq) == (kind, 1, 1)
    assert found.at == datetime.fromtimestamp(NOW_S, UTC)


def test_a_bounce_says_whether_the_address_is_dead() -> None:
    """`blocked` is a bounce too, but it is the letter or our name that was turned away."""
    dead, blocked, told = read(
        body_of(
            an_event("bounce", type="bounce", status="5.0.0", reason="500 unknown recipient"),
            an_event("bounce", type="blocked", status="5.7.1", reason="550 5.7.1 blocked for <kim@mail.example>"),
            an_event("bounce", type="blocked", status="550", reason="550 5.1.1 no such user"),
        )
    )

    assert [each.is_dead for each in (dead, blocked, told)] == [True, False, True]
    assert [each.status for each in (dead, blocked, told)] == ["5.0.0", "5.7.1", "5.1.1"]
    assert "kim@" not in blocked.reason


@pytest.mark.parametrize(
    "strange",
    [
        an_event("group_resubscribe"),
        an_event("teleported"),
        an_event(publisher_issue=None),
        an_event(publisher_seq="x"),
        an_event(publisher_seq="9" * 40),
        an_event(timestamp=None),
        an_event(timestamp=1e300),
        {"event": ["delivered"]},
        "delivered",
        None,
    ],
)
def test_what_is_not_about_a_delivery_of_ours_is_passed_over(strange: Any) -> None:
    assert len(read(json.dumps([strange, an_event()]).encode())) == 1


@pytest.mark.parametrize("body", [b"", b"{}", b"[" * 100_000, b"\xff", b'"x"', b"[" + b"0," * 10_001 + b"0]"])
def test_what_is_no_array_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(InputError):
        read(body)


@given(st.lists(st.dictionaries(st.sampled_from(list(an_event(type="", reason="", status=""))), JSON), max_size=3))
def test_whatever_stands_in_an_event_it_can_be_read(events: list[dict[str, Any]]) -> None:
    for found in read(json.dumps([an_event() | each for each in events]).encode()):
        (found.raw + found.reason + found.address + found.event_id).encode()
        assert "\0" not in found.raw + found.reason + found.address + found.event_id


def test_the_same_event_has_the_same_id_though_sendgrid_gave_none() -> None:
    first, second = (read(body_of(an_event(sg_event_id=None)))[0].event_id for _ in range(2))

    assert first == second


def test_only_what_sendgrid_has_signed_is_believed() -> None:
    body = body_of(an_event())
    headers = signed(body)

    assert genuine(body, headers)
    assert not genuine(body.replace(b"delivered", b"undefined"), headers)
    assert not genuine(body, headers | {TIMESTAMP: "1"})
    assert not genuine(body, headers | {SIGNATURE: "AAAA"})
    assert not genuine(body, headers | {SIGNATURE: "no base64"})
    assert not genuine(body, {})
    assert not genuine(b"\xff\xfe", signed(b"\xff\xfe"))
