"""`make run` as the person sees it who types it: one command, and everything runs until it is stopped."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from publisher.bell import Queue
from publisher.pulse import Pulse
from publisher.settings import redis_socket
from tests.service import PUBLISHER, STOP_WITHIN_S, Service, environment, free_port, running

BACK_WITHIN_S = 45
NIGHT_MARKETS = "Night Markets Return\n\nStalls open again along the river. Thousands came.\n"


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A first start with the samples; the tests that share it leave it running."""
    with running(tmp_path_factory.mktemp("first") / "data") as service:
        service.wait_until_ready()
        yield service


def publisher(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*PUBLISHER, *arguments),
        env=environment(PUBLISHER_DATA_DIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def wait_for_text(service: Service, text: str, within_s: float = 10) -> str:
    until = time.monotonic() + within_s
    while text not in service.said and time.monotonic() < until:
        time.sleep(0.02)
    return service.said


def gone(processes: list[psutil.Process], within_s: float) -> list[psutil.Process]:
    """Wait, and return who is still there."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return [each for each in alive if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_a_first_start_says_where_to_look(first_start: Service) -> None:
    said = wait_for_text(first_start, "Stop")

    assert re.search(r"^Publisher is ready \(\d+\.\d s\)\.$", said, re.MULTILINE)
    for place in ("/\n", "/feeds\n", "/desk/sign-in/", "/desk/outbox\n", "/api/docs\n"):
        assert f"{first_start.base_url}{place}" in said
    assert "Traceback" not in said
    assert "!!" not in said


def test_a_first_start_is_healthy_and_ready(first_start: Service) -> None:
    assert first_start.status("/healthz") == 200
    assert first_start.status("/readyz") == 200


def test_the_worker_shows_that_it_lives_and_what_it_takes(first_start: Service) -> None:
    pulse, until = Pulse(f"redis+socket://{redis_socket(first_start.data)}"), time.monotonic() + 10
    while not pulse.workers() and time.monotonic() < until:
        time.sleep(0.05)

    (worker,) = pulse.workers()

    assert worker.is_alive(datetime.now(UTC))
    assert set(worker.queues) == set(Queue)
    assert worker.name.endswith(f"/{first_start.children()['worker'].pid}")


def test_a_newcomer_finds_24_articles_and_an_edition_of_each_kind(first_start: Service) -> None:
    data = first_start.data

    articles = json.loads(publisher(data, "article", "list", "--json").stdout)
    editions = json.loads(publisher(data, "edition", "list", "--json").stdout)
    lists = json.loads(publisher(data, "mailing-list", "list", "--json").stdout)

    assert len(articles) == 24
    assert {each["state"] for each in articles} == {"published"}
    assert {each["slug"]: each["kind"] for each in editions} == {"alert": "alert", "weekly": "digest", "guide": "guide"}
    assert [each["slug"] for each in lists] == ["readers"]


def test_the_samples_alert_nobody(first_start: Service) -> None:
    """They are from yesterday and before: a first reader is not greeted with 24 mails."""
    assert json.loads(publisher(first_start.data, "issue", "list", "--json").stdout) == []


def test_doctor_finds_nothing_wrong(first_start: Service) -> None:
    done = publisher(first_start.data, "doctor")

    assert done.returncode == 0, done.stdout
    assert "BAD" not in done.stdout


def test_the_pages_that_are_named_are_there(first_start: Service) -> None:
    for path in ("/", "/feeds", "/feeds/all.atom", "/feeds/all.rss", "/feeds/all.json", "/feeds.opml", "/api/docs"):
        assert first_start.status(path) == 200, path


def test_the_sign_in_link_can_be_read_by_its_owner_only(first_start: Service) -> None:
    file = first_start.data / "sign-in-link"

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text() in first_start.said


def test_a_second_start_on_the_same_data_folder_is_refused_in_one_sentence(first_start: Service) -> None:
    done = publisher(first_start.data, "up", "--port", str(free_port()))

    assert done.returncode == 1
    assert done.stderr.startswith("publisher: Publisher is running already on this data folder;")
    assert done.stderr.count("\n") == 1
    assert first_start.status("/healthz") == 200


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = publisher(tmp_path / "data", "up", "--port", str(port))

    assert done.returncode == 1
    assert done.stderr == (
        f"publisher: Port {port} on 127.0.0.1 cannot be used (Address already in use)."
        f" Choose another one: make run PORT={port + 1}\n"
    )


def test_a_wrong_setting_is_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        (*PUBLISHER, "up"),
        env=environment(PUBLISHER_DATA_DIR=str(tmp_path), PUBLISHER_MAIL_URL="pigeon://loft"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert (
        done.stderr == "publisher: PUBLISHER_MAIL_URL must be outbox:, or begin with smtp://, smtps:// or sendgrid://\n"
    )


def test_a_database_that_cannot_be_used_is_told_and_nothing_is_left_running(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "publisher.db").write_bytes(b"This is no database. " * 100)

    done = publisher(data, "up", "--port", str(free_port()))

    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "file is not a database" in done.stderr
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(data) in " ".join(each.info["cmdline"] or ())]


@pytest.mark.parametrize("name", ["worker", "beat", "web", "redis"])
def test_what_is_killed_comes_back(first_start: Service, name: str) -> None:
    victim = first_start.children()[name]

    victim.kill()
    said = wait_for_text(first_start, f"!! {name} was ended by SIGKILL")

    assert f"!! {name} was ended by SIGKILL; starting it again." in said
    until = time.monotonic() + BACK_WITHIN_S
    while name not in first_start.children() and time.monotonic() < until:
        time.sleep(0.05)
    assert first_start.children()[name].pid != victim.pid
    first_start.wait_until_ready(BACK_WITHIN_S)
    assert set(first_start.children()) == {"web", "worker", "beat", "redis"}


def test_an_article_handed_in_while_redis_is_dead_is_on_the_web_all_the_same(
    first_start: Service, tmp_path: Path
) -> None:
    """The bell is lost, the article is not: the next tick finds it."""
    file = tmp_path / "night-markets.txt"
    file.write_text(NIGHT_MARKETS, encoding="utf-8")
    first_start.children()["redis"].kill()

    done = publisher(first_start.data, "article", "add", str(file))

    assert done.returncode == 0, done.stderr
    until = time.monotonic() + BACK_WITHIN_S
    while first_start.status("/articles/night-markets-return") != 200 and time.monotonic() < until:
        time.sleep(0.1)
    assert first_start.status("/articles/night-markets-return") == 200
    first_start.wait_until_ready(BACK_WITHIN_S)


def test_a_stop_while_it_starts_leaves_nothing_half_done(tmp_path: Path) -> None:
    """An impatient Ctrl-C comes while the samples are loaded; the next start finishes that."""
    data = tmp_path / "data"
    with running(data) as service:
        until = time.monotonic() + 10
        while not (data / "publisher.db").exists() and time.monotonic() < until:
            time.sleep(0.01)
        everyone = service.everyone()

        assert service.stop(signal.SIGINT) < STOP_WITHIN_S

        assert service.process.returncode == 0, service.said
        assert gone(everyone, 1) == []
        assert "Traceback" not in service.said

    with running(data) as service:
        service.wait_until_ready()
        assert len(json.loads(publisher(data, "article", "list", "--json").stdout)) == 24
        stops_cleanly(service, signal.SIGINT)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has died")
def test_killing_the_supervisor_leaves_no_process_and_loses_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--no-samples") as service:
        service.wait_until_ready()
        everyone = service.everyone()
        file = tmp_path / "night-markets.txt"
        file.write_text(NIGHT_MARKETS, encoding="utf-8")
        assert publisher(data, "article", "add", str(file)).returncode == 0
        key = (data / "secret_key").read_text()

        service.process.kill()
        service.process.wait(timeout=10)

        assert gone(everyone, STOP_WITHIN_S) == []

    with running(data, "--no-samples") as service:
        service.wait_until_ready()
        assert service.status("/articles/night-markets-return") == 200
        assert len(json.loads(publisher(data, "edition", "list", "--json").stdout)) == 3
        assert (data / "secret_key").read_text() == key
        stops_cleanly(service, signal.SIGTERM)

    connection = sqlite3.connect(data / "publisher.db")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("SELECT count(*) FROM editor").fetchone() == (1,)
    connection.close()


def stops_cleanly(service: Service, number: signal.Signals) -> None:
    everyone = service.everyone()
    assert len(everyone) >= 5

    took_s = service.stop(number)

    assert took_s < STOP_WITHIN_S
    assert service.process.returncode == 0
    assert gone(everyone, 1) == []
    assert service.said.endswith(f"Stopping ...\nStopped. Everything is kept in {service.data}\n")
