"""The desk in a real browser, from signing in to the mails in the outbox."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from publisher.compose import flow as compose
from publisher.compose import store, timetable
from publisher.dispatch import figures
from tests.builders import a_draft, handed_in
from tests.web.desk.at_work import DESKTOP, PHONE, Site, fits, working
from tests.web.pages import an_archive

pytestmark = pytest.mark.browser

ARTICLE = """The Night Bus Home

Seoul’s owl buses run from midnight until the first subway, and they are never empty.

Who Rides Them
Cleaners, students and drivers who have just parked somebody else’s car.
"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.slow
def test_an_article_becomes_an_issue_in_every_readers_mailbox(
    browser: Browser, site: Site, size: tuple[int, int]
) -> None:
    """The main job of the desk, as an editor does it."""
    with working(browser, site, size) as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")
        hand_in_an_article(page)
        draft_an_issue(page)
        look_at_the_mail(page)
        change_the_subject(page)
        approve(page)
        undo(page)
        approve(page)
        let_it_go(page)
        see_it_sent(page, site)
        expect(page.get_by_role("heading", level=1)).to_have_text("Good morning, reader")
        see_it_in_the_outbox(page)
        sign_out(page)


def hand_in_an_article(page: Page) -> None:
    page.get_by_role("link", name="Hand in an article").click()
    page.get_by_label("Article", exact=True).fill(ARTICLE)
    page.get_by_label("Topics").fill("Transport")
    assert fits(page)
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("status")).to_contain_text("Handed in.")
    expect(page.get_by_role("heading", level=1)).to_have_text("The Night Bus Home")
    assert "said=" not in page.url, "coming back to this page says nothing twice"
    assert fits(page)


def draft_an_issue(page: Page) -> None:
    page.get_by_role("link", name="Issues", exact=True).click()
    assert fits(page)
    page.get_by_role("button", name="Draft").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is sent before it is approved.")
    assert fits(page)


def look_at_the_mail(page: Page) -> None:
    for title, width in (("The mail, 600 px wide", 602), ("The mail, 375 px wide", 377)):
        frame = page.get_by_title(title)
        frame.scroll_into_view_if_needed()
        expect(
            page.frame_locator(f'iframe[title="{title}"]').get_by_role("link", name="Night Bus").first
        ).to_be_visible()
        box = frame.bounding_box()
        assert box
        assert box["width"] == width
    expect(page.get_by_role("region", name="Text")).to_contain_text("The Night Bus Home")


def change_the_subject(page: Page) -> None:
    page.get_by_label("Subject", exact=True).fill("Good morning, {{ name }}")
    page.get_by_text("Approve …").click()
    page.get_by_role("button", name="Send it to 2 readers").click()
    expect(page.get_by_text("Save your changes first")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Good morning, {{ name }}")


def approve(page: Page) -> None:
    """By keyboard alone."""
    page.get_by_text("Approve …").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send it to 2 readers")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Approved, and frozen as it is.")
    expect(page.locator(".facts .state")).to_have_text("scheduled")
    assert fits(page)


def undo(page: Page) -> None:
    expect(page.get_by_text("Nothing has left yet.", exact=False).last).to_be_visible()
    page.get_by_role("button", name="Undo the approval").click()
    expect(page.get_by_role("status")).to_contain_text("It is a draft again")
    expect(page.locator(".facts .state")).to_have_text("draft")
    expect(page.get_by_label("Subject", exact=True)).to_have_value("Good morning, {{ name }}")


def let_it_go(page: Page) -> None:
    page.get_by_role("button", name="Send it now").click()
    expect(page.locator(".facts .state")).to_have_text(re.compile("approved|sending"))


def see_it_sent(page: Page, site: Site) -> None:
    site.work()
    expect(page.locator(".facts .state")).to_have_text("sent")
    expect(page.get_by_text("2 of 2")).to_be_visible()
    assert fits(page)


