from fastapi import APIRouter, Request, Response

from publisher.archive import store as archive
from publisher.web.pages import kept_page
from publisher.web.parts import Room

router = APIRouter()

LATEST = 13


@router.get("/", include_in_schema=False)
def home(request: Request, room: Room) -> Response:
    with room.database.reading() as connection:
        latest = archive.listed(connection, at_most=LATEST)
    return kept_page(request, room, "web/home.html", latest=latest)
