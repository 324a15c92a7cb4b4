"""
How long an article takes to every channel, and how many can be taken in: on a real `publisher up`.

First ARTICLES files go through `publisher article add`, until the last of them is in the feeds; then, with all
of them in the archive, ROUNDS single articles are handed in and watched: page, all.atom, 100 mails in the outbox.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.service import PUBLISHER, Service, environment, running

ARTICLES = 10_000
ROUNDS = 30
READERS = 100
WORDS = Path(__file__).parent.parent.parent / "publisher" / "samples" / "articles"
WAIT_S = 600
OK = 200


def main(arguments: list[str] | None = None) -> None:
    number = int((arguments or sys.argv[1:] or [str(ARTICLES)])[0])
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="publisher-bench-") as name:
        folder = Path(name)
        data = folder / "data"
        files = folder / "articles"
        files.mkdir()
        vocabulary = _vocabulary()
        for each in range(number):
            (files / f"{each:05}.txt").write_text(_article(chance, vocabulary, each), encoding="utf-8")
        with running(data, "--no-samples") as service:
            service.wait_until_ready()
            _take_in(service, data, files, number)
            _watch(service, data, folder, chance, vocabulary)


def _take_in(service: Service, data: Path, files: Path, number: int) -> None:
    began = time.perf_counter()
    _publisher(data, "article", "add", str(files))
    handed_in = time.perf_counter() - began
    last = f"Article {number - 1:05}"
    _wait(lambda: last in _read(service, "/feeds/all.atom"))
    _wait(lambda: _is_settled(data))
    everywhere = time.perf_counter() - began
    print(f"{number} articles through the CLI: handed in at {number / handed_in:.0f}/s ({handed_in:.0f} s),")
    print(f"  on every channel at {number / everywhere:.0f}/s ({everywhere:.0f} s, alerts composed for each)")


def _is_settled(data: Path) -> bool:
    """Tell whether every stage has come as far as the archive."""
    code = (
        "from publisher.wiring import newsroom; from publisher.turn import place; from publisher.archive import store\n"
        "with newsroom().database.reading() as c:\n"
        "    last = store.last_change(c)\n"
        "    print(all(place(c, stage) == last for stage in ('relate', 'compose', 'syndicate')))"
    )
    env = environment(PUBLISHER_DATA_DIR=str(data))
    done = subprocess.run((sys.executable, "-c", code), env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


def _watch(service: Service, data: Path, folder: Path, chance: random.Random, vocabulary: list[str]) -> None:
    for reader in range(READERS):
        with (folder / "readers.csv").open("a", encoding="utf-8") as file:
            file.write(f"{'email' + chr(10) if not reader else ''}reader{reader}@readers.example\n")
    _publisher(data, "subscriber", "import", str(folder / "readers.csv"), "--mailing-list", "readers", "--confirmed")
    token = _publisher(data, "token", "add", "bench", "--scope", "articles").split()[-1]
    outbox = data / "outbox" / "new"
    times: list[float] = []
    for each in range(ROUNDS):
        before = len(list(outbox.glob("*.eml"))) if outbox.exists() else 0
        text = _article(chance, vocabulary, 90_000 + each)
        request = urllib.request.Request(
            f"{service.base_url}/api/v1/articles",
            data=text.encode(),
            headers={"Content-Type": "text/plain", "Authorization": f"Bearer {token}"},
        )
        began = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as answer:
            path = f"/articles/{json.load(answer)['slug']}"
        _wait(partial(_is_everywhere, service, path, text.partition("\n")[0], outbox, before + READERS))
        times.append(time.perf_counter() - began)
        time.sleep(0.3)
    times.sort()
    p99 = times[min(len(times) - 1, round(len(times) * 0.99))]
    print(f"handed in -> page, all.atom and {READERS} mails: median {statistics.median(times):.2f} s, p99 {p99:.2f} s")


def _is_everywhere(service: Service, path: str, title: str, outbox: Path, mails: int) -> bool:
    has_mails = outbox.exists() and sum(1 for _ in os.scandir(outbox)) == mails
    return has_mails and service.status(path) == OK and title in _read(service, "/feeds/all.atom")


def _vocabulary() -> list[str]:
    text = " ".join(path.read_text(encoding="utf-8") for path in sorted(WORDS.glob("*.md")))
    return sorted({word.strip(".,:;!?()“”’\"'") for word in text.split() if word.isalpha()})


def _article(chance: random.Random, vocabulary: list[str], number: int) -> str:
    """Return a plain-text article of some 3 KB whose words lean towards a few, as a real one's do."""
    own = chance.sample(vocabulary, 60)

    def sentence() -> str:
        return " ".join(chance.choices(own, k=6) + chance.choices(vocabulary, k=6)).capitalize() + "."

    paragraphs = [" ".join(sentence() for _ in range(8)) for _ in range(5)]
    return f"Article {number:05}: {' '.join(chance.sample(own, 4)).title()}\n\n" + "\n\n".join(paragraphs) + "\n"


def _publisher(data: Path, *arguments: str) -> str:
    command = (*PUBLISHER, *arguments)
    env = environment(PUBLISHER_DATA_DIR=str(data))
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=WAIT_S).stdout


def _read(service: Service, path: str) -> str:
    with urllib.request.urlopen(service.base_url + path, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def _wait(is_so: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not is_so():
        if time.monotonic() - began > WAIT_S:
            raise SystemExit("it never came to that")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
