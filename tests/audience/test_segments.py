"""Who belongs to a segment."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience import flow, segment_store, segments
from publisher.audience.model import How
from publisher.audience.segments import Conditions
from publisher.audience.tables import subscriber
from publisher.errors import InputError
from tests.audience.clocks import MORNING, SetClock
from tests.newsroom import Room, open_room

NOBODY: dict[str, str] = {"language": "", "time_zone": ""}
TAGS = st.sampled_from(["en", "ko", "pt-BR", "zh-Hant"])
CONDITIONS = st.builds(
    Conditions,
    languages=st.lists(TAGS, max_size=3, unique=True).map(tuple),
    countries=st.lists(st.sampled_from(["KR", "US", "FR"]), max_size=2, unique=True).map(tuple),
    time_zones=st.lists(st.sampled_from(["Asia/Seoul", "Europe/Paris"]), max_size=2, unique=True).map(tuple),
    topics=st.lists(st.sampled_from(["culture", "k-pop"]), max_size=2, unique=True).map(tuple),
    mailing_lists=st.lists(st.sampled_from(["readers", "guide"]), max_size=2, unique=True).map(tuple),
    joined_after=st.none() | st.dates(date(2020, 1, 1), date(2025, 1, 1)),
    joined_before=st.none() | st.dates(date(2025, 1, 2), date(2030, 1, 1)),
    clicked_within_days=st.none() | st.integers(1, 3_650),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=SetClock()) as found:
        flow.add_mailing_list(found.database, slug="guide", name="Guide", clock=found.clock)
        yield found


def add(room: Room, address: str, *, lists: tuple[str, ...] = ("readers",), **details: str) -> None:
    yes = flow.Yes(how=How.CLI)
    flow.add_subscriber(room.database, email=address, lists=lists, yes=yes, clock=room.clock, **(NOBODY | details))


def who(room: Room, **conditions: Any) -> set[str]:
    wanted = segment_store.matching(segments.checked(Conditions(**conditions)), now=room.clock())
    with room.database.reading() as connection:
        return set(connection.scalars(sa.select(subscriber.c.email).where(*wanted)))


def test_a_language_holds_for_its_varieties_and_no_other(room: Room) -> None:
    add(room, "a@x.example", language="en")
    add(room, "b@x.example", language="en-GB")
    add(room, "c@x.example", language="enm")
    add(room, "d@x.example", language="ko")

    assert who(room, languages=("EN",)) == {"a@x.example", "b@x.example"}
    assert who(room, languages=("en-gb", "ko")) == {"b@x.example", "d@x.example"}


def test_a_country_is_where_the_readers_clock_stands(room: Room) -> None:
    add(room, "seoul@x.example", time_zone="Asia/Seoul")
    add(room, "kolkata@x.example", time_zone="Asia/Kolkata")
    add(room, "calcutta@x.example", time_zone="Asia/Calcutta")
    add(room, "anywhere@x.example")

    assert who(room, countries=("kr",)) == {"seoul@x.example"}
    assert who(room, countries=("IN",)) == {"kolkata@x.example", "calcutta@x.example"}
    assert who(room, countries=("IN",), time_zones=("Asia/Seoul",)) == {
        "seoul@x.example",
        "kolkata@x.example",
        "calcutta@x.example",
    }


def test_all_conditions_must_be_met(room: Room) -> None:
    add(room, "both@x.example", language="en", time_zone="Asia/Seoul")
    add(room, "one@x.example", language="en")

    assert who(room, languages=("en",), countries=("KR",)) == {"both@x.example"}


def test_days_of_joining_begin_at_midnight(room: Room) -> None:
    add(room, "old@x.example")
    add(room, "new@x.example")
    with room.database.transaction() as connection:
        new = sa.update(subscriber).where(subscriber.c.email == "new@x.example")
        connection.execute(new.values(created_at=MORNING.replace(hour=0, day=4)))

    assert who(room, joined_before=date(2026, 3, 4)) == {"old@x.example"}
    assert who(room, joined_after=date(2026, 3, 4)) == {"new@x.example"}


def test_another_mailing_list_counts_only_while_it_is_confirmed(room: Room) -> None:
    add(room, "both@x.example", lists=("readers", "guide"))
    add(room, "left@x.example", lists=("readers", "guide"))
    add(room, "one@x.example")
    with room.database.transaction() as connection:
        connection.execute(
            sa.text(
                "UPDATE subscription SET state = 'unsubscribed' WHERE mailing_list_id = (SELECT id FROM mailing_list "
                "WHERE slug = 'guide') AND subscriber_id = (SELECT id FROM subscriber WHERE email = 'left@x.example')"
            )
        )

    assert who(room, mailing_lists=("guide",)) == {"both@x.example"}


def test_readers_who_followed_a_link_lately(room: Room) -> None:
    add(room, "lately@x.example")
    add(room, "long-ago@x.example")
    add(room, "never@x.example")
    with room.database.transaction() as connection:
        ids = {
            row.email: row.id
            for row in connection.execute(
                sa.text(
                    "SELECT subscriber.email, subscription.id FROM "
                    "subscription JOIN subscriber ON subscriber.id = subscriber_id"
                )
            )
        }
        segment_store.note_click(connection, ids["lately@x.example"], now=MORNING - timedelta(days=6))
        segment_store.note_click(connection, ids["long-ago@x.example"], now=MORNING - timedelta(days=8))

    assert who(room, clicked_within_days=7) == {"lately@x.example"}


def test_topics_are_those_that_a_reader_has_chosen(room: Room) -> None:
    add(room, "pop@x.example")
    add(room, "any@x.example")
    with room.database.transaction() as connection:
        only_pop = Conditions(topics=("k-pop",))
        segment_store.add_segment(connection, slug="pop", name="Pop", conditions=only_pop, now=MORNING)
        (pop,) = connection.scalars(sa.select(subscriber.c.id).where(subscriber.c.email == "pop@x.example"))
    yes = flow.Yes(how=How.FORM)
    topics = ["k-pop", "not offered"]
    flow.set_preferences(room.database, pop, lists=["readers"], yes=yes, topics=topics, clock=room.clock)

    assert who(room, topics=("K-pop",)) == {"pop@x.example"}
    with room.database.reading() as connection:
        assert segment_store.topics_of(connection, pop) == ["k-pop"]


def test_a_count_is_of_a_mailing_lists_confirmed_readers(room: Room) -> None:
    add(room, "a@x.example", language="ko", lists=("guide",))
    add(room, "b@x.example", language="ko")
    with room.database.reading() as connection:
        korean = Conditions(languages=("ko",))
        (guide,) = connection.scalars(sa.text("SELECT id FROM mailing_list WHERE slug = 'guide'"))
        assert segment_store.count(connection, korean, now=MORNING) == 2
        assert segment_store.count(connection, korean, mailing_list_id=guide, now=MORNING) == 1


# --- what an editor writes


@given(CONDITIONS)
def test_what_is_stored_is_read_as_it_was(conditions: Conditions) -> None:
    assert segments.from_json(segments.to_json(conditions)) == conditions


def test_a_condition_of_a_later_version_is_passed_over() -> None:
    assert segments.from_json({"languages": ["en"], "shoe_size": 42}) == Conditions(languages=("en",))


@pytest.mark.parametrize(
    ("conditions", "where", "said"),
    [
        ({}, "", "at least one condition"),
        ({"languages": ("not a tag",)}, "languages", "language tag"),
        ({"countries": ("KR", "Korea")}, "countries", "'Korea'"),
        ({"time_zones": ("Seoul",)}, "time_zones", "time zone"),
        ({"mailing_lists": ("No List",)}, "mailing_lists", "short name"),
        ({"joined_after": date(2026, 2, 1), "joined_before": date(2026, 2, 1)}, "joined_before", "Nobody"),
        ({"clicked_within_days": 0}, "clicked_within_days", "whole number"),
        ({"topics": tuple(f"t{number}" for number in range(51))}, "topics", "At most 50"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused_with_its_field(
    conditions: dict[str, Any], where: str, said: str
) -> None:
    with pytest.raises(InputError, match=said) as refused:
        segments.checked(Conditions(**conditions))
    assert refused.value.where == where
    assert where in {"", *(each.name for each in fields(Conditions))}
