from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.editors import rules
from publisher.editors.model import Attempts, Role
from publisher.errors import InputError
from tests.audience.clocks import MORNING


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("eleven char", "at least 12"),
        ("a" * 1001, "at most 1000"),
        ("abababababab", "5 different"),
        ("Anna.Berg@example.org", "cannot be the password"),
    ],
)
def test_a_password_that_is_guessed_at_once_is_refused(password: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        rules.check_password(password, email="anna.berg@example.org")


@pytest.mark.parametrize("password", ["twelve chars", "correct horse battery staple", "열두 글자가 넘는 암호문입니다"])
def test_a_few_words_are_a_good_password(password: str) -> None:
    rules.check_password(password, email="anna@example.org")


def test_a_password_is_the_same_on_every_keyboard() -> None:
    assert rules.password_bytes("e\u0301te\u0301") == rules.password_bytes("\u00e9t\u00e9")
    assert rules.password_bytes("\ud800") != rules.password_bytes("\ud801")


@pytest.mark.parametrize(
    "email", ["", "anna", "anna@", "@example.org", "an na@example.org", "anná@example.org", "a@b\n.c"]
)
def test_an_editors_address_is_one(email: str) -> None:
    with pytest.raises(InputError):
        rules.editor_email(email)


def test_an_editors_name_is_one_line() -> None:
    assert rules.one_line(" Anna\r\n\tBerg\0\ud800") == "Anna Berg"
    assert len(rules.one_line("a" * 500)) == rules.NAME_AT_MOST


def test_after_five_failures_the_wait_grows_to_an_hour() -> None:
    waits = [rules.wait_after(failures).total_seconds() for failures in range(15)]

    assert waits == [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


@given(st.integers(0, 10_000))
def test_a_failure_never_shortens_the_wait(failures: int) -> None:
    assert rules.wait_after(failures) <= rules.wait_after(failures + 1) <= rules.WAIT_AT_MOST


def test_the_wait_counts_from_the_last_failure() -> None:
    attempts = Attempts(failures=6, last_at=MORNING)

    assert rules.may_try_at(attempts, MORNING + timedelta(seconds=59)) == MORNING + timedelta(seconds=60)
    assert rules.may_try_at(attempts, MORNING + timedelta(seconds=61)) == MORNING + timedelta(seconds=61)
    assert rules.may_try_at(None, MORNING) == MORNING


def test_failures_are_forgotten_after_a_day() -> None:
    attempts = Attempts(failures=20, last_at=MORNING)

    assert rules.failures_that_count(attempts, MORNING + timedelta(hours=23)) == 20
    assert rules.failures_that_count(attempts, MORNING + timedelta(hours=24)) == 0


def test_a_session_slides_for_twelve_hours_and_ends_after_fourteen_days() -> None:
    day = timedelta(days=1)

    assert rules.session_ends_at(MORNING, MORNING + day) == MORNING + day + timedelta(hours=12)
    assert rules.session_ends_at(MORNING, MORNING + 13.9 * day) == MORNING + 14 * day


def test_a_chief_may_do_what_an_editor_may() -> None:
    assert [[role.includes(other) for other in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
