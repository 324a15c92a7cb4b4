from typing import Annotated, Any

import typer

from publisher.cli.elsewhere.service import service
from publisher.cli.show import AsJson, show, show_one

MOST = 10_000

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
