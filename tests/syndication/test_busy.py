"""A reader gets bytes whatever the database is busy with."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from publisher.syndication import making
from publisher.syndication.documents import Print
from publisher.syndication.printing import printed
from publisher.syndication.tables import feed_document
from tests.syndication.newsroom import House, open_house

pytestmark = pytest.mark.timeout(60)


@contextmanager
def written_for_ever(house: House) -> Iterator[None]:
    """Hold SQLite's write lock, as a long import would."""
    assert house.database.url.database
    other = sqlite3.connect(house.database.url.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_writer_keeps_no_reader_waiting(house: House) -> None:
    house.articles("One")

    with written_for_ever(house):
        assert house.reader.get("/feeds/all.atom").titles == ["One"]
        assert house.reader.get("/feeds/all.rss").status == 200


def test_an_outdated_archive_is_served_while_a_new_one_cannot_be_stored(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.syndication.supply.MAKING_WAIT_S", 0.2)
    ids = house.articles(*(f"Article {each}" for each in range(30)))
    before = house.reader.get("/feeds/all/archive/5.atom")
    house.withdraw(ids[0])

    with written_for_ever(house):
        meanwhile = house.reader.get("/feeds/all/archive/5.atom")
        never_made = house.reader.get("/feeds/all/archive/4.atom")

    assert meanwhile.data == before.data
    assert (never_made.status, never_made.headers["retry-after"]) == (503, "5")
    monkeypatch.undo()
    assert house.reader.get("/feeds/all/archive/5.atom").titles == [f"Article {each}" for each in (4, 3, 2, 1)]


def test_what_is_at_hand_is_served_while_the_database_is_gone(house: House) -> None:
    house.articles("One")
    before = house.reader.get("/feeds/all.atom")
    with house.database.transaction() as connection:
        connection.execute(sa.text("ALTER TABLE feed_generation RENAME TO elsewhere"))

    answer = house.reader.get("/feeds/all.atom")

    assert (answer.status, answer.data) == (200, before.data)


@pytest.mark.postgresql
def test_what_is_at_hand_is_served_while_postgresql_does_not_answer(postgresql_url: str) -> None:
    with open_house(postgresql_url) as house:
        house.articles("One")
        before = house.reader.get("/feeds/all.atom")

        with house.database.engine.connect() as other, other.begin():
            other.execute(sa.text("LOCK TABLE feed_generation, feed_document IN ACCESS EXCLUSIVE MODE"))
            answer = house.reader.get("/feeds/all.atom")
            unread = house.reader.get("/feeds/all.rss")
        threads = house.reader.server._supply._reading._threads
        assert threads
        threads.shutdown(wait=True)  # they have what they waited for, and let go of their connections

    assert (answer.status, answer.data) == (200, before.data)
    assert unread.status == 503


def test_a_document_that_changed_while_it_was_made_is_made_again(
    either: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web process makes a document while the worker takes an article in: what it stores is old already."""
    either.articles("One", topics=("food",))

    def slowly(*values: Any, **named: Any) -> list[Print]:
        made = printed(*values, **named)
        monkeypatch.undo()
        either.articles("Two", topics=("food",))
        return made

    monkeypatch.setattr(making, "printed", slowly)
    first = either.reader.get("/feeds/topics/food.atom").titles

    assert first == ["One"]
    assert either.reader.get("/feeds/topics/food.atom").titles == ["Two", "One"]
    assert all(row.is_current for row in either.rows(sa.select(feed_document.c.is_current)))
