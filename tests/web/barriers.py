"""What keeps people from using a page, as far as a program can tell: axe-core's rules, WCAG 2.2 AA among them."""

from collections.abc import Iterable
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

LOOKS: tuple[tuple[Literal["light", "dark"], int, int], ...] = (("light", 1280, 900), ("dark", 390, 844))
"""Colours and a window's width and height."""
ALWAYS = {
    "resultTypes": ["violations"],
    "iframes": False,  # mails have tests of their own, and no script runs where they are shown
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.2, 2.5.8; axe leaves it off
}
OF_THE_LOOK = {"runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]}}


def barriers(page: Page, *, is_first_look: bool) -> list[str]:
    """Return the barriers on a page, each with its rule and place; a further look asks for what looks differ in."""
    options = ALWAYS | ({} if is_first_look else OF_THE_LOOK)
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{page.url}: {each['id']} ({each['help']}) at {node['target']}: {node.get('failureSummary', '')}"
        for each in found
        for node in each["nodes"]
    ]


def barriers_on(page: Page, paths: Iterable[str]) -> list[str]:
    """Return the barriers on pages in every look, with all that can be opened open."""
    found: list[str] = []
    for number, (scheme, width, height) in enumerate(LOOKS):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        for path in paths:
            page.goto(path)
            page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            found += [f"{scheme}, {width} px: {each}" for each in barriers(page, is_first_look=number == 0)]
    return found
