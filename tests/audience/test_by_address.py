import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience.by_address import by_address
from publisher.audience.merge import Person
from publisher.audience.rules import clean_name

PEOPLE = st.lists(
    st.builds(
        Person,
        st.sampled_from(["a@x.org", "a.b@x.org", "ab@x.org", "a!@x.org", "a~@x.org"]),
        st.sampled_from(["A@x.org", "a@x.org"]),
        st.text().map(clean_name),
        st.sampled_from(["", "ko"]),
        st.just(""),
        *[st.sampled_from(["", "x"])] * 5,
    ),
    max_size=30,
)


@given(PEOPLE, st.integers(1, 7))
def test_people_stand_by_address_and_then_as_they_came(people: list[Person], run: int) -> None:
    """However few of them fit into memory."""
    assert list(by_address(people, run)) == sorted(people, key=lambda person: person.email_key)


def test_no_file_is_left_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nor is there ever a name under which somebody could find it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    people = (Person(f"{number}@x.org", f"{number}@x.org", "", "", "") for number in range(100))
    ordered = by_address(people, 10)

    next(ordered)

    assert list(tmp_path.iterdir()) == []
    del ordered


def test_memory_does_not_grow_with_the_number_of_people() -> None:
    """Thirty thousand people in a list are 5 MB."""
    keys = (f"{place * 7919 % 30_000:06d}@example.org" for place in range(30_000))
    people = (Person(key, key, "x" * 50, "", "") for key in keys)
    tracemalloc.start()

    number = sum(1 for _ in by_address(people, 2_000))

    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert number == 30_000
    assert peak_bytes < 1_500_000
