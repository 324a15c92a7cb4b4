"""Whole stories, as people live them, in a window and on a phone: nothing but what stands on the pages is used."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from publisher.audience.imports import import_due
from publisher.audience.tables import subscriber, subscription
from publisher.compose import flow as compose
from publisher.dispatch import notices
from publisher.dispatch.transports.choose import outbox_in
from tests.builders import a_draft, handed_in
from tests.web.barriers import barriers
from tests.web.desk.at_work import DESKTOP, PHONE, Site, fits, working
from tests.web.desk.test_browser import hand_in_an_article, read_the_report, see_it_sent

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
ROWS, BAD = 50_000, 200


def is_usable(page: Page) -> None:
    """No barrier on the page as it stands, and nothing wider than the window."""
    assert barriers(page, is_first_look=True) == []
    assert fits(page)


@SIZES
def test_an_issue_from_its_articles_to_its_report(browser: Browser, site: Site, size: tuple[int, int]) -> None:
    """A related link is pinned, a draft put in order by keyboard, looked at, scheduled in Seoul, undone, sent."""
    drafts = [a_draft(external_id=each, title=each) for each in ("Owl Buses", "Alpha", "Bravo")]
    pinned = handed_in(site.room.database, drafts, clock=site.room.now)[0].article_id
    with working(browser, site, size) as page:
        hand_in_an_article(page)
        is_usable(page)
        pin_a_related_link(page, pinned)
        draft_in_order(page)
        schedule_in_seoul(page, site)
        page.get_by_role("button", name="Undo the approval").click()
        expect(page.locator(".facts .state")).to_have_text("draft")
        page.get_by_text("Approve …").click()
        page.get_by_role("button", name="Send it to 2 readers").click()
        expect(page.get_by_text("Nothing has left yet.").last).to_be_visible()
        page.get_by_role("button", name="Send it now").click()
        expect(page.locator(".facts .state")).to_have_text(re.compile("approved|sending"))
        is_usable(page)
        see_it_sent(page, site)
        read_the_report(page, site)
        is_usable(page)


def pin_a_related_link(page: Page, article_id: int) -> None:
    page.get_by_label("Pin another article").fill(str(article_id))
    page.get_by_role("button", name="Save links").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_role("combobox").first).to_have_value("pinned")
    is_usable(page)


def draft_in_order(page: Page) -> None:
    page.get_by_role("link", name="Issues", exact=True).click()
    page.get_by_role("button", name="Draft").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is sent before it is approved.")
    rows = page.locator("[data-sortable] tbody label")
    first, second, *others = rows.all_inner_texts()
    page.get_by_role("button", name=f"Move up: {second}").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_text([second, first, *others])
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(rows).to_have_text([second, first, *others])
    expect(page.get_by_role("region", name="Text")).to_contain_text("The Night Bus Home")
    is_usable(page)


def schedule_in_seoul(page: Page, site: Site) -> None:
    goes_at = (site.room.now() + timedelta(days=1)).astimezone(ZoneInfo("Asia/Seoul"))
    page.get_by_text("Approve …").click()
    page.get_by_text("Another time …").click()
    expect(page.get_by_text("Date and time in Asia/Seoul.")).to_be_visible()
    page.get_by_label("Not now, but at").fill(f"{goes_at:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Schedule it").click()
    expect(page.locator(".facts .state")).to_have_text("scheduled")
    is_usable(page)
    page.get_by_role("link", name="Calendar", exact=True).click()
    day = page.locator(f'[data-day="{goes_at:%Y-%m-%d}"]')
    expect(day).to_contain_text(f"{goes_at:%H:%M}")
    expect(day).to_contain_text("scheduled")
    is_usable(page)
    assert not compose.is_any_due(site.room.database, clock=site.room.now)
    day.get_by_role("link").first.click()


@SIZES
def test_a_reader_comes_chooses_rests_and_leaves(browser: Browser, site: Site, size: tuple[int, int]) -> None:
    """All by the links in the mails, without a password."""
    width, height = size
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": width, "height": height},
        is_mobile=size == PHONE,
        timezone_id="Europe/Lisbon",
    )
    page = context.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))

    page.goto("/subscribe")
    expect(page.get_by_label("Your time zone")).to_have_value("Europe/Lisbon")
    page.get_by_label("Email address").fill("mina@readers.example")
    is_usable(page)
    page.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Subscribe")
    is_usable(page)

    page.goto(_link_in_the_newest_mail(site, "/confirm/"))
    is_usable(page)
    page.get_by_role("button").last.click()
    assert _standing(site) == ("confirmed", "Europe/Lisbon", None)
    is_usable(page)

    page.goto(_link_in_the_newest_mail(site, "/preferences/"))
    page.get_by_label("Time zone").select_option("Asia/Seoul")
    page.get_by_label("Send nothing for two weeks").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Saved.")
    expect(page.get_by_text("Paused until")).to_be_visible()
    is_usable(page)
    state, zone, paused_until = _standing(site)
    assert (state, zone) == ("confirmed", "Asia/Seoul")
    assert paused_until

    page.goto(_link_in_the_newest_mail(site, "/unsubscribe/"))
    is_usable(page)
    page.get_by_role("button").first.click()
    is_usable(page)
    assert _standing(site)[0] == "unsubscribed"
    assert asked == {urlsplit(site.address).netloc}
    context.close()


def _link_in_the_newest_mail(site: Site, path: str) -> str:
    """Do what the workers do for letters, and return the link of this kind in the newest one."""
    room = site.room
    notices.notify_due(room.database, room.transport, room.signer, room.settings, clock=room.now)
    outbox = outbox_in(room.settings.data_dir)
    raw = outbox.read(outbox.list_newest(1)[0].name).decode()
    found = re.search(rf"{re.escape(site.address)}{path}[\w-]+", raw.replace("=\r\n", ""))
    assert found, f"no link to {path}"
    return found[0]


def _standing(site: Site) -> tuple[str, str, object]:
    wanted = (
        sa.select(subscription.c.state, subscriber.c.time_zone, subscription.c.paused_until)
        .join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
        .where(subscriber.c.email == "mina@readers.example")
    )
    with site.room.database.reading() as connection:
        state, zone, paused_until = connection.execute(wanted).one()
    return state, zone, paused_until


@SIZES
def test_fifty_thousand_readers_come_in_and_two_hundred_lines_are_refused(
    browser: Browser,
    site: Site,
    size: tuple[int, int],
    tmp_path: Path,
) -> None:
    """Nobody is lost among the bad lines, and these can be mended."""
    file = tmp_path / "readers.csv"
    lines = [f"reader{number}@many.example,Reader {number}" for number in range(ROWS)]
    lines[:: ROWS // BAD] = [f"no address {number},Nobody" for number in range(BAD)]
    file.write_text("email,name\n" + "\n".join(lines) + "\n")
    with working(browser, site, size) as page:
        page.get_by_role("link", name="Subscribers", exact=True).click()
        page.get_by_text("Import", exact=False).first.click()
        page.locator('input[type="file"]').set_input_files(file)
        page.get_by_label("They have said yes", exact=False).first.check()
        page.get_by_role("button", name=re.compile("Import")).click()
        expect(page.get_by_role("heading", name="Waits for a worker")).to_be_visible()
        is_usable(page)
        import_due(site.room.database, clock=site.room.now)
        expect(page.get_by_role("heading", name="Refused lines")).to_be_visible(timeout=30_000)
        expect(page.get_by_text(f"{ROWS - BAD:,}").first).to_be_visible()
        is_usable(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download them as CSV").click()
        refused = download.value.path().read_text().splitlines()
    assert len(refused) == BAD + 1
    with site.room.database.reading() as connection:
        kept = connection.scalar(sa.select(sa.func.count()).where(subscriber.c.email.like("%@many.example")))
    assert kept == ROWS - BAD
