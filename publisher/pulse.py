import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import redis

KEY = "publisher:tick"
FRESH_S = 15
"""A tick comes every second; this long without one, and beat or every worker is gone."""
WORKERS_KEY = "publisher:workers"
FORGOTTEN_AFTER = timedelta(hours=1)
"""A worker that was not heard of for so long is nobody's concern any more."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A worker process, and when it last showed itself."""

    name: str
    queues: tuple[str, ...]
    began_at: datetime
    seen_at: datetime

    def is_alive(self, now: datetime) -> bool:
        return now - self.seen_at < timedelta(seconds=FRESH_S)


def client(redis_url: str, *, timeout_s: float = 2) -> redis.Redis:
    """Return a client for the address form that Celery uses, in which a socket is `redis+socket:///path`."""
    url = redis_url.replace("redis+socket://", "unix://", 1)
    return redis.Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s)


class Pulse:
    """Shows whether beat and a worker are alive: the tick that one sends and the other runs leaves a mark."""

    def __init__(self, redis_url: str) -> None:
        self._redis = client(redis_url)

    def mark(self) -> None:
        self._redis.set(KEY, b"1", ex=FRESH_S)

    def answers(self) -> bool:
        """Tell whether Redis answers."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def silent(self, queue: str) -> tuple[str, ...]:
        """
        Return who is gone, beat or every worker; nobody while a tick has run lately.

        Args:
            queue: Where ticks wait for a worker. One that waits there was sent by beat; if none does, beat is gone.

        """
        try:
            if self._redis.get(KEY) is not None:
                return ()
            return ("worker",) if self._redis.llen(queue) else ("beat",)
        except redis.RedisError:
            return ("worker", "beat")

    def is_beating(self) -> bool:
        """Tell whether a tick has run lately."""
        try:
            return self._redis.get(KEY) is not None
        except redis.RedisError:
            return False

    def show(self, worker: Worker) -> None:
        """Let it be seen that a worker is alive, and forget those that have been gone for long."""
        gone = [each.name for each in self.workers() if worker.seen_at - each.seen_at > FORGOTTEN_AFTER]
        if gone:
            self._redis.hdel(WORKERS_KEY, *gone)
        self._redis.hset(WORKERS_KEY, worker.name, json.dumps(asdict(worker), default=datetime.isoformat))

    def leave(self, name: str) -> None:
        """Note that a worker has stopped because it was asked to."""
        self._redis.hdel(WORKERS_KEY, name)

    def workers(self) -> list[Worker]:
        """Return the workers that were there within the last hour, by name; none where Redis does not answer."""
        try:
            found: dict[bytes, bytes] = self._redis.hgetall(WORKERS_KEY)  # type: ignore[assignment]  # its stubs serve asyncio too
        except redis.RedisError:
            return []
        return sorted((_worker(json.loads(each)) for each in found.values()), key=lambda each: each.name)


def _worker(row: dict[str, str]) -> Worker:
    return Worker(
        name=row["name"],
        queues=tuple(row["queues"]),
        began_at=datetime.fromisoformat(row["began_at"]),
        seen_at=datetime.fromisoformat(row["seen_at"]),
    )
