from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser

from tests.web.barriers import barriers
from tests.web.conftest import a_newsroom
from tests.web.pages import fill
from tests.web.served import served

pytestmark = pytest.mark.browser

LOOKS: tuple[tuple[Literal["light", "dark"], int, int], ...] = (("light", 1280, 900), ("dark", 390, 844))
PAGES = (
    "/",
    "/articles/all-about-jeonse-deposits-0",
    "/topics",
    "/topics/society",
    "/search?q=seoul",
    "/issues",
    "/issues/weekly/1",
    "/feeds",
    "/glossary",
    "/subscribe",
    "/api/docs",
    "/nowhere",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("barriers")
    room = a_newsroom(folder, redis_url)
    fill(room)
    room.database.close()
    with served(folder, redis_url) as found:
        yield found


def test_nobody_is_kept_from_reading(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.route("https://pictures.example/**", lambda route: route.abort())
    found: list[str] = []

    for scheme, width, height in LOOKS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        for path in PAGES:
            page.goto(path)
            found += [f"{scheme}, {width} px: {each}" for each in barriers(page)]

    assert found == [], "\n".join(found)
    context.close()
