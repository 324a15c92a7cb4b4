"""`publisher issue` and `publisher edition`: draft, approve, stop, report."""

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.wiring import newsroom
from tests.cli.conftest import Publisher

STATES = {"planned", "sent", "failed", "deferred", "skipped", "uncertain"}


def a_draft(publisher: Publisher, *words: str) -> int:
    found = publisher("issue", "draft", "weekly", "--now", *words, "--json").json["id"]
    assert isinstance(found, int)
    return found


def readers(publisher: Publisher, tmp_path: Path, number: int) -> None:
    file = tmp_path / "readers.csv"
    rows = "".join(f"reader{each}@example.org,Reader {each}\n" for each in range(number))
    file.write_text(f"email,name\n{rows}", encoding="utf-8")
    assert publisher("subscriber", "import", file, "--mailing-list", "readers", "--confirmed").code == 0


def work() -> None:
    """What a worker does when its bell rings."""
    room = newsroom()
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    while send_due(room.dispatcher):
        continue


def test_a_draft_prints_its_id(opened: Publisher) -> None:
    done = opened("issue", "draft", "weekly", "--now")

    assert done.code == 0
    assert opened("issue", "show", done.out.strip(), "--json").json["state"] == "draft"


def test_a_draft_takes_the_articles_and_the_subject_that_it_is_given(opened: Publisher) -> None:
    ids = [each["id"] for each in opened("article", "list", "--json").json]

    issue = a_draft(opened, "--article", str(ids[2]), "--article", str(ids[0]), "--subject", "Spring")
    shown = opened("issue", "show", issue, "--json").json

    assert shown["articles"] == [ids[2], ids[0]]
    assert shown["subject"] == "Spring"


def test_a_guide_and_an_alert_can_be_drafted_too(opened: Publisher) -> None:
    assert opened("issue", "draft", "alert", "--now", "--json").code == 0
    done = opened("issue", "draft", "guide", "--now", "--json")
    assert "Traceback" not in done.err


def test_an_issue_is_approved_and_its_report_adds_up(opened: Publisher, tmp_path: Path) -> None:
    readers(opened, tmp_path, 3)
    issue = a_draft(opened)

    assert opened("issue", "approve", issue, "--json").json == {"id": issue, "state": "approved"}
    work()
    report = opened("issue", "report", issue, "--json").json

    assert report["state"] == "sent"
    assert set(report["counts"]) >= STATES
    assert report["counts"]["sent"] == 3
    assert sum(report["counts"].values()) == report["total"] == 3
    assert len(list((tmp_path / "data" / "outbox" / "new").iterdir())) == 3


def test_an_issue_is_approved_for_later_and_taken_back(opened: Publisher) -> None:
    issue = a_draft(opened)
    at = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="seconds")

    scheduled = opened("issue", "approve", issue, "--at", at, "--json").json
    assert scheduled["state"] == "scheduled"
    assert datetime.fromisoformat(scheduled["goes_at"]) == datetime.fromisoformat(at)
    assert "draft again" in opened("issue", "undo", issue).out
    assert "Until then it can be taken back" in opened("issue", "approve", issue, "--at", at).out
    assert opened("issue", "approve", issue, "--json").json["state"] == "approved", "now, after all"
    too_late = opened("issue", "undo", issue)

    assert (too_late.code, too_late.err.count("\n")) == (1, 1)
    assert "cannot be undone" in too_late.err


@pytest.mark.parametrize("at", ["soon", "2026-12-01T07:00", "2020-01-01T00:00Z"])
def test_a_time_that_cannot_be_is_one_sentence(opened: Publisher, at: str) -> None:
    issue = a_draft(opened)

    done = opened("issue", "approve", issue, "--at", at)

    assert (done.code, done.err.count("\n")) == (1, 1)
    assert opened("issue", "list", "--json").json[0]["state"] == "draft"


def test_approve_can_wait_until_the_last_reader_has_it(opened: Publisher, tmp_path: Path) -> None:
    readers(opened, tmp_path, 3)
    issue = a_draft(opened)
    worker = threading.Timer(0.5, work)
    worker.start()

    done = opened("issue", "approve", issue, "--wait", "--json")
    worker.join()

    assert done.json["state"] == "sent"
    assert done.json["counts"]["sent"] == 3


def test_a_report_is_for_people_too(opened: Publisher, tmp_path: Path) -> None:
    readers(opened, tmp_path, 1)
    issue = a_draft(opened)
    opened("issue", "approve", issue)
    work()

    said = opened("issue", "report", issue).out

    assert "state" in said
    assert "sent" in said
    assert "{" not in said


