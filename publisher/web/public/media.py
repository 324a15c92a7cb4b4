from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from publisher.intake import store as intake
from publisher.web.parts import Room
from publisher.web.static import FOR_EVER

router = APIRouter()


@router.get("/media/{name}", include_in_schema=False)
def media(request: Request, room: Room, name: Annotated[str, Path(max_length=80)]) -> Response:
    """Answer with a picture. Its name is the hash of its bytes, so whoever has it has it for ever."""
    headers = {"ETag": f'"{name}"', "Cache-Control": FOR_EVER, "Access-Control-Allow-Origin": "*"}
    with room.database.reading() as connection:
        found = intake.picture_bytes(connection, name)
    if found is None:
        raise HTTPException(404)
    if f'"{name}"' in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    media_type, data = found
    return Response(data, media_type=media_type, headers=headers)
