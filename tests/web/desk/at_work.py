"""A newsroom under a real server, and an editor at its desk in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import mailing_list_named
from publisher.compose import store
from publisher.compose.cadence import parse
from publisher.compose.model import Edition, EditionId, EditionKind
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.editors import flow as editors
from publisher.editors.model import EditorId
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.conftest import a_newsroom
from tests.web.desk.visits import hire
from tests.web.served import served

DESKTOP, PHONE = (1280, 900), (390, 844)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A newsroom that is served, and the editor who works there."""

    room: Newsroom
    editor_id: EditorId

    @property
    def address(self) -> str:
        return self.room.settings.base_url

    def link(self) -> str:
        return f"{self.address}/desk/sign-in/{self._token()}"

    def _token(self) -> str:
        return editors.make_sign_in_link(self.room.database, self.editor_id, clock=self.room.now)

    def work(self) -> None:
        """Do what the workers do after an approval."""
        self.plan()
        send_due(self.room.dispatcher)

    def plan(self) -> None:
        self.room.pulse.mark()
        dispatch.plan_due(self.room.database, self.room.settings, clock=self.room.now, planned=lambda: None)


@contextmanager
def opened_site(tmp_path: Path, redis_url: str) -> Iterator[Site]:
    """A newsroom with an edition and two readers, under a real server."""
    new = a_newsroom(tmp_path, redis_url)
    with new.database.transaction() as connection:
        edition = Edition(
            id=EditionId(0),
            slug="weekly",
            name="The Weekly",
            kind=EditionKind.DIGEST,
            mailing_list_id=mailing_list_named(connection, "readers").id,
            cadence=parse("mon 08:00 Asia/Seoul"),
        )
        store.add_edition(connection, edition, now=new.now())
    for name in ("ann", "ben"):
        yes = audience.Yes(how=How.CLI, wording="Yes.")
        address = f"{name}@readers.example"
        audience.add_subscriber(new.database, email=address, lists=["readers"], yes=yes, clock=new.now)
    editor_id = hire(new)
    new.database.close()
    with served(tmp_path, redis_url) as address:
        room = Newsroom(settings_in(tmp_path, REDIS_URL=redis_url, SITE_NAME="Korea & Us", BASE_URL=address))
        yield Site(room=room, editor_id=editor_id)
        room.database.close()


@contextmanager
def working(browser: Browser, site: Site, size: tuple[int, int], *, scripts: bool = True) -> Iterator[Page]:
    """A page in a window of its own, signed in; whatever the browser complains of fails the test."""
    width, height = size
    context: BrowserContext = browser.new_context(
        base_url=site.address,
        viewport={"width": width, "height": height},
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
        java_script_enabled=scripts,
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.link())
    yield page
    context.close()
    assert complaints == []


def fits(page: Page) -> bool:
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
