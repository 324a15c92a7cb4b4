"""What went wrong in workers, kept for the desk; and who of them is alive."""

from datetime import UTC, datetime, timedelta

import pytest

from publisher.pulse import FRESH_S, Pulse, Worker, client
from publisher.troubles import AT_KEY, AT_MOST, TIMES_KEY, Troubles

NOON = datetime(2026, 6, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(redis_url: str) -> None:
    redis = client(redis_url)
    redis.flushdb()
    redis.close()


def a_worker(name: str, seen_at: datetime) -> Worker:
    return Worker(name=name, queues=("articles", "upkeep"), began_at=NOON, seen_at=seen_at)


def test_what_goes_wrong_again_and_again_is_one_line(redis_url: str) -> None:
    troubles = Troubles(redis_url)
    for minute in range(3):
        troubles.note("publisher.relate", "KeyError: 'x'", at=NOON + timedelta(minutes=minute))
    troubles.note("publisher.plan", "OSError: away", at=NOON)

    last, first = troubles.lately()

    assert (last.task, last.said, last.times) == ("publisher.relate", "KeyError: 'x'", 3)
    assert last.last_at == NOON + timedelta(minutes=2)
    assert first.times == 1


def test_only_the_newest_are_kept(redis_url: str) -> None:
    troubles = Troubles(redis_url)
    for number in range(AT_MOST + 20):
        troubles.note("publisher.relate", f"KeyError: {number}", at=NOON + timedelta(seconds=number))

    found = troubles.lately()
    redis = client(redis_url)

    assert len(found) == AT_MOST
    assert found[0].said == f"KeyError: {AT_MOST + 19}"
    assert redis.zcard(AT_KEY) == redis.hlen(TIMES_KEY) == AT_MOST
    redis.close()
    troubles.clear()
    assert troubles.lately() == []


def test_nobody_fails_because_redis_is_away() -> None:
    troubles = Troubles("redis+socket:///nowhere/redis.sock")

    troubles.note("publisher.relate", "KeyError", at=NOON)

    assert troubles.lately() == []


def test_a_worker_that_was_killed_is_seen_to_be_gone_and_forgotten_later(redis_url: str) -> None:
    pulse = Pulse(redis_url)
    pulse.show(a_worker("killed", NOON))
    pulse.show(a_worker("busy", NOON + timedelta(seconds=FRESH_S)))

    busy, killed = pulse.workers()

    assert busy.is_alive(NOON + timedelta(seconds=FRESH_S))
    assert not killed.is_alive(NOON + timedelta(seconds=FRESH_S))
    pulse.show(a_worker("busy", NOON + timedelta(hours=2)))
    assert [each.name for each in pulse.workers()] == ["busy"]
    pulse.leave("busy")
    assert pulse.workers() == []
