"""Webhook endpoints in the API's own form."""

from datetime import datetime

from pydantic import BaseModel, Field

from publisher.web.api.forms import Form
from publisher.webhooks.model import Happening, WebhookState


class EndpointForm(Form):
    """An address elsewhere, and what it is told."""

    url: str = Field(max_length=2_000, description="https only.")
    name: str = Field(default="", max_length=100)
    events: list[Happening] = Field(min_length=1, max_length=20)
    with_addresses: bool = Field(default=False, description="Whether it may have readers' addresses.")


class EndpointShown(BaseModel):
    """An endpoint, and how it does."""

    id: int
    url: str
    name: str
    events: list[Happening]
    with_addresses: bool
    is_on: bool
    off_reason: str = Field(description="Why it is off; empty while it is on.")
    failing_since: datetime | None = Field(description="The first failure since something last arrived.")
    waiting: int = Field(description="Webhooks that are still to be sent.")
    created_at: datetime


class EndpointWithSecret(EndpointShown):
    """A new endpoint."""

    secret: str = Field(description="Signs what is sent, as Standard Webhooks says. We show it this once.")


class Secret(BaseModel):
    """A new secret."""

    secret: str


class Endpoints(BaseModel):
    """All endpoints."""

    data: list[EndpointShown]
    next: str | None = Field(description="Always null: there is one page.")


class AttemptShown(BaseModel):
    """One try to hand a webhook over."""

    at: datetime
    status: int | None = Field(description="Null: no answer came.")
    took_ms: int
    said: str


class WebhookShown(BaseModel):
    """One thing that was told to an endpoint."""

    id: int
    message_id: str = Field(description="What stands in `webhook-id`.")
    kind: str
    at: datetime
    state: WebhookState
    due_at: datetime | None = Field(description="The next attempt.")
    attempts: list[AttemptShown]


class Webhooks(BaseModel):
    """One page of what was told, newest first."""

    data: list[WebhookShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")
