"""`publisher segment`: a part of the readers."""

import pytest

from tests.cli.conftest import Publisher


def test_a_segment_is_added_shown_used_and_removed(opened: Publisher) -> None:
    publisher = opened
    publisher("subscriber", "add", "a@x.example", "--language", "ko", "--confirmed")
    publisher("subscriber", "add", "b@x.example", "--language", "en", "--confirmed")
    assert "publisher segment add" in publisher("segment", "list").out

    said = publisher("segment", "add", "korean", "--language", "ko", "--joined-after", "2020-01-01").out
    assert "Korean holds 1 subscriber." in said
    shown = publisher("segment", "show", "korean", "--json").json
    conditions = {"languages": ["ko"], "joined_after": "2020-01-01"}
    assert shown == {"slug": "korean", "name": "Korean", "conditions": conditions, "subscribers": 1}

    publisher("edition", "change", "weekly", "--segment", "korean")
    assert "would lose the readers" in publisher("segment", "remove", "korean").err
    publisher("edition", "change", "weekly", "--segment", "")
    publisher("segment", "remove", "korean")
    assert publisher("segment", "list", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "everybody"), "at least one condition"),
        (("add", "korean", "--country", "Korea"), "country's code"),
        (("add", "Not A Slug", "--country", "KR"), "cannot be a short name"),
        (("show", "martian"), "no segment"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(publisher: Publisher, arguments: tuple[str, ...], said: str) -> None:
    assert said in publisher("segment", *arguments).err


def test_arriving_by_the_readers_clock_needs_a_time_of_day(opened: Publisher) -> None:
    publisher = opened
    assert "an edition needs one" in publisher("edition", "change", "weekly", "--arrival", "local time").err
    by_clock = ("--arrival", "local time", "--cadence", "daily 07:00 Asia/Seoul")
    changed = publisher("edition", "change", "weekly", *by_clock, "--json").json
    assert changed["arrival"] == "local time"
    assert "an edition needs one" in publisher("edition", "change", "weekly", "--cadence", "").err
    assert "together, local time" in publisher("edition", "change", "weekly", "--arrival", "never").err
