from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from publisher.archive import flow as archive
from publisher.intake import store as intake
from publisher.intake.json import FIELDS
from publisher.intake.model import Image, Picture
from publisher.intake.tables import submission
from publisher.pulse import client
from publisher.web.api.article_forms import ArticleForm
from publisher.wiring import Newsroom
from tests.builders import DOMAIN, a_draft, handed_in
from tests.web.browser import TestClient

ARTICLES = "/api/v1/articles"
OWN_ARTICLE = Path(__file__).parent.parent / "intake" / "own_article.txt"
JEONSE = {
    "title": "How Jeonse Works",
    "body": "A tenant hands over a deposit.\n\n## Why It Lasts\n\nInterest rates were high.",
    "external_id": "newsroom-7",
    "authors": ["Kim Minji"],
    "topics": ["Society", "Housing"],
    "summary": "Korea’s deposit system, explained.",
}


def submissions(room: Newsroom) -> int:
    with room.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(submission)).scalar_one())


def test_a_new_article_is_on_its_page_when_the_answer_comes(api: TestClient, room: Newsroom) -> None:
    answer = api.post(ARTICLES, json=JEONSE)

    assert answer.status_code == 201
    taken = answer.json()
    assert taken["result"] == "new"
    assert taken["url"] == "http://127.0.0.1:8000/articles/how-jeonse-works"
    assert taken["uri"].startswith("tag:")
    assert (taken["state"], taken["revision"], taken["language"]) == ("published", 1, "en")
    assert [each["heading"] for each in taken["sections"]] == ["", "Why It Lasts"]
    assert answer.headers["Location"] == f"{ARTICLES}/{taken['id']}"
    assert "How Jeonse Works" in api.get("/articles/how-jeonse-works").text
    redis = client(room.settings.redis_url)
    assert redis.llen("articles") == 1, "a worker was told to relate it at once"
    redis.close()


def test_the_same_article_again_is_unchanged_and_a_corrected_one_revised(api: TestClient) -> None:
    first = api.post(ARTICLES, json=JEONSE).json()

    again = api.post(ARTICLES, json=JEONSE)
    corrected = api.post(ARTICLES, json=JEONSE | {"title": "How Jeonse Really Works"})

    assert (again.status_code, again.json()["result"], again.json()["id"]) == (200, "unchanged", first["id"])
    assert (corrected.status_code, corrected.json()["result"]) == (200, "revised")
    after = corrected.json()
    assert (after["id"], after["uri"], after["slug"]) == (first["id"], first["uri"], first["slug"])
    assert after["revision"] == 2
    assert after["updated_at"] > first["updated_at"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain", "How Jeonse Works\n\nA tenant hands over a deposit, and the landlord keeps the interest.\n"),
        ("text/plain; charset=utf-8", "How Jeonse Works\n\nA tenant hands over a deposit, and keeps the interest.\n"),
        ("text/markdown", "---\ntitle: How Jeonse Works\ntopics: [society]\n---\n\nA tenant hands over a deposit.\n"),
        ("text/html", "<h1>How Jeonse Works</h1><p>A tenant hands over a deposit.</p><script>alert(1)</script>"),
    ],
)
def test_an_article_comes_as_text_markdown_or_html_too(api: TestClient, kind: str, body: str) -> None:
    answer = api.post(ARTICLES, content=body.encode(), headers={"Content-Type": kind})

    assert answer.status_code == 201
    assert answer.json()["title"] == "How Jeonse Works"
    assert "script" not in str(answer.json()["sections"])


def test_a_real_article_in_plain_text_keeps_its_parts(api: TestClient) -> None:
    answer = api.post(ARTICLES, content=OWN_ARTICLE.read_bytes(), headers={"Content-Type": "text/plain"})

    assert answer.status_code == 201
    assert answer.json()["guide"]["html"]
    assert answer.json()["teasers"]


@pytest.mark.parametrize(
    ("body", "where", "said"),
    [
        ({"body": "Text."}, "title", "no title"),
        ({"title": "Title"}, "", "no text"),
        ({"title": "Title", "body": "Text.", "published_at": "yesterday"}, "published_at", "not a date"),
        ({"title": "Title", "body": "Text.", "publish_att": "2026-01-01"}, "", "“publish_at” meant"),
        ({"title": "Title", "body": "Text.", "canonical_url": "http://10.0.0.1/x"}, "canonical_url", "private"),
        ({"title": "Title", "body": "Text.", "sections": []}, "body", "not both"),
        ({"title": "Title", "sections": [{"html": 7}]}, "sections[0].html", "must be text"),
        ([], "", "must be an object"),
    ],
)
def test_a_wrong_article_is_told_what_and_where_and_stores_nothing(
    api: TestClient, room: Newsroom, body: Any, where: str, said: str
) -> None:
    answer = api.post(ARTICLES, json=body)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert said in problem["detail"]
    assert problem["errors"][0]["where"] == (where or "article")
    assert submissions(room) == 0


