"""Mails in frames: shown as they are, and unable to do anything."""

import re
from html import escape

from fastapi import Response
from fastapi.responses import HTMLResponse

from publisher.audience.model import Subscriber
from publisher.compose.model import Rendering
from publisher.compose.slots import Slot, anybody, marker
from publisher.compose.slots import filled as fill
from publisher.web.pages import PRIVATE
from publisher.wiring import Newsroom

POLICY = (
    "default-src 'none'; img-src 'self' {house} https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail brings its styles with it; scripts, forms and everything else are off."""
NEW_WINDOW = '<base target="_blank">'
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
NOBODY = "reader"


def framed(html: str, room: Newsroom) -> Response:
    """Return a mail's HTML for a frame, its links opening beside the desk."""
    html = HEAD.sub(lambda head: f"{head[0]}{NEW_WINDOW}", html, count=1)
    policy = POLICY.format(house=room.settings.base_url)
    return HTMLResponse(html, headers={"Content-Security-Policy": policy, "Cache-Control": PRIVATE})


def filled(text: str, rendering: Rendering, room: Newsroom, reader: Subscriber | None = None) -> str:
    """Return a part of a mail, which is no HTML, with its slots filled as for a reader; None: one without a name."""
    return fill(text, _values(rendering, room, reader))


def filled_html(rendering: Rendering, room: Newsroom, reader: Subscriber | None) -> str:
    """Return a mail's HTML with its slots filled."""
    values = _values(rendering, room, reader)
    return fill(rendering.html, {slot: escape(value) for slot, value in values.items()})


def darkened(html: str) -> str:
    """Return a mail's HTML as a mail program in dark colours shows it, whatever the browser's are."""
    return DARK.sub("@media all", html)


def _values(rendering: Rendering, room: Newsroom, reader: Subscriber | None) -> dict[Slot, str]:
    values = anybody(room.settings.base_url, rendering.reader)
    if reader:
        values |= {Slot.ADDRESS: reader.email, Slot.NAME: reader.name or rendering.reader}
    return values


def plain_subject(subject: str) -> str:
    """Return a frozen subject as a reader without a name sees it; a draft's stays as the editor wrote it."""
    return subject.replace(marker(Slot.NAME), NOBODY)
