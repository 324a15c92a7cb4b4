"""
Take the pictures of the README anew: `make shots`.

A real Publisher with the samples is started, a weekly issue and a guide are sent, and Chromium looks
at pages and mails.
"""

import re
import subprocess
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.service import PUBLISHER, Service, environment, running

SHOTS = Path(__file__).parent.parent / "docs" / "shots"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-quic", "--no-first-run"]
QUALITY = 84
PAGES = (
    # name, path, width, height, colour scheme
    ("home", "/", 1280, 1500, "light"),
    ("home-dark", "/", 1280, 1500, "dark"),
    ("article-phone", "/articles/kimjang", 390, 1400, "light"),
    ("feeds", "/feeds", 1280, 1000, "light"),
    ("guide", "/issues/guide/1", 1280, 1700, "light"),
    ("desk", "/desk", 1280, 1000, "light"),
    ("desk-issue", "/desk/issues/2", 1280, 1500, "light"),
    ("desk-glossary", "/desk/glossary", 1280, 1000, "light"),
)
MAILS = ((600, "light"), (600, "dark"), (375, "light"), (375, "dark"))


def main() -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="publisher-shots-") as folder:
        data = Path(folder) / "data"
        with running(data) as service, sync_playwright() as playwright:
            service.wait_until_ready()
            link = re.findall(r"http\S+/desk/sign-in/\S+", _when_said(service, "/desk/sign-in/"))[0]
            _send_issues(data)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            _take_pages(browser, service, link)
            _take_mails(browser, data)
            browser.close()


def _when_said(service: Service, words: str) -> str:
    """Wait until the person at the terminal could read some words."""
    for _ in range(200):
        if words in service.said:
            break
        time.sleep(0.05)
    return service.said


def _send_issues(data: Path) -> None:
    _publisher(data, "subscriber", "add", "mina@readers.example", "--name", "Mina", "--confirmed")
    _publisher(data, "subscriber", "add", "jisoo@readers.example", "--name", "지수", "--language", "ko", "--confirmed")
    for edition in ("guide", "weekly", "alert"):
        issue_id = _publisher(data, "issue", "draft", edition, "--now").strip()
        _publisher(data, "issue", "approve", issue_id, "--wait")


def _take_pages(browser: Browser, service: Service, link: str) -> None:
    cookies = None
    for name, path, width, height, scheme in PAGES:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            storage_state=cookies if path.startswith("/desk") else None,
        )
        page = context.new_page()
        if path.startswith("/desk") and cookies is None:
            page.goto(link)
            cookies = context.storage_state()
        page.goto(f"{service.base_url}{path}", wait_until="networkidle")
        page.screenshot(path=SHOTS / f"{name}.png")
        _compress(name)
        context.close()


def _take_mails(browser: Browser, data: Path) -> None:
    from email import message_from_bytes
    from email.policy import default

    for file in sorted((data / "outbox" / "new").glob("*.eml")):
        mail = message_from_bytes(file.read_bytes(), policy=default)
        body = mail.get_body(("html",))
        assert body is not None
        kind = str(mail["List-Id"]).rpartition("<")[2].partition(".")[0]
        kind += "-ko" if 'lang="ko"' in body.get_content()[:500] else ""
        for width, scheme in MAILS:
            context = browser.new_context(
                viewport={"width": width, "height": 1300}, color_scheme="dark" if scheme == "dark" else "light"
            )
            page = context.new_page()
            page.set_content(body.get_content(), wait_until="networkidle")
            name = f"mail-{kind}-{width}-{scheme}"
            page.screenshot(path=SHOTS / f"{name}.png")
            _compress(name)
            context.close()


def _compress(name: str) -> None:
    """Keep a picture as WebP of some ten kilobytes: what the README shows must not weigh on every clone."""
    source = SHOTS / f"{name}.png"
    with Image.open(source) as image:
        image.convert("RGB").save(SHOTS / f"{name}.webp", quality=QUALITY, method=6)
    source.unlink()


def _publisher(data: Path, *arguments: str) -> str:
    env = environment(PUBLISHER_DATA_DIR=str(data))
    command = (*PUBLISHER, *arguments)
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=120).stdout


if __name__ == "__main__":
    main()
