import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from publisher.cli.elsewhere.service import service
from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import RemoteError, SubmissionError

articles = typer.Typer(no_args_is_help=True)
sources = typer.Typer(no_args_is_help=True)
glossary = typer.Typer(no_args_is_help=True)

MOST = 100_000
MEDIA_TYPES = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
}
Ids = Annotated[list[int], typer.Argument(help="Ids.")]


@articles.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files: .txt, .md, .html, .json; - reads standard input.")],
    as_json: AsJson = False,
) -> None:
    """Hand in articles. The good ones are taken, each bad one is reported; exit code 1 if any was bad."""
    rows = [_handed_in(path) for path in paths]
    if as_json:
        print_json(rows)
    else:
        for each in rows:
            _tell(each)
    if any("problem" in each for each in rows):
        sys.exit(1)


@articles.command("list")
def list_articles(
    state: Annotated[str, typer.Option(help="published, embargoed, withdrawn or all")] = "all",
    topic: Annotated[str, typer.Option(help="Slug of a topic.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List articles, newest first."""
    found = service().listed("articles", limit, state="" if state == "all" else state, topic=topic)
    names = ("id", "slug", "title", "state", "published_at", "language", "topics")
    show(({name: each[name] for name in names} for each in found), as_json=as_json, empty="The archive is empty.")


@articles.command("show")
def show_article(article: Annotated[int, typer.Argument(help="Id.")], as_json: AsJson = False) -> None:
    """Show one article with its related links."""
    found = service().get(f"articles/{article}")
    if as_json:
        print_json(found)
        return
    found["sections"] = [each["heading"] for each in found["sections"]]
    found["guide"] = found["guide"]["heading"] if found["guide"] else None
    found["related"] = "; ".join(each["title"] for each in found["related"])
    found["image"] = found["image"]["url"] if found["image"] else None
    found["teasers"] = [each["title"] for each in found["teasers"]]
    show_one(found, as_json=False)


@articles.command("withdraw")
def withdraw(article_ids: Ids) -> None:
    """Take articles off every channel."""
    for each in article_ids:
        print(f"{each:>6}  {service().delete(f'articles/{each}')['state']}")


@articles.command("restore")
def restore(article_ids: Ids) -> None:
    """Put withdrawn articles back."""
    for each in article_ids:
        print(f"{each:>6}  {service().post(f'articles/{each}/restore')['state']}")


@sources.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List the sources, and what went wrong with them last."""
    show(service().listed("sources", MOST), as_json=as_json, empty="There is no source.")


@sources.command("add")
def add_source(
    url: Annotated[str, typer.Argument(help="Address of an RSS or Atom feed.")],
    name: Annotated[str, typer.Option(help="How the desk calls it.")] = "",
    every: Annotated[int, typer.Option(help="Seconds between two readings.")] = 900,
    topic: Annotated[list[str], typer.Option("--topic", help="For entries that name none. May be repeated.")] = [],
    as_json: AsJson = False,
) -> None:
    """Read a newsroom's own feed from now on; it is read for the first time at once."""
    added = service().post("sources", {"url": url, "name": name, "every_s": every, "topics": topic})
    show_one(added, as_json=as_json)


@sources.command("remove")
def remove_source(source: Annotated[int, typer.Argument(help="Id.")]) -> None:
    """Read a source no longer; its articles stay."""
    service().delete(f"sources/{source}")
    print(f"{source:>6}  removed")


@glossary.command("list")
def list_terms(as_json: AsJson = False) -> None:
    """List the terms."""
    show(service().listed("glossary", MOST), as_json=as_json, empty="No term has been explained yet.")


@glossary.command("remove")
def remove_term(slug: Annotated[str, typer.Argument(help="As `publisher glossary list` shows it.")]) -> None:
    """Remove a term; what is approved already keeps its explanation."""
    service().delete(f"glossary/{slug}")
    print(f"{slug} is removed.")


def _handed_in(path: Path) -> dict[str, Any]:
    try:
        data = _bytes(path)
        media_type = MEDIA_TYPES.get(path.suffix.lower(), "text/plain")
        taken: dict[str, Any] = service().post_bytes("articles", data, media_type)
    except RemoteError as problem:
        return {"file": str(path), "problem": f"{path}: {problem.problem}"}
    except SubmissionError as problem:
        return {"file": str(path), "problem": str(problem)}
    return {"file": str(path)} | taken


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as problem:
        reason = f"cannot be read ({problem.strerror})"
        raise SubmissionError(reason, str(path)) from None


def _tell(row: dict[str, Any]) -> None:
    if "problem" in row:
        print(row["problem"], file=sys.stderr)
        return
    print(f"{row.get('id', '?'):>6}  {row['result']:<9}  {row.get('url', row['file'])}")
    if note := row.get("note"):
        print(f"        {row['file']}: {note}")
