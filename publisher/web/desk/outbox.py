from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from publisher.dispatch.transports.choose import outbox_in
from publisher.web.desk.previews import framed
from publisher.web.desk.seat import AtDesk, desk_page
from publisher.web.parts import Room

router = APIRouter()

ON_A_PAGE = 40
SHOWN_HEADERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "List-Id"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Precedence", "Auto-Submitted"),
)


@router.get("/desk/outbox", include_in_schema=False)
def outbox(request: Request, room: Room, seat: AtDesk, before: str | None = None) -> Response:
    """Show the mails that were written to the outbox instead of being sent."""
    found = outbox_in(room.settings.data_dir).list_newest(ON_A_PAGE + 1, before)
    more = found[ON_A_PAGE - 1].name if len(found) > ON_A_PAGE else ""
    is_used = room.settings.mail_url.startswith("outbox:")
    values: dict[str, Any] = {"mails": found[:ON_A_PAGE], "more": more, "is_used": is_used, "is_first": before is None}
    return desk_page(request, room, seat, "desk/outbox.html", **values)


@router.get("/desk/outbox/{name}", include_in_schema=False)
def mail(request: Request, room: Room, seat: AtDesk, name: str) -> Response:
    """Show one mail: its headers, its text and its HTML."""
    raw = outbox_in(room.settings.data_dir).read(name)
    found = _parsed(raw)
    values: dict[str, Any] = {
        "name": name,
        "subject": str(found.get("Subject", "")),
        "headers": [(header, str(found[header])) for header in SHOWN_HEADERS if found[header]],
        "text": _part(found, "plain"),
        "has_html": found.get_body(("html",)) is not None,
        "size_kb": len(raw) / 1000,
    }
    return desk_page(request, room, seat, "desk/mail.html", **values)


@router.get("/desk/outbox/{name}/html", include_in_schema=False)
def mail_html(room: Room, _seat: AtDesk, name: str) -> Response:
    """Return the mail's HTML for a frame that can do nothing."""
    html = _part(_parsed(outbox_in(room.settings.data_dir).read(name)), "html")
    if not html:
        raise HTTPException(404)
    return framed(html, room)


@router.get("/desk/outbox/{name}/raw", include_in_schema=False)
def mail_raw(room: Room, _seat: AtDesk, name: str) -> Response:
    """Return the mail byte for byte, for a mail program to open."""
    raw = outbox_in(room.settings.data_dir).read(name)
    headers = {"Content-Disposition": 'attachment; filename="mail.eml"', "Cache-Control": "private, no-store"}
    return Response(raw, media_type="message/rfc822", headers=headers)


def _parsed(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _part(found: EmailMessage, subtype: str) -> str:
    body = found.get_body((subtype,))
    return str(body.get_content()) if body is not None else ""
