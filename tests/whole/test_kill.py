"""Kill -9 of worker, Redis and web, again and again, while articles come in: nothing is lost."""

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.service import PUBLISHER, Service, environment, running

ARTICLES = 40
READERS = 5
SETTLE_WITHIN_S = 120


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_nothing_is_lost_however_often_a_part_is_killed(tmp_path: Path) -> None:
    seed = int(os.environ.get("PUBLISHER_TEST_SEED", "7"))
    chance = random.Random(seed)
    print(f"seed {seed}")
    folder = tmp_path / "data"
    with running(folder, "--no-samples") as service:
        service.wait_until_ready()
        for number in range(READERS):
            publisher(folder, "subscriber", "add", f"reader{number}@readers.example", "--confirmed")
        over = threading.Event()
        killer = threading.Thread(target=kill_at_random, args=(service, chance, over))
        killer.start()

        for number in range(ARTICLES):
            path = tmp_path / f"{number}.txt"
            path.write_text(f"Article number {number}\n\nIt was written while the lights went out.\n", encoding="utf-8")
            rows = json.loads(publisher(folder, "article", "add", str(path), "--json"))
            assert rows[0]["result"] in {"new", "received"}
        over.set()
        killer.join()

        service.wait_until_ready(within_s=SETTLE_WITHIN_S)
        wanted = {f"reader{number}@readers.example": ARTICLES for number in range(READERS)}
        began = time.monotonic()
        while mails(folder) != wanted and time.monotonic() - began < SETTLE_WITHIN_S:
            time.sleep(0.5)
        assert mails(folder) == wanted, "every reader has every alert, each once in the outbox"
        listed = json.loads(publisher(folder, "article", "list", "--json"))
        assert {row["state"] for row in listed} == {"published"}
        assert len(listed) == ARTICLES
        issues = json.loads(publisher(folder, "issue", "list", "--json"))
        assert Counter(row["state"] for row in issues) == {"sent": ARTICLES}


def kill_at_random(service: Service, chance: random.Random, over: threading.Event) -> None:
    while not over.wait(chance.uniform(0.3, 1.5)):
        children = service.children()
        if children:
            with suppress(psutil.NoSuchProcess):
                children[chance.choice(sorted(children))].kill()


def publisher(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        (*PUBLISHER, *arguments),
        env=environment(PUBLISHER_DATA_DIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mails(folder: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in (folder / "outbox" / "new").glob("*.eml"):
        head = path.read_bytes().partition(b"\r\n\r\n")[0].decode()
        found[next(line[4:] for line in head.splitlines() if line.startswith("To: "))] += 1
    return found