def test_an_issue_can_be_paused_and_resumed(opened: Publisher, tmp_path: Path) -> None:
    readers(opened, tmp_path, 2)
    issue = a_draft(opened)
    opened("issue", "approve", issue)

    assert opened("issue", "pause", issue).code == 0
    work()
    paused = opened("issue", "report", issue, "--json").json
    assert opened("issue", "resume", issue).code == 0
    work()

    assert (paused["state"], paused["counts"]["sent"]) == ("paused", 0)
    assert paused["reason"] == "Paused by an operator."
    assert opened("issue", "report", issue, "--json").json["counts"]["sent"] == 2


def test_an_approved_issue_can_still_be_cancelled(opened: Publisher, tmp_path: Path) -> None:
    readers(opened, tmp_path, 2)
    issue = a_draft(opened)
    opened("issue", "approve", issue)

    assert opened("issue", "cancel", issue).code == 0
    work()

    assert opened("issue", "report", issue, "--json").json["state"] == "cancelled"
    assert not list((tmp_path / "data" / "outbox").rglob("*.eml"))


def test_a_draft_can_be_cancelled_and_not_approved_any_more(opened: Publisher) -> None:
    issue = a_draft(opened)

    assert opened("issue", "cancel", issue).out == f"Issue {issue} is cancelled.\n"
    refused = opened("issue", "approve", issue)

    assert refused.code == 1
    assert refused.err == f"publisher: Issue {issue} is cancelled and cannot be approved; draft a new one.\n"


def test_the_mail_of_an_issue_can_be_looked_at(opened: Publisher) -> None:
    issue = a_draft(opened)

    assert "Night Markets Return" in opened("issue", "show", issue, "--text").out
    assert "<html" in opened("issue", "show", issue, "--html").out.lower()


def test_issues_are_listed_newest_first(opened: Publisher) -> None:
    first, second = a_draft(opened), a_draft(opened)

    listed = opened("issue", "list", "--json").json

    assert [each["id"] for each in listed] == [second, first]
    assert {"id", "edition", "number", "state", "subject"} <= listed[0].keys()
    assert opened("issue", "list", "--edition", "guide", "--json").json == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("issue", "draft", "daily"), "There is no edition 'daily'."),
        (("issue", "draft", "weekly", "--article", "999"), "999"),
        (("issue", "draft", "weekly", "--subject", "{{ nonsense }}"), "nonsense"),
        (("issue", "show", "999"), "There is no issue 999."),
        (("issue", "report", "999"), "There is no issue 999."),
        (("issue", "approve", "999"), "There is no issue 999."),
        (("issue", "cancel", "999"), "There is no issue 999."),
        (("issue", "pause", "999"), "There is no issue 999."),
        (("issue", "resume", "999"), "999"),
    ],
)
def test_a_wrong_name_is_one_sentence(opened: Publisher, words: tuple[str, ...], says: str) -> None:
    done = opened(*words)

    assert done.code == 1
    assert done.err.startswith("publisher: ")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_draft_without_articles_says_why(publisher: Publisher) -> None:
    publisher("mailing-list", "add", "readers")
    publisher("edition", "add", "weekly", "--kind", "digest", "--mailing-list", "readers")

    done = publisher("issue", "draft", "weekly", "--now")

    assert done.code == 1
    assert "No article for 'Weekly' was published since" in done.err


def test_an_edition_is_listed_and_shown(publisher: Publisher) -> None:
    publisher("mailing-list", "add", "readers")
    words = ("--cadence", "mon,thu 07:30 Asia/Seoul", "--name", "Twice a Week", "--topic", "food", "--at-least", "2")
    added = publisher("edition", "add", "twice", "--kind", "digest", "--mailing-list", "readers", *words, "--json").json

    listed = publisher("edition", "list", "--json").json
    shown = publisher("edition", "show", "twice", "--json").json

    assert added["slug"] == "twice"
    assert [(each["slug"], each["kind"], each["name"]) for each in listed] == [("twice", "digest", "Twice a Week")]
    assert shown["topics"] == ["food"]
    assert shown["at_least"] == 2
    assert shown["next_slot_at"] is not None
    assert "Twice a Week" in publisher("edition", "list").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("weekly", "--kind", "comic", "--mailing-list", "readers"), "'comic' is no kind of edition"),
        (("weekly", "--kind", "digest", "--mailing-list", "nobody"), "There is no mailing list 'nobody'."),
        (("Week ly", "--kind", "digest", "--mailing-list", "readers"), "'week-ly' can"),
        (("weekly", "--kind", "digest", "--mailing-list", "readers", "--cadence", "at noon"), "cadence"),
        (("weekly", "--kind", "digest", "--mailing-list", "readers", "--cadence", "mon 08:00 Mars/Olympus"), "Mars"),
        (("weekly", "--kind", "digest", "--mailing-list", "readers", "--approval", "none"), "no way of approval"),
    ],
)
def test_a_wrong_edition_is_one_sentence(publisher: Publisher, words: tuple[str, ...], says: str) -> None:
    publisher("mailing-list", "add", "readers")

    done = publisher("edition", "add", *words)

    assert done.code == 1
    assert says in done.err
    assert done.err.count("\n") == 1
    assert publisher("edition", "list", "--json").json == []


