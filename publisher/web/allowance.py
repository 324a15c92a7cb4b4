import hashlib
from dataclasses import dataclass
from datetime import timedelta

import redis
import structlog

from publisher.pulse import client

log = structlog.get_logger()

TIMEOUT_S = 0.5


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How often something may be done in a while."""

    name: str
    at_most: int
    within: timedelta


class Allowance:
    """
    Counts in Redis how often somebody has done something, for all web processes together.

    Where Redis does not answer everybody may: a reader who cannot subscribe is worse than one request
    too many. Who did it is kept as a keyed hash only, and forgotten when the while is over.
    """

    def __init__(self, redis_url: str, secret_key: str) -> None:
        self._redis = client(redis_url, timeout_s=TIMEOUT_S)
        self._key = hashlib.sha256(f"allowance {secret_key}".encode()).digest()

    def permits(self, bound: Bound, who: str) -> bool:
        """Count one more time, and return whether it is within the bound."""
        whose = hashlib.blake2b(who.encode(), key=self._key, digest_size=16).hexdigest()
        key = f"publisher:allowance:{bound.name}:{whose}"
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.set(key, 0, ex=bound.within, nx=True)
                pipeline.incr(key)
                counted = pipeline.execute()[1]
        except redis.RedisError as problem:
            log.warning("allowance_not_counted", bound=bound.name, reason=type(problem).__name__)
            return True
        return int(counted) <= bound.at_most
