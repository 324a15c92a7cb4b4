"""Style sheets, scripts and icons: read once, named by their content, so that browsers may keep them for ever."""

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from fastapi import APIRouter, HTTPException, Response
from markupsafe import escape

from publisher.rendering import FOLDER
from publisher.web.parts import Room

HASH_CHARACTERS = 12
NAME = re.compile(rf"(?P<stem>[a-z][a-z0-9-]*)\.(?P<hash>[0-9a-f]{{{HASH_CHARACTERS}}})(?P<suffix>\.[a-z0-9]+)")
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN_SOON = "public, max-age=60"
A_DAY = "public, max-age=86400"
SEAL = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect x="2" y="2" width="60" height="60" rx="11" '
    'fill="#a92d24"/><text x="32" y="47" font-family="Charter, Georgia, serif" font-size="42" font-weight="700" '
    'text-anchor="middle" fill="#fff">{letter}</text></svg>'
)

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class StaticFile:
    """One file of `templates/*/static/`."""

    data: bytes
    media_type: str
    hash: str


def static_url(name: str) -> str:
    """Return the address of a static file, such as `site.css`; it changes with the file. Raises KeyError."""
    path = PurePosixPath(name)
    return f"/static/{path.stem}.{_files()[name].hash}{path.suffix}"


@router.get("/static/{name}", include_in_schema=False)
async def static_file(name: str) -> Response:
    """Answer with the file of today even if a page of yesterday asks for it by its former hash."""
    parts = NAME.fullmatch(name)
    found = parts and _files().get(f"{parts['stem']}{parts['suffix']}")
    if not parts or not found:
        raise HTTPException(404)
    caching = FOR_EVER if found.hash == parts["hash"] else AGAIN_SOON
    return Response(found.data, media_type=found.media_type, headers={"Cache-Control": caching})


@router.get("/icon.svg", include_in_schema=False)
@router.get("/favicon.ico", include_in_schema=False)
async def icon(room: Room) -> Response:
    """Answer with the house's seal: its first letter, white on red."""
    letter = escape(room.settings.site_name[:1].upper())
    return Response(SEAL.format(letter=letter), media_type="image/svg+xml", headers={"Cache-Control": A_DAY})


@cache
def _files() -> dict[str, StaticFile]:
    return {path.name: _read(path.read_bytes(), path.name) for path in sorted(FOLDER.glob("*/static/*.*"))}


def _read(data: bytes, name: str) -> StaticFile:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return StaticFile(data=data, media_type=media_type, hash=hashlib.sha256(data).hexdigest()[:HASH_CHARACTERS])
