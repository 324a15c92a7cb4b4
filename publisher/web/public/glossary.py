import unicodedata
from itertools import groupby

from fastapi import APIRouter, Request, Response

from publisher.archive import glossary as archive
from publisher.archive.model import GlossaryTerm
from publisher.web.pages import kept_page
from publisher.web.parts import Room
from publisher.web.public.frame import GUIDE, frame
from publisher.web.shelf import OnShelf

router = APIRouter()


@router.get("/glossary", include_in_schema=False)
def glossary(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        found = archive.terms(connection)
        values = {"letters": by_letter(found), "number": len(found), **frame(connection, room, shelf, GUIDE)}
    return kept_page(request, room, "web/glossary.html", **values)


def by_letter(terms: list[GlossaryTerm]) -> list[tuple[str, list[GlossaryTerm]]]:
    """Return terms below their first letters, both in order; what begins with no letter comes first, below #."""
    ordered = sorted(terms, key=lambda term: (first_letter(term.name) != "#", _folded(term.name), term.slug))
    return [(letter, list(group)) for letter, group in groupby(ordered, key=lambda term: first_letter(term.name))]


def first_letter(name: str) -> str:
    """Return the letter below which people look for a name: E for Émile, # for 386 Generation."""
    first = _folded(name)[:1].upper()
    return first if first.isalpha() else "#"


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.strip().lstrip("“‘\"'(")).casefold()
    return unicodedata.normalize("NFC", "".join(letter for letter in plain if not unicodedata.combining(letter)))
