import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from publisher.archive import flow as archive
from publisher.archive import store
from publisher.archive.model import Article, ArticleId, ArticleState
from publisher.compose.model import Edition
from publisher.intake.tables import source
from publisher.related.flow import relate_due
from publisher.syndication.flow import syndicate_due
from publisher.wiring import Newsroom
from tests.builders import TUESDAY, a_draft, handed_in
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes
from tests.web.pages import XHTML, an_archive, elements, words

PASTED = """The Night Bus Home

Seoul’s owl buses run from midnight until the first subway.

Who Rides Them
Cleaners, students and drivers who have just parked somebody else’s car.

Foreign Fans’ Guide: What You Should Know
The owl on the sign means a night line. Pay with the same card as by day.
"""


def paste(visit: Visit, text: str = PASTED, **fields: str) -> Article:
    """Hand in a text at the desk; return the article that came of it."""
    answer = visit.post("/desk/articles/new", text=text, form="txt", **fields)
    assert answer.status_code == 303, notes(answer.text)
    number = int(answer.headers["Location"].partition("?")[0].rpartition("/")[2])
    return the_article(visit.room, number)


def the_article(room: Newsroom, number: int) -> Article:
    with room.database.reading() as connection:
        return store.articles(connection, [ArticleId(number)])[ArticleId(number)]


def titles(html: str) -> list[str]:
    return [words(each) for each in elements(html, "th", scope="row")]


def test_a_pasted_text_is_an_article_on_the_site(visit: Visit) -> None:
    found = paste(visit, authors="Kim Minji, Lee Jun", topics="Seoul, transport")

    assert found.title == "The Night Bus Home"
    assert [each.heading for each in found.sections] == ["", "Who Rides Them"]
    assert found.guide is not None
    assert [each.name for each in found.authors] == ["Kim Minji", "Lee Jun"]
    assert [each.slug for each in found.topics] == ["seoul", "transport"]
    assert visit.get(f"/articles/{found.slug}").status_code == 200


def test_lines_end_as_browsers_end_them(visit: Visit) -> None:
    """A browser sends CR LF; the paragraphs must be those of the same text in a file."""
    assert paste(visit, PASTED.replace("\n", "\r\n")).sections == paste(visit, f"{PASTED}\nThe end.").sections


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("md", "---\ntitle: The Night Bus\nauthors: [Han]\n---\nIt *runs*.\n"),
        ("html", "<h1>The Night Bus</h1><p>It <em>runs</em>.</p>"),
    ],
)
def test_markdown_and_html_are_read_as_such(visit: Visit, form: str, text: str) -> None:
    answer = visit.post("/desk/articles/new", text=text, form=form, authors="Kim Minji")

    html = visit.after(answer)
    assert words(elements(html, "h1")[0]) == "The Night Bus"
    assert words(elements(html, "em")[0]) == "runs"


def test_what_the_text_says_itself_counts_more_than_the_fields(visit: Visit) -> None:
    text = "---\ntitle: The Night Bus\nauthors: [Han]\n---\nIt runs.\n"

    html = visit.after(visit.post("/desk/articles/new", text=text, form="md", authors="Kim Minji", topics="seoul"))

    (about,) = elements(html, "dl", class_="about")
    assert "AuthorsHan" in words(about)
    assert "TopicsSeoul" in words(about)


