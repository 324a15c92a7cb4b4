"""The three errands: ask whether a subscription is wanted, hand over a document, tell another hub."""

import secrets
from collections.abc import Mapping
from urllib.parse import urlencode

from publisher import outbound
from publisher.errors import FetchError
from publisher.syndication.websub.model import Ending
from publisher.syndication.websub.rules import signature

WITHIN_S = 10.0
ANSWER_BYTES_AT_MOST = 10_000
GONE = 410


def confirm(url: str, challenge: str, *, allow_private: bool) -> Ending:
    """
    Ask the callback's server, at an address that `rules.verification_url` made.

    Source:
        WebSub, section 5.3: 2xx with the challenge as its body is a yes, anything else a no. We ask a
        server again that did not answer or had an error of its own.

    """
    try:
        answer = outbound.fetch(url, timeout_s=WITHIN_S, max_bytes=ANSWER_BYTES_AT_MOST, allow_private=allow_private)
    except FetchError:
        return Ending.FAILED
    if answer.status >= 500:  # noqa: PLR2004 -- HTTP's own classes
        return Ending.FAILED
    is_yes = 200 <= answer.status < 300 and secrets.compare_digest(answer.body.strip(), challenge.encode())  # noqa: PLR2004
    return Ending.DONE if is_yes else Ending.REFUSED


def hand_over(callback: str, body: bytes, headers: Mapping[str, str], *, secret: str, allow_private: bool) -> Ending:
    """Send a document to a subscriber. Source: WebSub, section 7: 410 ends the subscription."""
    signed = {"X-Hub-Signature": signature(secret, body)} if secret else {}
    return _posted(callback, body, {**headers, **signed}, allow_private=allow_private)


def tell_hub(hub: str, url: str) -> Ending:
    """Tell a hub elsewhere that a document has changed; it fetches it by itself."""
    body = urlencode({"hub.mode": "publish", "hub.url": url}).encode()
    return _posted(hub, body, {"Content-Type": "application/x-www-form-urlencoded"}, allow_private=True)


def _posted(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool) -> Ending:
    try:
        answer = outbound.post(
            url,
            body=body,
            headers=headers,
            timeout_s=WITHIN_S,
            max_bytes=ANSWER_BYTES_AT_MOST,
            allow_private=allow_private,
        )
    except FetchError:
        return Ending.FAILED
    if answer.status == GONE:
        return Ending.REFUSED
    return Ending.DONE if 200 <= answer.status < 300 else Ending.FAILED  # noqa: PLR2004 -- HTTP's own class
