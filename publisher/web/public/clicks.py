"""The way round of tracked links. Pages of no look: they lead on at once."""

from base64 import b64decode

from fastapi import APIRouter, Request, Response

from publisher.bell import Job
from publisher.events import clicks
from publisher.web.parts import Room
from publisher.web.public.links import broken_link

router = APIRouter()

NOT_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one by one pixel."""


@router.get("/l/{tokens}", include_in_schema=False)
@router.get("/l/{tokens}/{where:path}", include_in_schema=False)
def follow(request: Request, room: Room, tokens: str) -> Response:
    """Count the visit and lead on. HEAD leads on too and counts nothing: no reader sends it."""
    link, _, reader = tokens.partition(".")
    is_visit = request.scope.get("publisher.method") != "HEAD" and not _is_ahead_of_time(request)
    url = clicks.follow(room.database, room.signer, link, reader, counts=is_visit, clock=room.now)
    if url is None:
        return broken_link(request, room)
    if is_visit and reader:
        room.bell.ring(Job.EVENTS)
    return Response(status_code=302, headers={**NOT_KEPT, "Location": url})


@router.get("/o/{reader}", include_in_schema=False)
def opened(room: Room, reader: str) -> Response:
    """Answer with the picture, whoever asks; a reader whom we know has opened his mail."""
    clicks.opened(room.database, room.signer, reader, clock=room.now)
    return Response(PIXEL, media_type="image/gif", headers=NOT_KEPT)


def _is_ahead_of_time(request: Request) -> bool:
    """Tell whether a browser only fetches what it may want to show later."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    return any("prefetch" in purpose.lower() for purpose in purposes)
