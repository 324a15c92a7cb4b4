import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show
from publisher.errors import InputError, NotFoundError

subscribers = typer.Typer(no_args_is_help=True)
mailing_lists = typer.Typer(no_args_is_help=True)

ListOption = Annotated[str, typer.Option("--mailing-list", help="Slug of a mailing list.")]


@subscribers.command("add")
def add(
    email: Annotated[str, typer.Argument(help="Address.")],
    mailing_list: ListOption = "readers",
    name: Annotated[str, typer.Option(help="Name.")] = "",
    language: Annotated[str, typer.Option(help="Such as en or ko.")] = "",
    timezone: Annotated[str, typer.Option(help="Such as Europe/Paris.")] = "",
    confirmed: Annotated[bool, typer.Option("--confirmed", help="The person has said yes already.")] = False,
) -> None:
    """Put one person on a mailing list; without --confirmed a confirmation mail goes out first."""
    from publisher.audience import flow
    from publisher.audience.model import How
    from publisher.bell import Job
    from publisher.wiring import newsroom

    room = newsroom()
    person = {"email": email, "name": name, "language": language, "time_zone": timezone}
    if confirmed:
        yes = flow.Yes(how=How.CLI, wording="Added by an operator as confirmed.")
        flow.add_subscriber(room.database, lists=[mailing_list], yes=yes, clock=room.now, **person)
        print(f"{email} is on {mailing_list}.")
    else:
        flow.ask_to_subscribe(room.database, lists=[mailing_list], clock=room.now, **person)
        room.bell.ring(Job.NOTIFY)
        print(f"{email} will be on {mailing_list} once the confirmation mail is answered.")


@subscribers.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with email, name, language, timezone; or an export.")],
    mailing_list: ListOption = "readers",
    confirmed: Annotated[bool, typer.Option("--confirmed", help="They have said yes already.")] = False,
    as_json: AsJson = False,
) -> None:
    """
    Put the people of a CSV file on a mailing list. Running it again changes nothing.

    Exports of listmonk, Mailchimp, Substack, Ghost and Publisher are recognised: who has left there is not mailed.
    """
    from publisher.audience.csv_form import import_csv
    from publisher.audience.model import How
    from publisher.bell import Job
    from publisher.wiring import newsroom

    room = newsroom()
    with progress_of(file, quiet=as_json) as progress:
        report = import_csv(
            room.database,
            file,
            mailing_list=mailing_list,
            confirmed=confirmed,
            how=How.IMPORT,
            clock=room.now,
            progress=progress,
            wording=f"On the list that an operator imported from {file.name} as confirmed.",
        )
    if not confirmed:
        room.bell.ring(Job.NOTIFY)
    if as_json:
        print_json(_as_json(report))
    else:
        _print_report(report, mailing_list)
    if report.bad:
        sys.exit(1)


@subscribers.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; standard output if left out.")] = None,
    mailing_list: Annotated[str, typer.Option("--mailing-list", help="Only this mailing list.")] = "",
) -> None:
    """Write every subscription as CSV."""
    from publisher.audience.csv_form import export_csv
    from publisher.wiring import newsroom

    database = newsroom().database
    if file is None:
        export_csv(database, sys.stdout, mailing_list=mailing_list or None)
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            export_csv(database, stream, mailing_list=mailing_list or None)
    except OSError as problem:
        reason = f"cannot be written ({problem.strerror})"
        raise InputError(reason, str(file)) from None
    print(f"Written: {file}")


