from typing import Annotated

import typer

from publisher.cli.elsewhere.service import service
from publisher.cli.show import AsJson, show, show_one

app = typer.Typer(no_args_is_help=True)

EndpointArgument = Annotated[int, typer.Argument(help="Id, as `publisher webhook list` shows it.")]


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints, and how they do."""
    names = ("id", "name", "url", "events", "is_on", "waiting", "off_reason")
    found = service().get("webhooks")["data"]
    show(({name: each[name] for name in names} for each in found), as_json=as_json, empty="There is no endpoint.")


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Such as https://crm.example.org/hooks")],
    event: Annotated[list[str], typer.Option("--event", help="Such as article.published; may be repeated.")],
    name: Annotated[str, typer.Option(help="How the desk calls it.")] = "",
    with_addresses: Annotated[bool, typer.Option("--with-addresses", help="It may have readers' addresses.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a program elsewhere what happens from now on, and print the secret that signs it, once."""
    form = {"url": url, "events": event, "name": name, "with_addresses": with_addresses}
    show_one(service().post("webhooks", form), as_json=as_json)


@app.command("show")
def show_endpoint(endpoint: EndpointArgument, as_json: AsJson = False) -> None:
    """Show one endpoint."""
    show_one(service().get(f"webhooks/{endpoint}"), as_json=as_json)


@app.command("log")
def log(
    endpoint: EndpointArgument,
    at_most: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was told to an endpoint, newest first, and what became of it."""
    found = service().listed(f"webhooks/{endpoint}/log", at_most)
    rows = [each | {"attempts": each["attempts"] if as_json else len(each["attempts"])} for each in found]
    show(rows, as_json=as_json, empty="Nothing was told to it yet.")


@app.command("test")
def test(endpoint: EndpointArgument) -> None:
    """Send an endpoint a webhook that tells of nothing."""
    service().post(f"webhooks/{endpoint}/test")
    print(f"A test is on its way. See what became of it: publisher webhook log {endpoint}")


@app.command("again")
def again(
    endpoint: EndpointArgument,
    webhook: Annotated[int, typer.Argument(help="Id, as `publisher webhook log` shows it.")],
) -> None:
    """Send a webhook again, with the same id."""
    service().post(f"webhooks/{endpoint}/log/{webhook}/again")
    print(f"{webhook:>6}  is sent again")


@app.command("secret")
def secret(endpoint: EndpointArgument) -> None:
    """Make a new secret and print it, once; the one before signs as well for a day."""
    print(service().post(f"webhooks/{endpoint}/secret")["secret"])


@app.command("on")
def on(endpoint: EndpointArgument) -> None:
    """Switch an endpoint on; it goes on where it stopped."""
    service().post(f"webhooks/{endpoint}/on")
    print(f"{endpoint:>6}  on")


@app.command("off")
def off(endpoint: EndpointArgument) -> None:
    """Switch an endpoint off; what happens meanwhile waits, for three days at most."""
    service().post(f"webhooks/{endpoint}/off")
    print(f"{endpoint:>6}  off")


@app.command("remove")
def remove(endpoint: EndpointArgument) -> None:
    """Forget an endpoint, its log and what was still to be told to it."""
    service().delete(f"webhooks/{endpoint}")
    print(f"{endpoint:>6}  removed")
