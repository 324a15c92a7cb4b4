"""The form that an editor takes to another site."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from publisher.audience import store as audience
from publisher.audience.model import MailingList
from publisher.settings import Settings
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.layers import POLICY
from publisher.web.pages import fragment, page
from publisher.web.parts import Room
from publisher.wiring import Newsroom

router = APIRouter()

FORM = "/desk/mailing-lists/form"


@router.get(FORM, include_in_schema=False)
def embedded(request: Request, room: Room, seat: AtDesk) -> Response:
    """Show the form as HTML to copy, for the mailing lists that are named, or else for all."""
    found, lists = _lists(request, room)
    values: dict[str, Any] = {
        "found": found,
        "lists": lists,
        "form": embedded_form(room.settings, lists),
        "query": _query(lists),
    }
    return desk_page(request, room, seat, "desk/embedded_form.html", **values)


@router.get(f"{FORM}/preview", include_in_schema=False)
def preview(request: Request, room: Room, _seat: AtDesk) -> Response:
    """Show the form as it looks on a page without any style; it works as it will there."""
    _, lists = _lists(request, room)
    form = embedded_form(room.settings, lists)
    answer = page(request, room, "desk/embedded_preview.html", form=form, query=_query(lists))
    # The desk may be open under another name than the one that readers know us by.
    allowed = f"form-action 'self' {room.settings.base_url}"
    answer.headers["Content-Security-Policy"] = POLICY.replace("form-action 'self'", allowed)
    return answer


def embedded_form(settings: Settings, lists: Sequence[MailingList]) -> str:
    """Return a form that subscribes to mailing lists from any page; a reader chooses where there are several."""
    return fragment("web/embedded_form.html", base_url=settings.base_url, lists=lists).strip() + "\n"


def _lists(request: Request, room: Newsroom) -> tuple[list[MailingList], list[MailingList]]:
    """Return all mailing lists, and those that are asked for."""
    wanted = request.query_params.getlist("list")
    with room.database.reading() as connection:
        found = audience.mailing_lists(connection)
    return found, [each for each in found if each.slug in wanted] or found


def _query(lists: Sequence[MailingList]) -> str:
    return f"?{urlencode([('list', each.slug) for each in lists])}"
