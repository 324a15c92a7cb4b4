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


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Where somebody stands within a bound."""

    is_within: bool
    left: int
    seconds_left: int
    """Until the while is over; at least 1."""


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
        counted = self.count(bound, who)
        return counted is None or counted.is_within

    def count(self, bound: Bound, who: str) -> Counted | None:
        """Count one more time; None where Redis does not answer."""
        whose = hashlib.blake2b(who.encode(), key=self._key, digest_size=16).hexdigest()
        key = f"publisher:allowance:{bound.name}:{whose}"
        try:
            with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.set(key, 0, ex=bound.within, nx=True)
                pipeline.incr(key)
                pipeline.ttl(key)
                _, number, seconds = pipeline.execute()
        except redis.RedisError as problem:
            log.warning("allowance_not_counted", bound=bound.name, reason=type(problem).__name__)
            return None
        return Counted(
            is_within=number <= bound.at_most, left=max(0, bound.at_most - number), seconds_left=max(1, seconds)
        )
