"""What the desk does, a program can do as well."""

import pytest

from publisher.archive import proposals
from publisher.dispatch.transports.choose import outbox_in
from publisher.editors import flow as editors
from publisher.editors.model import Role
from publisher.intake.model import Section
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.pages import an_archive

V1 = "/api/v1"
WEEKLY = {"slug": "weekly", "kind": "digest", "mailing_list": "readers", "at_least": 1}


@pytest.fixture
def ids(room: Newsroom) -> list[int]:
    return [int(each) for each in an_archive(room, 4)]


@pytest.fixture
def draft(api: TestClient, ids: list[int]) -> str:
    """The address of a draft of the first three articles."""
    assert api.post(f"{V1}/editions", json=WEEKLY).status_code == 201
    made = api.post(f"{V1}/issues", json={"edition": "weekly", "article_ids": ids[:3]})
    return f"{V1}/issues/{made.json()['id']}"


def test_a_draft_is_laid_out_by_a_program(api: TestClient, draft: str, ids: list[int]) -> None:
    form = {"article_ids": [ids[3], ids[0]], "subject": " Of   trams ", "introduction": "**Good** morning.\n\nRead."}
    changed = api.put(draft, json=form)

    assert changed.status_code == 200, changed.text
    assert changed.json()["article_ids"] == [ids[3], ids[0]]
    assert (changed.json()["subject"], changed.json()["introduction"]) == ("Of trams", form["introduction"])
    preview = api.get(f"{draft}/preview").json()
    assert preview["subject"] == "Of trams"
    assert "<strong>Good</strong>" in preview["html"]
    assert "Good" in preview["text"]
    assert "{{" not in preview["html"]


def test_a_change_to_what_has_changed_is_refused(api: TestClient, draft: str, ids: list[int]) -> None:
    """Two programs, or an editor and a program: neither takes the other's words away unseen."""
    seen = api.get(draft).headers["ETag"]
    first = api.put(draft, json={"article_ids": ids[:2]}, headers={"If-Match": seen})
    second = api.put(draft, json={"article_ids": ids[2:]}, headers={"If-Match": seen})

    assert (first.status_code, second.status_code) == (200, 412)
    assert second.headers["Content-Type"] == "application/problem+json"
    assert first.headers["ETag"] == second.headers["ETag"] == api.get(draft).headers["ETag"]
    assert api.get(draft).json()["article_ids"] == ids[:2]
    now = first.headers["ETag"]
    assert api.put(draft, json={"article_ids": ids[2:]}, headers={"If-Match": f'"other", {now}'}).status_code == 200
    assert api.put(draft, json={"article_ids": ids[2:]}, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"article_ids": []},
        {"article_ids": [999]},
        {"article_ids": [2**63]},
        {"article_ids": [1], "subject": "{{ nonsense }}"},
        {"article_ids": [1], "colour": "red"},
    ],
)
def test_a_draft_that_cannot_be_is_refused_whole(api: TestClient, draft: str, form: dict[str, object]) -> None:
    before = api.get(draft).json()

    assert api.put(draft, json=form).status_code == 422
    assert api.get(draft).json() == before


def test_what_is_approved_is_frozen(api: TestClient, draft: str, ids: list[int]) -> None:
    api.post(f"{draft}/approve")

    assert api.put(draft, json={"article_ids": ids}).status_code == 409


def test_a_test_goes_to_an_editor_and_to_nobody_else(api: TestClient, draft: str, room: Newsroom) -> None:
    editors.add_editor(
        room.database, email="anna@desk.example", name="Anna", role=Role.EDITOR, password=None, clock=room.now
    )

    assert api.post(f"{draft}/test", json={"email": "reader@readers.example"}).status_code == 422
    assert api.post(f"{draft}/test", json={"email": "Anna@desk.example"}).status_code == 200
    (mail,) = outbox_in(room.settings.data_dir).list_newest(5)
    assert mail.address == "Anna <anna@desk.example>"


def test_an_edition_is_changed_by_a_program(api: TestClient, draft: str) -> None:
    path = f"{V1}/editions/weekly"
    seen = api.get(path).headers["ETag"]
    form = {"name": "Weekly", "cadence": "mon 08:00 Asia/Seoul", "accent": "#224466", "is_active": False}

    changed = api.put(path, json=form, headers={"If-Match": seen})

    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["is_active"]) == ("Weekly", False)
    assert (changed.json()["kind"], changed.json()["mailing_list"]) == ("digest", "readers")
    assert api.get(path).headers["ETag"] == changed.headers["ETag"] != seen
    assert api.put(path, json=form, headers={"If-Match": seen}).status_code == 412
    assert api.put(path, json=form | {"at_least": 5, "at_most": 2}).status_code == 422
    assert api.put(f"{V1}/editions/none", json=form).status_code == 404
    assert draft


def test_a_term_and_an_article_are_changed_as_they_were_seen(api: TestClient, ids: list[int]) -> None:
    term = {"name": "Theqoo", "explanation": "A forum."}
    slug = api.post(f"{V1}/glossary", json=term).json()["slug"]
    article = {"title": "News", "body": "It has rained."}
    for path, form in ((f"{V1}/glossary/{slug}", term), (f"{V1}/articles/{ids[0]}", article)):
        seen = api.get(path).headers["ETag"]
        assert api.put(path, json=form, headers={"If-Match": '"another"'}).status_code == 412
        changed = api.put(path, json=form, headers={"If-Match": seen})
        assert changed.status_code == 200
        assert api.get(path).headers["ETag"] == changed.headers["ETag"]


