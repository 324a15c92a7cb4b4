from typing import Any

from tests.web.browser import TestClient

PATH = "/api/v1/glossary"
HANOK: dict[str, Any] = {"name": "Hanok", "hangul": "한옥", "explanation": "A traditional Korean house."}
WHOLE = {
    "slug": "hanok",
    "romanisation": "",
    "kind": "word",
    "link": "",
    "aliases": [],
    "case_sensitive": True,
} | HANOK


def test_a_term_is_added_shown_changed_and_removed(api: TestClient) -> None:
    added = api.post(PATH, json=HANOK)
    listed = api.get(PATH).json()["data"]
    changed = api.put(f"{PATH}/hanok", json=HANOK | {"aliases": ["hanoks"], "case_sensitive": False, "kind": "place"})
    shown = api.get(f"{PATH}/hanok").json()
    removed = api.delete(f"{PATH}/hanok")

    assert (added.status_code, added.json()) == (201, WHOLE)
    assert listed == [WHOLE]
    assert changed.status_code == 200
    assert shown == WHOLE | {"aliases": ["hanoks"], "case_sensitive": False, "kind": "place"}
    assert (removed.status_code, api.get(PATH).json()) == (204, {"data": [], "next": None})


def test_everything_that_is_wrong_is_told_by_field(api: TestClient) -> None:
    api.post(PATH, json=HANOK)

    answer = api.post(PATH, json={"name": "Hanok", "explanation": "", "link": "nowhere"})

    assert answer.status_code == 422
    assert {each["where"]: each["problem"] for each in answer.json()["errors"]} == {
        "name": "“Hanok” belongs to the term “Hanok” already.",
        "explanation": "A term needs an explanation: one sentence for a reader abroad.",
        "link": "A link is an address that begins with https:// or http://.",
    }


def test_a_change_may_not_take_the_spelling_of_another_term(api: TestClient) -> None:
    api.post(PATH, json=HANOK)
    api.post(PATH, json={"name": "Ondol", "explanation": "Underfloor heating."})

    answer = api.put(f"{PATH}/ondol", json={"name": "Ondol", "explanation": "x", "aliases": ["한옥"]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "aliases"
    assert api.get(f"{PATH}/ondol").json()["aliases"] == []
