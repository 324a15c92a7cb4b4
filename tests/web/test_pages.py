import gzip
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.archive.model import Lead
from publisher.archive.store import listed
from publisher.compose import flow as compose
from publisher.intake import store as intake
from publisher.intake.model import Image, Picture
from publisher.web.public.glossary import first_letter
from publisher.web.public.home import arrange, of_topic
from publisher.wiring import Newsroom
from tests.builders import TUESDAY, a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.conftest import a_browser, a_newsroom
from tests.web.pages import addresses, an_archive, elements, fill, parsed, words

PAGES = (
    "/",
    "/articles/all-about-jeonse-deposits-0",
    "/topics",
    "/topics/society",
    "/authors/kim-minji",
    "/languages/en",
    "/search",
    "/search?q=kimchi",
    "/search?q=nothing+of+this",
    "/issues",
    "/issues/weekly",
    "/issues/weekly/1",
    "/feeds",
    "/feeds/guide/",
    "/feeds/topics/society/",
    "/feeds/topics/food+society/",
    "/feeds/editions/weekly/",
    "/glossary",
    "/subscribe",
    "/subscribe/sent",
    "/api/docs",
)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_valid_accessible_and_conditional(full_web: TestClient, path: str) -> None:
    page = full_web.get(path)

    assert page.status_code == 200
    html = page.text
    assert parsed(html).get("lang") == "en"
    assert len(elements(html, "h1")) == 1
    assert len(elements(html, "main", id="main")) == 1
    assert elements(html, "a", class_="skip", href="#main")
    assert all(each.get("alt") is not None for each in elements(html, "img"))
    assert all(each.get("style") is None for each in parsed(html).iter()), "the policy would drop it"
    assert words(elements(html, "title")[0])
    assert full_web.get(path, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    labels = {each.get("for") for each in elements(html, "label")}
    typed = [each for each in elements(html, "input") if each.get("type") not in {"hidden", "checkbox"}]
    assert {each.get("id") for each in typed} <= labels


@pytest.mark.parametrize("path", PAGES)
def test_every_link_to_our_own_pages_leads_somewhere(full_web: TestClient, path: str) -> None:
    for address in set(addresses(full_web.get(path).text)):
        assert full_web.get(address).status_code == 200, address


def test_a_page_without_articles_is_a_page_all_the_same(web: TestClient) -> None:
    for path in ("/", "/topics", "/issues", "/feeds", "/glossary", "/search?q=x", "/feeds/guide/"):
        page = web.get(path)
        assert page.status_code == 200
        assert parsed(page.text).tag


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/articles/none",
        "/topics/none",
        "/authors/none",
        "/languages/xx",
        "/issues/none",
        "/issues/none/1",
        "/issues/weekly/99",
        "/issues/weekly/99999999999999999999",
        "/media/none.jpg",
        "/static/site.000000000000.exe",
        "/feeds/topics/none/",
        "/feeds/nonsense/",
        "/languages/en?after=nonsense",
        "/topics/society?after=!!",
    ],
)
def test_what_is_not_there_is_a_friendly_404(full_web: TestClient, path: str) -> None:
    page = full_web.get(path)

    assert page.status_code == 404
    assert elements(page.text, "form", role="search")
    assert words(elements(page.text, "h1")[0]) == "Nothing is at this address"
    assert elements(page.text, "link", rel="alternate", href="http://127.0.0.1:8000/feeds/all.atom")


def test_a_slash_too_many_leads_to_the_page(full_web: TestClient) -> None:
    assert full_web.get("/topics/society/").headers["Location"] == "/topics/society"
    assert full_web.get("/topics/society/?after=").headers["Location"] == "/topics/society?after="
    assert full_web.get("/feeds/guide").headers["Location"] == "/feeds/guide/"


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "//evil.example/%2e%2e/", "/%5Cevil.example/"])
def test_nobody_is_led_to_a_foreign_site(web: TestClient, path: str) -> None:
    """A link that begins with our name and ends elsewhere is what phishing mails are made of."""
    answer = web.get(f"http://127.0.0.1:8000{path}")

    assert answer.status_code == 404


