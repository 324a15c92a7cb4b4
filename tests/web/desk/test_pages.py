from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from publisher.audience import flow as audience
from publisher.audience.imports import import_due, put_import
from publisher.audience.model import How, SuppressionReason
from publisher.compose import flow as compose
from publisher.compose import store
from publisher.compose.model import IssueId, IssueState
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.conftest import a_browser, a_newsroom
from tests.web.desk.visits import Visit, must_be_harmless, notes, sign_in
from tests.web.pages import XHTML, addresses, elements, fill, parsed, words

PAGES = (
    "/desk",
    "/desk/articles",
    "/desk/articles?q=jeonse",
    "/desk/articles?q=nothing-of-this",
    "/desk/articles?state=withdrawn",
    "/desk/articles/new",
    "/desk/articles/1",
    "/desk/issues",
    "/desk/issues?edition=weekly",
    "/desk/issues?before=2",
    "/desk/issues/1",
    "/desk/issues/2",
    "/desk/issues/3",
    "/desk/issues/4",
    "/desk/issues/5",
    "/desk/issues/1/deliveries",
    "/desk/issues/2/deliveries?state=planned",
    "/desk/editions",
    "/desk/editions/weekly",
    "/desk/editions/new",
    "/desk/mailing-lists",
    "/desk/mailing-lists/form",
    "/desk/sources",
    "/desk/subscribers",
    "/desk/subscribers/1",
    "/desk/subscribers/imports/1",
    "/desk/subscribers/imports/2",
    "/desk/suppressions",
    "/desk/suppressions/lift?email=eve@readers.example",
    "/desk/segments",
    "/desk/segments/new",
    "/desk/glossary",
    "/desk/glossary?q=deposit",
    "/desk/glossary?q=nothing-of-this",
    "/desk/glossary?letter=J",
    "/desk/glossary/new?name=Theqoo",
    "/desk/glossary/jeonse",
    "/desk/glossary/proposals",
    "/desk/outbox",
    "/desk/outbox?before=none",
    "MAIL",
)
"""Of the issues the first is sent, the second paused, the third a draft, the fourth cancelled, the fifth skipped."""


def two_imports(room: Newsroom) -> None:
    """One that is done, and one that waits; and a reader who complained."""
    audience.suppress(room.database, "eve@readers.example", reason=SuppressionReason.COMPLAINED, clock=room.now)
    file = b"email,colour\nben@readers.example,red\nnonsense,blue\n"
    for _ in range(2):
        import_due(room.database, clock=room.now)
        put_import(room.database, BytesIO(file), name="people.csv", list_slug="readers", confirmed=True, clock=room.now)


@pytest.fixture(scope="module")
def operator(full: Newsroom) -> Iterator[Visit]:
    """An operator at the desk of a newsroom where everything has happened."""
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    audience.add_subscriber(full.database, email="reader@readers.example", lists=["readers"], yes=yes, clock=full.now)
    dispatch.plan_due(full.database, full.settings, clock=full.now, planned=lambda: None)
    two_imports(full)
    dispatch.pause(full.database, full.settings, back_issue(full, 2), reason="Paused by Anna.", clock=full.now)
    send_due(full.dispatcher)
    drafts = [compose.draft_issue(full.database, full.settings, "weekly", clock=full.now) for _ in range(3)]
    compose.cancel_draft(full.database, drafts[1].id)
    with full.database.transaction() as connection:
        store.end_draft(connection, drafts[2].id, IssueState.SKIPPED, "2 articles in the window.")
    with a_browser(full) as web:
        yield sign_in(web, full)


def back_issue(room: Newsroom, number: int) -> IssueId:
    with room.database.reading() as connection:
        found = store.back_issue(connection, "weekly", number)
    assert found
    return found.id


