import json

from tests.web.browser import TestClient

PATH = "/api/v1/article-imports"
POST = {"id": "1", "title": "Trams", "html": "<p>Back.</p>", "status": "published", "published_at": "2019-05-06"}


def test_the_posts_of_another_system_move_in_over_the_api(api: TestClient) -> None:
    file = json.dumps({"db": [{"data": {"posts": [POST, POST | {"id": "2", "title": "Paid", "visibility": "paid"}]}}]})
    headers = {"Content-Type": "application/json"}

    first = api.post(PATH, content=file, headers=headers)
    again = api.post(PATH, content=file, headers=headers)

    assert first.status_code == 200
    assert {name: first.json()[name] for name in ("added", "known", "left_out", "refused")} == {
        "added": 1,
        "known": 0,
        "left_out": 0,
        "refused": 1,
    }
    assert [each["name"] for each in first.json()["refusals"]] == ["Paid"]
    assert (again.json()["added"], again.json()["known"]) == (0, 1)
    [listed] = api.get("/api/v1/articles").json()["data"]
    assert listed["published_at"].startswith("2019-05-06T00:00:00")


def test_what_is_no_export_says_what_to_do(api: TestClient) -> None:
    answer = api.post(PATH, content="<rss/>", headers={"Content-Type": "application/xml"})

    assert (answer.status_code, "Tools, Export" in answer.json()["detail"]) == (422, True)
    assert api.post(PATH, content="x", headers={"Content-Type": "text/csv"}).status_code == 415
