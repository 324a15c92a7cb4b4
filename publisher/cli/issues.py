import sys
import time
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import InputError

app = typer.Typer(no_args_is_help=True)

LOOK_EVERY_S = 0.25
IssueArgument = Annotated[int, typer.Argument(help="Id.")]
OtherSubjects = Annotated[list[str], typer.Option("--other", help="Another subject to try; twice for two.")]
TrialShare = Annotated[int, typer.Option("--share", help="Percent of the readers on trial.")]
TrialHours = Annotated[int, typer.Option("--hours", help="Before the rest gets the best.")]
NoTrial = Annotated[bool, typer.Option("--off", help="One subject for all.")]
ChosenSubject = Annotated[
    int | None, typer.Option("--choose", help="Send the rest under the subject of this number now.")
]


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
    at: Annotated[str, typer.Option("--at", help="Not at once: such as 2026-12-01T07:00+09:00.")] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze an issue and send it. It takes effect at once, or at the instant named."""
    from publisher.bell import Job
    from publisher.compose import flow
    from publisher.compose.model import IssueId, IssueState
    from publisher.wiring import newsroom

    room = newsroom()
    goes_at = instant(at) if at else None
    if goes_at is not None and wait:
        raise InputError("--wait goes with an issue that is sent at once, not with --at.")
    approved = flow.approve(room.database, room.settings, IssueId(issue), goes_at=goes_at, clock=room.now)
    room.bell.ring(Job.PLAN, Job.SYNDICATE)
    if wait:
        found = _wait(room, IssueId(issue), quiet=as_json)
        _print_report(found, [], None, as_json=as_json)
        sys.exit(0 if found.state == "sent" else 1)
    if as_json:
        when = {"goes_at": approved.goes_at} if approved.state is IssueState.SCHEDULED else {}
        print_json({"id": issue, "state": approved.state.value, **when})
    elif approved.state is IssueState.SCHEDULED:
        print(f"Issue {issue} goes out at {approved.goes_at:%Y-%m-%d %H:%M:%S} UTC.")
        print(f"Until then it can be taken back: publisher issue undo {issue}")
    else:
        print(f"Issue {issue} is approved: {approved.subject}")


@app.command("subjects")
def subjects(
    issue: IssueArgument,
    other: OtherSubjects = [],
    share: TrialShare = 20,
    hours: TrialHours = 4,
    off: NoTrial = False,
    choose: ChosenSubject = None,
    as_json: AsJson = False,
) -> None:
    """Try other subjects for a draft on a share of its readers, choose one before the end, or see how they do."""
    from publisher.bell import Job
    from publisher.compose import flow, store
    from publisher.compose.model import IssueId, SubjectTest
    from publisher.events import subject_tests
    from publisher.wiring import newsroom

    room = newsroom()
    if choose is not None:
        subject_tests.choose(room.database, IssueId(issue), choose, clock=room.now)
        room.bell.ring(Job.DISPATCH)
    elif other or off:
        with room.database.reading() as connection:
            found = store.issue_of(connection, IssueId(issue))
        test = None if off else SubjectTest(others=tuple(other), share_percent=share, hours=hours)
        flow.change_draft(room.database, room.settings, replace(found, subject_test=test))
        print(trial_told(issue, 0 if off else len(other)))
        return
    with room.database.reading() as connection:
        store.issue_of(connection, IssueId(issue))
        standing = subject_tests.standing_of(connection, IssueId(issue))
    show_subjects(asdict(standing) if standing else None, as_json=as_json)


def trial_told(issue: int, others: int) -> str:
    """Say what a draft's subjects are from now on."""
    return f"Issue {issue} tries {1 + others} subjects." if others else f"Issue {issue} has one subject for all."


def show_subjects(standing: dict[str, Any] | None, *, as_json: bool) -> None:
    """Print how subjects do that are on trial."""
    if as_json:
        print_json(standing)
        return
    show(standing["subjects"] if standing else [], as_json=False, empty="No test of subjects has begun.")
    if not standing:
        return
    print(
        "The leading one is ahead by more than chance." if standing["is_clear"] else "The difference is noise so far."
    )
    if standing["best_subject"] is None:
        print(f"The rest gets the leading one at {standing['settles_at']}.")
    else:
        print(f"The rest gets subject {standing['best_subject']}.")


@app.command("undo")
def undo(issue: IssueArgument) -> None:
    """Take an approval back, as long as the issue waits for its time; it is a draft again."""
    from publisher.compose import flow
    from publisher.compose.model import IssueId
    from publisher.wiring import newsroom

    flow.undo(newsroom().database, IssueId(issue))
    print(f"Issue {issue} is a draft again.")


