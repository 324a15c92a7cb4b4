import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.errors import InputError
from publisher.webhooks import rules
from tests.builders import TUESDAY


def test_the_signature_is_that_of_the_specifications_own_example() -> None:
    """The figures of the Standard Webhooks libraries' tests."""
    body = b'{"test": 2432232314}'
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    made = rules.signatures([secret], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp=1614265330, body=body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_make_two_signatures() -> None:
    secrets = [rules.written_secret(bytes([number] * 32)) for number in (1, 2)]

    one, two = rules.signatures(secrets, message_id="msg_1", timestamp=1, body=b"{}").split(" ")

    assert one != two
    assert all(each.startswith("v1,") for each in (one, two))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_%%%", base64.b64encode(b"x" * 32).decode(), "whsec_AAAA"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(InputError):
        rules.secret_key(secret)


def test_attempts_go_on_for_three_days() -> None:
    at, failures = TUESDAY, 0
    while True:
        failures += 1
        due = rules.next_attempt_at(tried_at=at, failures=failures, chance=0.5)
        if due is None:
            break
        at = due

    assert timedelta(days=3) < at - TUESDAY < timedelta(days=3.5)
    assert failures == 10


@given(st.integers(1, 9), st.floats(0, 1))
def test_what_failed_together_does_not_come_back_together(failures: int, chance: float) -> None:
    due = rules.next_attempt_at(tried_at=TUESDAY, failures=failures, chance=chance)

    assert due
    assert 0.89 <= (due - TUESDAY) / rules.WAITS[failures - 1] <= 1.11


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999", timedelta(hours=24)),
        ("Tue, 02 Jun 2026 08:05:00 GMT", timedelta(minutes=5)),
        ("Tue, 02 Jun 2020 08:05:00 GMT", timedelta()),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait: timedelta | None) -> None:
    assert rules.retry_after(value, TUESDAY) == wait


@given(st.text(max_size=60))
def test_no_retry_after_is_too_strange(value: str) -> None:
    wait = rules.retry_after(value, TUESDAY)

    assert wait is None or timedelta() <= wait <= rules.LONGEST_RETRY_AFTER


def test_the_same_happening_has_the_same_id() -> None:
    assert rules.message_id("event", 7) == rules.message_id("event", 7)
    assert rules.message_id("event", 7) != rules.message_id("event", 71)
