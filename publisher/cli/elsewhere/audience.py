import sys
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from publisher.cli.elsewhere.service import service
from publisher.cli.show import AsJson, show, show_one
from publisher.errors import ImportFileError

MOST = 10_000
LOOK_AGAIN_S = 0.5

subscribers = typer.Typer(no_args_is_help=True)
mailing_lists = typer.Typer(no_args_is_help=True)


@subscribers.command("add")
def add(
    email: Annotated[str, typer.Argument(help="Address.")],
    mailing_list: Annotated[str, typer.Option("--list", "--mailing-list", help="Slug of a mailing list.")] = "readers",
    name: Annotated[str, typer.Option(help="How the reader is addressed.")] = "",
    language: Annotated[str, typer.Option(help="Such as en or ko.")] = "",
    confirmed: Annotated[bool, typer.Option("--confirmed", help="The reader has said yes elsewhere.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a person on a mailing list; without --confirmed a mail asks for a yes first."""
    form: dict[str, Any] = {"email": email, "mailing_lists": [mailing_list], "name": name, "language": language}
    if confirmed:
        form |= {"confirmed": True, "consent": "Added by an operator as confirmed."}
    show_one(service().post("subscribers", form), as_json=as_json)


@subscribers.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with email, name, language, timezone; or an export.")],
    mailing_list: Annotated[str, typer.Option("--list", "--mailing-list", help="Slug of a mailing list.")] = "readers",
    confirmed: Annotated[bool, typer.Option("--confirmed", help="They have said yes already.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hand in a CSV file of people; a worker of the service takes it in, and this waits for it."""
    try:
        data = file.read_bytes()
    except OSError as problem:
        raise ImportFileError(f"The file cannot be opened ({problem.strerror}).", file.name) from None
    named = {"mailing_list": mailing_list, "name": file.name}
    if confirmed:
        named |= {
            "confirmed": "yes",
            "consent": f"On the list that an operator imported from {file.name} as confirmed.",
        }
    found = service().post_bytes(f"subscriber-imports?{urlencode(named)}", data, "text/csv")
    while found["state"] in {"waiting", "running"}:
        time.sleep(LOOK_AGAIN_S)
        found = service().get(f"subscriber-imports/{found['id']}")
    if found["problem"]:
        raise ImportFileError(found["problem"], file.name)
    show_one({name: value for name, value in found["report"].items() if value not in ("", [], None)}, as_json=as_json)
    if found["report"]["bad"]:
        sys.exit(1)


@subscribers.command("list")
def list_subscribers(
    mailing_list: Annotated[str, typer.Option("--list", "--mailing-list", help="Only on this mailing list.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many.")] = 1_000,
    as_json: AsJson = False,
) -> None:
    """List subscribers by address."""
    found = service().listed("subscribers", limit, mailing_list=mailing_list)
    rows = (
        {"id": each["id"], "email": each["email"], "name": each["name"], "language": each["language"]}
        | {"lists": [f"{one['mailing_list']} ({one['state']})" for one in each["subscriptions"]]}
        for each in found
    )
    show(rows, as_json=as_json, empty="There is no subscriber yet.")


@mailing_lists.command("list")
def list_lists(as_json: AsJson = False) -> None:
    """List the mailing lists, with the numbers of their confirmed subscriptions."""
    show(service().listed("mailing-lists", MOST), as_json=as_json, empty="There is no mailing list yet.")


@mailing_lists.command("add")
def add_list(
    slug: Annotated[str, typer.Argument(help="Stands in every mail; never changes.")],
    name: Annotated[str, typer.Option(help="What readers see; made from the slug if left out.")] = "",
    description: Annotated[str, typer.Option(help="One sentence for the preferences page.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add a mailing list."""
    shown = name or slug.replace("-", " ").capitalize()
    added = service().post("mailing-lists", {"slug": slug, "name": shown, "description": description})
    show_one(added, as_json=as_json)
