from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.dispatch import rules
from publisher.dispatch.model import Deferred, Refused, Sent, Uncertain, Untried
from publisher.dispatch.rules import (
    classify,
    clean_reason,
    is_dead_address,
    is_transport_trouble,
    next_attempt_at,
)
from tests.builders import TUESDAY

NEVER_STALE = TUESDAY + timedelta(days=365)
A_FAULT = Deferred(code=451, reason="4.3.0 try later", enhanced="4.3.0")
BUSY = Deferred(code=421, reason="too busy")


def test_a_2xx_is_sent() -> None:
    assert classify(250, "2.0.0 Ok: queued as 4F2") == Sent(reply="2.0.0 Ok: queued as 4F2")


def test_a_4xx_is_deferred_with_its_enhanced_code() -> None:
    assert classify(451, "4.7.1 Greylisted") == Deferred(code=451, reason="4.7.1 Greylisted", enhanced="4.7.1")


def test_a_5xx_is_refused_with_its_enhanced_code() -> None:
    assert classify(550, "5.1.1 Unknown") == Refused(code=550, reason="5.1.1 Unknown", enhanced="5.1.1")


def test_a_reply_without_an_enhanced_code_has_none() -> None:
    assert classify(550, "No such user, see 5.1.1") == Refused(code=550, reason="No such user, see 5.1.1")


@pytest.mark.parametrize("code", [200, 211, 299])
def test_every_2xx_counts_as_taken(code: int) -> None:
    assert isinstance(classify(code, ""), Sent)


@pytest.mark.parametrize("code", [199, 300, 354, 399, 600, 999])
def test_a_reply_of_no_known_class_counts_as_temporary(code: int) -> None:
    assert isinstance(classify(code, ""), Deferred)


@pytest.mark.parametrize("enhanced", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"])
def test_a_dead_address_is_known_by_its_code(enhanced: str) -> None:
    assert is_dead_address(classify(550, f"{enhanced} Gone"))


@pytest.mark.parametrize("text", ["5.7.1 Blocked", "5.2.2 Full", "5.1.8 Bad sender", "No such user", "5.1.100 What"])
def test_any_other_refusal_says_nothing_about_the_address(text: str) -> None:
    """A policy block of ours must not suppress a million readers."""
    assert not is_dead_address(classify(550, text))


def test_a_temporary_failure_never_makes_an_address_dead() -> None:
    """Some servers answer 450 5.1.1 while their directory is down; the class of the reply counts."""
    assert not is_dead_address(classify(450, "5.1.1 Unknown"))


@pytest.mark.parametrize(
    "outcome", [BUSY, Untried(reason=""), Refused(code=535, reason=""), Deferred(code=454, reason="")]
)
def test_a_blocked_way_is_the_transports_trouble(outcome: Deferred | Refused | Untried) -> None:
    assert is_transport_trouble(outcome)


@pytest.mark.parametrize("outcome", [Sent(reply=""), A_FAULT, Refused(code=550, reason=""), Uncertain(reason="")])
def test_everything_else_is_between_the_server_and_one_reader(outcome: Sent | Deferred | Refused | Uncertain) -> None:
    assert not is_transport_trouble(outcome)


def test_a_reason_holds_no_address() -> None:
    """Reasons are logged and shown."""
    reason = clean_reason('5.1.1 <minji.kim+x@mail.example>: Recipient address rejected: minji.kim@mail.example, "a@b"')

    assert reason == '5.1.1 <address>: Recipient address rejected: <address>, "<address>"'


@given(text=st.text())
def test_a_reason_is_one_printable_line(text: str) -> None:
    assert clean_reason(text).isprintable()


@given(local=st.text("abcXYZ0189.+_-~!#", min_size=1), domain=st.text("abcXYZ019.-", min_size=1), before=st.text())
def test_no_address_comes_through_whatever_stands_before_it(local: str, domain: str, before: str) -> None:
    assert "@" not in clean_reason(f"{before} {local}@{domain}")


@pytest.mark.parametrize(("failures", "minutes"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 240), (8, 240), (50, 240)])
def test_the_wait_doubles_from_five_minutes_to_four_hours(failures: int, minutes: int) -> None:
    due = next_attempt_at(A_FAULT, tried_at=TUESDAY, failures=failures, stale_at=NEVER_STALE)

    assert due == TUESDAY + timedelta(minutes=minutes)


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 5), (3, 10), (8, 240)])
@pytest.mark.parametrize("busy", [BUSY, Deferred(code=450, reason="", enhanced="4.7.1")])
def test_a_server_that_is_only_busy_is_tried_again_after_a_minute(busy: Deferred, failures: int, minutes: int) -> None:
    due = next_attempt_at(busy, tried_at=TUESDAY, failures=failures, stale_at=NEVER_STALE)

    assert due == TUESDAY + timedelta(minutes=minutes)


def test_nothing_is_tried_after_an_issue_has_gone_stale() -> None:
    """A later copy is worse than none; the very instant is too late as well."""
    in_five_minutes = TUESDAY + timedelta(minutes=5)

    assert next_attempt_at(A_FAULT, tried_at=TUESDAY, failures=1, stale_at=in_five_minutes) is None


@pytest.mark.parametrize(
    ("sent", "took_s", "size"),
    [(500, 0.02, 500), (500, 0.2, 250), (50, 10, 50), (50, 0.0, 500), (1, 0.5, 50)],
)
def test_a_slow_server_is_given_little_at_once(sent: int, took_s: float, size: int) -> None:
    """What is on the wire when a worker dies is in doubt; a fast server must not wait for a commit all the same."""
    assert rules.load_size(sent, took_s=took_s) == size
