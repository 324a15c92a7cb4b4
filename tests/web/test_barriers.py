from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.barriers import barriers_on
from tests.web.conftest import a_newsroom
from tests.web.pages import fill
from tests.web.served import served

pytestmark = pytest.mark.browser

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

    found = barriers_on(page, PAGES)

    assert found == [], "\n".join(found)
    context.close()