def test_what_is_wrong_is_said_and_the_text_stays(visit: Visit) -> None:
    typed = "---\ntitle: [\n---\n</textarea><script>alert(1)</script>"

    answer = visit.post("/desk/articles/new", text=typed, form="md", topics='"><b>', publish_at="tomorrow")

    assert answer.status_code == 422
    assert notes(answer.text)
    must_be_harmless(answer.text)
    again = form_values(answer.text, "/desk/articles/new")
    assert (again["text"], again["form"], again["topics"]) == (typed, "md", '"><b>')
    assert not titles(visit.get("/desk/articles").text)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"text": ""}, "empty"),
        ({"text": "   \n  "}, "empty"),
        ({"text": "A title alone"}, ""),
        ({"text": PASTED, "publish_at": "tomorrow"}, "embargo"),
        ({"text": PASTED, "publish_at": "0001-01-01T00:00"}, "embargo"),
        ({"text": PASTED, "publish_at": "2020-01-01T00:00"}, "over already"),
        ({"text": PASTED, "authors": ", ".join(map(str, range(500)))}, "names"),
        ({}, "empty"),
    ],
)
def test_a_text_that_is_no_article_is_refused_in_a_sentence(visit: Visit, fields: dict[str, str], problem: str) -> None:
    answer = visit.post("/desk/articles/new", form="txt", **fields)

    assert answer.status_code == 422
    (told,) = notes(answer.text)
    assert problem in told
    assert told.endswith(".")


def test_a_form_that_nobody_offers_is_plain_text(visit: Visit) -> None:
    assert visit.post("/desk/articles/new", text=PASTED, form="exe").status_code == 303


def test_an_embargo_is_in_the_houses_own_time(visit: Visit, weekly: Edition) -> None:
    assert weekly.cadence
    tomorrow = (datetime.now(ZoneInfo("Asia/Seoul")) + timedelta(days=1)).replace(second=0, microsecond=0)

    found = paste(visit, publish_at=f"{tomorrow:%Y-%m-%dT%H:%M}")

    assert found.state is ArticleState.EMBARGOED
    assert found.published_at == tomorrow.astimezone(UTC)
    assert visit.get(f"/articles/{found.slug}").status_code == 404
    page = visit.get(f"/desk/articles/{found.id}").text
    assert "Under embargo until" in page
    assert "Who Rides Them" in page, "the desk reads it before the world does"


def test_the_same_text_twice_is_one_article(visit: Visit) -> None:
    first = paste(visit)

    again = visit.after(visit.post("/desk/articles/new", text=PASTED, form="txt"))

    assert notes(again) == ["This article is in the archive already, word for word; nothing has changed."]
    assert titles(visit.get("/desk/articles").text) == [first.title]


def test_withdrawing_and_putting_back(visit: Visit) -> None:
    found = paste(visit)

    gone = visit.after(visit.post(f"/desk/articles/{found.id}/withdraw"))
    status_while_gone = visit.get(f"/articles/{found.slug}").status_code
    back = visit.after(visit.post(f"/desk/articles/{found.id}/restore"))

    assert notes(gone) == ["Withdrawn from every channel."]
    assert status_while_gone == 410
    assert notes(back) == ["Put back on every channel."]
    assert visit.get(f"/articles/{found.slug}").status_code == 200


@pytest.mark.parametrize("move", ["withdraw", "restore"])
def test_what_is_not_there_cannot_be_moved(visit: Visit, move: str) -> None:
    assert visit.post(f"/desk/articles/77/{move}").status_code == 404


def test_articles_are_found_by_words_whatever_their_state(visit: Visit) -> None:
    """Else an article that was withdrawn by mistake could never be found again."""
    drafts = [a_draft(title=f"Night Bus {number}", external_id=f"{number}") for number in range(2)]
    first, _ = handed_in(visit.room.database, [*drafts], clock=visit.room.now)
    early = a_draft(title="Night Bus 2", publish_at=visit.room.now() + timedelta(days=1))
    handed_in(visit.room.database, [early, a_draft(title="Other", external_id="x")], clock=visit.room.now)
    archive.withdraw(visit.room.database, first.article_id, clock=visit.room.now)

    everywhere = titles(visit.get("/desk/articles?q=night+bus").text)
    withdrawn = titles(visit.get("/desk/articles?q=night+bus&state=withdrawn").text)

    assert sorted(everywhere) == ["Night Bus 0", "Night Bus 1", "Night Bus 2"]
    assert withdrawn == ["Night Bus 0"]
    assert "Night Bus 0" not in visit.get("/search?q=night+bus").text, "readers do not find it"
    assert titles(visit.get("/desk/articles?state=embargoed").text) == ["Night Bus 2"]


