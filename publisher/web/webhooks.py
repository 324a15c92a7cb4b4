"""What providers tell us by themselves: plain answers, for programs that read nothing but the status."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool

from publisher.bell import Job
from publisher.events import flow, sendgrid_webhook
from publisher.web import problems
from publisher.web.parts import Room
from publisher.wiring import Newsroom

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

log = structlog.get_logger()


def make_webhooks() -> FastAPI:
    """Return the application that providers speak to."""
    webhooks = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    webhooks.add_api_route("/webhooks/sendgrid", sendgrid, methods=["POST"])
    problems.answer_with_json(webhooks)
    return webhooks


async def sendgrid(request: Request, room: Room) -> Response:
    """
    Take SendGrid's events: nothing is answered with 2xx that is not in the database.

    Whatever else is answered, they come again with it for 24 hours; so a key that is set too late costs nothing.
    """
    body = await request.body()
    signature, timestamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
    return await run_in_threadpool(_take, room, body, signature, timestamp)


def _take(room: Newsroom, body: bytes, signature: str | None, timestamp: str | None) -> Response:
    key = room.settings.sendgrid_webhook_key
    if not key:
        return Response("PUBLISHER_SENDGRID_WEBHOOK_KEY is not set.", HTTPStatus.SERVICE_UNAVAILABLE)
    if not sendgrid_webhook.is_genuine(key, signature=signature, timestamp=timestamp, body=body):
        log.warning("webhook_not_genuine", provider="sendgrid", bytes=len(body))
        return Response("The signature does not hold.", HTTPStatus.FORBIDDEN)
    flow.receive(room.database, sendgrid_webhook.read(body), clock=room.now)
    room.bell.ring(Job.EVENTS)
    return Response(status_code=HTTPStatus.NO_CONTENT)
