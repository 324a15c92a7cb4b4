import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.syndication.conditions import http_date, is_fresh

MODIFIED_S = 1_790_000_000


def fresh(if_none_match: str | None = None, if_modified_since: str | None = None) -> bool:
    return is_fresh("abc-gzip", MODIFIED_S, if_none_match=if_none_match, if_modified_since=if_modified_since)


@pytest.mark.parametrize(
    "header", ['"abc-gzip"', 'W/"abc-gzip"', '"x", "abc-gzip"', '"x",W/"abc-gzip" , "y"', "*", ' "abc-gzip" ']
)
def test_a_reader_that_names_our_etag_has_these_bytes(header: str) -> None:
    assert fresh(header)


@pytest.mark.parametrize("header", ['"abc"', "abc-gzip", '"abc-gzip', '""', "", '"ABC-GZIP"'])
def test_a_reader_that_names_another_etag_gets_the_document(header: str) -> None:
    assert not fresh(header)


def test_if_none_match_beats_if_modified_since() -> None:
    """RFC 9110, section 13.2.2: dates are coarse, tags are exact."""
    assert not fresh('"other"', http_date(MODIFIED_S + 100))
    assert fresh('"abc-gzip"', http_date(0))


@settings(deadline=None)
@given(st.integers(-(10**8), 10**8))
def test_a_copy_is_good_from_the_second_of_the_last_change_on(seconds: int) -> None:
    assert fresh(if_modified_since=http_date(MODIFIED_S + seconds)) == (seconds >= 0)


@pytest.mark.parametrize("header", ["yesterday", "", "Mon, 99 Foo 2026 00:00:00 GMT", "0", "1790000000"])
def test_a_bad_date_is_ignored(header: str) -> None:
    assert not fresh(if_modified_since=header)


def test_old_date_forms_are_understood() -> None:
    """RFC 9110, section 5.6.7: a recipient accepts all three."""
    assert is_fresh("a", 784111777, if_none_match=None, if_modified_since="Sunday, 06-Nov-94 08:49:37 GMT")
    assert is_fresh("a", 784111777, if_none_match=None, if_modified_since="Sun Nov  6 08:49:37 1994")


def test_a_document_without_a_date_is_told_by_its_etag_alone() -> None:
    assert not is_fresh("a", None, if_none_match=None, if_modified_since=http_date(2**31))