@pytest.mark.parametrize(
    ("data", "kind", "said"),
    [
        (b"{broken", "application/json", "not JSON"),
        (b"[" * 100_000, "application/json", "JSON"),
        (b"Caf\xe9\n\nText here.", "text/plain", "not UTF-8"),
        (b'{"title": "Caf\xe9"}', "application/json", "not UTF-8"),
        (b"", "text/plain", "empty"),
        (b"%PDF-1.7", "text/plain", "PDF"),
        (b"---\n- a list\n---\n\nText.", "text/markdown", "front matter"),
    ],
)
def test_what_is_no_article_is_told_so(api: TestClient, room: Newsroom, data: bytes, kind: str, said: str) -> None:
    answer = api.post(ARTICLES, content=data, headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert submissions(room) == 0


def test_an_embargoed_article_waits(api: TestClient, room: Newsroom) -> None:
    later = (room.now() + timedelta(hours=1)).isoformat()

    answer = api.post(ARTICLES, json=JEONSE | {"publish_at": later})

    assert (answer.status_code, answer.json()["state"]) == (201, "embargoed")
    assert api.get("/articles/how-jeonse-works").status_code == 404


def test_what_get_answers_can_be_changed_and_put_back(api: TestClient, room: Newsroom) -> None:
    """An editor's program reads, changes a word, and sends all of it back: nothing else may move."""
    with room.database.transaction() as connection:
        found = Picture(data=b"GIF89a", media_type="image/gif", width=4, height=3)
        path = intake.add_picture(connection, found, now=room.now())
    draft = a_draft(image=Image(url=path, alt="A house", credit="Han", width=4, height=3), external_id="7")
    (taken,) = handed_in(room.database, [draft], clock=room.now)
    before = api.get(f"{ARTICLES}/{taken.article_id}").json()

    same = api.put(f"{ARTICLES}/{taken.article_id}", json=before)
    changed = api.put(f"{ARTICLES}/{taken.article_id}", json=before | {"title": "Jeonse, Explained"})

    assert (same.status_code, same.json()["updated_at"]) == (200, before["updated_at"])
    assert changed.json()["result"] == "revised"
    after = api.get(f"{ARTICLES}/{taken.article_id}").json()
    assert {name for name in before if before[name] != after[name]} == {"title", "revision", "updated_at"}


def test_a_revision_by_id_needs_no_external_id(api: TestClient) -> None:
    first = api.post(ARTICLES, json={"title": "One", "body": "Text."}).json()

    answer = api.put(f"{ARTICLES}/{first['id']}", content="Two\n\nOther text.", headers={"Content-Type": "text/plain"})

    assert (answer.status_code, answer.json()["id"], answer.json()["title"]) == (200, first["id"], "Two")


def test_a_deleted_article_is_withdrawn_and_stays_so(api: TestClient) -> None:
    first = api.post(ARTICLES, json=JEONSE).json()

    deleted, again = api.delete(f"{ARTICLES}/{first['id']}"), api.delete(f"{ARTICLES}/{first['id']}")

    assert (deleted.status_code, deleted.json()["state"]) == (200, "withdrawn")
    assert again.status_code == 200
    assert api.get("/articles/how-jeonse-works").status_code == 410
    assert api.get(f"{ARTICLES}/{first['id']}").json()["state"] == "withdrawn"


def test_articles_are_listed_page_by_page(api: TestClient, room: Newsroom) -> None:
    drafts = [a_draft(external_id=f"{number}", title=f"Number {number}") for number in range(7)]
    taken = handed_in(room.database, drafts, clock=room.now)
    archive.withdraw(room.database, taken[0].article_id, clock=room.now)

    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(ARTICLES, params={"limit": 3, "cursor": cursor, "state": "published"}).json()
        seen += [each["id"] for each in answer["data"]]
        cursor = answer["next"]

    assert seen == [each.article_id for each in reversed(taken[1:])]
    assert len(api.get(ARTICLES).json()["data"]) == 7
    assert [each["title"] for each in api.get(f"{ARTICLES}?state=withdrawn").json()["data"]] == ["Number 0"]
    assert api.get(f"{ARTICLES}?topic=society&language=en&author=kim-minji&limit=1").json()["data"]
    assert api.get(f"{ARTICLES}?topic=none").json() == {"data": [], "next": None}


def test_an_article_that_is_on_disk_is_acknowledged_though_the_archive_cannot_take_it(
    api: TestClient, room: Newsroom
) -> None:
    """The commit is the promise: what comes after it may fail, and the article will appear all the same."""
    with room.database.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full_disk BEFORE INSERT ON article BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )

    answer = api.post(ARTICLES, json=JEONSE)

    assert (answer.status_code, answer.json()) == (202, {"submission": 1, "result": "received"})
    with room.database.transaction() as connection:
        connection.exec_driver_sql("DROP TRIGGER full_disk")
    assert archive.accept_due(room.database, domain=DOMAIN, clock=room.now) == 1
    assert api.get("/articles/how-jeonse-works").status_code == 200


def test_the_reference_names_every_field_that_is_read() -> None:
    assert set(ArticleForm.model_fields) == FIELDS


def test_who_hands_in_a_script_is_told_that_it_is_left_out(api: TestClient) -> None:
    page = "<h1>Snow</h1>\n<p>It snowed.</p>\n<script>alert(1)</script>"

    answer = api.post(ARTICLES, content=page, headers={"Content-Type": "text/html"})

    assert answer.status_code == 201
    assert answer.json()["note"] == "A script in line 3 was left out."
    assert "alert" not in str(answer.json()["sections"])


def test_links_below_an_article_are_pinned_and_banned(api: TestClient, room: Newsroom) -> None:
    drafts = [a_draft(external_id=str(number), title=f"Article {number}") for number in range(5)]
    first, *others = [int(each.article_id) for each in handed_in(room.database, drafts, clock=room.now)]
    path, wanted = f"/api/v1/articles/{first}/links", {"pinned": [others[2], others[0]], "banned": [others[1]]}

    answer = api.put(path, json=wanted)

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in wanted} == wanted
    assert [each["id"] for each in answer.json()["shown"]] == [*wanted["pinned"], others[3]]
    assert api.get(path).json() == answer.json()
    assert api.put(path, json={"pinned": [first]}).status_code == 422
    assert api.put(path, json={"pinned": [999]}).status_code == 404
    assert api.get("/api/v1/articles/999/links").status_code == 404
    assert api.put(path, json={}).json()["pinned"] == []
