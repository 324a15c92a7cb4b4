"""Names that recur in the articles, to be added to the glossary or dismissed."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from publisher.archive import proposals
from publisher.web.api.access import MAY_READ_ARTICLES, MAY_WRITE_ARTICLES, ONLY_JSON
from publisher.web.api.forms import Form
from publisher.web.parts import Room

router = APIRouter(prefix="/glossary-proposals", tags=["Glossary"])

DISMISSED_AT_MOST = 50


class NameForm(Form):
    """A name that is proposed, or was."""

    name: str = Field(min_length=1, max_length=200)


class ProposalShown(BaseModel):
    """A name, and where it stands."""

    name: str
    articles: int = Field(description="How many hold it.")
    article_id: int = Field(description="The newest of them.")
    sentence: str


class Proposals(BaseModel):
    """The names to decide on, those in most articles first, and those that were dismissed of late."""

    data: list[ProposalShown]
    dismissed: list[str]


@router.get("", response_model=Proposals, dependencies=[MAY_READ_ARTICLES])
def list_proposals(room: Room, limit: Annotated[int, Query(ge=1, le=100, description="How many.")] = 50) -> Any:
    """List the names that recur and are no term yet."""
    with room.database.reading() as connection:
        found = proposals.proposals(connection, at_most=limit)
        dismissed = proposals.dismissed(connection, at_most=DISMISSED_AT_MOST)
    data = [
        {"name": each.name, "articles": each.articles, "article_id": each.newest.id, "sentence": each.sentence}
        for each in found
    ]
    return {"data": data, "dismissed": dismissed}


@router.post("/dismiss", status_code=204, dependencies=[MAY_WRITE_ARTICLES, ONLY_JSON])
def dismiss(room: Room, form: NameForm) -> Response:
    """Say that a name is no term; it is not proposed again."""
    with room.database.transaction() as connection:
        proposals.dismiss(connection, form.name, now=room.now())
    return Response(status_code=204)


@router.post("/propose", status_code=204, dependencies=[MAY_WRITE_ARTICLES, ONLY_JSON])
def propose_again(room: Room, form: NameForm) -> Response:
    """Let a dismissed name be proposed again."""
    with room.database.transaction() as connection:
        proposals.propose_again(connection, form.name)
    return Response(status_code=204)
