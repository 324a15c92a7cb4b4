import time
from collections.abc import Sequence
from datetime import datetime

from publisher import outbound
from publisher.errors import FetchError
from publisher.webhooks.model import Ending
from publisher.webhooks.rules import retry_after, signatures

WITHIN_S = 15.0
ANSWER_BYTES_AT_MOST = 1_000_000
"""Nobody reads it; whoever answers with a web page is no worse for it."""
REDIRECTS = range(300, 400)


def hand_over(
    url: str, body: bytes, *, message_id: str, secrets: Sequence[str], at: datetime, allow_private: bool
) -> Ending:
    """
    Hand a webhook to its endpoint, once.

    Source: Standard Webhooks 1.0.0: the timestamp is that of the attempt, the id that of the message.
    """
    timestamp = int(at.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(secrets, message_id=message_id, timestamp=timestamp, body=body),
    }
    start = time.monotonic()
    try:
        answer = outbound.post(
            url,
            body=body,
            headers=headers,
            timeout_s=WITHIN_S,
            max_bytes=ANSWER_BYTES_AT_MOST,
            allow_private=allow_private,
        )
    except FetchError as problem:
        return Ending(status=None, took_ms=_ms_since(start), said=problem.problem)
    ending = Ending(
        status=answer.status,
        took_ms=_ms_since(start),
        retry_after=retry_after(answer.headers.get("retry-after", ""), at),
    )
    if ending.is_delivered:
        return Ending(status=ending.status, took_ms=ending.took_ms)
    said = "It redirects, and redirects are not followed." if answer.status in REDIRECTS else ""
    return Ending(status=ending.status, took_ms=ending.took_ms, said=said, retry_after=ending.retry_after)


def _ms_since(start: float) -> int:
    return int((time.monotonic() - start) * 1000)
