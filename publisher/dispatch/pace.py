"""
A rate limit that all workers share: mails leave evenly, never in a burst.

Each portion reserves its stretch of time in Redis, by Redis's own clock, and waits until it comes
(GCRA, the generic cell rate algorithm of ITU-T I.371, with no burst tolerance).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import redis
import structlog

from publisher.dispatch.model import Envelope

log = structlog.get_logger()

PORTION_S = 0.05
"""Mails that leave together: so many that their time is this long, and at least one."""
RESERVE = """
local now = redis.call('TIME')
local now_us = now[1] * 1000000 + now[2]
local free_us = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now_us)
redis.call('SET', KEYS[1], string.format('%.0f', free_us + ARGV[1]), 'PX', 600000)
return string.format('%.0f', free_us - now_us)
"""


class Pace:
    """How fast a transport may go."""

    def __init__(
        self,
        rate_per_s: float = 0,
        *,
        client: "redis.Redis | None" = None,
        key: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate_per_s = rate_per_s
        self._client = client
        self._key = f"publisher:pace:{key}"
        self._sleep = sleep

    def at_once(self, usual: int) -> int:
        """Return how many deliveries to mark at once: no more than a second's worth, so that a stop is heard."""
        return usual if not self._rate_per_s else max(1, min(usual, int(self._rate_per_s)))

    def portions(self, letters: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
        """Yield the letters in portions, each when its time has come."""
        if not self._rate_per_s:
            yield letters
            return
        size = max(1, int(self._rate_per_s * PORTION_S))
        for start in range(0, len(letters), size):
            portion = letters[start : start + size]
            self._sleep(self._wait_s(len(portion)))
            yield portion

    def _wait_s(self, number: int) -> float:
        """Reserve the next stretch of time for so many mails, and return how long until it begins."""
        stretch_s = number / self._rate_per_s
        try:
            assert self._client is not None
            waited: Any = self._client.eval(RESERVE, 1, self._key, round(stretch_s * 1_000_000))
            return int(waited) / 1_000_000
        except redis.RedisError as problem:
            # Without Redis each worker keeps the rate by itself: too slow for none, too fast for few.
            log.warning("pace_without_redis", reason=type(problem).__name__)
            return stretch_s


UNHURRIED = Pace()
"""No limit."""
