from typing import Any

from tests.web.browser import TestClient

PATH = "/api/v1/segments"
KOREAN: dict[str, Any] = {"slug": "korean", "name": "Korean", "conditions": {"languages": ["ko"]}}
EMPTY: dict[str, Any] = {
    "languages": [],
    "countries": [],
    "time_zones": [],
    "topics": [],
    "mailing_lists": [],
    "joined_after": None,
    "joined_before": None,
    "clicked_within_days": None,
}


def test_a_segment_is_added_shown_counted_changed_and_removed(api: TestClient) -> None:
    added = api.post(PATH, json=KOREAN)
    assert added.status_code == 201
    assert added.json()["conditions"] == EMPTY | {"languages": ["ko"]}
    assert [each["slug"] for each in api.get(PATH).json()["data"]] == ["korean"]
    assert api.get(f"{PATH}/korean/count").json() == {"subscribers": 0, "is_all": True}

    days = {"joined_after": "2026-01-01", "joined_before": "2026-06-01"}
    changed = api.put(f"{PATH}/korean", json={"name": "Spring", "conditions": days})
    assert changed.json()["conditions"] == EMPTY | days
    assert (api.delete(f"{PATH}/korean").status_code, api.get(f"{PATH}/korean").status_code) == (204, 404)


def test_a_short_name_is_taken_once(api: TestClient) -> None:
    api.post(PATH, json=KOREAN)

    assert api.post(PATH, json=KOREAN).status_code == 409


def test_what_nobody_can_meet_is_refused(api: TestClient) -> None:
    for conditions in ({}, {"languages": ["???"]}, {"shoe_size": 42}, {"joined_after": "soon"}):
        answer = api.post(PATH, json=KOREAN | {"conditions": conditions})
        assert answer.status_code == 422, conditions


def test_an_edition_may_go_to_a_segment(api: TestClient) -> None:
    api.post("/api/v1/mailing-lists", json={"slug": "readers", "name": "Readers"})
    api.post(PATH, json=KOREAN)
    edition = {"slug": "digest", "kind": "digest", "mailing_list": "readers"}

    added = api.post("/api/v1/editions", json=edition | {"segment": "korean"})
    unknown = api.post("/api/v1/editions", json=edition | {"slug": "other", "segment": "martian"})
    early = api.post("/api/v1/editions", json=edition | {"slug": "early", "arrival": "local time"})

    assert (added.status_code, added.json()["segment"], added.json()["arrival"]) == (201, "korean", "together")
    assert unknown.status_code == 404
    assert (early.status_code, "an edition needs one" in early.json()["detail"]) == (422, True)
    assert api.delete(f"{PATH}/korean").status_code == 409
