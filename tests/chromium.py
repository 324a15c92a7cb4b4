"""A real browser: Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-gpu", "--disable-quic", "--no-first-run")


class AbsentError(Exception):
    """This machine has no Chromium."""


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Start Chromium; raises AbsentError. Playwright holds this thread's event loop as long as it runs."""
    binary = shutil.which("chromium")
    if binary is None:
        raise AbsentError("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(QUIET))
        yield browser
        browser.close()
