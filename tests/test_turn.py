"""One worker at a time runs a stage, whoever rings and whoever dies."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from publisher import turn
from publisher.database import Database
from publisher.errors import LeaseLostError
from publisher.turn import LEASE, Turn, stage_turn, take_turns
from tests.builders import TUESDAY

STAGE = "relate"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = TUESDAY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    is_sqlite = request.param == "sqlite"
    found = Database(f"sqlite:///{tmp_path}/turns.db" if is_sqlite else request.getfixturevalue("postgresql_url"))
    stage_turn.create(found.engine)
    yield found
    found.close()


@pytest.fixture
def clock() -> Time:
    return Time()


def place(database: Database, stage: str = STAGE) -> int:
    with database.reading() as connection:
        return turn.place(connection, stage)


def advance(database: Database, mine: Turn, seq: int) -> None:
    with database.transaction() as connection:
        mine.advance(connection, seq)


def noting(into: list[str], what: str) -> Callable[[Turn], bool]:
    """A step that leaves a note and has nothing more to do."""

    def step(_: Turn) -> bool:
        into.append(what)
        return False

    return step


def test_a_stage_begins_at_the_beginning(database: Database) -> None:
    assert place(database) == 0


def test_a_stage_runs_until_nothing_is_left(database: Database, clock: Time) -> None:
    left = [1, 2, 3]

    take_turns(database, STAGE, clock, lambda _: bool(left.pop() and left))

    assert left == []


def test_a_stage_keeps_its_place(database: Database, clock: Time) -> None:
    def step(mine: Turn) -> bool:
        advance(database, mine, 7)
        return False

    take_turns(database, STAGE, clock, step)

    assert place(database) == 7
    assert place(database, "compose") == 0


def test_who_rings_while_the_stage_runs_is_not_kept_waiting_and_not_forgotten(database: Database, clock: Time) -> None:
    """The bell may tell of an article that came after the runner had looked."""
    steps: list[str] = []

    def step(_: Turn) -> bool:
        steps.append("runner")
        if len(steps) == 1:
            take_turns(database, STAGE, clock, noting(steps, "other"))
        return False

    take_turns(database, STAGE, clock, step)

    assert steps == ["runner", "runner"]


def test_a_stage_that_has_ended_runs_again_when_it_is_rung(database: Database, clock: Time) -> None:
    runs: list[str] = []

    for name in ("first", "second", "third"):
        take_turns(database, STAGE, clock, noting(runs, name))

    assert runs == ["first", "second", "third"]


def test_stages_do_not_wait_for_each_other(database: Database, clock: Time) -> None:
    ran: list[str] = []

    def step(_: Turn) -> bool:
        take_turns(database, "compose", clock, noting(ran, "compose"))
        return False

    take_turns(database, STAGE, clock, step)

    assert ran == ["compose"]


def test_a_worker_that_was_killed_is_replaced_when_its_lease_has_run_out(database: Database, clock: Time) -> None:
    ran: list[str] = []
    assert turn._take(database, STAGE, "killed", clock)

    clock.now += LEASE
    take_turns(database, STAGE, clock, noting(ran, "too early"))
    clock.now += timedelta(seconds=1)
    take_turns(database, STAGE, clock, noting(ran, "in time"))

    assert ran == ["in time"]


def test_a_worker_that_goes_on_is_not_replaced(database: Database, clock: Time) -> None:
    """Each step renews the lease, so that only a worker that stands still loses its turn."""
    intruders: list[str] = []
    steps = iter(range(4))

    def step(mine: Turn) -> bool:
        if next(steps, None) is None:
            return False
        clock.now += LEASE - timedelta(seconds=1)
        mine.renew()
        take_turns(database, STAGE, clock, noting(intruders, "intruder"))
        return True

    take_turns(database, STAGE, clock, step)

    assert intruders == []


def test_a_worker_that_comes_back_late_writes_nothing(database: Database, clock: Time) -> None:
    """Frozen past its lease, it would otherwise move the stage's place back."""

    def late(mine: Turn) -> bool:
        clock.now += LEASE + timedelta(seconds=1)

        def successor(other: Turn) -> bool:
            advance(database, other, 9)
            return False

        take_turns(database, STAGE, clock, successor)
        advance(database, mine, 4)
        return False

    with pytest.raises(LeaseLostError):
        take_turns(database, STAGE, clock, late)

    assert place(database) == 9


def hold(mine: Turn, database: Database) -> None:
    with database.transaction() as connection:
        mine.hold(connection)


@pytest.mark.parametrize("hold_on", [lambda mine, _: mine.renew(), hold], ids=["renew", "hold"])
def test_every_way_of_holding_on_notices_a_lost_lease(
    database: Database, clock: Time, hold_on: Callable[[Turn, Database], None]
) -> None:
    assert turn._take(database, STAGE, "successor", clock)

    with pytest.raises(LeaseLostError):
        hold_on(Turn(database, STAGE, "late", clock), database)


def test_a_stage_that_fails_can_be_run_again_at_once(database: Database, clock: Time) -> None:
    ran: list[str] = []

    def fail(_: Turn) -> bool:
        message = "a broken article"
        raise ValueError(message)

    with pytest.raises(ValueError, match="a broken article"):
        take_turns(database, STAGE, clock, fail)
    take_turns(database, STAGE, clock, noting(ran, "again"))

    assert ran == ["again"]


def test_a_stage_that_fails_after_losing_its_turn_takes_it_from_nobody(database: Database, clock: Time) -> None:
    def fail(_: Turn) -> bool:
        clock.now += LEASE + timedelta(seconds=1)
        assert turn._take(database, STAGE, "successor", clock)
        message = "too late"
        raise ValueError(message)

    with pytest.raises(ValueError, match="too late"):
        take_turns(database, STAGE, clock, fail)

    assert not turn._take(database, STAGE, "third", clock)


def test_of_many_workers_one_runs_at_a_time_and_no_bell_is_lost(database: Database, clock: Time) -> None:
    """Twelve ring with one thing to do each; all twelve get done, never two at once."""
    waiting: list[int] = []
    done: list[int] = []
    inside = threading.Lock()
    meetings: list[str] = []

    def step(_: Turn) -> bool:
        if not inside.acquire(blocking=False):
            meetings.append("two at once")
            return False
        try:
            while waiting:
                done.append(waiting.pop())
        finally:
            inside.release()
        return False

    def ring(number: int) -> None:
        waiting.append(number)
        take_turns(database, STAGE, clock, step)

    threads = [threading.Thread(target=ring, args=(number,)) for number in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(timeout=30)

    assert meetings == []
    assert sorted(done) == list(range(12))
    assert waiting == []
