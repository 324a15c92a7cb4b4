"""Feed readers of Debian, run as their users run them."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from configparser import ConfigParser
from contextlib import closing
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

WITHIN_S = 60


def installed(program: str, package: str) -> str:
    """Return where a program is; without it the test is skipped, and fails where everything has to be tested."""
    found = shutil.which(program)
    if found is None:
        problem = f"{program} is not installed (Debian's package {package}), so it was not asked to read the feeds"
        if os.environ.get("CI") == "true":
            pytest.fail(problem)
        pytest.skip(problem)
    return found


class Newsboat:
    """newsboat with a folder of its own."""

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        self._program = installed("newsboat", "newsboat")
        self._folder = folder
        (folder / "urls").write_text("".join(f"{url}\n" for url in urls))
        (folder / "config").write_text("show-read-feeds yes\n")

    def reload(self) -> None:
        command = [self._program, "-u", "urls", "-C", "config", "-c", "cache.db", "-x", "reload"]
        environment = {"HOME": str(self._folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb"}
        done = subprocess.run(
            command, check=False, cwd=self._folder, env=environment, capture_output=True, timeout=WITHIN_S
        )
        assert done.returncode == 0, done.stderr

    def items(self, url: str) -> list[dict[str, Any]]:
        """Return what newsboat has of a feed, newest first."""
        with closing(sqlite3.connect(self._folder / "cache.db")) as cache:
            cache.row_factory = sqlite3.Row
            asked = "SELECT * FROM rss_item WHERE feedurl = ? AND deleted = 0 ORDER BY pubDate DESC, id"
            return [dict(row) for row in cache.execute(asked, (url,))]


class Rss2Email:
    """rss2email that writes to a maildir."""

    def __init__(self, folder: Path, url: str) -> None:
        self._program = installed("r2e", "rss2email")
        self._folder = folder
        self._run("new", "reader@readers.example")
        config = folder / "rss2email.cfg"
        settings = ConfigParser(interpolation=None)
        settings.read(config)
        settings["DEFAULT"].update({"email-protocol": "maildir", "maildir-path": str(folder)})
        with config.open("w") as file:
            settings.write(file)
        self._run("add", "news", url)

    def poll(self) -> None:
        self._run("run")

    def mails(self) -> list[Message]:
        """Return every mail so far."""
        return [message_from_bytes(path.read_bytes()) for path in sorted(self._folder.glob("**/new/*"))]

    def _run(self, *words: str) -> None:
        files = ["-c", str(self._folder / "rss2email.cfg"), "-d", str(self._folder / "rss2email.json")]
        environment = {"HOME": str(self._folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        command = [self._program, *files, *words]
        done = subprocess.run(command, check=False, env=environment, capture_output=True, timeout=WITHIN_S)
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr, done.stderr
