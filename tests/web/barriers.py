"""What keeps people from using a page, as far as a program can tell: axe-core's rules, WCAG 2.2 AA among them."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

OPTIONS = {
    "resultTypes": ["violations"],
    "iframes": False,  # mails have tests of their own, and no script runs where they are shown
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.2, 2.5.8; axe leaves it off
}


def barriers(page: Page) -> list[str]:
    """Return the barriers on a page, each with its rule and the place where it stands."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{page.url}: {each['id']} ({each['help']}) at {node['target']}: {node.get('failureSummary', '')}"
        for each in found
        for node in each["nodes"]
    ]
