"""Workers are killed, stopped, frozen and many: everybody gets the issue."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from tests.dispatch.faults.conftest import OnStage
from tests.dispatch.faults.harness import LEASE_S, Process, Stage, seeded, until

QUEUES = ("dispatch", "upkeep")
SLOW_TICK_S = 5
TAKEN_OVER_S = LEASE_S + 2 * SLOW_TICK_S


def end_some(stage: Stage, chance: random.Random, *, times: int, end: Callable[[Process], None]) -> None:
    """End the one worker at random moments of its work, and start it again each time."""
    for _ in range(times):
        worker = stage.worker(*QUEUES)
        before = len(stage.entries())
        until(lambda before=before: len(stage.entries()) > before, "it sends", 40, stage.how_it_stands)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.6))
        end(worker)


def test_a_killed_worker_loses_nobody(staged: OnStage) -> None:
    with staged(readers=3_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()

        end_some(stage, seeded(), times=1, end=stage.kill)
        stage.worker(*QUEUES)

        stage.judge()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_killed_twenty_times_loses_nobody(staged: OnStage) -> None:
    with staged(readers=20_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()

        end_some(stage, seeded(), times=20, end=stage.kill)
        stage.worker(*QUEUES)

        stage.judge(within_s=180)


def asked_to_end(stage: Stage) -> Callable[[Process], None]:
    return lambda worker: stage.end(worker, signal.SIGTERM)


def test_a_worker_that_is_asked_to_end_sends_nothing_twice(staged: OnStage) -> None:
    with staged(readers=3_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()

        end_some(stage, seeded(), times=2, end=asked_to_end(stage))
        stage.worker(*QUEUES)

        assert stage.judge().sent_twice_at_most == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_asked_to_end_twenty_times_sends_nothing_twice(staged: OnStage) -> None:
    with staged(readers=40_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()

        end_some(stage, seeded(), times=20, end=asked_to_end(stage))
        stage.worker(*QUEUES)

        assert stage.judge(within_s=180).sent_twice_at_most == 0


@pytest.mark.parametrize("number", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_workers_share_an_issue(staged: OnStage, number: int) -> None:
    with staged(readers=4_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()

        for _ in range(number):
            stage.worker(*QUEUES)

        assert stage.judge().sent_twice_at_most == 0


@pytest.mark.slow
def test_a_worker_frozen_beyond_its_lease_records_nothing_over_the_other_ones_outcome(staged: OnStage) -> None:
    with staged(readers=3_000) as stage:
        stage.sink(latency_ms=4)
        stage.beat()
        frozen = stage.worker(*QUEUES)
        stage.until_accepted(300)
        stage.freeze(frozen, within_transaction=False)

        stage.worker(*QUEUES)
        found = stage.until_state("sent")
        frozen.send_signal(signal.SIGCONT)
        until(lambda: "lease_lost" in stage.said(frozen), "the frozen worker notices", TAKEN_OVER_S)

        assert stage.judge().counts == found.counts


@pytest.mark.slow
@pytest.mark.postgresql
def test_a_worker_frozen_within_a_transaction_holds_nobody_up(staged_on_postgresql: OnStage) -> None:
    with staged_on_postgresql(readers=3_000) as stage:
        stage.sink(latency_ms=4)
        stage.beat()
        frozen = stage.worker(*QUEUES)
        stage.until_accepted(300)
        stage.freeze(frozen, within_transaction=True)

        stage.worker(*QUEUES)
        found = stage.until_state("sent")
        frozen.send_signal(signal.SIGCONT)
        until(lambda: "database_gone" in stage.said(frozen), "the frozen worker notices", TAKEN_OVER_S)

        assert stage.judge().counts == found.counts
