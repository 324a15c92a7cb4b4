from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import NewType

from publisher.errors import InputError
from publisher.outbound import address_problem
from publisher.syndication.model import MADE_WHEN_ASKED, FeedAddress, address_of
from publisher.syndication.websub.rules import lease_of

SubscriptionId = NewType("SubscriptionId", int)

HUB_PATH = "/hub"
CALLBACK_CHARACTERS_AT_MOST = 2_000
SECRET_BYTES_AT_MOST = 199
"""WebSub, section 5.1: a secret must be less than 200 bytes."""


class HubMode(StrEnum):
    """What a subscriber's server asks of the hub."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"


class Ending(Enum):
    """How an errand to another server ended."""

    DONE = "done"
    REFUSED = "refused"
    """For good: it says no, or is gone."""
    FAILED = "failed"
    """This time."""


@dataclass(frozen=True, kw_only=True)
class HubRequest:
    """A request to the hub that has the right form. Whether the callback wants it, its server has to say."""

    mode: HubMode
    topic: FeedAddress
    callback: str
    lease: timedelta
    secret: str = field(default="", repr=False)


def hub_request(form: Mapping[str, str], *, base_url: str, allow_private: bool) -> HubRequest:
    """
    Return what a form asks for. Raises InputError.

    Source:
        WebSub (W3C Recommendation, 23 January 2018), section 5.1. Unknown fields are ignored, as it says.

    """
    mode, callback, secret = (form.get(f"hub.{name}", "") for name in ("mode", "callback", "secret"))
    if mode not in list(HubMode):
        raise InputError("It must be subscribe or unsubscribe.", "hub.mode")
    if problem := _callback_problem(callback, allow_private=allow_private):
        raise InputError(problem, "hub.callback")
    if len(secret.encode()) > SECRET_BYTES_AT_MOST:
        raise InputError(f"It may have {SECRET_BYTES_AT_MOST} bytes.", "hub.secret")
    topic = _topic(form.get("hub.topic", ""), base_url)
    if topic is None:
        raise InputError("This hub has this site's feeds only, by the address each gives as its own.", "hub.topic")
    lease = lease_of(form.get("hub.lease_seconds", ""))
    return HubRequest(mode=HubMode(mode), topic=topic, callback=callback, lease=lease, secret=secret)


def _callback_problem(callback: str, *, allow_private: bool) -> str:
    if not callback or len(callback) > CALLBACK_CHARACTERS_AT_MOST or not callback.isprintable() or " " in callback:
        return "It must be a web address."
    problem = address_problem(callback)
    if not problem or (allow_private and "private" in problem):
        return ""
    return f"It {problem}."


def _topic(url: str, base_url: str) -> FeedAddress | None:
    if not url.startswith(f"{base_url}/"):
        return None
    address = address_of(url.removeprefix(base_url))
    if address is None or address.archive or address.key.kind in MADE_WHEN_ASKED or f"{base_url}{address.path}" != url:
        return None
    return address