@subscribers.command("list")
def list_subscribers(
    mailing_list: Annotated[str, typer.Option("--mailing-list", help="Only this mailing list.")] = "",
    search: Annotated[str, typer.Option(help="The beginning of an address.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List subscribers with their mailing lists."""
    from publisher.audience import store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        only = store.mailing_list_named(connection, mailing_list).id if mailing_list else None
        found = store.subscribers(connection, at_most=limit, mailing_list_id=only, beginning=search)
        slugs = {each.id: each.slug for each in store.mailing_lists(connection)}
        held = store.subscriptions_of(connection, [each.id for each in found])
    show(
        (
            {
                "id": each.id,
                "email": each.email,
                "name": each.name,
                "language": each.language,
                "timezone": each.time_zone,
                "subscriptions": [f"{slugs[one.mailing_list_id]} ({one.state.value})" for one in held.get(each.id, ())],
            }
            for each in found
        ),
        as_json=as_json,
        empty="There is no subscriber here. Add some: publisher subscriber import FILE.csv --confirmed",
    )


@subscribers.command("data")
def data(email: Annotated[str, typer.Argument(help="Address.")]) -> None:
    """Print all that is held about one person, as JSON."""
    from fastapi.encoders import jsonable_encoder

    from publisher.events.history import own_data
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        print_json(jsonable_encoder(own_data(connection, _reader(connection, email))))


@subscribers.command("erase")
def erase(
    email: Annotated[str, typer.Argument(help="Address.")],
    never_again: Annotated[
        bool,
        typer.Option("--never-again/--forget", help="Keep a hash of the address, so that no import brings it back."),
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a person for good: nothing that is held about them stays."""
    from publisher.events.history import erase as erase_reader
    from publisher.wiring import newsroom

    room = newsroom()
    with room.database.reading() as connection:
        found = _reader(connection, email)
    if not yes and not typer.confirm(f"Erase {found.email} for good? This cannot be undone."):
        raise InputError("Nothing was erased.")
    erase_reader(room.database, room.outbox, found.id, never_again=never_again, clock=room.now)
    print(f"{found.email} is erased{', and will not be mailed again' if never_again else ''}.")


def _reader(connection: Any, email: str) -> Any:
    from publisher.audience import store
    from publisher.audience.rules import normalise_email

    found = store.subscriber_with_email(connection, normalise_email(email))
    if found is None:
        raise NotFoundError("subscriber", email)
    return found


@mailing_lists.command("add")
def add_list(
    slug: Annotated[str, typer.Argument(help="Short name; it stands in List-Id and never changes.")],
    name: Annotated[str, typer.Option(help="What readers see; made from the slug if left out.")] = "",
    description: Annotated[str, typer.Option(help="One sentence for the subscribe page.")] = "",
) -> None:
    """Add a mailing list."""
    from publisher.audience.flow import add_mailing_list
    from publisher.wiring import newsroom

    room = newsroom()
    shown = name or slug.replace("-", " ").capitalize()
    list_id = add_mailing_list(room.database, slug=slug, name=shown, description=description, clock=room.now)
    print(f"{list_id:>6}  {slug}")


@mailing_lists.command("list")
def list_lists(as_json: AsJson = False) -> None:
    """List the mailing lists."""
    from publisher.audience import store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found, counts = store.mailing_lists(connection), store.confirmed_counts(connection)
    show(
        ({"id": each.id, "slug": each.slug, "name": each.name, "confirmed": counts.get(each.id, 0)} for each in found),
        as_json=as_json,
        empty="There is no mailing list. Add one: publisher mailing-list add readers",
    )


@contextmanager
def progress_of(file: Path, *, quiet: bool, what: str = "rows") -> Iterator[Callable[[int], None] | None]:
    """Show how much of a file has been read, where somebody is looking."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(f"{file.name}: 0 {what}")
        yield lambda rows: shown.update(task, description=f"{file.name}: {rows:,} {what}")


def _as_json(report: Any) -> dict[str, Any]:
    names = ("added", "merged", "unchanged", "unsubscribed", "left", "barred", "suppressed", "bad", "origin")
    found: dict[str, Any] = {name: getattr(report, name) for name in names}
    found["bad_lines"] = [{"line": each.line, "problem": each.problem} for each in report.bad_lines]
    found["ignored_columns"] = list(report.ignored_columns)
    return found


def _print_report(report: Any, mailing_list: str) -> None:
    if report.origin:
        print(f"Recognised: an export of {report.origin}.")
    print(f"On {mailing_list}: {report.added:,} added, {report.merged:,} merged, {report.unchanged:,} unchanged.")
    for number, what in (
        (report.unsubscribed, "have unsubscribed and stay so"),
        (report.left, f"have left {report.origin}, and so this mailing list"),
        (report.barred, f"are not mailed by {report.origin}, and suppressed here"),
        (report.suppressed, "are suppressed and stay so"),
    ):
        if number:
            print(f"{number:,} {what}.")
    if report.ignored_columns:
        print(f"Columns not read: {', '.join(report.ignored_columns)}.")
    for each in report.bad_lines[:20]:
        print(f"line {each.line}: {each.problem}", file=sys.stderr)
    if report.bad:
        print(f"{report.bad:,} bad lines were left out; --json lists the first thousand.", file=sys.stderr)
