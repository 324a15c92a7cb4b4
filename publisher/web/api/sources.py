"""Newsrooms' own feeds that we read."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from publisher.bell import Job
from publisher.errors import NotFoundError
from publisher.intake import polling
from publisher.intake.model import SourceId
from publisher.intake.polling import Source
from publisher.web.api.access import MAY_LEAD_SOURCES, MAY_READ_ARTICLES, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.forms import Form, Short
from publisher.web.cursors import page_of
from publisher.web.parts import IdInPath, Room
from publisher.wiring import Newsroom

router = APIRouter(prefix="/sources", tags=["Sources"])


class SourceForm(Form):
    """A feed to be read from now on."""

    url: str = Field(max_length=2_000, description="Of an RSS or Atom feed.")
    name: Short = Field(default="", description="How the desk calls it.")
    every_s: int = Field(default=polling.USUAL_S, ge=polling.SHORTEST_S, le=86_400, description="Between two readings.")
    topics: list[Short] = Field(default=[], max_length=20, description="For entries that name none.")


class SourceShown(BaseModel):
    """A source, and what went wrong with it last."""

    id: int
    url: str
    name: str
    every_s: int
    state: str
    polled_at: datetime | None
    problem: str


class Sources(BaseModel):
    """All sources."""

    data: list[SourceShown]
    next: str | None = Field(description="Give it as `cursor` for the next page; null: this was the last.")


@router.get("", response_model=Sources, dependencies=[MAY_READ_ARTICLES])
def list_sources(room: Room, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """List the sources in the order of their adding."""
    page, after = page_of(polling.sources(room.database), lambda each: f"{each.id:020}", limit=limit, cursor=cursor)
    return {"data": [vars(each) for each in page], "next": after}


@router.post("", status_code=201, response_model=SourceShown, dependencies=[MAY_LEAD_SOURCES, ONLY_JSON])
def add_source(room: Room, form: SourceForm) -> dict[str, Any]:
    """Read a newsroom's own feed from now on; it is read for the first time at once."""
    source_id = polling.add_source(
        room.database,
        room.settings,
        form.url,
        name=form.name,
        every_s=form.every_s,
        topics=tuple(form.topics),
        clock=room.now,
    )
    room.bell.ring(Job.POLL)
    return vars(_source(room, source_id))


@router.get("/{source_id}", response_model=SourceShown, dependencies=[MAY_READ_ARTICLES])
def show_source(room: Room, source_id: IdInPath) -> dict[str, Any]:
    """Show one source."""
    return vars(_source(room, SourceId(source_id)))


@router.delete("/{source_id}", status_code=204, dependencies=[MAY_LEAD_SOURCES])
def remove_source(room: Room, source_id: IdInPath) -> Response:
    """Read a source no longer; its articles stay."""
    polling.remove_source(room.database, SourceId(source_id))
    return Response(status_code=204)


def _source(room: Newsroom, source_id: SourceId) -> Source:
    found = next((each for each in polling.sources(room.database) if each.id == source_id), None)
    if found is None:
        raise NotFoundError("source", source_id)
    return found
