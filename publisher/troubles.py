import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import redis

from publisher.pulse import client

AT_KEY = "publisher:troubles"
TIMES_KEY = "publisher:troubles:times"
AT_MOST = 50
"""Of them the newest are kept; what goes wrong again and again is one of them."""
KEPT_FOR = timedelta(days=7)
SAID_AT_MOST = 300
TIMEOUT_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Something that went wrong in a worker."""

    task: str
    said: str
    last_at: datetime
    times: int


class Troubles:
    """
    What went wrong in workers of late.

    It stands in Redis because the database is what is gone most often, and because nothing depends on it: the log has
    the whole story. So nothing here fails, or waits long.
    """

    def __init__(self, redis_url: str) -> None:
        self._redis = client(redis_url, timeout_s=TIMEOUT_S)

    def note(self, task: str, said: str, *, at: datetime) -> None:
        """Keep that a task failed, and what it said; whoever calls has taken addresses and values out of that."""
        member = json.dumps([task, said[:SAID_AT_MOST]], ensure_ascii=False)
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zadd(AT_KEY, {member: at.timestamp()})
                pipeline.hincrby(TIMES_KEY, member, 1)
                pipeline.zrange(AT_KEY, 0, -AT_MOST - 1)
                pipeline.expire(AT_KEY, KEPT_FOR)
                pipeline.expire(TIMES_KEY, KEPT_FOR)
                oldest = pipeline.execute()[2]
            if oldest:
                self._redis.zrem(AT_KEY, *oldest)
                self._redis.hdel(TIMES_KEY, *oldest)
        except redis.RedisError:
            return

    def lately(self) -> list[Trouble]:
        """Return what went wrong, the last first; nothing where Redis does not answer."""
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.zrange(AT_KEY, 0, -1, desc=True, withscores=True)
                pipeline.hgetall(TIMES_KEY)
                found, times = pipeline.execute()
        except redis.RedisError:
            return []
        return [_trouble(member, at, int(times.get(member, 1))) for member, at in found]

    def clear(self) -> None:
        try:
            self._redis.delete(AT_KEY, TIMES_KEY)
        except redis.RedisError:
            return


def _trouble(member: bytes, at: float, times: int) -> Trouble:
    task, said = json.loads(member)
    return Trouble(task=task, said=said, last_at=datetime.fromtimestamp(at, UTC), times=times)
