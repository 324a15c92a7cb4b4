"""Every kind of mail that a real Publisher writes, from a newsroom with the samples."""

import email
import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.service import PUBLISHER, Service, environment, running

SITE = "https://letter.example.org"
"""Where the mails say that the site is; what they link to is asked of the process that runs here."""
SETTINGS = {
    "PUBLISHER_BASE_URL": SITE,
    "PUBLISHER_SECRET_KEY": "a secret key for the tests of all mails",
    "PUBLISHER_MAIL_FROM": "The Han River Letter <letter@letter.example.org>",
    "PUBLISHER_POSTAL_ADDRESS": "12 Sejong-daero, Jongno-gu, Seoul",
    "PUBLISHER_SITE_NAME": "The Han River Letter",
}
READERS = (("mina@readers.example", "Mina", "en"), ("jisoo@readers.example", "지수", "ko"))
NEWCOMER = "new@readers.example"
WITHIN_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail as it left, and what a mail program reads of it."""

    name: str
    raw: bytes
    message: EmailMessage

    @property
    def is_issue(self) -> bool:
        return self.message["List-Id"] is not None

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None, f"{self.name} has no {kind} part"
        return str(part.get_content())


@contextmanager
def every_mail(folder: Path) -> Iterator[tuple[Service, list[Mail]]]:
    """Run a Publisher that has sent an alert, a digest and a guide in two languages, and a newcomer's two letters."""
    with running(folder) as service:  # only a site at home has the samples
        service.wait_until_ready()
    with running(folder, variables=SETTINGS) as service:
        service.wait_until_ready()
        _publisher(folder, "mailing-list", "add", "others")
        for address, *_ in READERS:  # so that no reader's number is that of a subscription
            _publisher(folder, "subscriber", "add", address, "--mailing-list", "others", "--confirmed")
        for address, name, language in READERS:
            details = ("--name", name, "--language", language, "--confirmed")
            _publisher(folder, "subscriber", "add", address, *details)
        for edition in ("alert", "weekly", "guide"):
            drafted = json.loads(_publisher(folder, "issue", "draft", edition, "--now", "--json"))
            _publisher(folder, "issue", "approve", str(drafted["id"]), "--wait")
        _subscribe(service, folder)
        count = 3 * len(READERS) + 2
        _until(lambda: len(_files(folder)) == count)
        yield service, [_read(path) for path in _files(folder)]


def _subscribe(service: Service, folder: Path) -> None:
    """Come in by the form: a letter to confirm, and one that says welcome."""
    form = urllib.parse.urlencode({"email": NEWCOMER, "list": "readers"}).encode()
    urllib.request.urlopen(f"{service.base_url}/subscribe", data=form, timeout=10).close()
    _until(lambda: any(mail.message["To"] == NEWCOMER for mail in map(_read, _files(folder))))
    [letter] = [mail for mail in map(_read, _files(folder)) if mail.message["To"] == NEWCOMER]
    [path] = re.findall(rf"{SITE}(/confirm/\S+)", letter.text)
    urllib.request.urlopen(f"{service.base_url}{path}", data=b"", timeout=10).close()


def _read(path: Path) -> Mail:
    raw = path.read_bytes()
    message = email.message_from_bytes(raw, policy=default)
    return Mail(name=f"{message['Subject']} -> {message['To']}", raw=raw, message=message)


def _files(folder: Path) -> list[Path]:
    return sorted((folder / "outbox" / "new").glob("*.eml"))


def _publisher(folder: Path, *arguments: str) -> str:
    env = environment(PUBLISHER_DATA_DIR=str(folder), **SETTINGS)
    done = subprocess.run((*PUBLISHER, *arguments), env=env, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WITHIN_S
    while not is_so():
        assert time.monotonic() < give_up_at, "the mails never came"
        time.sleep(0.05)
