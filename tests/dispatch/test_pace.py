"""The rate limit: held by all workers together, without a burst."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from publisher.compose.model import IssueId
from publisher.dispatch.model import Envelope
from publisher.dispatch.pace import UNHURRIED, Pace
from publisher.pulse import client

LETTERS = [Envelope(issue_id=IssueId(1), seq=seq, sender="", address="a@b.example", values={}) for seq in range(1_000)]


def test_without_a_limit_all_go_at_once() -> None:
    assert [len(portion) for portion in UNHURRIED.portions(LETTERS)] == [1_000]
    assert UNHURRIED.at_once(250) == 250


@pytest.mark.slow
def test_two_workers_together_keep_the_rate_and_never_burst(redis_url: str) -> None:
    """Each leaves stamps of when its letters went; any half second of them all holds half a second's worth."""
    rate = 200

    def worker(_number: int) -> list[float]:
        pace = Pace(rate, client=client(redis_url), key="two workers")
        return [time.monotonic() for portion in pace.portions(LETTERS + LETTERS[:100]) for _ in portion]

    with ThreadPoolExecutor(2) as workers:
        stamps = sorted(stamp for each in workers.map(worker, range(2)) for stamp in each)

    in_ten_seconds = sum(stamp < stamps[0] + 10 for stamp in stamps)
    assert in_ten_seconds == pytest.approx(10 * rate, rel=0.02)
    portion = rate * 0.05
    for place, stamp in enumerate(stamps):
        later = [other for other in stamps[place:] if other < stamp + 0.5]
        assert len(later) <= rate * 0.5 + 3 * portion, "a burst"


def test_a_slow_rate_marks_few_at_once_so_that_a_pause_is_heard(redis_url: str) -> None:
    assert Pace(5, client=client(redis_url)).at_once(250) == 5
    assert Pace(0.2, client=client(redis_url)).at_once(250) == 1


def test_without_redis_a_worker_keeps_the_rate_by_itself() -> None:
    waited: list[float] = []
    pace = Pace(100, client=client("redis+socket:///nowhere.sock"), sleep=waited.append)

    assert sum(len(portion) for portion in pace.portions(LETTERS[:100])) == 100
    assert sum(waited) == pytest.approx(1, rel=0.01)
