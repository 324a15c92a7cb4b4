"""Editors stop and go, twice and at once, while workers send."""

import pytest

from publisher.compose import flow as compose
from publisher.dispatch import flow
from publisher.dispatch.model import DeliveryState
from tests.dispatch.faults.conftest import OnStage


@pytest.mark.slow
def test_pause_and_resume_in_the_middle_send_nothing_twice(staged: OnStage) -> None:
    with staged(readers=3_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()
        stage.worker()
        stage.worker()
        room = stage.room

        for number in (500, 1_500):
            stage.until_accepted(number)
            flow.pause(room.database, room.settings, stage.issue_id, reason="a typo", clock=room.clock)
            stage.until_state("paused")
            flow.resume(room.database, stage.issue_id, clock=room.clock)

        assert stage.judge().sent_twice_at_most == 0


def test_cancel_in_the_middle_skips_the_rest(staged: OnStage) -> None:
    with staged(readers=4_000) as stage:
        stage.sink(latency_ms=2)
        stage.beat()
        stage.worker()
        stage.worker()
        room = stage.room
        stage.until_accepted(500)

        flow.cancel(room.database, room.settings, stage.issue_id, reason="wrong issue", clock=room.clock)
        stage.until_finished()

        found, entries = stage.report(), stage.entries()
        assert found.state == "cancelled"
        assert len(set(entries)) == len(entries) == found.counts[DeliveryState.SENT] < 4_000
        assert found.counts[DeliveryState.SKIPPED] == found.total - len(entries)


def test_approved_twice_and_ticked_by_two_beats_everybody_gets_it_once(staged: OnStage) -> None:
    with staged(readers=3_000) as stage:
        stage.sink(latency_ms=2)
        for _ in range(2):
            stage.beat()
            stage.worker()

        stage.until_accepted(500)
        compose.approve(stage.room.database, stage.room.settings, stage.issue_id, clock=stage.room.clock)

        assert stage.judge().sent_twice_at_most == 0
