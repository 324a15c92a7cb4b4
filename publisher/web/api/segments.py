from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from publisher.audience import segment_store as store
from publisher.audience import segments
from publisher.audience.segments import Conditions, Segment
from publisher.compose import store as compose
from publisher.web.api.access import MAY_READ_SUBSCRIBERS, MAY_WRITE_SUBSCRIBERS, ONLY_JSON
from publisher.web.api.forms import ConditionsForm, SegmentChange, SegmentCount, SegmentForm, Segments, SegmentShown
from publisher.web.parts import Room

router = APIRouter(prefix="/segments", tags=["Segments"])


@router.get("", response_model=Segments, dependencies=[MAY_READ_SUBSCRIBERS])
def list_segments(room: Room) -> dict[str, Any]:
    """List all segments by name."""
    with room.database.reading() as connection:
        return {"data": [_shown(each) for each in store.segments_saved(connection)]}


@router.get("/{slug}", response_model=SegmentShown, dependencies=[MAY_READ_SUBSCRIBERS])
def show_segment(room: Room, slug: str) -> dict[str, Any]:
    """Show one segment."""
    with room.database.reading() as connection:
        return _shown(store.segment_named(connection, slug))


@router.get("/{slug}/count", response_model=SegmentCount, dependencies=[MAY_READ_SUBSCRIBERS])
def count_segment(room: Room, slug: str) -> dict[str, Any]:
    """Count who belongs to it at this moment, up to 100,000."""
    with room.database.reading() as connection:
        found = store.segment_named(connection, slug)
        number = store.count(connection, found.conditions, now=room.now())
    return {"subscribers": number, "is_all": number < store.COUNTED_AT_MOST}


@router.post("", status_code=201, response_model=SegmentShown, dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON])
def add_segment(room: Room, form: SegmentForm) -> dict[str, Any]:
    """Add a segment."""
    conditions, name = _conditions(form.conditions), segments.clean_segment_name(form.name)
    with room.database.transaction() as connection:
        return _shown(store.add_segment(connection, slug=form.slug, name=name, conditions=conditions, now=room.now()))


@router.put("/{slug}", response_model=SegmentShown, dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_JSON])
def change_segment(room: Room, slug: str, form: SegmentChange) -> dict[str, Any]:
    """Let these be its readers from now on; what is being sent already is not touched."""
    conditions, name = _conditions(form.conditions), segments.clean_segment_name(form.name)
    with room.database.transaction() as connection:
        return _shown(store.change_segment(connection, slug, name=name, conditions=conditions))


@router.delete("/{slug}", status_code=204, dependencies=[MAY_WRITE_SUBSCRIBERS])
def remove_segment(room: Room, slug: str) -> Response:
    """Remove a segment to which no edition goes; its readers stay."""
    with room.database.transaction() as connection:
        compose.remove_segment(connection, store.segment_named(connection, slug))
    return Response(status_code=204)


def _conditions(form: ConditionsForm) -> Conditions:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in form.model_dump().items()
    }
    return segments.checked(Conditions(**values))


def _shown(found: Segment) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "conditions": segments.to_json(found.conditions),
        "created_at": found.created_at,
    }
