import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show
from publisher.errors import ImportFileError, InputError, NotFoundError

if TYPE_CHECKING:
    from publisher.archive.model import GlossaryTerm

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_terms(as_json: AsJson = False) -> None:
    """List the terms by name."""
    from publisher.archive import glossary
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = glossary.terms(connection)
    if as_json:
        print_json([_row(each) for each in found])
        return
    show(
        ({name: _row(each)[name] for name in ("slug", "name", "hangul", "kind", "explanation")} for each in found),
        as_json=False,
        empty="There is no term. Add one: publisher glossary add Hanok --explanation 'A traditional Korean house.'",
    )


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="As newspapers in English spell it.")],
    explanation: Annotated[str, typer.Option(help="One sentence for a reader abroad.")],
    hangul: Annotated[str, typer.Option(help="The name in Hangul.")] = "",
    romanisation: Annotated[str, typer.Option(help="The official one (Revised Romanisation).")] = "",
    kind: Annotated[str, typer.Option(help="person, place, organisation, outlet, event or word")] = "word",
    link: Annotated[str, typer.Option(help="Where one can read more.")] = "",
    alias: Annotated[list[str], typer.Option("--alias", help="Another spelling. May be repeated.")] = [],
    any_case: Annotated[bool, typer.Option("--any-case", help="Found in small letters and capitals alike.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add a term."""
    from publisher.archive import glossary
    from publisher.archive.model import GlossaryTerm, TermKind
    from publisher.wiring import newsroom

    if kind not in set(TermKind):
        raise InputError(f"{kind!r} is no kind of term; there are {', '.join(TermKind)}.")
    term = GlossaryTerm(
        slug="",
        name=name,
        hangul=hangul,
        romanisation=romanisation,
        kind=TermKind(kind),
        explanation=explanation,
        link=link,
        aliases=tuple(alias),
        case_sensitive=not any_case,
    )
    room = newsroom()
    with room.database.transaction() as connection:
        added = glossary.add(connection, term, now=room.now())
    if as_json:
        print_json(_row(added))
    else:
        print(f"{added.name} is in the glossary as {added.slug}.")


@app.command("remove")
def remove(slug: Annotated[str, typer.Argument(help="As `publisher glossary list` shows it.")]) -> None:
    """Remove a term; what is approved already keeps its explanation."""
    from publisher.archive import glossary
    from publisher.wiring import newsroom

    with newsroom().database.transaction() as connection:
        if not glossary.remove(connection, slug):
            raise NotFoundError("glossary term", slug)
    print(f"{slug} is no longer in the glossary.")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="YAML, as `publisher glossary export` writes it; - for standard input.")],
) -> None:
    """Add the terms of a file, and replace those that have the same names; all of them or none."""
    from publisher.archive import glossary
    from publisher.archive.glossary_file import read_terms
    from publisher.wiring import newsroom

    found = read_terms(_text(file))
    room = newsroom()
    with room.database.transaction() as connection:
        done = glossary.import_all(connection, found, now=room.now())
    print(f"{done.added} added, {done.changed} changed, {done.unchanged} as they were.")


@app.command("export")
def export() -> None:
    """Print all terms as YAML."""
    from publisher.archive import glossary
    from publisher.archive.glossary_file import write_terms
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        sys.stdout.write(write_terms(glossary.terms(connection)))


def _text(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFileError("This is not UTF-8.", str(file)) from None
    except OSError as problem:
        raise ImportFileError(f"This cannot be read: {problem.strerror}.", str(file)) from None


def _row(term: "GlossaryTerm") -> dict[str, Any]:
    return {
        "slug": term.slug,
        "name": term.name,
        "hangul": term.hangul,
        "romanisation": term.romanisation,
        "kind": term.kind.value,
        "explanation": term.explanation,
        "link": term.link,
        "aliases": list(term.aliases),
        "case_sensitive": term.case_sensitive,
    }
