from typing import Any

from publisher.audience.imports import import_due
from publisher.audience.store import consents_of, subscriber_with_email, subscriptions_of
from publisher.pulse import client
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.pages import standing

ANN = "ann@readers.example"
PERSON = {"email": ANN, "mailing_lists": ["readers"], "name": "Ann", "language": "ko", "timezone": "Asia/Seoul"}


def test_a_person_is_asked_for_a_yes_first(api: TestClient, room: Newsroom) -> None:
    answer = api.post("/api/v1/subscribers", json=PERSON)

    assert (answer.status_code, answer.json()) == (202, {"result": "asked"})
    assert set(standing(room, ANN).values()) == {"pending"}
    redis = client(room.settings.redis_url)
    assert redis.llen("upkeep") == 1
    redis.close()


def test_a_yes_given_elsewhere_is_kept_in_its_own_words(api: TestClient, room: Newsroom) -> None:
    wording = "Yes, I want the newsletter of the film festival."

    answer = api.post("/api/v1/subscribers", json=PERSON | {"confirmed": True, "consent": wording})

    assert answer.status_code == 201
    person = answer.json()
    assert (person["email"], person["timezone"]) == (ANN, "Asia/Seoul")
    assert [(each["mailing_list"], each["state"]) for each in person["subscriptions"]] == [("readers", "confirmed")]
    with room.database.reading() as connection:
        found = subscriber_with_email(connection, ANN)
        assert found
        (subscription,) = subscriptions_of(connection, [found.id])[found.id]
        assert [each.wording for each in consents_of(connection, subscription.id)] == [wording]


def test_nobody_is_confirmed_without_a_consent(api: TestClient, room: Newsroom) -> None:
    answer = api.post("/api/v1/subscribers", json=PERSON | {"confirmed": True})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "consent"
    assert standing(room, ANN) == {}


def test_an_impossible_address_is_refused(api: TestClient) -> None:
    answer = api.post("/api/v1/subscribers", json=PERSON | {"email": "no address"})

    assert answer.status_code == 422
    assert "no address" not in answer.text, "problems end in logs; addresses must not"


def test_subscribers_are_listed_page_by_page(api: TestClient) -> None:
    emails = [f"{name}@readers.example" for name in ("ann", "bo", "cho", "dae", "eun")]
    for email in emails:
        sent = {"email": email, "mailing_lists": ["readers"], "confirmed": True, "consent": "Yes."}
        assert api.post("/api/v1/subscribers", json=sent).status_code == 201

    seen: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get("/api/v1/subscribers", params={"limit": 2, "cursor": cursor, "mailing_list": "readers"}).json()
        seen += [each["email"] for each in answer["data"]]
        cursor = answer["next"]

    assert seen == emails
    assert [each["email"] for each in api.get("/api/v1/subscribers?beginning=CH").json()["data"]] == [emails[2]]


def test_a_mailing_list_is_made_once_and_counts_its_readers(api: TestClient) -> None:
    made = api.post("/api/v1/mailing-lists", json={"slug": "sport", "name": "Sport"})
    again = api.post("/api/v1/mailing-lists", json={"slug": "sport", "name": "Sport"})
    api.post("/api/v1/subscribers", json=PERSON | {"mailing_lists": ["sport"], "confirmed": True, "consent": "Yes."})

    assert (made.status_code, made.json()["confirmed"], again.status_code) == (201, 0, 409)
    found = {each["slug"]: each["confirmed"] for each in api.get("/api/v1/mailing-lists").json()["data"]}
    assert found == {"readers": 0, "sport": 1}


def test_a_suppressed_address_is_listed_until_it_is_lifted(api: TestClient) -> None:
    made = api.post("/api/v1/suppressions", json={"email": "Ann@Readers.example", "detail": "Asked by phone."})

    listed = api.get("/api/v1/suppressions").json()
    lifted = api.delete("/api/v1/suppressions/ann@readers.example")

    assert (made.status_code, made.json()["email"], made.json()["reason"]) == (201, ANN, "manual")
    assert [each["detail"] for each in listed["data"]] == ["Asked by phone."]
    assert lifted.status_code == 204
    assert api.get("/api/v1/suppressions").json() == {"data": [], "next": None}


def test_suppressions_are_listed_page_by_page(api: TestClient) -> None:
    emails = [f"{name}@readers.example" for name in ("ann", "bo", "cho")]
    for email in emails:
        api.post("/api/v1/suppressions", json={"email": email})

    first = api.get("/api/v1/suppressions?limit=2").json()
    second = api.get("/api/v1/suppressions", params={"limit": 2, "cursor": first["next"]}).json()

    assert [each["email"] for each in (*first["data"], *second["data"])] == emails
    assert second["next"] is None


def test_what_is_held_about_a_person_is_shown_and_erased(api: TestClient) -> None:
    person = {"email": "ann@readers.example", "mailing_lists": ["readers"], "confirmed": True, "consent": "Yes."}
    added = api.post("/api/v1/subscribers", json=person).json()
    path = f"/api/v1/subscribers/{added['id']}"

    held = api.get(f"{path}/data").json()
    erased = api.delete(f"{path}?never_again=false")

    assert (held["email"], held["consents"][0]["wording"]) == ("ann@readers.example", "Yes.")
    assert erased.status_code == 204
    assert (api.get(f"{path}/data").status_code, api.delete(path).status_code) == (404, 404)
    assert api.get("/api/v1/subscribers").json()["data"] == []


def test_an_export_of_another_system_comes_in_over_the_api(api: TestClient, room: Newsroom) -> None:
    """A program hands the file in whole and looks again until a worker is done."""
    file = (
        "email,active_subscription,expiry,plan,email_disabled,created_at\n"
        f"{ANN},true,,other,false,2019-05-06\nben@readers.example,true,,other,true,2019-05-06\nnonsense,,,,false,\n"
    )
    path, headers = "/api/v1/subscriber-imports", {"Content-Type": "text/csv"}

    asked = api.post(path, params={"mailing_list": "readers", "confirmed": True}, content=file, headers=headers)
    words = {"mailing_list": "readers", "confirmed": True, "consent": "Yes."}
    answer = api.post(path, params=words, content=file, headers=headers)
    import_due(room.database, clock=room.now)
    done = api.get(f"{path}/{answer.json()['id']}").json()

    assert (asked.status_code, asked.json()["errors"][0]["where"]) == (422, "consent")
    assert (answer.status_code, answer.json()["state"], done["state"]) == (202, "waiting", "done")
    report = done["report"]
    assert (report["origin"], report["added"], report["left"], report["bad"]) == ("Substack", 1, 1, 1)
    assert report["bad_lines"] == [{"line": 4, "problem": "The address has no @."}]
    assert set(standing(room, "ben@readers.example").values()) == {"unsubscribed"}
    assert api.post(path, params=words, content=file).status_code == 415
    assert api.get(f"{path}/99").status_code == 404
