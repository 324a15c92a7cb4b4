from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.cleaning import clean, presentable
from feeds.document import FeedAuthor
from feeds.instants import rfc3339, utc_second
from tests.feeds.documents import GOLDEN, PICTURE, TUESDAY, a_document, an_entry

EVERY_XML_CHARACTER = "".join(
    chr(point)
    for first, last in ((0x9, 0xA), (0xD, 0xD), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    for point in range(first, last + 1)
)
"""XML 1.0 (fifth edition), section 2.2, production 2."""


def test_every_character_that_xml_allows_is_kept() -> None:
    assert clean(EVERY_XML_CHARACTER) == EVERY_XML_CHARACTER


def test_every_character_that_xml_forbids_is_dropped() -> None:
    allowed = set(EVERY_XML_CHARACTER)
    forbidden = [character for character in map(chr, range(0x110000)) if character not in allowed]

    assert len(forbidden) == 29 + 2048 + 2
    assert all(clean(character) == "" for character in forbidden)
    assert clean(f"a{'b'.join(forbidden)}c") == "a" + "b" * (len(forbidden) - 1) + "c"


@given(st.text(st.characters()))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_no_text_is_forgotten_however_deep_it_lies() -> None:
    """Addresses and names as well: one bad character anywhere costs the whole feed."""
    entry = an_entry(
        1,
        authors=(FeedAuthor(name="A\x00nn", url="x:\x01"),),
        topics=("To\x02pic",),
        image=replace(PICTURE, alt="Da\x03wn"),
    )

    cleaned = clean(a_document(entry, title="Ne\x04ws"))

    assert cleaned.title == "News"
    assert cleaned.entries[0].authors == (FeedAuthor(name="Ann", url="x:"),)
    assert cleaned.entries[0].topics == ("Topic",)
    assert cleaned.entries[0].image == replace(PICTURE, alt="Dawn")


def test_what_is_empty_after_cleaning_is_left_out() -> None:
    """An author without a name and a topic without a term are invalid in Atom."""
    nobody, ann = FeedAuthor(name=" \x00", url="https://nobody.example/"), FeedAuthor(name="Ann")
    entry = an_entry(1, authors=(nobody, ann), topics=("", "\x01", "Politics"))

    document = presentable(a_document(entry, authors=(nobody,)))

    assert document.authors == ()
    assert document.entries[0].authors == (ann,)
    assert document.entries[0].topics == ("Politics",)


def test_a_document_without_fault_stays_what_it_is() -> None:
    assert presentable(GOLDEN["newsroom"]) == GOLDEN["newsroom"]


@pytest.mark.parametrize(
    ("said", "instant"),
    [
        ("2026-11-03T09:00:00Z", TUESDAY),
        ("2026-11-03T09:00:00Z", TUESDAY + timedelta(microseconds=999_999)),
        ("2026-11-03T09:00:00Z", TUESDAY.astimezone(timezone(timedelta(hours=9)))),
        ("0001-01-01T00:00:00Z", datetime.fromisoformat("0001-01-01T00:00:00+00:00")),
    ],
)
def test_an_instant_is_written_in_utc_with_upper_case_letters(said: str, instant: datetime) -> None:
    assert rfc3339(instant) == said


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        utc_second(TUESDAY.replace(tzinfo=None))
