import string
import time
from datetime import timedelta

import email_validator
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from publisher.audience.model import (
    MailingListId,
    SubscriberId,
    Subscription,
    SubscriptionId,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from publisher.audience.rules import (
    ASK_AGAIN_AFTER,
    EMAIL_AT_MOST,
    NAME_AT_MOST,
    clean_name,
    email_key,
    language_tag,
    list_slug,
    may_ask_again,
    may_confirm,
    may_mail,
    normalise_email,
    origin_truncated,
    outweighs,
    time_zone,
)
from publisher.errors import InputError
from tests.audience.clocks import MORNING

HARD_PARTS = st.sampled_from([*".@-_+'\"<>() ,;:\\\t\n\0é김ａ。\u200b", "xn--", "ab--", "localhost"])
ODD_WORDS = st.lists(
    st.one_of(st.text(string.ascii_letters + string.digits, min_size=1, max_size=6), HARD_PARTS), max_size=6
).map("".join)


def a_subscription(**changes: object) -> Subscription:
    values: dict[str, object] = {
        "id": SubscriptionId(1),
        "mailing_list_id": MailingListId(1),
        "subscriber_id": SubscriberId(1),
        "state": SubscriptionState.CONFIRMED,
        "asked_at": None,
        "asked_from": "",
        "confirmed_at": MORNING,
        "ended_at": None,
        "paused_until": None,
    }
    return Subscription(**{**values, **changes})  # type: ignore[arg-type] # a builder


def a_suppression(reason: SuppressionReason) -> Suppression:
    return Suppression(email_key="anna@example.org", reason=reason, at=MORNING, detail="")


@pytest.mark.parametrize(
    ("written", "mailed"),
    [
        ("  Anna.Berg@Example.ORG ", "Anna.Berg@example.org"),
        ("anna+news@example.test", "anna+news@example.test"),
        ("o'neill@example.org", "o'neill@example.org"),
        ("root@localhost", "root@localhost"),
        ("anna@news.localhost", "anna@news.localhost"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@BÜCHER.test", "anna@xn--bcher-kva.test"),
        ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
        ("anna@한국.example", "anna@xn--3e0b707e.example"),
        ("\u200banna@example.org\ufeff", "anna@example.org"),
        ("anna@example。org", "anna@example.org"),
    ],
)
def test_an_address_is_mailed_in_one_spelling(written: str, mailed: str) -> None:
    assert normalise_email(written) == mailed


@pytest.mark.parametrize(
    "written",
    [
        "",
        "anna",
        "@example.org",
        "anna@",
        "anna@example",
        "anna@192.0.2.1",
        "anna@[192.0.2.1]",
        "anna..berg@example.org",
        ".anna@example.org",
        "anna.@example.org",
        "anna@example..org",
        "anna@-example.org",
        "anna@ex_ample.org",
        "anna@ab--cd.org",
        "anna@xn--zz.example",
        "anna berg@example.org",
        '"anna"@example.org',
        "Anna <anna@example.org>",
        "anna@example.org,berg@example.org",
        "anna@example.org\nBcc: all@example.org",
        "anná@example.org",
        "a" * 65 + "@example.org",
        "anna@" + "a" * 64 + ".org",
        "anna@" + "abcdefghi." * 25 + "org",
        "anna@" + "ü" * 300 + ".org",
    ],
)
def test_what_no_mail_can_reach_is_refused_without_repeating_it(written: str) -> None:
    """Errors end in logs, where no address belongs."""
    with pytest.raises(InputError) as refused:
        normalise_email(written)

    assert "anna" not in str(refused.value)
    assert str(refused.value).endswith(".")


@given(st.emails())
def test_every_ordinary_address_is_taken(address: str) -> None:
    local, _, domain = address.rpartition("@")

    assert normalise_email(address) == f"{local}@{domain.lower()}"


@given(st.builds("{}@{}.{}".format, ODD_WORDS, ODD_WORDS, st.text(string.ascii_letters, min_size=2, max_size=6)))
@example("anna@example.org")
@example("a@b--c.org")
def test_what_the_short_way_takes_the_long_way_takes_too(text: str) -> None:
    """The pattern for plain addresses is a shortcut, never a second opinion."""
    try:
        taken = normalise_email(text)
    except InputError:
        return
    assume(not taken.endswith("localhost") and not taken.endswith(".localhost"))

    found = email_validator.validate_email(taken, check_deliverability=False)

    assert found.ascii_email == taken
    assert len(taken) <= EMAIL_AT_MOST
    assert normalise_email(taken) == taken
    assert email_key(taken) == email_key(email_key(taken))


def test_a_million_plain_addresses_are_read_within_ten_seconds() -> None:
    addresses = [f"reader.number{number}@example.org" for number in range(20_000)]

    start = time.process_time()
    for address in addresses:
        normalise_email(address)

    assert (time.process_time() - start) * 50 < 10


def test_no_address_takes_long_to_refuse() -> None:
    start = time.process_time()
    for text in ("a." * 5_000 + "@", "a@" + "a-" * 5_000, "a@" + "a." * 5_000 + "!", "@" * 10_000, "ü@" * 5_000):
        with pytest.raises(InputError):
            normalise_email(text)

    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  Anna\t Berg ", "Anna Berg"),
        ("Anna\r\nBcc: all@example.org", "Anna Bcc: all@example.org"),
        ("김\u2028민수", "김 민수"),
        ("Anna \u202egreB", "Anna greB"),
        ("\ud800Anna\0", "Anna"),
        ("नेहा क्\u200dष", "नेहा क्\u200dष"),
        ("e\u0301va", "éva"),
    ],
)
def test_a_name_is_one_line_without_tricks(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@given(st.text())
def test_a_name_is_always_safe_in_a_header(text: str) -> None:
    name = clean_name(text)

    assert len(name) <= NAME_AT_MOST
    assert not any(character in name for character in "\r\n\0\t\u2028\u2029\x85\x0b\x0c\x1c")
    assert name == name.strip()
    assert clean_name(name) == name
    name.encode()


def test_a_name_is_cut_at_two_hundred_characters() -> None:
    assert clean_name("a" * 500) == "a" * 200


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", ""),
        ("EN", "en"),
        ("en_us", "en-US"),
        (" pt-br ", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
    ],
)
def test_a_language_is_a_tag(written: str, kept: str) -> None:
    assert language_tag(written) == kept