def see_it_in_the_outbox(page: Page) -> None:
    page.get_by_role("link", name="Outbox", exact=True).click()
    expect(page.get_by_role("row", name="ann@readers.example")).to_have_count(1)
    expect(page.get_by_role("row", name="ben@readers.example")).to_have_count(1)
    assert fits(page)
    page.get_by_role("link", name="Good morning").first.click()
    frame = page.frame_locator('iframe[title="The mail, 600 px wide"]')
    expect(frame.get_by_role("link", name="Night Bus").first).to_be_visible()
    assert fits(page)


def test_an_editor_approves_watches_the_send_and_reads_its_report(browser: Browser, site: Site) -> None:
    """On the way, with a phone."""
    with working(browser, site, PHONE) as page:
        hand_in_a_plain_article(page)
        draft_an_issue(page)
        approve(page)
        let_it_go(page)
        site.plan()
        expect(page.get_by_text("0 of 2")).to_be_visible()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".facts .state")).to_have_text("paused")
        page.get_by_role("button", name="Resume").click()
        see_it_sent(page, site)
        read_the_report(page, site)


def read_the_report(page: Page, site: Site) -> None:
    figures.count_due(site.room.database, clock=site.room.now)
    page.reload()
    expect(page.get_by_role("img", name="Deliveries over time")).to_be_visible()
    expect(page.get_by_role("img", name="By domain")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("readers.example.*2"))).to_have_count(1)
    assert fits(page)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_desk_works_without_scripts(browser: Browser, site: Site) -> None:
    with working(browser, site, DESKTOP, scripts=False) as page:
        hand_in_a_plain_article(page)
        page.get_by_role("link", name="Issues", exact=True).click()
        page.get_by_role("button", name="Draft").click()
        page.get_by_label("Subject", exact=True).fill("By hand")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Approve …").click()
        page.get_by_role("button", name="Send it to 2 readers").click()
        page.get_by_role("button", name="Send it now").click()
        expect(page.locator(".facts .state")).to_have_text(re.compile("approved|sending"))
        site.work()
        expect(page.locator(".facts .state")).to_have_text("sent", timeout=20_000)


def hand_in_a_plain_article(page: Page) -> None:
    page.goto("/desk/articles/new")
    page.get_by_label("Article", exact=True).fill(ARTICLE)
    page.get_by_role("button", name="Hand in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The Night Bus Home")