@app.command("move")
def move(
    issue: IssueArgument,
    to: Annotated[str, typer.Option("--to", help="Such as 2026-12-01T07:00+09:00.")],
) -> None:
    """Give a scheduled issue another time, frozen as it is."""
    from publisher.compose import flow
    from publisher.compose.model import IssueId
    from publisher.wiring import newsroom

    room = newsroom()
    moved = flow.move(room.database, IssueId(issue), instant(to), clock=room.now)
    print(f"Issue {issue} goes out at {moved.goes_at:%Y-%m-%d %H:%M:%S} UTC.")


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
        from publisher.compose.slots import anybody, filled

        rendering = flow.preview(room.database, room.settings, IssueId(issue))
        print(filled(rendering.html if html else rendering.text, anybody(room.settings.base_url, rendering.reader)))
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
def report_issue(
    issue: IssueArgument,
    failed: Annotated[bool, typer.Option("--failed", help="List who did not get it, and why.")] = False,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="List of whom we do not know.")] = False,
    skipped: Annotated[bool, typer.Option("--skipped", help="List who was left out, and why.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The lists as CSV; all deliveries if none is chosen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how the sending of an issue stands, or list its deliveries."""
    from publisher.compose.model import IssueId
    from publisher.dispatch import figures
    from publisher.dispatch.model import DeliveryState
    from publisher.dispatch.report import report
    from publisher.events import clicks
    from publisher.wiring import newsroom

    chosen = {DeliveryState.FAILED: failed, DeliveryState.UNCERTAIN: uncertain, DeliveryState.SKIPPED: skipped}
    states = [state for state, is_wanted in chosen.items() if is_wanted]
    with newsroom().database.reading(unhurried=as_csv) as connection:
        found = report(connection, IssueId(issue))
        if states or as_csv:
            _print_lines(connection, IssueId(issue), states, as_csv=as_csv, as_json=as_json)
            return
        links = clicks.of_issue(connection, IssueId(issue))
        counted = figures.as_json(figures.figures_of(connection, IssueId(issue)))
    _print_report(found, links, counted, as_json=as_json)


@app.command("retry")
def retry(
    issue: IssueArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Those that were refused or given up.")] = False,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="Those whose answer never came.")] = False,
) -> None:
    """Send an issue again to those who did not get it."""
    from publisher.bell import Job
    from publisher.compose.model import IssueId
    from publisher.dispatch import flow
    from publisher.dispatch.model import DeliveryState
    from publisher.wiring import newsroom

    if not failed and not uncertain:
        raise InputError("Say which: --failed, --uncertain or both.")
    room = newsroom()
    chosen = [(DeliveryState.FAILED, failed), (DeliveryState.UNCERTAIN, uncertain)]
    states = [state for state, is_wanted in chosen if is_wanted]
    number = sum(flow.retry(room.database, IssueId(issue), state, clock=room.now) for state in states)
    room.bell.ring(Job.DISPATCH)
    print(f"{number:,} deliveries of issue {issue} are tried again.")


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


def instant(text: str) -> Any:
    """Return an instant that was typed. Raises InputError."""
    from datetime import datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(f"{text!r} is no instant with a zone, such as 2026-12-01T07:00+09:00.")
    return found


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


def _print_lines(connection: Any, issue_id: Any, states: Any, *, as_csv: bool, as_json: bool) -> None:
    """Print deliveries; as CSV some thousand at a time, however many there are."""
    from publisher.dispatch.report import COLUMNS, LINES_AT_ONCE, lines, lines_as_csv

    if as_csv:
        sys.stdout.writelines(lines_as_csv(connection, issue_id, states=states))
        return
    after, rows = 0, []
    while found := lines(connection, issue_id, states=states, after=after, at_most=LINES_AT_ONCE):
        after = found[-1].seq
        rows += [{name: getattr(line, name) for name in COLUMNS} for line in found]
    show(rows, as_json=as_json, empty="There is none.")


def _print_report(found: Any, links: Any, counted: Any, *, as_json: bool) -> None:
    from publisher.dispatch.report import as_json as plain

    row = plain(found)
    if as_json:
        show_one(row | {"links": [vars(each) for each in links], "figures": counted}, as_json=True)
        return
    show_one(row | row.pop("counts"), as_json=False)
    if links:
        print()
        show([{"clicks": each.clicks, "link": each.url} for each in links], as_json=False, empty="")
    for name in ("domain", "reason") if counted else ():
        if rows := counted[f"by_{name}"]:
            print()
            show([each | {name: each[name] or "all others"} for each in rows], as_json=False, empty="")