def test_the_archive_is_read_page_by_page_without_a_gap(visit: Visit) -> None:
    drafts = [
        a_draft(external_id=f"{number}", title=f"N{number:02}", published_at=TUESDAY + timedelta(minutes=number // 4))
        for number in range(65)
    ]
    handed_in(visit.room.database, drafts, clock=visit.room.now)

    path, seen = "/desk/articles?state=published", list[str]()
    while path:
        html = visit.get(path).text
        seen += titles(html)
        onward = elements(html, "a", rel="next")
        path = onward[0].get("href", "") if onward else ""

    assert seen == sorted({draft.title for draft in drafts}, reverse=True)


def test_an_unknown_state_shows_everything(visit: Visit) -> None:
    an_archive(visit.room, 2)

    assert len(titles(visit.get("/desk/articles?state=nonsense").text)) == 2


def test_no_text_of_an_article_becomes_a_part_of_the_page(visit: Visit, weekly: Edition) -> None:
    """Stored XSS: whoever may hand in an article must not act in the name of whoever reads it at the desk."""
    hostile = a_draft(
        title=HOSTILE,
        authors=(HOSTILE,),
        topics=(HOSTILE,),
        summary=HOSTILE,
        external_id=HOSTILE,
        canonical_url='https://newsroom.example/"onmouseover="alert(1)',
    )
    (taken,) = handed_in(visit.room.database, [hostile], clock=visit.room.now)
    visit.post("/desk/issues", edition=weekly.slug)

    for path in ("/desk", "/desk/articles", f"/desk/articles/{taken.article_id}", "/desk/issues", "/desk/issues/1"):
        html = visit.get(path).text
        must_be_harmless(html)
        assert "alert(1)" in html
        assert "49" not in {words(each) for each in elements(html, "h1")}
    query = visit.web.get("/desk/articles", params={"q": HOSTILE, "state": HOSTILE})
    must_be_harmless(query.text)
    assert elements(query.text, "input", id="q")[0].get("value") == HOSTILE


@pytest.fixture
def mixed(visit: Visit) -> Visit:
    """A desk with three articles that differ in everything that the list can be narrowed to."""
    room = visit.room
    seoul = ZoneInfo("Asia/Seoul")
    late = datetime(2026, 5, 31, 23, 30, tzinfo=seoul)
    at_desk = a_draft(external_id="1", title="Owl Buses", topics=("transport",), publish_at=late)
    by_api = a_draft(external_id="2", title="Owl Signs", topics=("food",), publish_at=late + timedelta(hours=1))
    read = a_draft(external_id="3", title="Kimjang", language="ko", topics=("food",), publish_at=late)
    handed_in(room.database, [at_desk], clock=room.now, origin="desk")
    handed_in(room.database, [by_api], clock=room.now, origin="api")
    handed_in(room.database, [read], clock=room.now, origin="source:1")
    with room.database.transaction() as connection:
        row = {"url": "https://paper.example/feed", "name": "The Paper", "every_s": 900, "state": "active"}
        times = {"due_at": room.now(), "created_at": room.now(), "failures": 0, "topics": []}
        connection.execute(sa.insert(source), row | times)
    visit.post("/desk/me", time_zone="Asia/Seoul")
    return visit


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Kimjang", "Owl Buses", "Owl Signs"]),
        ("topic=food", ["Kimjang", "Owl Signs"]),
        ("language=ko", ["Kimjang"]),
        ("source=desk", ["Owl Buses"]),
        ("source=source%3A1", ["Kimjang"]),
        ("source=nowhere", []),
        ("since=2026-06-01", ["Owl Signs"]),
        ("until=2026-05-31", ["Kimjang", "Owl Buses"]),
        ("since=2026-05-31&until=2026-05-31&topic=food", ["Kimjang"]),
        ("q=owl", ["Owl Buses", "Owl Signs"]),
        ("q=owl&topic=food", ["Owl Signs"]),
        ("q=owl&source=desk&state=published", ["Owl Buses"]),
        ("state=withdrawn", []),
    ],
)
def test_the_archive_is_narrowed_by_all_that_an_article_has(mixed: Visit, query: str, expected: list[str]) -> None:
    """A day is the editor's: half past eleven in Seoul is still May."""
    assert sorted(titles(mixed.get(f"/desk/articles?{query}").text)) == expected


