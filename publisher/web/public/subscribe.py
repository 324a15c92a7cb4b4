from datetime import timedelta
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from publisher.audience import flow, rules
from publisher.audience import store as audience
from publisher.audience.model import MailingList
from publisher.bell import Job
from publisher.errors import InputError, NotFoundError
from publisher.web.allowance import Bound
from publisher.web.pages import kept_page, page
from publisher.web.parts import Allowed, Form, Origin, Room, field, fields
from publisher.web.public import choices
from publisher.web.public.frame import frame
from publisher.web.shelf import OnShelf
from publisher.wiring import Newsroom

router = APIRouter()

SENT = "/subscribe/sent"
HONEYPOT = "website"
"""A field that people do not see; what fills it in is a program."""
DETAILS = ("name", "language", "time_zone")
OF_AN_ADDRESS = Bound(name="subscribe-address", at_most=6, within=timedelta(hours=1))
OF_A_NETWORK = Bound(name="subscribe-network", at_most=200, within=timedelta(hours=1))
"""Generous: a university is one network."""


@router.get("/subscribe", include_in_schema=False)
def subscribe(request: Request, room: Room, shelf: OnShelf) -> Response:
    typed = {"list": request.query_params.getlist("list")}
    return kept_page(request, room, "web/subscribe.html", problem="", **_values(room, shelf, typed))


@router.post("/subscribe", include_in_schema=False)
def ask(*, request: Request, room: Room, shelf: OnShelf, allowed: Allowed, form: Form, origin: Origin) -> Response:
    """Ask the address for its yes. Whoever asks gets the same answer, whether we knew the address or not."""
    network = rules.origin_truncated(origin)
    if network and not allowed.permits(OF_A_NETWORK, network):
        detail = "Your network has asked very often within an hour. Please try again later."
        raise HTTPException(429, detail, headers={"Retry-After": str(int(OF_A_NETWORK.within.total_seconds()))})
    if not field(form, HONEYPOT):
        try:
            _ask(room, allowed, form, origin, request.headers.get("Origin", ""))
        except (InputError, NotFoundError) as problem:
            return _form_again(request, room, shelf, form, problem)
    return RedirectResponse(SENT, status_code=303)


@router.get(SENT, include_in_schema=False)
def sent(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        values = frame(connection, room, shelf)
    return kept_page(request, room, "web/subscribe_sent.html", **values)


def _ask(room: Newsroom, allowed: Allowed, form: Form, origin: str, site: str) -> None:
    email = rules.normalise_email(field(form, "email"))
    with room.database.reading() as connection:
        lists = _chosen(form, audience.mailing_lists(connection))
    if allowed.permits(OF_AN_ADDRESS, rules.email_key(email)):
        flow.ask_to_subscribe(
            room.database,
            email=email,
            lists=lists,
            **{name: field(form, name) for name in DETAILS},
            topics=fields(form, "topic"),
            origin=origin,
            form=rules.form_told(field(form, "form"), site, ours=room.settings.base_url),
            clock=room.now,
        )
        room.bell.ring(Job.NOTIFY)


def _chosen(form: Form, existing: list[MailingList]) -> list[str]:
    """Return the mailing lists that were ticked; where there is only one, nobody has to choose it."""
    return fields(form, "list") or ([existing[0].slug] if len(existing) == 1 else [])


def _form_again(
    request: Request, room: Newsroom, shelf: OnShelf, form: Form, problem: InputError | NotFoundError
) -> Response:
    typed: dict[str, Any] = {name: field(form, name) for name in ("email", "form", *DETAILS)}
    typed |= {name: fields(form, name) for name in ("list", "topic")}
    values = _values(room, shelf, typed)
    return page(request, room, "web/subscribe.html", status=422, problem=str(problem), **values)


def _values(room: Newsroom, shelf: OnShelf, typed: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows: all that can be chosen, and what was typed before."""
    typed = dict.fromkeys(("email", "form", *DETAILS), "") | {"list": [], "topic": []} | typed
    with room.database.reading() as connection:
        return {
            "typed": typed,
            "frequencies": choices.lists_by_frequency(connection),
            "languages": choices.languages(connection),
            "topics": choices.topics(connection, chosen=typed["topic"]),
            "time_zones": choices.time_zones(),
            **frame(connection, room, shelf),
        }
