import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from publisher.errors import InputError

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between attempts; three days together. Source: Standard Webhooks 1.0.0, deliverability, its own example."""
JITTER = 0.1
OFF_AFTER = timedelta(days=3)
"""Without a success for so long, an endpoint is switched off; what is older is not told any more."""
PATIENCE = 5
"""So many failures in a row, whatever was told: the endpoint itself is in trouble, not one webhook."""
FIRST_REST = timedelta(seconds=10)
LONGEST_REST = timedelta(minutes=10)
LONGEST_RETRY_AFTER = timedelta(hours=24)
FORMER_SECRET_FOR = timedelta(hours=24)
SECRET_PREFIX = "whsec_"  # noqa: S105 -- how every secret begins
SECRET_BYTES = range(24, 65)
"""Standard Webhooks: a symmetric secret has 24 to 64 bytes."""


def next_attempt_at(*, tried_at: datetime, failures: int, chance: float) -> datetime | None:
    """
    Return when to tell it again, or None to give up.

    Args:
        tried_at: End of the attempt that failed.
        failures: Failed attempts so far, this one included.
        chance: From 0 to 1, so that what failed together does not come back together.

    """
    if failures > len(WAITS):
        return None
    return tried_at + WAITS[failures - 1] * (1 - JITTER + 2 * JITTER * chance)


def rest_after(failures: int) -> timedelta | None:
    """Return how long an endpoint is left in peace after so many failures in a row; None: not at all."""
    if failures < PATIENCE:
        return None
    return min(LONGEST_REST, FIRST_REST * 2.0 ** min(failures - PATIENCE, 10))


def is_hopeless(failing_since: datetime, now: datetime) -> bool:
    return now - failing_since >= OFF_AFTER


def retry_after(value: str, now: datetime) -> timedelta | None:
    """Return what a Retry-After asks for: seconds or a date (RFC 9110, section 10.2.3); None where it says neither."""
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(LONGEST_RETRY_AFTER, timedelta(seconds=int(text)))
    try:
        at: datetime = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait: timedelta = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(LONGEST_RETRY_AFTER, max(timedelta(), wait))


def written_secret(key: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(key).decode()


def secret_key(secret: str) -> bytes:
    """Return the bytes of a secret as people keep it. Raises InputError."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or len(key) not in SECRET_BYTES:
        raise InputError("A secret is whsec_ and 24 to 64 bytes in base64.", "secret")
    return key


def signatures(secrets: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """
    Return the value of `webhook-signature`: one for each secret, so that keys can change without a gap.

    Source: Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and body, joined by dots.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = (hmac.new(secret_key(each), signed, hashlib.sha256).digest() for each in secrets)
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)


def message_id(*parts: object) -> str:
    """Return the name of what happened: the same happening has the same name, however often it is found."""
    digest = hashlib.sha256("\n".join(str(each) for each in parts).encode()).digest()
    return "msg_" + base64.b32encode(digest[:20]).decode().lower()


def body(kind: str, at: datetime, facts: Mapping[str, Any]) -> bytes:
    """Return what is sent. Source: Standard Webhooks 1.0.0, payload structure."""
    whole = {"type": kind, "timestamp": written(at), "data": dict(facts)}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def written(at: datetime) -> str:
    """Return an instant as RFC 3339 writes it, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