def test_links_and_endpoints_are_changed_as_they_were_seen(api: TestClient, ids: list[int]) -> None:
    crm = {"url": "https://crm.example.org/", "events": ["issue.sent"]}
    endpoint = f"{V1}/webhooks/{api.post(f'{V1}/webhooks', json=crm).json()['id']}"
    for path, form in (
        (f"{V1}/articles/{ids[0]}/links", {"pinned": [ids[1]]}),
        (endpoint, crm | {"name": "CRM"}),
    ):
        seen = {"If-Match": api.get(path).headers["ETag"]}
        changed = api.put(path, json=form, headers=seen)
        assert changed.status_code == 200
        assert api.put(path, json=form, headers=seen).status_code == 412
        assert api.get(path).headers["ETag"] == changed.headers["ETag"] != seen["If-Match"]


def test_an_article_is_withdrawn_put_back_and_found(api: TestClient, ids: list[int]) -> None:
    path = f"{V1}/articles/{ids[0]}"
    title = api.get(path).json()["title"]
    api.delete(path)

    assert api.post(f"{path}/restore").json()["state"] == "published"
    found = api.get(f"{V1}/articles", params={"q": title}).json()
    assert ids[0] in [each["id"] for each in found["data"]]
    assert api.get(f"{V1}/articles", params={"q": "nothing-of-this"}).json() == {"data": [], "next": None}


def test_sources_are_led_by_a_program(api: TestClient) -> None:
    form = {"url": "https://news.example.org/feed.xml", "topics": ["society"]}
    added = api.post(f"{V1}/sources", json=form)
    assert (added.status_code, added.json()["name"]) == (201, "news.example.org")
    assert api.post(f"{V1}/sources", json=form).status_code == 409
    assert api.post(f"{V1}/sources", json={"url": "https://127.0.0.1/"}).status_code == 422
    path = f"{V1}/sources/{added.json()['id']}"
    assert api.get(path).json() == api.get(f"{V1}/sources").json()["data"][0]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_names_are_proposed_and_dismissed(api: TestClient, room: Newsroom) -> None:
    text = Section(heading="", html="<p>It was the forum Theqoo where it began.</p>")
    handed_in(
        room.database,
        [a_draft(title=f"News {each}", external_id=str(each), sections=(text,)) for each in range(3)],
        clock=room.now,
    )
    proposals.count_due(room.database, clock=room.now)

    (proposed,) = api.get(f"{V1}/glossary-proposals").json()["data"]
    assert (proposed["name"], proposed["articles"]) == ("Theqoo", 3)
    assert api.post(f"{V1}/glossary-proposals/dismiss", json={"name": "Theqoo"}).status_code == 204
    left = api.get(f"{V1}/glossary-proposals").json()
    assert (left["data"], left["dismissed"]) == ([], ["Theqoo"])
    assert api.post(f"{V1}/glossary-proposals/propose", json={"name": "Theqoo"}).status_code == 204
    assert len(api.get(f"{V1}/glossary-proposals").json()["data"]) == 1


def test_a_reader_is_taken_off_lists_by_a_program(api: TestClient) -> None:
    api.post(f"{V1}/mailing-lists", json={"slug": "others", "name": "Others"})
    person = {"email": "ann@readers.example", "confirmed": True, "consent": "Yes."}
    added = api.post(f"{V1}/subscribers", json=person | {"mailing_lists": ["readers", "others"]}).json()
    path = f"{V1}/subscribers/{added['id']}"

    def states() -> dict[str, str]:
        return {each["mailing_list"]: each["state"] for each in api.get(path).json()["subscriptions"]}

    assert api.post(f"{path}/unsubscribe", json={"mailing_lists": ["others"]}).status_code == 200
    assert states() == {"readers": "confirmed", "others": "unsubscribed"}
    assert api.post(f"{path}/unsubscribe", json={"mailing_lists": ["none"]}).status_code == 404
    assert api.post(f"{path}/unsubscribe", json={}).status_code == 200
    assert set(states().values()) == {"unsubscribed"}
    assert api.get(f"{V1}/subscribers/999").status_code == 404


@pytest.mark.parametrize("what", ["glossary", "editions", "mailing-lists", "sources"])
def test_a_short_list_goes_on_page_by_page_as_well(api: TestClient, what: str) -> None:
    for each in "abcde":
        form = {
            "glossary": {"name": f"Name{each}", "explanation": "A name."},
            "editions": WEEKLY | {"slug": each},
            "mailing-lists": {"slug": each, "name": each},
            "sources": {"url": f"https://{each}.example.org/feed.xml"},
        }[what]
        assert api.post(f"{V1}/{what}", json=form).status_code == 201
    whole = [each["id" if what == "sources" else "slug"] for each in api.get(f"{V1}/{what}").json()["data"]]

    cursor: str | None = ""
    seen: list[object] = []
    while cursor is not None:
        page = api.get(f"{V1}/{what}", params={"limit": 2, "cursor": cursor}).json()
        seen += [each["id" if what == "sources" else "slug"] for each in page["data"]]
        cursor = page["next"]

    assert seen == whole
    assert len(seen) >= 5
    assert api.get(f"{V1}/{what}", params={"cursor": "é"}).status_code == 422
