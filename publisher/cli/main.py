import gc
import os
import sys

import typer

from publisher.cli import articles, audience, editions, events, feeds, glossary, issues, people, service, sources
from publisher.errors import PublisherError

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
app.add_typer(editions.app, name="edition", help="What is published again and again.")
app.add_typer(issues.app, name="issue", help="Draft, approve, stop and look at issues.")
app.add_typer(events.app, name="events", help="Bounces and complaints that came back by mail.")
app.add_typer(people.editors, name="editor", help="People who sign in to the desk.")
app.add_typer(people.tokens, name="token", help="Keys to the API.")
service.register(app)


@app.callback()
def _prepare(context: typer.Context) -> None:
    """Newsletters, feeds and a guide for readers abroad, from one queue of articles."""
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


def _run_and_flush() -> None:
    try:
        app()
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
