import pytest

from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.wiring import Newsroom
from tests.web.browser import TestClient

PATH = "/api/v1/webhooks"
CRM = {"url": "https://crm.example.org/hooks", "name": "CRM", "events": ["issue.sent"]}


def test_an_endpoint_is_led_by_a_program(api: TestClient) -> None:
    added = api.post(PATH, json=CRM)
    assert added.status_code == 201
    path = f"{PATH}/{added.json()['id']}"
    secret = added.json()["secret"]
    assert secret.startswith("whsec_")

    changed = api.put(path, json=CRM | {"name": "Archive", "events": ["article.published", "issue.sent"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Archive")
    assert "secret" not in changed.json()
    assert api.post(f"{path}/secret").json()["secret"] != secret
    assert api.post(f"{path}/test").json()["waiting"] == 1
    (waiting,) = api.get(f"{path}/log").json()["data"]
    assert (waiting["kind"], waiting["state"], waiting["attempts"]) == ("webhook.test", "waiting", [])
    assert api.post(f"{path}/log/{waiting['id']}/again").status_code == 202
    assert api.post(f"{path}/off").json()["is_on"] is False
    assert api.post(f"{path}/test").status_code == 409
    assert api.post(f"{path}/on").json()["is_on"] is True
    assert len(api.get(PATH).json()["data"]) == 1
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_the_log_goes_on_page_by_page(api: TestClient) -> None:
    path = f"{PATH}/{api.post(PATH, json=CRM).json()['id']}"
    for _ in range(5):
        api.post(f"{path}/test")

    cursor: str | None = ""
    seen: list[int] = []
    while cursor is not None:
        page = api.get(f"{path}/log", params={"limit": 2, "cursor": cursor}).json()
        seen += [each["id"] for each in page["data"]]
        cursor = page["next"]

    assert seen == [5, 4, 3, 2, 1]
    assert api.get(f"{path}/log", params={"cursor": "x"}).status_code == 422


@pytest.mark.parametrize(
    "form",
    [
        CRM | {"url": "http://crm.example.org/"},
        CRM | {"url": "https://10.0.0.1/"},
        CRM | {"events": []},
        CRM | {"events": ["x"]},
        CRM | {"colour": "red"},
    ],
)
def test_what_cannot_be_used_is_a_problem(api: TestClient, form: dict[str, object]) -> None:
    answer = api.post(PATH, json=form)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_it_takes_the_scope_of_webhooks(room: Newsroom, web: TestClient) -> None:
    """Whoever may read everything may not send it elsewhere."""
    others = set(Scope) - {Scope.WEBHOOKS}
    token = add_api_token(room.database, name="CMS", scopes=others, clock=room.now)

    assert web.get(PATH, headers={"Authorization": f"Bearer {token}"}).status_code == 403