def test_the_articles_of_a_draft_are_put_in_order_by_keyboard_and_by_dragging(browser: Browser, site: Site) -> None:
    titles = ("Alpha", "Bravo", "Charlie")
    handed_in(site.room.database, [a_draft(external_id=each, title=each) for each in titles], clock=site.room.now)
    with working(browser, site, DESKTOP) as page:
        page.goto("/desk/issues")
        page.get_by_role("button", name="Draft").click()
        rows = page.locator("[data-sortable] tbody label")
        first, second, third = rows.all_inner_texts()

        page.get_by_role("button", name=f"Move up: {second}").focus()
        page.keyboard.press("Enter")
        expect(rows).to_have_text([second, first, third])
        expect(page.get_by_role("button", name=f"Move up: {second}")).to_be_focused()
        expect(page.get_by_text(f"{second}: place 1 of 3.")).to_be_attached()

        page.locator("[data-sortable] tbody tr", has_text=third).drag_to(rows.first)
        expect(rows).to_have_text([third, second, first])
        expect(page.get_by_label(f"Place of: {first}")).to_have_value("3")

        page.get_by_label("Subject", exact=True).fill("A subject that is much too long for the inbox of a telephone")
        expect(page.get_by_text("60 characters; the inbox of a phone shows about 40.")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_contain_text("Saved.")
        expect(rows).to_have_text([third, second, first])
        assert fits(page)


def test_a_segment_is_counted_as_it_is_put_together(browser: Browser, site: Site) -> None:
    with working(browser, site, PHONE) as page:
        page.goto("/desk/segments/new")
        page.get_by_label("Country").fill("KR")
        expect(page.get_by_role("status")).to_have_text("0 subscribers")
        page.get_by_label("Country").fill("")
        page.get_by_label("Joined on this day or after").fill("2020-01-01")
        expect(page.get_by_role("status")).to_have_text("2 subscribers")
        page.get_by_label("Name").fill("Everybody lately")
        page.get_by_role("button", name="Add this segment").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Everybody lately")
        assert fits(page)


def test_what_was_not_saved_is_not_lost_by_leaving(browser: Browser, site: Site) -> None:
    with working(browser, site, DESKTOP) as page:
        page.goto("/desk/articles/new")
        page.get_by_label("Article", exact=True).fill("Half an article")
        asked: list[str] = []

        def stay(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.dismiss()

        page.on("dialog", stay)
        page.get_by_role("link", name="Today", exact=True).click(no_wait_after=True)
        page.wait_for_timeout(500)

        assert asked == ["beforeunload"]
        assert page.url.endswith("/desk/articles/new")
        page.get_by_label("Article", exact=True).fill("")


def test_nothing_in_a_mail_runs(browser: Browser, site: Site) -> None:
    """The frame is the last of several walls; it must stand alone."""
    with working(browser, site, DESKTOP) as page:
        hand_in_a_plain_article(page)
        page.goto("/desk/issues")
        page.get_by_role("button", name="Draft").click()
        page.wait_for_load_state()
        (mail, *_) = page.frames[1:]

        assert mail.evaluate("window.origin") == "null"
        assert mail.evaluate("document.querySelector('base').target") == "_blank"


def test_a_chief_invites_an_editor_who_cannot_send(browser: Browser, site: Site) -> None:
    """Another pair of hands in the newsroom, without the power to write to every reader."""
    with working(browser, site, DESKTOP) as chief:
        hand_in_an_article(chief)
        draft_an_issue(chief)
        issue = chief.url
        chief.get_by_role("link", name="Editors").click()
        chief.get_by_label("Name", exact=True).fill("Bert Baum")
        chief.get_by_label("Email address").fill("bert@desk.example")
        chief.get_by_label("Role").select_option("editor")
        chief.get_by_role("button", name="Make an invitation").click()
        link = chief.get_by_label("Sign-in link").input_value()
        assert fits(chief)

    context = browser.new_context(base_url=site.address)
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")
    expect(page.get_by_role("link", name="Editors")).to_have_count(0)
    page.goto(issue)
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)
    page.goto("/desk/editors")
    expect(page.get_by_role("heading", level=1)).to_have_text("That is not for you to do")
    context.close()


def test_a_scheduled_issue_is_dragged_to_another_day(browser: Browser, site: Site) -> None:
    room = site.room
    an_archive(room)
    found = compose.draft_issue(room.database, room.settings, "weekly", clock=room.now)
    goes_at = (room.now() + timedelta(days=14)).replace(hour=9, minute=30, second=0, microsecond=0)
    compose.approve(room.database, room.settings, found.id, goes_at=goes_at, clock=room.now)
    wanted = goes_at + timedelta(days=1 if goes_at.isoweekday() < 7 else -1)

    with working(browser, site, DESKTOP) as page:
        page.goto(f"/desk/calendar?view=week&zone=UTC&on={goes_at.date()}")
        page.locator(".entry[draggable=true]", has_text="scheduled").drag_to(
            page.locator(f"[data-day='{wanted.date()}']")
        )
        expect(page.get_by_role("status")).to_contain_text("Moved.")

    with room.database.reading() as connection:
        assert store.issue_of(connection, found.id).goes_at == wanted


def test_a_slot_is_dragged_to_another_day(browser: Browser, site: Site) -> None:
    """It is no issue yet, and moves all the same, by its own form."""
    room = site.room
    with room.database.reading() as connection:
        weekly = store.edition_named(connection, "weekly")
        slot = timetable.next_slot(connection, weekly, room.now() + timedelta(days=60))
    assert slot is not None
    wanted = slot + timedelta(days=1 if slot.isoweekday() < 7 else -1)

    with working(browser, site, DESKTOP) as page:
        page.goto(f"/desk/calendar?view=week&zone=UTC&on={slot.date()}")
        page.locator(".entry[draggable=true]", has_text="slot").drag_to(page.locator(f"[data-day='{wanted.date()}']"))
        expect(page.get_by_role("status")).to_contain_text("this once")

    with room.database.reading() as connection:
        assert timetable.next_slot(connection, weekly, room.now() + timedelta(days=60)) == wanted
