from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from publisher.archive import glossary
from publisher.archive.model import GlossaryTerm
from publisher.database import one_at_a_time
from publisher.errors import NotFoundError
from publisher.web.api.access import MAY_READ_ARTICLES, MAY_WRITE_ARTICLES, ONLY_JSON
from publisher.web.api.articles import Limit
from publisher.web.api.forms import TermForm, Terms, TermShown
from publisher.web.api.matching import TAGGED, IfMatch, etag
from publisher.web.cursors import page_of
from publisher.web.parts import Room

router = APIRouter(prefix="/glossary", tags=["Glossary"])


@router.get("", response_model=Terms, dependencies=[MAY_READ_ARTICLES])
def list_terms(room: Room, limit: Limit = 100, cursor: str = "") -> dict[str, Any]:
    """List the terms by slug."""
    with room.database.reading() as connection:
        found = glossary.terms(connection)
    page, after = page_of(found, lambda each: each.slug, limit=limit, cursor=cursor)
    return {"data": [asdict(each) for each in page], "next": after}


@router.get("/{slug}", response_model=TermShown, responses={200: TAGGED}, dependencies=[MAY_READ_ARTICLES])
def show_term(room: Room, slug: str, response: Response) -> dict[str, Any]:
    """Show one term."""
    with room.database.reading() as connection:
        found = asdict(glossary.term_at(connection, slug))
    response.headers["ETag"] = etag(found)
    return found


@router.post("", status_code=201, response_model=TermShown, dependencies=[MAY_WRITE_ARTICLES, ONLY_JSON])
def add_term(room: Room, form: TermForm) -> dict[str, Any]:
    """Add a term. Its slug is made from its name, and stays."""
    with room.database.transaction() as connection:
        return asdict(glossary.add(connection, _term(form), now=room.now()))


@router.put("/{slug}", response_model=TermShown, responses={200: TAGGED}, dependencies=[MAY_WRITE_ARTICLES, ONLY_JSON])
def change_term(room: Room, slug: str, form: TermForm, match: IfMatch, response: Response) -> dict[str, Any]:
    """Let a term say this from now on; a field that is left out is emptied."""
    with room.database.transaction() as connection:
        one_at_a_time(connection, "glossary")
        match.check(etag(asdict(glossary.term_at(connection, slug))))
        changed = asdict(glossary.change(connection, _term(form, slug), now=room.now()))
    response.headers["ETag"] = etag(changed)
    return changed


@router.delete("/{slug}", status_code=204, dependencies=[MAY_WRITE_ARTICLES])
def remove_term(room: Room, slug: str) -> Response:
    """Remove a term; what is approved already keeps its explanation."""
    with room.database.transaction() as connection:
        if not glossary.remove(connection, slug):
            raise NotFoundError("glossary term", slug)
    return Response(status_code=204)


def _term(form: TermForm, slug: str = "") -> GlossaryTerm:
    return GlossaryTerm(slug=slug, **form.model_dump(exclude={"aliases"}), aliases=tuple(form.aliases))