def test_an_edition_is_added_once(opened: Publisher) -> None:
    done = opened("edition", "add", "weekly", "--kind", "digest", "--mailing-list", "readers")

    assert done.code == 1
    assert done.err.count("\n") == 1
    assert len(opened("edition", "list", "--json").json) == 3


def test_json_is_json_with_hangul_in_it(opened: Publisher) -> None:
    opened("article", "add", "-", typed="김장철이 왔다\n\n배추를 절이는 날이다. 이웃이 모였다.\n")

    done = opened("article", "list", "--json")

    assert "김장철이 왔다" in done.out
    assert json.loads(done.out)[0]["title"] == "김장철이 왔다"


def test_an_editions_look_can_be_changed(opened: Publisher) -> None:
    words = ("--accent", "#1f5f8b", "--logo", "https://news.example/logo.png", "--furniture", "ko", "--language", "ko")

    opened("edition", "change", "weekly", *words, "--footer", "Made in Seoul")

    shown = opened("edition", "show", "weekly", "--json").json
    assert (shown["accent"], shown["logo"]) == ("#1f5f8b", "https://news.example/logo.png")
    assert (shown["language"], shown["languages"], shown["footer"]) == ("ko", ["ko"], "Made in Seoul")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--accent", "red"), "is not a colour"),
        (("--furniture", "tlh"), "There is no 'tlh'; mails speak en, ko"),
        (("--logo", "javascript:alert(1)"), "address of a picture"),
        (("--subject", "{{ nmae }}"), "there is no slot 'nmae'"),
    ],
)
def test_a_look_that_cannot_be_shown_is_one_sentence(opened: Publisher, words: tuple[str, ...], says: str) -> None:
    done = opened("edition", "change", "weekly", *words)

    assert done.code != 0
    assert says in " ".join(done.err.split())


def test_an_edition_can_be_changed(opened: Publisher) -> None:
    done = opened(
        "edition", "change", "weekly", "--tracking", "per reader", "--in-doubt", "hold", "--stopped", "--json"
    )

    assert done.code == 0
    shown = opened("edition", "show", "weekly", "--json").json
    assert (shown["tracking"], shown["in_doubt"], shown["is_active"]) == ("per reader", "hold", False)
    assert opened("edition", "change", "weekly", "--cadence", "", "--json").json["cadence"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("weekly", "--tracking", "all"), "off, totals, per reader"),
        (("weekly",), "Say what to change"),
        (("monthly", "--tracking", "off"), "no edition"),
    ],
)
def test_a_wrong_change_of_an_edition_says_what_is_possible(
    opened: Publisher, words: tuple[str, ...], told: str
) -> None:
    done = opened("edition", "change", *words)

    assert done.code != 0
    assert told in done.err.lower() or told in done.err


def test_an_issue_and_a_slot_are_moved_once(opened: Publisher) -> None:
    """What the calendar does can be done in a script; a wrong word is one sentence."""
    issue = a_draft(opened)
    first, then = ((datetime.now(UTC) + timedelta(days=days)).isoformat() for days in (1, 2))
    opened("issue", "approve", issue, "--at", first)
    opened("edition", "change", "weekly", "--cadence", "mon 08:00 UTC", "--active")
    slot = opened("edition", "show", "weekly", "--json").json["next_slot_at"]
    later = (datetime.fromisoformat(slot) + timedelta(hours=3)).isoformat()

    moved = opened("issue", "move", issue, "--to", then)
    turned = opened("edition", "slot", "weekly", slot, "--to", later)
    undecided = opened("edition", "slot", "weekly", slot, "--leave-out", "--put-back")

    assert (moved.code, turned.code) == (0, 0)
    assert f"{datetime.fromisoformat(then):%Y-%m-%d %H:%M}" in moved.out
    assert f"{datetime.fromisoformat(later):%Y-%m-%d %H:%M}" in turned.out
    assert undecided.code != 0
    assert "--to, --leave-out or --put-back" in undecided.err
    assert opened("edition", "slot", "weekly", slot, "--put-back").code == 0
