import sys
import time
from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show, show_one

app = typer.Typer(no_args_is_help=True)

LOOK_EVERY_S = 0.25
IssueArgument = Annotated[int, typer.Argument(help="Id.")]


@app.command("draft")
def draft(
    edition: Annotated[str, typer.Argument(help="Slug of an edition.")],
    subject: Annotated[str, typer.Option(help="Made from the articles if left out.")] = "",
    article: Annotated[list[int], typer.Option("--article", help="Only these articles, in this order.")] = [],
    introduction: Annotated[str, typer.Option(help="The editor's words at the top, in Markdown.")] = "",
    now: Annotated[bool, typer.Option("--now", help="The window ends now, not at the next slot.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an issue by hand and print its id; nothing is sent before it is approved."""
    from publisher.archive.model import ArticleId
    from publisher.compose.flow import draft_issue
    from publisher.wiring import newsroom

    del now  # a draft made by hand always looks back from this moment
    room = newsroom()
    added = draft_issue(
        room.database,
        room.settings,
        edition,
        article_ids=[ArticleId(each) for each in article],
        subject=subject,
        introduction=introduction,
        clock=room.now,
    )
    if as_json:
        print_json({"id": added.id, "number": added.number, "articles": list(added.article_ids)})
    else:
        print(added.id)


@app.command("approve")
def approve(
    issue: IssueArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Until the last delivery has an outcome.")] = False,
    as_json: AsJson = False,
) -> None:
    """Freeze an issue and send it. It takes effect at once."""
    from publisher.bell import Job
    from publisher.compose import flow
    from publisher.compose.model import IssueId
    from publisher.wiring import newsroom

    room = newsroom()
    approved = flow.approve(room.database, room.settings, IssueId(issue), clock=room.now)
    room.bell.ring(Job.PLAN, Job.SYNDICATE)
    if wait:
        found = _wait(room, IssueId(issue), quiet=as_json)
        _print_report(found, as_json=as_json)
        sys.exit(0 if found.state == "sent" else 1)
    if as_json:
        print_json({"id": issue, "state": approved.state.value})
    else:
        print(f"Issue {issue} is approved: {approved.subject}")


@app.command("list")
def list_issues(
    edition: Annotated[str, typer.Option(help="Only this edition.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List issues, newest first."""
    from publisher.compose import store
    from publisher.dispatch import report
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        editions = {each.id: each for each in store.editions(connection)}
        only = store.edition_named(connection, edition).id if edition else None
        found = store.issues(connection, at_most=limit, edition_id=only)
        states = report.states(connection, [each.id for each in found])
    show(
        (
            {
                "id": each.id,
                "edition": editions[each.edition_id].slug,
                "number": each.number,
                "state": states.get(each.id, each.state.value),
                "articles": len(each.article_ids),
                "subject": each.subject or each.reason,
                "created_at": each.created_at,
                "approved_at": each.approved_at,
            }
            for each in found
        ),
        as_json=as_json,
        empty="There is no issue yet. Make one: publisher issue draft weekly --now",
    )


@app.command("show")
def show_issue(
    issue: IssueArgument,
    text: Annotated[bool, typer.Option("--text", help="Print the text of the mail.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print the HTML of the mail.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one issue, or its mail as it is or would be sent."""
    from publisher.compose import flow, store
    from publisher.compose.model import IssueId
    from publisher.dispatch import report
    from publisher.wiring import newsroom

    room = newsroom()
    if text or html:
        rendering = flow.preview(room.database, room.settings, IssueId(issue))
        print(rendering.html if html else rendering.text)
        return
    with room.database.reading() as connection:
        found = report.report(connection, IssueId(issue))
        edition = store.edition_of(connection, found.issue.edition_id)
    row = report.as_json(found)
    counts = row.pop("counts")
    row |= {
        "edition": edition.slug,
        "articles": list(found.issue.article_ids),
        "preheader": found.issue.preheader,
        "created_at": found.issue.created_at,
        "approved_at": found.issue.approved_at,
    }
    show_one(row | ({"counts": counts} if as_json else counts), as_json=as_json)


@app.command("report")
def report_issue(issue: IssueArgument, as_json: AsJson = False) -> None:
    """Show how the sending of an issue stands."""
    from publisher.compose.model import IssueId
    from publisher.dispatch.report import report
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = report(connection, IssueId(issue))
    _print_report(found, as_json=as_json)


@app.command("cancel")
def cancel(issue: IssueArgument) -> None:
    """Cancel a draft, or stop an issue for good: who has it keeps it, nobody else gets it."""
    from publisher.compose import flow as compose
    from publisher.compose.model import IssueId
    from publisher.dispatch import flow as dispatch
    from publisher.wiring import newsroom

    room = newsroom()
    if not compose.cancel_draft(room.database, IssueId(issue)):
        dispatch.cancel(
            room.database, room.settings, IssueId(issue), reason="Cancelled by an operator.", clock=room.now
        )
    print(f"Issue {issue} is cancelled.")


@app.command("pause")
def pause(issue: IssueArgument) -> None:
    """Stop sending an issue for now."""
    from publisher.compose.model import IssueId
    from publisher.dispatch import flow
    from publisher.wiring import newsroom

    room = newsroom()
    flow.pause(room.database, room.settings, IssueId(issue), reason="Paused by an operator.", clock=room.now)
    print(f"Issue {issue} is paused. Go on: publisher issue resume {issue}")


@app.command("resume")
def resume(issue: IssueArgument) -> None:
    """Go on with a paused issue, exactly where it stopped."""
    from publisher.bell import Job
    from publisher.compose.model import IssueId
    from publisher.dispatch import flow
    from publisher.wiring import newsroom

    room = newsroom()
    flow.resume(room.database, IssueId(issue), clock=room.now)
    room.bell.ring(Job.DISPATCH)
    print(f"Issue {issue} goes on.")


def _wait(room: Any, issue_id: Any, *, quiet: bool) -> Any:
    """Look at the ledger until the issue is over or stopped, with a bar where somebody is looking."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from publisher.dispatch.report import report

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("Sending", total=None)
        while True:
            with room.database.reading() as connection:
                found = report(connection, issue_id)
            waiting = sum(found.counts[state] for state in found.counts if state in {"planned", "sending", "deferred"})
            bar.update(task, total=found.total or None, completed=found.total - waiting, description=found.state)
            if found.is_over or found.state == "paused":
                return found
            time.sleep(LOOK_EVERY_S)


def _print_report(found: Any, *, as_json: bool) -> None:
    from publisher.dispatch.report import as_json as plain

    row = plain(found)
    show_one(row if as_json else row | row.pop("counts"), as_json=as_json)
