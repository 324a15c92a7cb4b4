"""The glossary's pages for editors: all terms, and each with its form."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import FormData

from publisher.archive import glossary as archive
from publisher.archive.model import GlossaryTerm, TermKind
from publisher.archive.proposals import number_open
from publisher.archive.rules import EXPLANATION_AT_MOST, spellings
from publisher.compose.occurrences import Occurrences, occurrences
from publisher.errors import NotFoundError, TermError
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, Room, field
from publisher.web.public.glossary import by_letter, first_letter
from publisher.wiring import Newsroom

router = APIRouter()

ON_A_PAGE = 200
"""With more terms than these, a page shows those of one letter."""
PROPOSALS_AT_MOST = 50
LATELY = 5
TEXTS = ("name", "hangul", "romanisation", "explanation", "link")
FIELDS = (*TEXTS, "aliases", "kind", "case")
ANY_CASE = "any"


@router.get("/desk/glossary", include_in_schema=False)
def glossary(
    request: Request,
    room: Room,
    seat: AtDesk,
    q: Annotated[str, Query(max_length=200)] = "",
    letter: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """Show the terms, or those in which something is found."""
    with room.database.reading() as connection:
        found = archive.terms(connection)
        proposed = number_open(connection, at_most=PROPOSALS_AT_MOST)
    letters = by_letter(found)
    query = " ".join(q.split())
    if not query and not letter and len(found) > ON_A_PAGE:
        letter = letters[0][0]
    values: dict[str, Any] = {
        "number": len(found),
        "proposed": proposed,
        "proposals_at_most": PROPOSALS_AT_MOST,
        "letters": [each for each, _ in letters],
        "letter": letter,
        "query": query,
        "terms": [each for _, terms in letters for each in terms if _is_shown(each, query, letter)][:ON_A_PAGE],
        "at_most": ON_A_PAGE,
    }
    return desk_page(request, room, seat, "desk/glossary.html", **values)


@router.get("/desk/glossary/new", include_in_schema=False)
def new_term(request: Request, room: Room, seat: AtDesk, name: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Show an empty form, or one with the name that was proposed."""
    return _page(request, room, seat, typed=_written(GlossaryTerm(slug="", name=name.strip())))


@router.post("/desk/glossary/new", include_in_schema=False)
def add(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Store a new term; what is wrong with it is said beside each field, and nothing is stored."""
    typed = _typed(form)
    try:
        with room.database.transaction() as connection:
            added = archive.add(connection, _term(typed), now=room.now())
    except TermError as problem:
        return _page(request, room, seat, typed=typed, faults=problem.faults)
    return go(seat, f"/desk/glossary/{added.slug}", Said.TERM_ADDED)


@router.get("/desk/glossary/{slug}", include_in_schema=False)
def term(request: Request, room: Room, seat: AtDesk, slug: str) -> Response:
    """Show one term, and where it occurs."""
    with room.database.reading() as connection:
        found = archive.term_at(connection, slug)
    return _page(request, room, seat, typed=_written(found), slug=slug)


@router.post("/desk/glossary/{slug}", include_in_schema=False)
def change(request: Request, room: Room, seat: Sender, form: Form, slug: str) -> Response:
    """Store what a term says from now on; what is wrong with it is said, and nothing changes."""
    typed = _typed(form)
    try:
        with room.database.transaction() as connection:
            archive.change(connection, _term(typed, slug), now=room.now())
    except TermError as problem:
        return _page(request, room, seat, typed=typed, slug=slug, faults=problem.faults)
    return go(seat, f"/desk/glossary/{slug}", Said.TERM_CHANGED)


@router.post("/desk/glossary/{slug}/remove", include_in_schema=False)
def remove(room: Room, seat: Sender, slug: str) -> Response:
    with room.database.transaction() as connection:
        if not archive.remove(connection, slug):
            raise NotFoundError("glossary term", slug)
    return go(seat, "/desk/glossary", Said.TERM_REMOVED)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    *,
    typed: dict[str, str],
    slug: str = "",
    faults: Mapping[str, str] | None = None,
) -> Response:
    stored, found = None, None
    if slug:
        with room.database.reading() as connection:
            stored = archive.term_at(connection, slug)
            found = occurrences(connection, stored)
    values: dict[str, Any] = {
        "stored": stored,
        "typed": typed,
        "faults": faults or {},
        "kinds": list(TermKind),
        "explanation_at_most": EXPLANATION_AT_MOST,
        "articles": found.articles[:LATELY] if found else (),
        "occurs": _told(found) if found else "",
    }
    return desk_page(request, room, seat, "desk/term.html", status=422 if faults else 200, **values)


def _told(found: Occurrences) -> str:
    number = len(found.articles)
    if not number:
        return "No published article names it." if found.is_all else "No published article was found that names it."
    articles = "published article names" if number == 1 else "published articles name"
    return f"{number} {articles} it." if found.is_all else f"At least {number} {articles} it."


def _is_shown(found: GlossaryTerm, query: str, letter: str) -> bool:
    if query:
        low = query.casefold()
        return any(low in text.casefold() for text in (*spellings(found), found.explanation))
    return not letter or first_letter(found.name) == letter


def _typed(form: FormData) -> dict[str, str]:
    return {name: field(form, name).replace("\r\n", "\n") for name in FIELDS}


def _written(found: GlossaryTerm) -> dict[str, str]:
    """Return a term as its form shows it."""
    return {name: str(getattr(found, name)) for name in TEXTS} | {
        "aliases": "\n".join(found.aliases),
        "kind": found.kind.value,
        "case": "" if found.case_sensitive else ANY_CASE,
    }


def _term(typed: dict[str, str], slug: str = "") -> GlossaryTerm:
    return GlossaryTerm(
        slug=slug,
        **{name: typed[name] for name in TEXTS},
        aliases=tuple(typed["aliases"].split("\n")),
        kind=TermKind(typed["kind"]) if typed["kind"] in set(TermKind) else TermKind.WORD,
        case_sensitive=typed["case"] != ANY_CASE,
    )
