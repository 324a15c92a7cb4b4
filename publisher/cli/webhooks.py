from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show, show_one

app = typer.Typer(no_args_is_help=True)

EndpointArgument = Annotated[int, typer.Argument(help="Id, as `publisher webhook list` shows it.")]


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Such as https://crm.example.org/hooks")],
    event: Annotated[
        list[str], typer.Option("--event", help="Such as article.published; may be repeated. All if left out.")
    ] = [],
    name: Annotated[str, typer.Option(help="How the desk calls it.")] = "",
    with_addresses: Annotated[bool, typer.Option("--with-addresses", help="It may have readers' addresses.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell a program elsewhere what happens from now on, and print the secret that signs it, once."""
    from publisher.webhooks.flow import Wanted, add_endpoint
    from publisher.webhooks.model import Happening
    from publisher.wiring import newsroom

    room = newsroom()
    wanted = Wanted(url=url, name=name, happenings=event or list(Happening), with_addresses=with_addresses)
    added = add_endpoint(room.database, wanted, clock=room.now, allow_private=room.settings.allow_private_fetch)
    if as_json:
        print_json({"id": added.endpoint.id, "url": url, "secret": added.secret})
    else:
        print(f"{added.endpoint.id:>6}  {url}\n        {added.secret}")


@app.command("list")
def list_endpoints(as_json: AsJson = False) -> None:
    """List the endpoints, and how they do."""
    from publisher.webhooks import store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = [(each, store.waiting(connection, each.id)) for each in store.endpoints(connection)]
    show(
        (
            {
                "id": each.id,
                "name": each.name,
                "url": each.url,
                "events": sorted(each.happenings),
                "state": "off" if not each.is_on else "failing" if each.failing_since else "on",
                "waiting": waiting,
                "problem": each.off_reason,
            }
            for each, waiting in found
        ),
        as_json=as_json,
        empty="There is no endpoint. Add one: publisher webhook add https://crm.example.org/hooks",
    )


@app.command("log")
def log(
    endpoint: EndpointArgument,
    at_most: Annotated[int, typer.Option(min=1, max=1_000, help="How many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was told to an endpoint, newest first, and what became of it."""
    from publisher.webhooks import store
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        store.endpoint_of(connection, EndpointId(endpoint))
        found = store.webhooks(connection, EndpointId(endpoint), at_most=at_most)
    show((_line(each, as_json=as_json) for each in found), as_json=as_json, empty="Nothing was told to it yet.")


@app.command("test")
def test(endpoint: EndpointArgument) -> None:
    """Send an endpoint a webhook that tells of nothing."""
    from publisher.bell import Job
    from publisher.webhooks.flow import send_test
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    room = newsroom()
    send_test(room.database, EndpointId(endpoint), clock=room.now)
    room.bell.ring(Job.TELL)
    print(f"A test is on its way. See what became of it: publisher webhook log {endpoint}")


@app.command("again")
def again(
    endpoint: EndpointArgument,
    webhook: Annotated[int, typer.Argument(help="Id, as `publisher webhook log` shows it.")],
) -> None:
    """Send a webhook again, with the same id."""
    from publisher.bell import Job
    from publisher.webhooks.flow import send_again
    from publisher.webhooks.model import EndpointId, WebhookId
    from publisher.wiring import newsroom

    room = newsroom()
    send_again(room.database, EndpointId(endpoint), WebhookId(webhook), clock=room.now)
    room.bell.ring(Job.TELL)
    print(f"{webhook:>6}  is sent again")


@app.command("secret")
def secret(endpoint: EndpointArgument, as_json: AsJson = False) -> None:
    """Make a new secret and print it, once; the one before signs as well for a day."""
    from publisher.webhooks.flow import rotate_secret
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    room = newsroom()
    made = rotate_secret(room.database, EndpointId(endpoint), clock=room.now)
    if as_json:
        print_json({"id": endpoint, "secret": made})
    else:
        print(made)


@app.command("on")
def on(endpoint: EndpointArgument) -> None:
    """Switch an endpoint on; it goes on where it stopped."""
    _switch(endpoint, is_on=True)


@app.command("off")
def off(endpoint: EndpointArgument) -> None:
    """Switch an endpoint off; what happens meanwhile waits, for three days at most."""
    _switch(endpoint, is_on=False)


@app.command("show")
def show_endpoint(endpoint: EndpointArgument, as_json: AsJson = False) -> None:
    """Show one endpoint."""
    from publisher.webhooks import store
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = store.endpoint_of(connection, EndpointId(endpoint))
        waiting = store.waiting(connection, found.id)
    row = {
        "id": found.id,
        "name": found.name,
        "url": found.url,
        "events": sorted(found.happenings),
        "with_addresses": found.with_addresses,
        "is_on": found.is_on,
        "problem": found.off_reason,
        "waiting": waiting,
        "failing_since": found.failing_since,
        "created_at": found.created_at,
    }
    show_one(row, as_json=as_json)


@app.command("remove")
def remove(endpoint: EndpointArgument) -> None:
    """Forget an endpoint, its log and what was still to be told to it."""
    from publisher.webhooks.flow import remove_endpoint
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    remove_endpoint(newsroom().database, EndpointId(endpoint))
    print(f"{endpoint:>6}  removed")


def _switch(endpoint: int, *, is_on: bool) -> None:
    from publisher.bell import Job
    from publisher.webhooks.flow import switch
    from publisher.webhooks.model import EndpointId
    from publisher.wiring import newsroom

    room = newsroom()
    switch(room.database, EndpointId(endpoint), on=is_on)
    room.bell.ring(Job.TELL)
    print(f"{endpoint:>6}  {'on' if is_on else 'off'}")


def _line(each: Any, *, as_json: bool) -> dict[str, Any]:
    row = {"id": each.id, "event": each.kind, "at": each.at, "state": each.state.value}
    if as_json:
        return row | {"message_id": each.message_id, "attempts": [vars(one) for one in each.attempts]}
    last = each.attempts[-1] if each.attempts else None
    said = f"{last.status or 'no answer'}, {last.took_ms} ms {last.said}".strip() if last else ""
    return row | {"attempts": len(each.attempts), "last": said, "next_at": each.due_at}
