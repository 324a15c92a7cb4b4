import redis

KEY = "publisher:tick"
FRESH_S = 15
"""A tick comes every second; this long without one, and beat or every worker is gone."""


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
