"""The pages behind the links in our mail: confirm, unsubscribe, preferences."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from sqlalchemy.engine import Connection

from publisher.audience import store as audience
from publisher.audience.model import MailingList, Subscriber, Subscription, SubscriptionId
from publisher.audience.tokens import Purpose
from publisher.web.pages import page
from publisher.wiring import Newsroom


def secret_page(
    request: Request, room: Newsroom, template: str, /, *, status: int = 200, **values: Any
) -> HTMLResponse:
    """Return a page whose address is a secret of one reader: no index, no referrer, nothing kept."""
    answer = page(request, room, template, status=status, **values)
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def broken_link(request: Request, room: Newsroom) -> HTMLResponse:
    """Say that a link is not whole or not ours, and what the reader can do."""
    return secret_page(request, room, "web/broken_link.html", status=404)


def subscription_behind(connection: Connection, room: Newsroom, purpose: Purpose, token: str) -> Subscription | None:
    number = room.signer.read(purpose, token)
    return audience.subscription_with_id(connection, SubscriptionId(number)) if number is not None else None


def subscriber_behind(connection: Connection, room: Newsroom, token: str) -> Subscriber | None:
    """Return the reader of the subscription that a PREFERENCES token names."""
    found = subscription_behind(connection, room, Purpose.PREFERENCES, token)
    return audience.subscriber_with_id(connection, found.subscriber_id) if found else None


def preferences_path(room: Newsroom, subscription_id: SubscriptionId) -> str:
    return f"/preferences/{room.signer.sign(Purpose.PREFERENCES, subscription_id)}"


def lists_of(connection: Connection, subscriptions: Sequence[Subscription]) -> list[MailingList]:
    """Return the mailing lists of subscriptions, by name."""
    ids = {each.mailing_list_id for each in subscriptions}
    return [each for each in audience.mailing_lists(connection) if each.id in ids]
