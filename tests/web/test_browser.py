"""The pages in a real browser: they fit, our own policy blocks nothing, and nothing comes from elsewhere."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.web.conftest import a_newsroom
from tests.web.pages import fill
from tests.web.served import served

pytestmark = pytest.mark.browser

SIZES = [(390, 844), (820, 1180), (1280, 900)]
PAGES = (
    "/",
    "/articles/all-about-jeonse-deposits-0",
    "/topics",
    "/topics/society",
    "/search?q=seoul",
    "/issues",
    "/issues/weekly/1",
    "/feeds",
    "/feeds/guide/",
    "/glossary",
    "/subscribe",
    "/api/docs",
    "/nowhere",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    room = a_newsroom(folder, redis_url)
    fill(room)
    room.database.close()
    with served(folder, redis_url) as found:
        yield found


def a_page(browser: Browser, address: str, width: int = 1280, height: int = 900) -> Page:
    context = browser.new_context(base_url=address, viewport={"width": width, "height": height})
    page = context.new_page()
    page.route("https://pictures.example/**", lambda route: route.abort())
    return page


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_pages_fit_the_window_and_ask_nobody_else(browser: Browser, address: str, width: int, height: int) -> None:
    page = a_page(browser, address, width, height)
    complaints: list[str] = []
    asked: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text) if "pictures" not in message.text else None)
    page.on("request", lambda request: asked.add(request.url))

    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path

    strangers = {url for url in asked if not url.startswith((address, "https://pictures.example/"))}
    assert strangers == set()
    blocked = [each for each in complaints if "Content Security Policy" in each or "Refused" in each]
    assert blocked == []
    page.context.close()


def test_the_first_key_leads_past_the_navigation(browser: Browser, address: str) -> None:
    page = a_page(browser, address)
    page.goto("/articles/all-about-jeonse-deposits-0")

    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")

    assert first == "Skip to the content"
    assert page.evaluate("document.activeElement.id") == "main"
    page.context.close()


def test_a_feeds_address_is_copied_with_one_press(browser: Browser, address: str) -> None:
    page = a_page(browser, address)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/feeds/guide/")

    page.get_by_role("button", name="Copy").first.click()

    assert page.evaluate("navigator.clipboard.readText()") == f"{address}/feeds/guide.atom"
    assert page.get_by_role("status").text_content() == "The address was copied."
    page.context.close()


def test_a_reader_subscribes_from_an_article(browser: Browser, address: str) -> None:
    page = a_page(browser, address, 390, 844)
    page.goto("/articles/all-about-jeonse-deposits-0")

    page.get_by_label("Email address").fill("ann@readers.example")
    page.get_by_role("button", name="Subscribe").click()

    assert page.url == f"{address}/subscribe/sent"
    assert page.get_by_role("heading", level=1).text_content() == "Look into your mailbox"
    page.context.close()


def test_the_form_knows_the_readers_time_zone(browser: Browser, address: str) -> None:
    """Nobody likes to look for a place among four hundred; without scripts it still can be done."""
    context = browser.new_context(base_url=address, timezone_id="America/Lima")
    page = context.new_page()
    page.goto("/subscribe")

    assert page.get_by_label("Your time zone").input_value() == "America/Lima"
    context.close()
