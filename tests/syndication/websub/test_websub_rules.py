from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.errors import InputError
from publisher.syndication.websub.model import HubMode, hub_request
from publisher.syndication.websub.rules import (
    DEFAULT_LEASE,
    GIVE_UP_AFTER,
    LONGEST_LEASE,
    SHORTEST_LEASE,
    lease_of,
    next_attempt_at,
    signature,
    verification_url,
)
from tests.builders import TUESDAY

BASE = "https://news.example"
FORM = {
    "hub.mode": "subscribe",
    "hub.topic": f"{BASE}/feeds/all.atom",
    "hub.callback": "https://reader.example/callback?id=7",
}


@pytest.mark.parametrize(
    ("asked", "lease"),
    [
        ("", DEFAULT_LEASE),
        ("864000", timedelta(days=10)),
        ("0", SHORTEST_LEASE),
        ("60", SHORTEST_LEASE),
        ("999999999999", LONGEST_LEASE),
        ("9" * 40, DEFAULT_LEASE),
        ("-5", DEFAULT_LEASE),
        ("ten days", DEFAULT_LEASE),
        ("٣٦٠٠", DEFAULT_LEASE),
    ],
)
def test_a_lease_is_neither_too_short_nor_for_ever(asked: str, lease: timedelta) -> None:
    assert lease_of(asked) == lease


def test_a_subscriber_that_is_down_is_asked_less_and_less_and_dropped_after_three_days() -> None:
    now, waits = TUESDAY, []
    for failures in range(1, 100):
        due = next_attempt_at(tried_at=now, failures=failures, failing_since=TUESDAY)
        if due is None:
            break
        waits.append((due - now).total_seconds())
        now = due

    assert waits[:6] == [10, 40, 160, 640, 2_560, 10_240]
    assert set(waits[6:]) == {6 * 3_600}
    assert GIVE_UP_AFTER - timedelta(hours=6) <= now - TUESDAY < GIVE_UP_AFTER


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(0, 300_000))
def test_no_attempt_is_planned_for_the_past(failures: int, seconds: int) -> None:
    tried_at = TUESDAY + timedelta(seconds=seconds)

    due = next_attempt_at(tried_at=tried_at, failures=failures, failing_since=TUESDAY)

    assert due is None or due > tried_at


def test_the_signature_is_that_of_the_recommendation() -> None:
    """The value was computed with: printf body | openssl dgst -sha256 -hmac key."""
    assert signature("key", b"body") == "sha256=515aae133b435d4000956731f68ae5cf5eb85d4f0dc6a546d2bfcd3595ec1ae1"


@pytest.mark.parametrize(
    ("callback", "beginning"),
    [
        ("https://r.example/cb", "https://r.example/cb?hub.mode="),
        ("https://r.example/cb?id=7", "https://r.example/cb?id=7&hub.mode="),
        ("https://r.example", "https://r.example?hub.mode="),
    ],
)
def test_a_callback_keeps_its_own_query(callback: str, beginning: str) -> None:
    url = verification_url(callback, mode="subscribe", topic="https://n.example/f", challenge="x", lease=DEFAULT_LEASE)

    assert url.startswith(beginning)
    assert url.endswith("hub.lease_seconds=864000")


def test_a_whole_request_is_understood() -> None:
    more = {"hub.lease_seconds": "86400", "hub.secret": "s3cret", "hub.unknown": "ignored"}

    asked = hub_request(FORM | more, base_url=BASE, allow_private=False)

    assert (asked.mode, asked.topic.path) == (HubMode.SUBSCRIBE, "/feeds/all.atom")
    assert (asked.callback, asked.secret) == (FORM["hub.callback"], "s3cret")
    assert asked.lease == timedelta(days=1)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"hub.mode": "publish"}, "hub.mode"),
        ({"hub.mode": ""}, "hub.mode"),
        ({"hub.topic": "https://elsewhere.example/feeds/all.atom"}, "hub.topic"),
        ({"hub.topic": f"{BASE}/feeds/all.atom?x=1"}, "hub.topic"),
        ({"hub.topic": f"{BASE}/feeds/all/archive/25.atom"}, "hub.topic"),
        ({"hub.topic": f"{BASE}/feeds/topics/b+a.atom"}, "hub.topic"),
        ({"hub.topic": f"{BASE}/feeds/search.atom?q=x"}, "hub.topic"),
        ({"hub.topic": f"{BASE}.evil.example/feeds/all.atom"}, "hub.topic"),
        ({"hub.callback": ""}, "hub.callback"),
        ({"hub.callback": "ftp://reader.example/"}, "hub.callback"),
        ({"hub.callback": "https://me:secret@reader.example/"}, "hub.callback"),
        ({"hub.callback": "http://127.0.0.1/callback"}, "hub.callback"),
        ({"hub.callback": "http://[::1]:8000/hub"}, "hub.callback"),
        ({"hub.callback": "http://169.254.169.254/latest"}, "hub.callback"),
        ({"hub.callback": "http://2130706433/"}, "hub.callback"),
        ({"hub.callback": "https://reader.example/" + "x" * 2_000}, "hub.callback"),
        ({"hub.callback": "https://reader.example/\r\nX: y"}, "hub.callback"),
        ({"hub.secret": "x" * 200}, "hub.secret"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(changed: dict[str, str], where: str) -> None:
    with pytest.raises(InputError) as problem:
        hub_request(FORM | changed, base_url=BASE, allow_private=False)

    assert problem.value.where == where


def test_a_newsroom_may_trust_its_own_network() -> None:
    local = FORM | {"hub.callback": "http://10.0.0.7/callback"}

    assert hub_request(local, base_url=BASE, allow_private=True).callback == "http://10.0.0.7/callback"