@pytest.mark.parametrize("written", ["English", "e", "en-", "en us", "한국어", "en-US\n; drop"])
def test_a_language_in_words_is_refused(written: str) -> None:
    with pytest.raises(InputError, match="language tag"):
        language_tag(written)


def test_a_time_zone_has_its_iana_name() -> None:
    assert time_zone(" Asia/Seoul ") == "Asia/Seoul"
    assert time_zone("") == ""
    with pytest.raises(InputError, match="time zone"):
        time_zone("../../etc/passwd")


@pytest.mark.parametrize(
    "slug", ["Weekly", "weekly news", "-weekly", "weekly-", "we--ekly", "", "w" * 64, "한국", "weekly\n"]
)
def test_a_mailing_lists_slug_can_stand_in_list_id(slug: str) -> None:
    with pytest.raises(InputError):
        list_slug(slug)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_origin_is_kept(address: str, kept: str) -> None:
    assert origin_truncated(address) == kept


@given(st.one_of(st.ip_addresses(), st.text()).map(str))
def test_truncating_an_origin_twice_is_truncating_it_once(address: str) -> None:
    once = origin_truncated(address)

    assert origin_truncated(once) == once


@pytest.mark.parametrize("state", SubscriptionState)
def test_only_a_confirmed_subscription_is_mailed(state: SubscriptionState) -> None:
    assert may_mail(a_subscription(state=state), None, MORNING) is (state is SubscriptionState.CONFIRMED)


@pytest.mark.parametrize("reason", SuppressionReason)
def test_a_suppressed_address_is_never_mailed(reason: SuppressionReason) -> None:
    assert not may_mail(a_subscription(), a_suppression(reason), MORNING)


def test_a_pause_ends_at_its_instant() -> None:
    paused = a_subscription(paused_until=MORNING)

    assert not may_mail(paused, None, MORNING - timedelta(microseconds=1))
    assert may_mail(paused, None, MORNING)


def test_a_second_confirmation_waits_ten_minutes() -> None:
    asked = a_subscription(state=SubscriptionState.PENDING, asked_at=MORNING, confirmed_at=None)

    assert not may_ask_again(asked, None, MORNING + ASK_AGAIN_AFTER - timedelta(seconds=1))
    assert may_ask_again(asked, None, MORNING + ASK_AGAIN_AFTER)


def test_a_confirmed_reader_is_asked_again_only_after_stopping_all_mail() -> None:
    assert not may_ask_again(a_subscription(), None, MORNING)
    assert may_ask_again(a_subscription(), a_suppression(SuppressionReason.COMPLAINED), MORNING)
    assert not may_ask_again(a_subscription(), a_suppression(SuppressionReason.BOUNCED), MORNING)


def test_a_dead_address_is_not_asked_for_a_confirmation() -> None:
    may = {reason for reason in SuppressionReason if may_confirm(a_suppression(reason))}

    assert may == {SuppressionReason.ASKED, SuppressionReason.COMPLAINED}
    assert may_confirm(None)


def test_a_complaint_does_not_bring_a_dead_address_back() -> None:
    assert outweighs(SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED)
    assert not outweighs(SuppressionReason.COMPLAINED, SuppressionReason.BOUNCED)
    assert not outweighs(SuppressionReason.ASKED, SuppressionReason.ASKED)
