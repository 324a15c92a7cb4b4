"""The posts of another system, handed in as the one file that it exports."""

from dataclasses import asdict
from io import BytesIO
from typing import Annotated, Any

from fastapi import APIRouter, Query

from publisher.archive.moving import take_in
from publisher.bell import Job
from publisher.intake.fields import LONGEST_ADDRESS, web_address
from publisher.intake.moving import posts
from publisher.web.api.access import MAY_WRITE_ARTICLES, ONLY_EXPORTS
from publisher.web.api.article_forms import ArticlesMoved
from publisher.web.parts import Body, Room

router = APIRouter(prefix="/article-imports", tags=["Articles"])

REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "At most 12 MB: WordPress’s export (WXR) as XML, or Ghost’s as JSON.",
        "content": {
            "application/xml": {"schema": {"type": "string"}},
            "text/xml": {"schema": {"type": "string"}},
        },
    }
}


@router.post(
    "",
    response_model=ArticlesMoved,
    dependencies=[MAY_WRITE_ARTICLES, ONLY_EXPORTS],
    openapi_extra=REQUEST_BODY,
)
def import_articles(
    room: Room,
    data: Body,
    address: Annotated[
        str, Query(max_length=LONGEST_ADDRESS, description="Of the old site; Ghost’s file lacks it.")
    ] = "",
) -> dict[str, Any]:
    """
    Take the posts of WordPress or Ghost (its file as application/json) into the archive, as old as they are.

    Doing it again changes nothing. No alert goes out, and no webhook.
    """
    found = posts(BytesIO(data), address=web_address(address, "address"))
    report = take_in(room.database, found, origin="api", domain=room.settings.domain, clock=room.now)
    room.bell.ring(Job.RELATE)
    return asdict(report)