def test_lists_are_read_page_by_page_without_a_gap(web: TestClient, room: Newsroom) -> None:
    drafts = [
        a_draft(
            external_id=f"{number}", title=f"Number {number:02}", published_at=TUESDAY + timedelta(minutes=number // 4)
        )
        for number in range(45)
    ]
    handed_in(room.database, drafts, clock=room.now)

    path, seen = "/topics/society", []
    while path:
        html = web.get(path).text
        seen += [words(each) for each in elements(html, "h2", class_="title")]
        onward = elements(html, "a", rel="next")
        path = onward[0].get("href", "") if onward else ""

    assert seen == sorted({draft.title for draft in drafts}, reverse=True)


def test_search_finds_hangul_inside_a_word(web: TestClient, room: Newsroom) -> None:
    handed_in(
        room.database, [a_draft(title="막걸리가 돌아온 이유", slug="makgeolli"), a_draft(title="Other")], clock=room.now
    )

    html = web.get("/search", params={"q": "막걸리"}).text

    assert [each.get("href") for each in elements(html, "a") if "/articles/" in (each.get("href") or "")] == [
        "/articles/makgeolli"
    ]
    assert elements(html, "input", id="q")[0].get("value") == "막걸리"


def test_search_turns_pages(web: TestClient, room: Newsroom) -> None:
    drafts = [a_draft(external_id=f"{number}", title=f"Jeonse {number}") for number in range(25)]
    handed_in(room.database, drafts, clock=room.now)

    first, second = web.get("/search?q=jeonse").text, web.get("/search?q=jeonse&page=2").text

    assert elements(first, "a", rel="next")[0].get("href") == "/search?q=jeonse&page=2"
    found = [words(each) for page in (first, second) for each in elements(page, "h2", class_="title")]
    assert sorted(found) == sorted(draft.title for draft in drafts)
    assert web.get("/search?q=jeonse&page=0").status_code == 422


def test_a_back_issue_reads_as_it_was_sent(full_web: TestClient) -> None:
    html = full_web.get("/issues/weekly/1").text

    assert "The Weekly" in words(elements(html, "p", class_="issue-line")[0])
    assert elements(html, "a", rel="next", href="/issues/weekly/2")
    assert not elements(html, "a", rel="prev")


def test_a_draft_is_no_back_issue(full_web: TestClient, full: Newsroom) -> None:
    draft = compose.draft_issue(full.database, full.settings, "weekly", clock=full.now)

    assert full_web.get(f"/issues/weekly/{draft.number}").status_code == 404
    assert f"/issues/weekly/{draft.number}" not in full_web.get("/issues/weekly").text


def test_dates_are_those_of_the_newsrooms_own_time_zone(full_web: TestClient, full: Newsroom) -> None:
    """At 08:00 in Seoul it is still yesterday in UTC; mail and page must not disagree."""
    late = TUESDAY.replace(hour=23)
    handed_in(full.database, [a_draft(external_id="late", title="Late", published_at=late)], clock=full.now)

    (shown,) = {
        words(each) for each in elements(full_web.get("/articles/late").text, "time", datetime="2026-06-02T23:00:00Z")
    }

    assert shown == "June 3, 2026"


def test_a_picture_is_kept_for_ever(web: TestClient, room: Newsroom) -> None:
    with room.database.transaction() as connection:
        found = Picture(data=b"GIF89a...", media_type="image/gif", width=1, height=1)
        path = intake.add_picture(connection, found, now=room.now())

    first = web.get(path)
    again = web.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (first.content, first.headers["Content-Type"]) == (b"GIF89a...", "image/gif")
    assert "immutable" in first.headers["Cache-Control"]
    assert again.status_code == 304


def test_the_style_sheet_has_its_content_in_its_name(web: TestClient) -> None:
    (address,) = [each.get("href", "") for each in elements(web.get("/").text, "link", rel="stylesheet")]
    former = address.replace(address.split(".")[1], "0" * 12)

    assert "immutable" in web.get(address).headers["Cache-Control"]
    assert web.get(address).headers["Content-Type"].startswith("text/css")
    assert web.get(former).content == web.get(address).content, "a page of yesterday still finds it"
    assert "immutable" not in web.get(former).headers["Cache-Control"]


def test_pages_travel_compressed(full_web: TestClient) -> None:
    with full_web.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())

    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert b"<!doctype html>" in gzip.decompress(raw)


