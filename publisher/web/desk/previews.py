"""Mails in frames: shown as they are, and unable to do anything."""

from fastapi import Response
from fastapi.responses import HTMLResponse

from publisher.compose.slots import Slot, marker
from publisher.web.pages import PRIVATE
from publisher.wiring import Newsroom

POLICY = (
    "default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail brings its styles with it; scripts, forms and everything else are off."""
NEW_WINDOW = '<base target="_blank">'


def framed(html: str, room: Newsroom) -> Response:
    """Return a mail's HTML for a frame, its slots filled as for a reader without a name."""
    for slot, value in _nobody(room).items():
        html = html.replace(marker(slot), value)
    html = html.replace("<head>", f"<head>{NEW_WINDOW}", 1)
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY, "Cache-Control": PRIVATE})


def filled(text: str, room: Newsroom) -> str:
    """Return a mail's text with its slots filled as for a reader without a name."""
    for slot, value in _nobody(room).items():
        text = text.replace(marker(slot), value)
    return text


def _nobody(room: Newsroom) -> dict[Slot, str]:
    base = room.settings.base_url
    return {
        Slot.NAME: "reader",
        Slot.ADDRESS: "reader@example.org",
        Slot.UNSUBSCRIBE_URL: f"{base}/subscribe",
        Slot.PREFERENCES_URL: f"{base}/subscribe",
        Slot.READ_URL: f"{base}/issues",
    }
