"""What endpoints ask for: FastAPI hands it to them."""

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from starlette.datastructures import FormData

from publisher.web.allowance import Allowance
from publisher.wiring import Newsroom

FIELDS_AT_MOST = 200
HIGHEST_ID = 2**63 - 1
"""What a column of the database can hold."""


async def _room_of(request: Request) -> Newsroom:
    found: Newsroom = request.app.state.room
    return found


async def _allowance_of(request: Request) -> Allowance:
    found: Allowance = request.app.state.allowance
    return found


async def _form_of(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=FIELDS_AT_MOST)


async def _body_of(request: Request) -> bytes:
    return await request.body()


async def _origin_of(request: Request) -> str:
    return request.client.host if request.client else ""


Room = Annotated[Newsroom, Depends(_room_of)]
"""The running Publisher's parts."""
Allowed = Annotated[Allowance, Depends(_allowance_of)]
Form = Annotated[FormData, Depends(_form_of)]
"""A posted form, urlencoded or multipart; files are refused."""
IdInPath = Annotated[int, Path(ge=1, le=HIGHEST_ID, examples=[1])]
"""Any other number is an address where nothing is."""
IdInQuery = Annotated[int | None, Query(ge=1, le=HIGHEST_ID)]
Origin = Annotated[str, Depends(_origin_of)]
Body = Annotated[bytes, Depends(_body_of)]
"""Of the request, as it came."""
"""The IP address that a request comes from; empty where there is none."""


def field(form: FormData, name: str) -> str:
    """Return a field's text without space around it; empty where it is missing."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def fields(form: FormData, name: str) -> list[str]:
    """Return the texts of a field that may be there several times."""
    return [value for value in form.getlist(name) if isinstance(value, str)]


def number_in(text: str) -> int:
    """Return the number above 0 that a field holds, such as an id, or 0 for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < len(str(HIGHEST_ID)) else 0
