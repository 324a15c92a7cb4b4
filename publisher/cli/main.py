import gc
import os
import sys
from typing import Annotated, Any

import typer

from publisher.cli import (
    articles,
    audience,
    editions,
    events,
    feeds,
    glossary,
    issues,
    people,
    segments,
    service,
    sources,
    webhooks,
)
from publisher.errors import PublisherError

Url = Annotated[
    str, typer.Option("--url", help="Of a service elsewhere, which does it over its API. Also: PUBLISHER_URL.")
]
Token = Annotated[str, typer.Option("--token", help="A token of that service; better in PUBLISHER_TOKEN.")]

app = typer.Typer(
    name="publisher",
    help="Newsletters, feeds and a guide for readers abroad, from one queue of articles.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(articles.app, name="article", help="Hand in, list, show and withdraw articles.")
app.add_typer(sources.app, name="source", help="Newsrooms' own feeds that we read.")
app.add_typer(feeds.app, name="feed", help="List feeds, end them, and let them lead elsewhere.")
app.add_typer(glossary.app, name="glossary", help="Names and words that are explained to readers abroad.")
app.add_typer(audience.subscribers, name="subscriber", help="Add, import, export and list subscribers.")
app.add_typer(audience.mailing_lists, name="mailing-list", help="Add and list mailing lists.")
app.add_typer(segments.app, name="segment", help="Parts of the readers that an edition can go to.")
app.add_typer(editions.app, name="edition", help="What is published again and again.")
app.add_typer(issues.app, name="issue", help="Draft, approve, stop and look at issues.")
app.add_typer(events.app, name="events", help="Bounces and complaints that came back by mail.")
app.add_typer(webhooks.app, name="webhook", help="Other programs that are told what happens.")
app.add_typer(people.editors, name="editor", help="People who sign in to the desk.")
app.add_typer(people.tokens, name="token", help="Keys to the API.")
service.register(app)


@app.callback()
def _prepare(
    context: typer.Context,
    url: Url = "",
    token: Token = "",
) -> None:
    """Newsletters, feeds and a guide for readers abroad, from one queue of articles."""
    del url, token  # with an address the commands for a service elsewhere are run, not these
    if context.invoked_subcommand not in service.SERVERS:
        # What a command prints is for its reader; logs go to standard error, and only what is an error.
        from publisher import acts, logs

        acts.begin(acts.Actor(via="cli", who=_account()))
        logs.set_up(level=os.environ.get("PUBLISHER_LOG_LEVEL", "error"))


def _account() -> str:
    """Return the name of who types; a container may know none."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"account {os.getuid()}"


def run() -> None:
    """Run one command; an error is one sentence on standard error and exit code 1, never a traceback."""
    gc.set_threshold(50_000, 20, 20)  # a command is soon over; looking for cycles is a tenth of a long one's time
    try:
        _run_and_flush()
    except PublisherError as problem:
        print(f"publisher: {problem}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Nobody reads any more. What is still in the buffer must not fail a second time when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as problem:  # noqa: BLE001 -- the entry point reports whatever reached it
        sys.exit(_report(problem))


def _chosen() -> Any:
    """Return the commands for this machine, or those for the service elsewhere that the words or PUBLISHER_URL name."""
    from publisher.cli.elsewhere.named import named_in

    if not named_in(sys.argv[1:], os.environ):
        return app
    from publisher.cli.elsewhere.commands import app as elsewhere
    from publisher.cli.elsewhere.commands import with_refusals

    elsewhere.callback()(_prepare_elsewhere)
    return with_refusals(app)


def _prepare_elsewhere(context: typer.Context, url: Url = "", token: Token = "") -> None:
    """Newsletters, feeds and a guide for readers abroad, on a service elsewhere."""
    from publisher.cli.elsewhere.service import hang_up

    context.call_on_close(hang_up)
    os.environ.update({name: value for name, value in (("PUBLISHER_URL", url), ("PUBLISHER_TOKEN", token)) if value})


def _run_and_flush() -> None:
    try:
        _chosen()()
    finally:
        sys.stdout.flush()


def _report(problem: Exception) -> int:
    """Say what can be said of an unforeseen error; the traceback is for PUBLISHER_LOG_LEVEL=debug."""
    import traceback

    from sqlalchemy.exc import DBAPIError

    from publisher.database import first_line

    if os.environ.get("PUBLISHER_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exc()
    if isinstance(problem, DBAPIError):
        hint = "Run: publisher migrate" if _lacks_tables(problem) else "Try: publisher doctor"
        print(f"publisher: The database cannot be used: {first_line(problem)}. {hint}", file=sys.stderr)
    else:
        print(f"publisher: {type(problem).__name__}: {problem}", file=sys.stderr)
        print("This should not happen. PUBLISHER_LOG_LEVEL=debug shows more.", file=sys.stderr)
    return 1


def _lacks_tables(problem: Exception) -> bool:
    return "no such table" in str(problem) or "UndefinedTable" in str(problem)
