import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import InputError, NotFoundError, SubmissionError

app = typer.Typer(no_args_is_help=True)

AT_ONCE = 50
"""Files handed in with one commit."""


@dataclass(frozen=True, kw_only=True)
class _Extras:
    """What the command line says of an article that its file may not say."""

    topics: tuple[str, ...]
    authors: tuple[str, ...]
    language: str
    external_id: str
    publish_at: datetime | None


@app.command("add")
def add(
    paths: Annotated[
        list[Path], typer.Argument(help="Files or folders: .txt, .md, .html, .json; - reads standard input.")
    ],
    topic: Annotated[list[str], typer.Option("--topic", help="Where the file names none. May be repeated.")] = [],
    author: Annotated[list[str], typer.Option("--author", help="Where the file names none. May be repeated.")] = [],
    language: Annotated[str, typer.Option(help="Such as en or ko, where the file names none.")] = "",
    external_id: Annotated[
        str, typer.Option(help="Your own id: handing it in again is a revision. For one file.")
    ] = "",
    publish_at: Annotated[datetime | None, typer.Option(help="Embargo until then (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """Hand in articles. The good ones are taken, each bad one is reported; exit code 1 if any was bad."""
    files = list(_files(paths))
    if external_id and len(files) != 1:
        raise InputError("--external-id goes with exactly one file.")
    embargo = publish_at.replace(tzinfo=UTC) if publish_at and publish_at.tzinfo is None else publish_at
    extras = _Extras(
        topics=tuple(topic),
        authors=tuple(author),
        language=language,
        external_id=external_id,
        publish_at=embargo,
    )
    results = list(_hand_in(files, extras, quiet=as_json))
    if as_json:
        print_json(results)
    bad = sum(1 for each in results if "problem" in each)
    if len(results) > 1 and not as_json:
        print(f"{len(results) - bad} handed in, {bad} refused.")
    if bad or not results:
        sys.exit(1)


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="WordPress: the .xml of Tools, Export. Ghost: the .json of Settings, Export.")
    ],
    address: Annotated[str, typer.Option(help="Of the old site, for links within it; Ghost’s file lacks it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take the posts of another system into the archive, as old as they are. Running it again changes nothing."""
    from publisher.archive.moving import take_in
    from publisher.bell import Job
    from publisher.cli.audience import progress_of
    from publisher.intake.fields import web_address
    from publisher.intake.moving import posts
    from publisher.wiring import newsroom

    site = web_address(address, "--address")
    room = newsroom()
    try:
        with file.open("rb") as source, progress_of(file, quiet=as_json, what="posts") as progress:
            report = take_in(
                room.database,
                posts(source, address=site),
                origin="cli",
                domain=room.settings.domain,
                clock=room.now,
                progress=progress,
            )
    except OSError as problem:
        raise SubmissionError(f"cannot be read ({problem.strerror})", str(file)) from None
    finally:
        room.bell.ring(Job.RELATE)
    refused = [{"post": each.name, "problem": each.problem} for each in report.refusals]
    if as_json:
        numbers = {name: getattr(report, name) for name in ("added", "known", "left_out", "refused")}
        print_json(numbers | {"refusals": refused})
    else:
        print(f"{report.added:,} added, {report.known:,} here already, {report.left_out:,} never published (left out).")
        for each in refused:
            print(f"“{each['post']}”: {each['problem']}", file=sys.stderr)
    if report.refused:
        sys.exit(1)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and of a folder the ones that can be articles, in order."""
    from publisher.intake.read import SUFFIXES

    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES and each.is_file())
        else:
            yield path


def _hand_in(files: Sequence[Path], extras: _Extras, *, quiet: bool) -> Iterator[dict[str, Any]]:
    """Hand in file by file, committing some at a time, with a line for each."""
    waiting: list[tuple[Path, Any, str]] = []
    for number, path in enumerate(files, start=1):
        try:
            waiting.append((path, *_read(path, extras)))
        except SubmissionError as problem:
            yield _told({"file": str(path), "problem": str(problem)}, quiet=quiet)
        if len(waiting) == AT_ONCE or number == len(files):
            for row in _take(waiting):
                yield _told(row, quiet=quiet)
            waiting = []


def _read(path: Path, extras: _Extras) -> tuple[Any, str]:
    """Return what to hand in, and what to tell of it."""
    from publisher.intake.flow import HandIn
    from publisher.intake.left_out import left_out
    from publisher.intake.pictures import read_picture
    from publisher.intake.read import read

    data, name = _bytes(path), path.name if str(path) != "-" else "standard input"
    draft = read(data, name=name)
    draft = replace(
        draft,
        topics=draft.topics or extras.topics,
        authors=draft.authors or extras.authors,
        language=draft.language or extras.language,
        external_id=extras.external_id or draft.external_id,
        publish_at=extras.publish_at or draft.publish_at,
    )
    picture = None
    if draft.image is not None and "://" not in draft.image.url:
        picture = read_picture(path.parent / draft.image.url)
    return HandIn(draft=draft, picture=picture), left_out(data, name=name)


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as problem:
        reason = f"cannot be read ({problem.strerror})"
        raise SubmissionError(reason, str(path)) from None


def _take(waiting: Sequence[tuple[Path, Any, str]]) -> list[dict[str, Any]]:
    from publisher.archive.flow import accept_these
    from publisher.bell import Job
    from publisher.intake.flow import hand_in
    from publisher.wiring import newsroom

    if not waiting:
        return []
    room = newsroom()
    ids = hand_in(room.database, [each for _, each, _ in waiting], origin="cli", clock=room.now)
    accepted = accept_these(room.database, ids, domain=room.settings.domain, clock=room.now)
    room.bell.ring(Job.RELATE)
    rows = []
    for (path, _, note), submission_id in zip(waiting, ids, strict=True):
        row: dict[str, Any] = {"file": str(path), "submission": submission_id} | ({"note": note} if note else {})
        if submission_id in accepted:
            ending = accepted[submission_id]
            row |= {
                "id": ending.article_id,
                "slug": ending.slug,
                "state": ending.state.value,
                "result": ending.acceptance.value,
                "url": f"{room.settings.base_url}/articles/{ending.slug}",
            }
        else:
            row |= {"result": "received"}
        rows.append(row)
    return rows


def _told(row: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    if "problem" in row:
        print(row["problem"], file=sys.stderr)
    elif not quiet:
        state = f" ({row['state']})" if row.get("state") not in {None, "published"} else ""
        print(f"{row.get('id', '?'):>6}  {row['result']:<9}  {row.get('url', row['file'])}{state}")
        if note := row.get("note"):
            print(f"        {row['file']}: {note}")
    return row


@app.command("list")
def list_articles(
    state: Annotated[str, typer.Option(help="published, embargoed, withdrawn or all")] = "all",
    topic: Annotated[str, typer.Option(help="Slug of a topic.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List articles, newest first."""
    from publisher.archive import store
    from publisher.archive.model import ArticleState
    from publisher.wiring import newsroom

    if state not in {*ArticleState, "all"}:
        raise InputError(f"{state!r} is no state; there are {', '.join(ArticleState)} and all.")
    wanted = None if state == "all" else ArticleState(state)
    with newsroom().database.reading() as connection:
        found = store.listed(connection, at_most=limit, state=wanted, topic_slug=topic)
    show(
        (
            {
                "id": lead.id,
                "slug": lead.slug,
                "title": lead.title,
                "state": lead.state.value,
                "published_at": lead.published_at,
                "language": lead.language,
                "topics": [each.slug for each in lead.topics],
            }
            for lead in found
        ),
        as_json=as_json,
        empty="The archive is empty. Hand in an article: publisher article add FILE.txt",
    )


@app.command("show")
def show_article(
    article: Annotated[str, typer.Argument(help="Id or slug.")],
    as_json: AsJson = False,
) -> None:
    """Show one article with its related links."""
    from publisher.archive import store
    from publisher.markup import text_of
    from publisher.related.shown import links_shown
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        article_id = _article_id(connection, article)
        found = store.articles(connection, [article_id])[article_id]
        related = links_shown(connection, [article_id]).get(article_id, ())
    row = {
        "id": found.id,
        "slug": found.slug,
        "title": found.title,
        "state": found.state.value,
        "url": f"{room.settings.base_url}/articles/{found.slug}",
        "uri": found.uri,
        "language": found.language,
        "authors": [each.name for each in found.authors],
        "topics": [each.slug for each in found.topics],
        "published_at": found.published_at,
        "updated_at": found.updated_at,
        "revision": found.revision,
        "summary": found.summary,
        "sections": [section.heading for section in found.sections],
        "guide": found.guide.heading if found.guide else None,
        "teasers": [teaser.title for teaser in found.teasers],
        "related": [{"id": link.lead.id, "title": link.lead.title, "reason": link.reason} for link in related],
    }
    if as_json:
        row["text"] = "\n\n".join(f"{part.heading}\n{text_of(part.html)}".strip() for part in found.all_sections)
    else:
        row["related"] = "; ".join(link.lead.title for link in related)
    show_one(row, as_json=as_json)


@app.command("link")
def link(
    article: Annotated[str, typer.Argument(help="Id or slug.")],
    pin: Annotated[list[str], typer.Option("--pin", help="Id or slug; in the order given. May be repeated.")] = [],
    ban: Annotated[list[str], typer.Option("--ban", help="Id or slug. May be repeated.")] = [],
    by_rules: Annotated[bool, typer.Option("--by-rules", help="Take back all that was decided.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide about the links below an article, in the place of what was decided before; or show it."""
    from publisher.related import flow
    from publisher.related.shown import links_shown
    from publisher.related.store import choices
    from publisher.wiring import newsroom

    if by_rules and (pin or ban):
        raise InputError("--by-rules takes everything back; it goes with neither --pin nor --ban.")
    room = newsroom()
    with room.database.reading() as connection:
        article_id = _article_id(connection, article)
        pinned, banned = [[_article_id(connection, each) for each in names] for names in (pin, ban)]
    if pin or ban or by_rules:
        flow.arrange(room.database, article_id, pinned=pinned, banned=banned, clock=room.now)
    with room.database.reading() as connection:
        decided = choices(connection, article_id)
        shown = links_shown(connection, [article_id])[article_id]
    rows = [{"id": each.lead.id, "title": each.lead.title, "reason": each.reason} for each in shown]
    out = [{"id": each, "title": "", "reason": "Banned."} for each, choice in decided.items() if choice == "banned"]
    show([*rows, *out], as_json=as_json, empty="Nothing is linked below this article.")


@app.command("withdraw")
def withdraw(articles: Annotated[list[str], typer.Argument(help="Ids or slugs.")]) -> None:
    """Take articles off every channel."""
    _move(articles, "withdraw", "withdrawn")


@app.command("restore")
def restore(articles: Annotated[list[str], typer.Argument(help="Ids or slugs.")]) -> None:
    """Put withdrawn articles back."""
    _move(articles, "restore", "restored")


def _move(articles: Sequence[str], what: str, done: str) -> None:
    from publisher.archive import flow
    from publisher.bell import Job
    from publisher.wiring import newsroom

    room = newsroom()
    for name in articles:
        with room.database.reading() as connection:
            article_id = _article_id(connection, name)
        move = flow.withdraw if what == "withdraw" else flow.restore
        moved = move(room.database, article_id, clock=room.now)
        print(f"{article_id:>6}  {done if moved else 'unchanged'}")
    room.bell.ring(Job.RELATE)


def _article_id(connection: Any, name: str) -> Any:
    from publisher.archive import store
    from publisher.archive.model import ArticleId

    if name.isdecimal() and store.leads(connection, [ArticleId(int(name))]):
        return ArticleId(int(name))
    found = store.by_slug(connection, name)
    if found is None:
        raise NotFoundError("article", name)
    return found.id
