"""How many requests one address may make: a bound that stops a runaway script and that no feed reader meets."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from time import monotonic

BURST = 3_000
"""An aggregator may fetch every feed of a large site at once."""
PER_SECOND = 50
MAKING_COSTS = 10
"""What is made for one reader alone, such as a search or an old archive, counts as so many documents."""
ADDRESSES_AT_MOST = 10_000


class Limit:
    """
    A token bucket for each address; an IPv6 network of 64 bits counts as one address.

    Requests from this machine itself pass: a proxy beside us, or monitoring. The one in a million that
    is forgotten because so many others came begins again with a full bucket.
    """

    def __init__(
        self, *, burst: int = BURST, per_second: float = PER_SECOND, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._seconds = seconds
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, address: str, cost: int = 1) -> int:
        """Take tokens and return 0; or take none and return after how many seconds there will be enough."""
        whose = _whose(address)
        if whose is None:
            return 0
        now = self._seconds()
        tokens, then = self._buckets.get(whose, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        if tokens < cost:
            return max(1, ceil((cost - tokens) / self._per_second))
        self._buckets[whose] = (tokens - cost, now)
        self._buckets.move_to_end(whose)
        if len(self._buckets) > ADDRESSES_AT_MOST:
            self._buckets.popitem(last=False)
        return 0


@lru_cache(maxsize=ADDRESSES_AT_MOST)
def _whose(address: str) -> str | None:
    """Return under which name requests are counted; None: they are not."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:  # a unix socket has no address: a proxy beside us
        return address or None
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return None if found.is_loopback else str(ip_network(f"{found}/64", strict=False))
        found = found.ipv4_mapped
    return None if found.is_loopback else str(found)
