from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

EndpointId = NewType("EndpointId", int)
WebhookId = NewType("WebhookId", int)


class Happening(StrEnum):
    """What an endpoint can be told of."""

    ARTICLE_PUBLISHED = "article.published"
    ARTICLE_WITHDRAWN = "article.withdrawn"
    ISSUE_APPROVED = "issue.approved"
    ISSUE_SENT = "issue.sent"
    DELIVERY_BOUNCED = "delivery.bounced"
    DELIVERY_COMPLAINED = "delivery.complained"
    SUBSCRIBER_CONFIRMED = "subscriber.confirmed"
    SUBSCRIBER_UNSUBSCRIBED = "subscriber.unsubscribed"


TEST = "webhook.test"
"""The type of a webhook that tells of nothing: an editor wants to see whether it arrives."""


class WebhookState(StrEnum):
    """Where a webhook stands."""

    WAITING = "waiting"
    """For its next attempt."""
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


@dataclass(frozen=True, kw_only=True)
class Places:
    """How far an endpoint has been told, in each of the tables that tell what happened."""

    news_seq: int
    event_id: int
    yes_at: datetime
    yes_id: int
    end_at: datetime
    end_id: int


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """An address elsewhere that is told of what happens here."""

    id: EndpointId
    url: str
    name: str
    happenings: frozenset[Happening]
    with_addresses: bool
    """Whether it may have readers' addresses; else it has their numbers only."""
    secret: str = field(repr=False)
    former_secret: str = field(repr=False)
    """Signs as well until `former_until`; empty where there is none."""
    former_until: datetime | None
    is_on: bool
    off_reason: str
    created_at: datetime
    failures: int
    """Attempts in a row that failed."""
    failing_since: datetime | None
    rest_until: datetime | None
    """No attempt before this instant."""
    took_ms: int
    """The last attempt."""
    places: Places


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try to hand a webhook over."""

    at: datetime
    status: int | None
    """None: no answer came."""
    took_ms: int
    said: str
    """What went wrong, for people; empty where nothing did."""


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One happening to be told to one endpoint."""

    id: WebhookId
    endpoint_id: EndpointId
    message_id: str
    """The same at each attempt, so that the receiver knows what it has had."""
    kind: str
    at: datetime
    facts: Mapping[str, Any]
    state: WebhookState
    due_at: datetime | None
    failures: int
    attempts: tuple[Attempt, ...]
    fence: int


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ended."""

    status: int | None
    took_ms: int
    said: str = ""
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 -- HTTP's own class

    @property
    def is_gone(self) -> bool:
        return self.status == 410  # noqa: PLR2004 -- HTTP's own number
