from pathlib import Path
from typing import Annotated

import typer

from publisher.cli.show import AsJson, print_json

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What is heard after a send."""


@app.command("ingest")
def ingest(
    mails: Annotated[str, typer.Argument(help="A maildir, a file with one mail, or - for one mail on standard input.")],
    as_json: AsJson = False,
) -> None:
    """Read bounces (RFC 3464) and complaints (RFC 5965) that came back to us; reading them twice changes nothing."""
    import sys

    from publisher.bell import Job
    from publisher.dispatch.return_path import return_paths
    from publisher.errors import SettingsError
    from publisher.events import flow
    from publisher.wiring import newsroom

    room = newsroom()
    paths = return_paths(room.signer, room.settings.bounce_address)
    if paths is None:
        raise SettingsError("PUBLISHER_BOUNCE_ADDRESS", "must be set: without it no mail can tell whose bounce it is")
    if mails == "-":
        looked_at, found = flow.ingest(room.database, [sys.stdin.buffer.read()], paths, clock=room.now)
    else:
        looked_at, found = flow.ingest_folder(room.database, Path(mails), paths, clock=room.now)
    room.bell.ring(Job.EVENTS)
    if as_json:
        print_json({"mails": looked_at, "events": found})
    else:
        print(f"{found} events in {looked_at} mails")
