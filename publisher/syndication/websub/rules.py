import hashlib
import hmac
import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

DEFAULT_LEASE = timedelta(days=10)
"""WebSub, section 5.1, asks for ten days where the subscriber names nothing."""
SHORTEST_LEASE = timedelta(hours=1)
LONGEST_LEASE = timedelta(days=30)

FIRST_WAIT = timedelta(seconds=10)
FACTOR = 4
LONGEST_WAIT = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)
"""A subscriber who has failed for so long is dropped; readers subscribe again by themselves."""


def lease_of(asked: str) -> timedelta:
    """Return for how long a subscription holds, whatever was asked for."""
    if not re.fullmatch(r"[0-9]{1,12}", asked):
        return DEFAULT_LEASE
    seconds = min(float(asked), LONGEST_LEASE.total_seconds())
    return max(SHORTEST_LEASE, timedelta(seconds=seconds))


def next_attempt_at(*, tried_at: datetime, failures: int, failing_since: datetime) -> datetime | None:
    """
    Return when to try again, or None to give up.

    10 s, 40 s, about 3, 11, 43 minutes, 3 hours, then every 6 hours until three days have passed.

    Args:
        tried_at: End of the attempt that failed.
        failures: Failed attempts in a row, this one included.
        failing_since: End of the first of them.

    """
    due = tried_at + min(LONGEST_WAIT, FIRST_WAIT * FACTOR ** min(failures - 1, 10))
    return due if due < failing_since + GIVE_UP_AFTER else None


def signature(secret: str, body: bytes) -> str:
    """Return the value of X-Hub-Signature (WebSub, section 7.1)."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def verification_url(callback: str, *, mode: str, topic: str, challenge: str, lease: timedelta) -> str:
    """Return the address by which the callback's server says whether it wants this; its own query is kept (5.3)."""
    asked = {"hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge}
    if mode == "subscribe":
        asked["hub.lease_seconds"] = str(int(lease.total_seconds()))
    address, hash_mark, fragment = callback.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}{hash_mark}{fragment}"