def of(path: str, visit: Visit) -> str:
    """The path; for MAIL that of the newest mail in the outbox."""
    if path != "MAIL":
        return path
    found = elements(visit.get("/desk/outbox").text, "th", scope="row")
    return next(each.get("href", "") for each in found[0].iter() if each.get("href"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_valid_and_can_be_used_by_everybody(operator: Visit, path: str) -> None:
    page = operator.get(of(path, operator))

    assert page.status_code == 200
    html = page.text
    assert parsed(html).get("lang") == "en"
    assert len(elements(html, "h1")) == 1
    assert words(elements(html, "title")[0]).endswith("· Korea & Us desk")
    assert elements(html, "a", class_="skip", href="#main")
    assert len(elements(html, "main", id="main")) == 1
    ids = [each.get("id") for each in parsed(html).iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    labels = {each.get("for") for each in elements(html, "label")}
    for each in elements(html, "input") + elements(html, "select") + elements(html, "textarea"):
        is_named = each.get("id") in labels or each.get("aria-label") or each.get("type") in {"hidden", "radio"}
        assert is_named, each.attrib
    assert all(each.get("title") for each in elements(html, "iframe"))
    assert all(len(list(each.iter(f"{XHTML}caption"))) == 1 for each in elements(html, "table"))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_keeps_to_the_policy_and_in_no_cache(operator: Visit, path: str) -> None:
    page = operator.get(of(path, operator))

    must_be_harmless(page.text)
    assert page.headers["Cache-Control"] == "private, no-store"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "Content-Encoding" not in page.headers, "a secret in a compressed page can be guessed (BREACH)"


@pytest.mark.parametrize("path", PAGES)
def test_every_link_on_a_page_leads_somewhere(operator: Visit, path: str) -> None:
    html = operator.get(of(path, operator)).text
    forms = {each.get("action") for each in elements(html, "form", method="post")}

    for address in set(addresses(html)) - forms:
        assert operator.get(address).status_code == 200, address


@pytest.mark.parametrize("path", [*PAGES[:-1], "/desk/issues/1/mail", "/desk/outbox/a.eml", "/desk/outbox/a.eml/raw"])
def test_a_stranger_is_shown_the_door(full: Newsroom, operator: Visit, path: str) -> None:
    with a_browser(full) as web:
        answer = web.get(path)

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/desk/sign-in?next=/desk")
    assert not answer.content
    del operator


@pytest.mark.parametrize(
    "path",
    [
        "/desk/nothing",
        "/desk/articles/999",
        "/desk/articles/none",
        "/desk/articles/0",
        "/desk/articles/99999999999999999999",
        "/desk/articles?after=nonsense",
        "/desk/issues/999",
        "/desk/issues/none",
        "/desk/issues/-1",
        "/desk/issues/99999999999999999999",
        "/desk/issues/999/mail",
        "/desk/editions/none",
        "/desk/glossary/none",
    ],
)
def test_what_is_not_there_is_a_friendly_404(operator: Visit, path: str) -> None:
    page = operator.get(path)

    assert page.status_code == 404
    assert words(elements(page.text, "h1")[0]) == "Nothing is at this address"
    assert elements(page.text, "a", href="/desk")
    must_be_harmless(page.text)


def test_a_new_newsroom_has_a_desk_too(visit: Visit) -> None:
    """Nothing in it yet: no article, no edition, no mail."""
    for path in (
        "/desk",
        "/desk/articles",
        "/desk/issues",
        "/desk/editions",
        "/desk/glossary",
        "/desk/glossary/proposals",
        "/desk/outbox",
    ):
        page = visit.get(path)
        assert page.status_code == 200
        assert parsed(page.text).tag


def test_the_door_is_valid_and_says_nothing_of_the_house(web: TestClient) -> None:
    html = web.get("/desk/sign-in").text

    assert parsed(html).get("lang") == "en"
    must_be_harmless(html)
    assert {each.get("for") for each in elements(html, "label")} == {"email", "password"}
    assert not elements(html, "nav")


def test_today_shows_what_waits_and_what_stands_still(operator: Visit) -> None:
    html = operator.get("/desk").text

    (waiting,) = elements(html, "section", aria_labelledby="decide")
    assert "/desk/issues/3" in {each.get("href") for each in waiting.iter()}
    assert "/desk/issues/4" not in {each.get("href") for each in waiting.iter()}
    assert "paused The Weekly No. 2" in words(waiting)
    (upcoming,) = elements(html, "section", aria_labelledby="next")
    assert "07:00 KST" in words(upcoming)
    assert any("No worker" in note for note in notes(html))


def test_today_is_quiet_while_a_worker_ticks(operator: Visit) -> None:
    operator.room.pulse.mark()

    assert not any("No worker" in note for note in notes(operator.get("/desk").text))


def test_times_are_told_with_their_zone(operator: Visit) -> None:
    """An editor in Berlin and a newsroom in Seoul must mean the same Monday."""
    html = operator.get("/desk/editions/weekly").text

    (about,) = elements(html, "dl", class_="about")
    slots = list(about.iter(f"{XHTML}time"))
    assert len(slots) == 3
    assert all("07:00 KST" in words(each) for each in slots)
    assert all((each.get("datetime") or "").endswith("T22:00:00Z") for each in slots)


def test_an_issue_is_reached_from_its_article(operator: Visit) -> None:
    html = operator.get("/desk/articles/1").text

    (issues,) = elements(html, "section", aria_labelledby="issues")
    assert "/desk/issues/1" in {each.get("href") for each in issues.iter()}
    (links,) = elements(html, "section", aria_labelledby="links")
    assert "Pinned by an editor." in words(links)


def test_a_role_is_shown_to_whom_it_belongs(visit_as: Callable[[Role], Visit]) -> None:
    html = visit_as(Role.EDITOR).get("/desk").text

    assert words(elements(html, "span", class_="role")[0]) == "editor"


def test_a_slash_too_many_leads_to_the_page(operator: Visit) -> None:
    assert operator.get("/desk/").headers["Location"] == "/desk"


@pytest.mark.postgresql
def test_the_desk_is_the_same_on_postgresql(tmp_path: Path, redis_url: str, postgresql_url: str) -> None:
    room = a_newsroom(tmp_path, redis_url, DATABASE_URL=postgresql_url)
    fill(room)
    two_imports(room)

    with a_browser(room) as web:
        visit = sign_in(web, room)
        drafted = visit.post("/desk/issues", edition="weekly").headers["Location"].partition("?")[0]
        number = int(drafted.rpartition("/")[2])
        saved = visit.save(number, subject="A\x00B {{ name }}", introduction="\x00")
        approved = visit.approve(number)
        handed_in = visit.post("/desk/articles/new", text="A\x00 title\n\nSome \x00 text of an article.", form="txt")
        found = {path: visit.get(path).status_code for path in PAGES if path != "MAIL"}
        odd = [
            visit.get(path).status_code
            for path in (
                "/desk/editions/%00",
                "/desk/articles?q=%00",
                "/desk/issues?edition=%00",
                "/desk/glossary/%00",
                "/desk/subscribers?q=%00",
                "/desk/suppressions?after=%00",
            )
        ]
        refused = visit.post("/desk/issues", edition="\x00").status_code
    room.database.close()

    assert [each.status_code for each in (saved, approved, handed_in)] == [303, 303, 303]
    assert {path: status for path, status in found.items() if status != 200} == {
        "/desk/issues/4": 404,
        "/desk/issues/5": 404,
    }
    assert odd == [422, 200, 200, 422, 200, 200]
    assert refused == 422