def test_a_day_that_is_none_is_told(mixed: Visit) -> None:
    answer = mixed.get("/desk/articles?since=31.5.2026")

    assert answer.status_code == 422
    assert "is no day, such as 2026-06-02" in notes(answer.text)[0]
    must_be_harmless(answer.text)


def test_the_next_page_is_narrowed_too(visit: Visit) -> None:
    an_archive(visit.room, 64)

    html = visit.get("/desk/articles?topic=food").text
    (older,) = elements(html, "a", rel="next")

    assert "topic=food" in (older.get("href") or "")
    assert len(titles(html)) == 30


def test_an_article_tells_where_it_came_from_and_which_feeds_carry_it(mixed: Visit) -> None:
    room = mixed.room
    relate_due(room.database, clock=room.now)
    syndicate_due(room.database, room.site, clock=room.now)

    desk, kimjang = mixed.get("/desk/articles/1").text, mixed.get("/desk/articles/3").text

    assert "The desk" in {words(each) for each in elements(desk, "dd")}
    assert "The source The Paper" in {words(each) for each in elements(kimjang, "dd")}
    (feeds,) = elements(kimjang, "section", aria_labelledby="feeds")
    assert {each.get("href", "").rpartition("/feeds")[2] for each in feeds.iter(f"{XHTML}a")} == {
        "/all.atom",
        "/languages/ko.atom",
        "/topics/food.atom",
        "/authors/kim-minji.atom",
    }


def test_an_article_is_looked_at_as_a_mail_of_an_edition(visit: Visit, weekly: Edition) -> None:
    found = paste(visit)
    path = f"/desk/articles/{found.id}/mail"
    assert f'src="{path}?edition=weekly"' in visit.get(f"/desk/articles/{found.id}").text

    mail = visit.get(f"{path}?edition={weekly.slug}")
    visit.post(f"/desk/articles/{found.id}/withdraw")

    assert "The Night Bus Home" in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    assert visit.get(f"{path}?edition=nothing").status_code == 404
    assert visit.get(f"{path}?edition=weekly").status_code == 409
    assert f"{path}?edition=weekly" not in visit.get(f"/desk/articles/{found.id}").text


# --- the articles of another system


def test_the_posts_of_another_system_move_in_at_the_desk(visit: Visit) -> None:
    post = {"id": "1", "title": "Trams", "html": "<p>Back.</p>", "status": "published", "published_at": "2019-05-06"}
    paid = post | {"id": "2", "title": HOSTILE, "visibility": "paid"}
    file = json.dumps({"db": [{"data": {"posts": [post, paid]}}]})
    path, key = "/desk/articles/import", visit.key()
    form = form_values(visit.get(path).text, path)

    page = visit.web.post(path, data=form, files={"file": ("ghost.json", file, "application/json")})
    wrong = visit.web.post(path, data=form, files={"file": ("x.xml", "<rss/>", "text/xml")})
    without = visit.web.post(path, data={"form_key": key})
    forged = visit.web.post(path, data={"form_key": "x"}, files={"file": ("ghost.json", file, "application/json")})

    assert "Added new in the archive1" in words(elements(page.text, "main")[0])
    assert "members only" in page.text
    must_be_harmless(page.text)
    assert (wrong.status_code, "no export of WordPress" in wrong.text) == (422, True)
    assert (without.status_code, forged.status_code) == (422, 403)
    assert visit.get("/articles/trams").status_code == 200