def test_head_is_get_without_the_body(full_web: TestClient) -> None:
    for path in ("/", "/articles/all-about-jeonse-deposits-0", "/healthz", "/static/nothing", "/api/openapi.json"):
        whole, head = full_web.get(path), full_web.head(path)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]


def test_a_term_is_found_below_its_first_letter(full_web: TestClient) -> None:
    html = full_web.get("/glossary").text

    assert [words(each) for each in elements(html, "h2", class_="rule-head")] == ["J"]
    assert words(elements(html, "span", class_="hangul", lang="ko")[0]) == "전세"


@pytest.mark.parametrize(
    ("name", "letter"), [("Émile", "E"), ("386 Generation", "#"), ("“Hallyu”", "H"), ("김치", "김")]
)
def test_first_letters_are_those_that_people_look_for(name: str, letter: str) -> None:
    assert first_letter(name) == letter


@pytest.mark.postgresql
def test_the_pages_are_the_same_on_postgresql(tmp_path: Path, redis_url: str, postgresql_url: str) -> None:
    room = a_newsroom(tmp_path, redis_url, DATABASE_URL=postgresql_url)
    fill(room)

    with a_browser(room) as browser:
        found = {path: browser.get(path).status_code for path in (*PAGES, "/healthz", "/feeds/all.atom")}
        asked = browser.post("/subscribe", data={"email": "ann@readers.example"})
    room.database.close()

    assert {path: status for path, status in found.items() if status != 200} == {}
    assert asked.status_code == 303


# --- the front page


def leads(room: Newsroom, number: int, **values: object) -> list[Lead]:
    an_archive(room, number, **values)
    with room.database.reading() as connection:
        return listed(connection, at_most=20)


def test_the_newest_of_equals_leads(room: Newsroom) -> None:
    latest = leads(room, 6)

    assert arrange(latest).lead is latest[0]


def test_a_more_important_article_leads_before_a_newer_one(room: Newsroom) -> None:
    handed_in(room.database, [a_draft(title="War Ends", importance=1, external_id="war")], clock=room.now)
    latest = leads(room, 3)

    front = arrange(latest)

    assert front.lead
    assert front.lead.title == "War Ends"


def test_every_article_stands_once_on_the_front_page(room: Newsroom) -> None:
    latest = leads(room, 6)

    front = arrange(latest)

    assert sorted(each.id for each in (front.lead, *front.pair, *front.rail, *front.rest) if each) == sorted(
        each.id for each in latest
    )


def test_a_lead_without_a_picture_gets_two_with_one_below(room: Newsroom) -> None:
    latest = leads(room, 5)
    bare = [latest[0], *latest[1:]] if latest[0].image is None else latest[1:]

    assert [each.image is not None for each in arrange(bare).pair] == [True, True]


def test_a_topics_column_begins_with_a_picture_and_what_is_new_to_the_page(room: Newsroom) -> None:
    image = Image(url="https://pictures.example/a.jpg")
    found = leads(room, 6)
    above, pictured = found[:2], [each for each in found[2:] if each.image]

    column = of_topic(found, above)

    assert pictured
    assert column[0] is pictured[0]
    assert not set(column) & set(above) or len(found) < 6
    assert image
