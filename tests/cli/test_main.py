"""The command as a whole: help, versions of trouble, and the real entry."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Publisher
from tests.service import PUBLISHER, environment

COMMANDS = {
    "article": "add list show withdraw",
    "source": "add list",
    "subscriber": "add import export list",
    "mailing-list": "add list",
    "edition": "list show add",
    "issue": "draft list show approve cancel pause resume report",
    "editor": "add",
    "token": "add",
}
ALONE = ("doctor", "up", "web", "worker", "beat", "migrate")
SLOW_TO_IMPORT = ("sqlalchemy", "celery", "fastapi", "rich", "structlog")


def run(data: Path, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*PUBLISHER, *words),
        env=environment(PUBLISHER_DATA_DIR=str(data), **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_command_that_was_promised_is_there(publisher: Publisher) -> None:
    for group, words in COMMANDS.items():
        said = publisher(group, "--help").out
        for word in words.split():
            assert re.search(rf"^\s+{word}\b", said, re.MULTILINE), f"{group} {word}"
    said = publisher("--help").out
    for word in ALONE:
        assert re.search(rf"^\s+{word}\b", said, re.MULTILINE), word


def test_every_list_show_and_report_speaks_json(publisher: Publisher) -> None:
    for group, words in COMMANDS.items():
        for word in {"list", "show", "report"} & set(words.split()):
            assert "--json" in publisher(group, word, "--help").out, f"{group} {word}"


def test_help_comes_at_once(tmp_path: Path) -> None:
    """It imports no database, no queue and no web: what a command needs comes when it runs."""
    code = (
        f"import sys; from publisher.cli import main; print([each for each in {SLOW_TO_IMPORT} if each in sys.modules])"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == "[]\n"
    assert run(tmp_path, "--help").returncode == 0


def test_a_database_that_was_never_made_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "data", "article", "list")

    assert done.returncode == 1
    assert done.stderr == "publisher: The database cannot be used: no such table: article. Run: publisher migrate\n"


def test_migrate_makes_it(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").stdout == "The database was brought up to date.\n"
    assert run(tmp_path, "migrate").stdout == "The database is up to date.\n"
    assert run(tmp_path, "article", "list", "--json").stdout == "[]\n"


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "article", "list", PUBLISHER_BASE_URL="news.example.org")

    assert done.returncode == 1
    assert done.stderr == (
        "publisher: PUBLISHER_BASE_URL must be the site's address, such as https://news.example.org\n"
    )


@pytest.mark.parametrize("command", ["web", "worker", "beat"])
def test_a_server_refuses_a_wrong_mail_address_before_it_starts(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, PUBLISHER_MAIL_URL="smtp://mail.example.org?starttls=perhaps")

    assert done.returncode == 1
    assert done.stderr.startswith("publisher: PUBLISHER_MAIL_URL has a wrong option: starttls")
    assert done.stderr.count("\n") == 1


def test_an_unknown_queue_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "worker", "--queues", "articles,parcels")

    assert done.returncode == 1
    assert done.stderr == "publisher: 'parcels' is no queue; there are articles, channels, dispatch, upkeep, events.\n"


def test_doctor_names_what_is_wrong_and_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", PUBLISHER_MAIL_UR="smtp://slip.example.org")

    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert lines["settings"].startswith("BAD")
    assert "PUBLISHER_MAIL_UR" in lines["settings"]
    assert "publisher migrate" in lines["database"]
    assert "does not answer" in lines["redis"]
    assert lines["workers"].startswith("BAD")
    assert lines["mail"].startswith("ok")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("part", ["web", "worker", "beat", "mail"])
def test_what_does_not_run_is_not_healthy(tmp_path: Path, part: str) -> None:
    done = run(tmp_path, "health", part, "--port", "9")

    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_an_unknown_part_is_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, "health", "kitchen")

    assert done.returncode == 1
    assert "'kitchen' is no part" in done.stderr


def test_a_pipe_that_closes_early_is_no_error(tmp_path: Path) -> None:
    """As in `publisher article list | head -1`."""
    run(tmp_path, "migrate")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            (*PUBLISHER, "article", "list", "--json"),
            env=environment(PUBLISHER_DATA_DIR=str(tmp_path)),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.stderr == ""


def test_handing_in_does_not_wait_for_a_redis_that_is_away(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    file = tmp_path / "trams.txt"
    file.write_text("Trams Come Back\n\nThe first tram left the depot. Children waved.\n", encoding="utf-8")

    began = time.monotonic()
    done = run(tmp_path, "article", "add", str(file))

    assert done.returncode == 0
    assert "trams-come-back" in done.stdout
    assert time.monotonic() - began < 20
