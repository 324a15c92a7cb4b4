import sys
import time
from typing import Annotated, Any

import typer

from publisher.cli.editions import LeaveOut, MoveTo, PutBack, SlotArgument, SlugArgument, slot_turn
from publisher.cli.elsewhere.service import service
from publisher.cli.issues import (
    ChosenSubject,
    NoTrial,
    OtherSubjects,
    TrialHours,
    TrialShare,
    show_subjects,
    trial_told,
)
from publisher.cli.show import AsJson, print_json, show, show_one
from publisher.errors import InputError

issues = typer.Typer(no_args_is_help=True)
editions = typer.Typer(no_args_is_help=True)

MOST = 10_000
LOOK_EVERY_S = 1.0
OVER = {"sent", "cancelled", "paused", "skipped"}
IssueArgument = Annotated[int, typer.Argument(help="Id.")]


@issues.command("draft")
def draft(
    edition: Annotated[str, typer.Argument(help="Slug of an edition.")],
    subject: Annotated[str, typer.Option(help="Made from the articles if left out.")] = "",
    article: Annotated[list[int], typer.Option("--article", help="Only these articles, in this order.")] = [],
    introduction: Annotated[str, typer.Option(help="The editor's words at the top, in Markdown.")] = "",
    now: Annotated[bool, typer.Option("--now", help="The window ends now, not at the next slot.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make an issue by hand and print its id; nothing is sent before it is approved."""
    del now  # a draft made by hand always looks back from this moment
    form = {"edition": edition, "subject": subject, "article_ids": article, "introduction": introduction}
    made = service().post("issues", form)
    if as_json:
        print_json(made)
    else:
        print(made["id"])


@issues.command("list")
def list_issues(
    edition: Annotated[str, typer.Option(help="Only this edition.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List issues, newest first."""
    names = ("id", "edition", "number", "state", "subject", "created_at", "approved_at")
    found = service().listed("issues", limit, edition=edition)
    show(({name: each[name] for name in names} for each in found), as_json=as_json, empty="There is no issue yet.")


@issues.command("show")
def show_issue(
    issue: IssueArgument,
    text: Annotated[bool, typer.Option("--text", help="Print the text of the mail.")] = False,
    html: Annotated[bool, typer.Option("--html", help="Print the HTML of the mail.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one issue, or its mail as it is or would be sent."""
    if text or html:
        print(service().get(f"issues/{issue}/preview")["html" if html else "text"])
        return
    _print(service().get(f"issues/{issue}"), as_json=as_json)


@issues.command("report")
def report(issue: IssueArgument, as_json: AsJson = False) -> None:
    """Show how the sending of an issue stands."""
    _print(service().get(f"issues/{issue}"), as_json=as_json)


@issues.command("test")
def test(
    issue: IssueArgument, email: Annotated[str, typer.Argument(help="Of an editor who may sign in to the desk.")]
) -> None:
    """Send the mail, as it is now, to an editor."""
    print(service().post(f"issues/{issue}/test", {"email": email})["said"])


@issues.command("approve")
def approve(
    issue: IssueArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Until the last delivery has an outcome.")] = False,
    at: Annotated[str, typer.Option("--at", help="Not at once: such as 2026-12-01T07:00+09:00.")] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze an issue and send it. It takes effect at once, or at the instant named."""
    if at and wait:
        raise InputError("--wait goes with an issue that is sent at once, not with --at.")
    found = service().post(f"issues/{issue}/approve", {"goes_at": at or None})
    while wait and found["state"] not in OVER:
        time.sleep(LOOK_EVERY_S)
        found = service().get(f"issues/{issue}")
    if as_json or wait:
        _print(found, as_json=as_json)
    else:
        print(f"Issue {issue} is {found['state']}: {found['subject']}")
    if wait and found["state"] != "sent":
        sys.exit(1)


@issues.command("retry")
def retry(
    issue: IssueArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Those that were refused or given up.")] = False,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="Those whose answer never came.")] = False,
) -> None:
    """Send an issue again to those who did not get it."""
    if not failed and not uncertain:
        raise InputError("Say which: --failed, --uncertain or both.")
    for state, is_wanted in (("failed", failed), ("uncertain", uncertain)):
        if is_wanted:
            service().post(f"issues/{issue}/retry", {"state": state})
    print(f"Issue {issue} is tried again.")


@issues.command("subjects")
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
    if choose is not None:
        service().post(f"issues/{issue}/subject", {"number": choose})
    found = service().get(f"issues/{issue}")
    if other or off:
        kept = {name: found[name] for name in ("article_ids", "subject", "preheader", "introduction")}
        test = None if off else {"others": other, "share_percent": share, "hours": hours}
        service().put(f"issues/{issue}", kept | {"subject_test": test})
        print(trial_told(issue, 0 if off else len(other)))
        return
    show_subjects(found["subject_test_standing"], as_json=as_json)


@issues.command("undo")
def undo(issue: IssueArgument) -> None:
    """Take an approval back, as long as the issue waits for its time; it is a draft again."""
    _move(issue, "undo")


@issues.command("move")
def move(
    issue: IssueArgument, to: Annotated[str, typer.Option("--to", help="Such as 2026-12-01T07:00+09:00.")]
) -> None:
    """Give a scheduled issue another time, frozen as it is."""
    print(f"Issue {issue} goes out at {service().post(f'issues/{issue}/move', {'goes_at': to})['goes_at']}.")


@issues.command("cancel")
def cancel(issue: IssueArgument) -> None:
    """Cancel a draft, or stop an issue for good: who has it keeps it, nobody else gets it."""
    _move(issue, "cancel")


@issues.command("pause")
def pause(issue: IssueArgument) -> None:
    """Stop sending an issue for now."""
    _move(issue, "pause")


@issues.command("resume")
def resume(issue: IssueArgument) -> None:
    """Go on with a paused issue, exactly where it stopped."""
    _move(issue, "resume")


@editions.command("list")
def list_editions(as_json: AsJson = False) -> None:
    """List the editions, and when their next issues are due."""
    names = ("slug", "name", "kind", "mailing_list", "cadence", "approval", "is_active", "next_slot_at")
    found = service().listed("editions", MOST)
    show(({name: each[name] for name in names} for each in found), as_json=as_json, empty="There is no edition yet.")


@editions.command("show")
def show_edition(slug: Annotated[str, typer.Argument(help="Slug.")], as_json: AsJson = False) -> None:
    """Show one edition."""
    show_one(service().get(f"editions/{slug}"), as_json=as_json)


@editions.command("slot")
def turn_slot(
    slug: SlugArgument, slot: SlotArgument, to: MoveTo = "", leave_out: LeaveOut = False, put_back: PutBack = False
) -> None:
    """Move one slot to come, or leave it out, once; the cadence stays."""
    do = slot_turn(to=to, leave_out=leave_out, put_back=put_back)
    found = service().post(f"editions/{slug}/slots", {"slot_at": slot, "do": do, "to": to or None})
    print(f"The next slot of {slug} comes at {found['next_slot_at']}.")


def _move(issue: int, word: str) -> None:
    print(f"Issue {issue} is {service().post(f'issues/{issue}/{word}')['state']}.")


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    row = {name: value for name, value in found.items() if name not in {"counts", "links", "introduction"}}
    show_one(row | found["counts"], as_json=False)
