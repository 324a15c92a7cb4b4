"""Files of people that are handed in at the desk, and taken in by a worker."""

from collections.abc import Callable
from io import BytesIO

import pytest
import sqlalchemy as sa

from publisher.audience import store
from publisher.audience.imports import (
    BEGUN_AT_MOST,
    STAGE,
    Import,
    ImportId,
    ImportState,
    import_due,
    import_of,
    newest_imports,
    put_import,
)
from publisher.audience.model import MailingListId
from publisher.audience.tables import subscriber_import
from publisher.database import Database
from publisher.errors import ImportFileError, NotFoundError
from publisher.turn import LEASE, stage_turn
from tests.audience.clocks import SetClock

PEOPLE = b"email,name\nann@readers.example,Ann\nnonsense,Nobody\nben@readers.example,Ben\n"


def put(database: Database, clock: SetClock, content: bytes = PEOPLE) -> ImportId:
    return put_import(
        database, BytesIO(content), name="people.csv", list_slug="weekly", confirmed=True, wording="Yes.", clock=clock
    )


def standing(database: Database, import_id: ImportId) -> Import:
    with database.reading() as connection:
        return import_of(connection, import_id)


def addresses(database: Database) -> list[str]:
    with database.reading() as connection:
        return [each.email for each in store.subscribers(connection, at_most=9)]


def after(number: int) -> Callable[[], bool]:
    """A worker that is asked to end after it has looked so often whether it is."""
    looks = iter(range(number))
    return lambda: next(looks, None) is None


def test_a_worker_takes_in_what_was_handed_in_and_forgets_the_file(
    either: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    import_id = put(either, clock)
    assert standing(either, import_id).state is ImportState.WAITING

    assert import_due(either, clock=clock)

    found = standing(either, import_id)
    assert found.report
    assert (found.state, found.rows, found.report.added, found.report.bad) == (ImportState.DONE, 3, 2, 1)
    assert [(each.line, each.problem) for each in found.report.bad_lines] == [(3, "The address has no @.")]
    assert addresses(either) == ["ann@readers.example", "ben@readers.example"]
    with either.reading() as connection:
        assert connection.scalar(sa.select(subscriber_import.c.content)) is None
    assert not import_due(either, clock=clock)


def test_files_are_taken_in_one_after_the_other(database: Database, weekly: MailingListId, clock: SetClock) -> None:
    """The second one's people are known by then."""
    assert weekly
    ids = [put(database, clock) for _ in range(2)]

    import_due(database, clock=clock)

    reports = [standing(database, each).report for each in ids]
    assert [(each.added, each.unchanged) for each in reports if each] == [(2, 0), (0, 2)]
    with database.reading() as connection:
        assert [each.id for each in newest_imports(connection, at_most=9)] == ids[::-1]


def test_a_file_that_cannot_be_read_to_its_end_puts_nobody_on_the_list(
    database: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    import_id = put(database, clock, PEOPLE + "Zoë".encode("latin-1"))

    import_due(database, clock=clock)

    found = standing(database, import_id)
    assert (found.state, found.report) == (ImportState.REFUSED, None)
    assert "not UTF-8" in found.problem
    assert addresses(database) == []


def test_what_nothing_can_come_of_is_refused_at_once(
    database: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    with pytest.raises(ImportFileError, match="must name the columns"):
        put(database, clock, b"ann@readers.example\n")
    with pytest.raises(NotFoundError):
        put_import(database, BytesIO(PEOPLE), name="x", list_slug="nobody", confirmed=True, clock=clock)


def test_a_worker_that_ends_leaves_the_file_to_the_next_one(
    either: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    import_id = put(either, clock)

    import_due(either, clock=clock, should_stop=after(1))
    stopped = standing(either, import_id)
    import_due(either, clock=clock)

    found = standing(either, import_id)
    assert (stopped.state, stopped.begun, found.state, found.begun) == ("running", 1, "done", 2)
    assert addresses(either) == ["ann@readers.example", "ben@readers.example"]


def test_the_file_of_a_killed_worker_is_taken_in_once_its_turn_has_run_out(
    database: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    import_id = put(database, clock)
    with database.transaction() as connection:
        gone = {"owner": "a worker that is gone", "leased_until": clock() + LEASE}
        connection.execute(sa.insert(stage_turn).values(stage=STAGE, seq=0, rung_again=False, **gone))

    import_due(database, clock=clock)
    before = standing(database, import_id).state
    clock.pass_by(LEASE * 2)
    import_due(database, clock=clock)

    assert (before, standing(database, import_id).state) == ("waiting", "done")


def test_a_file_that_never_comes_to_its_end_keeps_no_other_back(
    database: Database, weekly: MailingListId, clock: SetClock
) -> None:
    assert weekly
    bad, good = put(database, clock), put(database, clock)
    for _ in range(BEGUN_AT_MOST):
        import_due(database, clock=clock, should_stop=after(1))

    import_due(database, clock=clock)

    assert [standing(database, each).state for each in (bad, good)] == ["refused", "done"]
    assert "several times" in standing(database, bad).problem
