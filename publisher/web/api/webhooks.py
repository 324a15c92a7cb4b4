from typing import Any

from fastapi import APIRouter, Response

from publisher.bell import Job
from publisher.errors import InputError
from publisher.web.api.access import MAY_LEAD_WEBHOOKS, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.matching import TAGGED, IfMatch, etag
from publisher.web.api.webhook_forms import (
    EndpointForm,
    Endpoints,
    EndpointShown,
    EndpointWithSecret,
    Secret,
    Webhooks,
)
from publisher.web.parts import IdInPath, Room
from publisher.webhooks import flow, store
from publisher.webhooks.flow import Wanted
from publisher.webhooks.model import Endpoint, EndpointId, WebhookId, WebhookState
from publisher.wiring import Newsroom

router = APIRouter(prefix="/webhooks", tags=["Webhooks"], dependencies=[MAY_LEAD_WEBHOOKS])


@router.get("", response_model=Endpoints)
def list_endpoints(room: Room) -> dict[str, Any]:
    """List the endpoints that are told what happens, the oldest first; there are fifty at most."""
    with room.database.reading() as connection:
        return {
            "data": [_shown(each, store.waiting(connection, each.id)) for each in store.endpoints(connection)],
            "next": None,
        }


@router.post("", status_code=201, response_model=EndpointWithSecret, dependencies=[ONLY_JSON])
def add_endpoint(room: Room, form: EndpointForm) -> dict[str, Any]:
    """Tell a program elsewhere what happens from now on. Its secret is in this answer, and in no other."""
    added = flow.add_endpoint(
        room.database, _wanted(form), clock=room.now, allow_private=room.settings.allow_private_fetch
    )
    return _shown(added.endpoint, 0) | {"secret": added.secret}


@router.get("/{endpoint_id}", response_model=EndpointShown, responses={200: TAGGED})
def show_endpoint(room: Room, endpoint_id: IdInPath, response: Response) -> dict[str, Any]:
    """Show one endpoint. The ETag is that of its address, name and events."""
    with room.database.reading() as connection:
        response.headers["ETag"] = _tag(store.endpoint_of(connection, EndpointId(endpoint_id)))
    return _found(room, EndpointId(endpoint_id))


@router.put("/{endpoint_id}", response_model=EndpointShown, responses={200: TAGGED}, dependencies=[ONLY_JSON])
def change_endpoint(
    room: Room, endpoint_id: IdInPath, form: EndpointForm, match: IfMatch, response: Response
) -> dict[str, Any]:
    """Change an endpoint's address, name and events."""
    changed = flow.change_endpoint(
        room.database,
        EndpointId(endpoint_id),
        _wanted(form),
        allow_private=room.settings.allow_private_fetch,
        check=lambda found: match.check(_tag(found)),
    )
    response.headers["ETag"] = _tag(changed)
    return _found(room, changed.id)


@router.delete("/{endpoint_id}", status_code=204)
def remove_endpoint(room: Room, endpoint_id: IdInPath) -> Response:
    """Forget an endpoint, its log and what was still to be told to it."""
    flow.remove_endpoint(room.database, EndpointId(endpoint_id))
    return Response(status_code=204)


@router.post("/{endpoint_id}/test", status_code=202, response_model=EndpointShown)
def send_test(room: Room, endpoint_id: IdInPath) -> dict[str, Any]:
    """Send a webhook that tells of nothing; its log says what became of it."""
    flow.send_test(room.database, EndpointId(endpoint_id), clock=room.now)
    room.bell.ring(Job.TELL)
    return _found(room, EndpointId(endpoint_id))


@router.post("/{endpoint_id}/secret", response_model=Secret)
def rotate_secret(room: Room, endpoint_id: IdInPath) -> dict[str, str]:
    """Make a new secret, which is in this answer only; the one before signs as well for a day."""
    return {"secret": flow.rotate_secret(room.database, EndpointId(endpoint_id), clock=room.now)}


@router.post("/{endpoint_id}/on", response_model=EndpointShown)
def switch_on(room: Room, endpoint_id: IdInPath) -> dict[str, Any]:
    """Switch an endpoint on; it goes on where it stopped."""
    flow.switch(room.database, EndpointId(endpoint_id), on=True)
    room.bell.ring(Job.TELL)
    return _found(room, EndpointId(endpoint_id))


@router.post("/{endpoint_id}/off", response_model=EndpointShown)
def switch_off(room: Room, endpoint_id: IdInPath) -> dict[str, Any]:
    """Switch an endpoint off; what happens meanwhile waits, for three days at most."""
    flow.switch(room.database, EndpointId(endpoint_id), on=False)
    return _found(room, EndpointId(endpoint_id))


@router.get("/{endpoint_id}/log", response_model=Webhooks)
def list_webhooks(
    room: Room, endpoint_id: IdInPath, limit: Limit = 50, cursor: str = "", state: WebhookState | None = None
) -> dict[str, Any]:
    """List what was told to an endpoint, newest first, with each attempt."""
    with room.database.reading() as connection:
        store.endpoint_of(connection, EndpointId(endpoint_id))
        found = store.webhooks(
            connection, EndpointId(endpoint_id), at_most=limit + 1, before=_place(cursor), state=state
        )
    page = found[:limit]
    return {"data": [vars(each) for each in page], "next": str(page[-1].id) if len(found) > limit else None}


@router.post("/{endpoint_id}/log/{webhook_id}/again", status_code=202, response_model=EndpointShown)
def send_again(room: Room, endpoint_id: IdInPath, webhook_id: IdInPath) -> dict[str, Any]:
    """Send a webhook again, with the same id."""
    flow.send_again(room.database, EndpointId(endpoint_id), WebhookId(webhook_id), clock=room.now)
    room.bell.ring(Job.TELL)
    return _found(room, EndpointId(endpoint_id))


def _wanted(form: EndpointForm) -> Wanted:
    return Wanted(url=form.url, name=form.name, happenings=tuple(form.events), with_addresses=form.with_addresses)


def _tag(found: Endpoint) -> str:
    return etag({"id": found.id, "set_up": [found.url, found.name, sorted(found.happenings), found.with_addresses]})


def _found(room: Newsroom, endpoint_id: EndpointId) -> dict[str, Any]:
    with room.database.reading() as connection:
        return _shown(store.endpoint_of(connection, endpoint_id), store.waiting(connection, endpoint_id))


def _shown(found: Endpoint, waiting: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "url": found.url,
        "name": found.name,
        "events": sorted(found.happenings),
        "with_addresses": found.with_addresses,
        "is_on": found.is_on,
        "off_reason": found.off_reason,
        "failing_since": found.failing_since,
        "waiting": waiting,
        "created_at": found.created_at,
    }


def _place(cursor: str) -> int | None:
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):  # noqa: PLR2004 -- digits of 2**63
        raise InputError("This is no place in the list; begin with its first page.", "cursor")
    return int(cursor) if cursor else None
