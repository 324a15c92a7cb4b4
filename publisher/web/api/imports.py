"""Files of people: handed in whole, taken in by a worker; also the exports of other systems."""

from dataclasses import asdict
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Query

from publisher.audience.imports import FILE_NAME_AT_MOST, Import, ImportId, import_of, put_import
from publisher.bell import Job
from publisher.errors import InputError
from publisher.web.api.access import MAY_READ_SUBSCRIBERS, MAY_WRITE_SUBSCRIBERS, ONLY_CSV
from publisher.web.api.forms import ImportReportShown, ImportShown
from publisher.web.parts import Body, IdInPath, Room

router = APIRouter(prefix="/subscriber-imports", tags=["Subscribers"])

REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": (
            "At most 12 MB, in UTF-8. The first line names the columns: email, and name, language, timezone. Exports "
            "of listmonk, Mailchimp, Substack, Ghost and Publisher are recognised by theirs."
        ),
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "email,name\nann@readers.example,Ann\n"},
        },
    }
}


@router.post(
    "",
    status_code=202,
    response_model=ImportShown,
    dependencies=[MAY_WRITE_SUBSCRIBERS, ONLY_CSV],
    openapi_extra=REQUEST_BODY,
)
def import_people(
    *,
    room: Room,
    data: Body,
    mailing_list: Annotated[str, Query(description="Slug.")],
    confirmed: Annotated[bool, Query(description="They have said yes already; else a mail asks each.")] = False,
    consent: Annotated[str, Query(max_length=2_000, description="In which words, where they have.")] = "",
    name: Annotated[str, Query(max_length=FILE_NAME_AT_MOST, description="Of the file.")] = "people.csv",
) -> dict[str, Any]:
    """
    Put the people of a CSV file on a mailing list, by a worker. Doing it again changes nothing.

    Whoever has left, here or in the system that the file is an export of, is not mailed.
    """
    if confirmed and not consent.strip():
        raise InputError("Say in which words these people have agreed, or leave out “confirmed”.", "consent")
    added = put_import(
        room.database,
        BytesIO(data),
        name=name,
        list_slug=mailing_list,
        confirmed=confirmed,
        wording=consent.strip(),
        clock=room.now,
    )
    room.bell.ring(Job.IMPORT)
    return _shown(room, added)


@router.get("/{import_id}", response_model=ImportShown, dependencies=[MAY_READ_SUBSCRIBERS])
def show_import(room: Room, import_id: IdInPath) -> dict[str, Any]:
    """Show how far an import is, and in the end what became of its lines."""
    return _shown(room, ImportId(import_id))


def _shown(room: Room, import_id: ImportId) -> dict[str, Any]:
    with room.database.reading() as connection:
        found: Import = import_of(connection, import_id)
    report = found.report and {
        name: value for name, value in asdict(found.report).items() if name in ImportReportShown.model_fields
    }
    return asdict(found) | {"report": report}
