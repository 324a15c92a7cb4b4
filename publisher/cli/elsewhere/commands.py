"""The commands for a service elsewhere: those of the same names, over its API."""

from typing import Any

import typer
from typer.main import get_command

from publisher.cli.elsewhere import articles, audience, issues, webhooks
from publisher.errors import ConflictError

app = typer.Typer(name="publisher", no_args_is_help=True, add_completion=False, rich_markup_mode=None)
for group, name in (
    (articles.articles, "article"),
    (articles.sources, "source"),
    (articles.glossary, "glossary"),
    (audience.subscribers, "subscriber"),
    (audience.mailing_lists, "mailing-list"),
    (issues.editions, "edition"),
    (issues.issues, "issue"),
    (webhooks.app, "webhook"),
):
    app.add_typer(group, name=name)


def with_refusals(here: typer.Typer) -> Any:
    """Return the commands for a service elsewhere; those that work only beside the service say so."""
    command: Any = get_command(app)
    _fill(command, get_command(here), "publisher")
    return command


def _fill(there: Any, here: Any, path: str) -> None:
    for name, found in here.commands.items():
        known = there.commands.get(name)
        if known is None:
            there.add_command(_refusal(f"{path} {name}"), name)
        elif hasattr(found, "commands"):
            _fill(known, found, f"{path} {name}")


def _refusal(path: str) -> Any:
    refusals = typer.Typer(add_completion=False)

    @refusals.command(path, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def refuse() -> None:
        """Works only where the service itself runs."""
        raise ConflictError(
            f"`{path}` works only where the service itself runs. Leave out --url, unset PUBLISHER_URL, or do it there."
        )

    return get_command(refusals)
