"""The desk's page of endpoints, and the log of what was told to each."""

import re
from collections.abc import Callable, Iterator

import pytest

from publisher.editors.model import Role
from publisher.webhooks import flow, store
from publisher.webhooks.flow import Wanted, tell_due
from publisher.webhooks.model import EndpointId, Happening
from publisher.wiring import Newsroom
from tests.syndication.websub.subscriber import Subscriber, listening
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes
from tests.web.pages import addresses, elements, words

PATH = "/desk/webhooks"
URL = "https://crm.example.org/hooks"


@pytest.fixture
def receiver() -> Iterator[Subscriber]:
    with listening() as found:
        yield found


def added(room: Newsroom, url: str = URL, name: str = "CRM") -> EndpointId:
    wanted = Wanted(url=url, name=name, happenings=[Happening.ARTICLE_PUBLISHED])
    return flow.add_endpoint(room.database, wanted, clock=room.now, allow_private=True).endpoint.id


def tell(room: Newsroom) -> None:
    tell_due(room.database, base_url=room.settings.base_url, clock=room.now, allow_private=True)


def test_a_new_endpoint_shows_its_secret_once(visit: Visit) -> None:
    answer = visit.post(PATH, url=URL, name="CRM", event=["article.published", "issue.sent"])

    secrets = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.text)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(secrets) == 1
    assert "whsec_" not in visit.get(f"{PATH}/1").text
    assert "/desk/webhooks/1" in addresses(visit.get(PATH).text)
    with visit.room.database.reading() as connection:
        found = store.endpoint_of(connection, EndpointId(1))
    assert (found.secret, found.with_addresses) == (secrets[0], False)
    assert found.happenings == {Happening.ARTICLE_PUBLISHED, Happening.ISSUE_SENT}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://crm.example.org/", "event": "issue.sent"}, "https://"),
        ({"url": URL}, "at least one event"),
        ({"url": URL, "event": "issue.eaten"}, "There is no event"),
        ({"url": "https://127.0.0.1/", "event": "issue.sent"}, "private network"),
    ],
)
def test_what_cannot_be_used_is_said_and_kept_in_the_form(visit: Visit, fields: dict[str, str], said: str) -> None:
    answer = visit.post(PATH, name="CRM", **fields)

    assert answer.status_code == 422
    assert said in notes(answer.text)[0]
    (shown,) = elements(answer.text, "input", id="url")
    assert shown.get("value") == fields["url"]


def test_a_test_stands_in_the_log_with_status_and_time(visit: Visit, receiver: Subscriber) -> None:
    endpoint_id = added(visit.room, receiver.callback())
    path = f"{PATH}/{endpoint_id}"
    visit.after(visit.post(f"{path}/test"))
    receiver.status = 503
    tell(visit.room)

    html = visit.get(path).text
    assert "webhook.test" in html
    assert re.search(r"503 · [0-9,]+ ms", html)
    assert "failing" in html

    receiver.status = 200
    (again,) = [each for each in addresses_of_forms(html) if "/again/" in each]
    visit.after(visit.post(again))
    tell(visit.room)
    assert re.search(r"200 · [0-9,]+ ms", visit.get(path).text)


def addresses_of_forms(html: str) -> list[str]:
    return [each.get("action") or "" for each in elements(html, "form")]


def test_an_endpoint_is_changed_switched_rotated_and_deleted(visit: Visit) -> None:
    endpoint_id = added(visit.room)
    path = f"{PATH}/{endpoint_id}"
    values = form_values(visit.get(path).text, path)
    assert values["event"] == ["article.published"]
    visit.after(visit.post(path, **values | {"name": "Archive", "with_addresses": "yes"}))
    rotated = visit.post(f"{path}/secret")
    assert "whsec_" in rotated.text
    assert "signs as well" in visit.get(path).text
    assert "Switched off" in visit.after(visit.post(f"{path}/switch", on=""))
    assert f"{path}/test" not in addresses_of_forms(visit.get(path).text)
    visit.after(visit.post(f"{path}/switch", on="yes"))
    with visit.room.database.reading() as connection:
        found = store.endpoint_of(connection, endpoint_id)
    assert (found.name, found.with_addresses, found.is_on) == ("Archive", True, True)

    assert "Deleted" in visit.after(visit.post(f"{path}/delete"))
    assert visit.get(path).status_code == 404


def test_an_endpoint_that_is_gone_is_told_under_today(visit: Visit, receiver: Subscriber) -> None:
    receiver.status = 410
    endpoint_id = added(visit.room, receiver.callback())
    flow.send_test(visit.room.database, endpoint_id, clock=visit.room.now)
    tell(visit.room)

    (note,) = [words(each) for each in elements(visit.get("/desk").text, "li") if "webhook" in words(each)]
    assert "CRM" in note
    assert "410 Gone" in note


def test_only_an_operator_sees_and_changes_webhooks(room: Newsroom, visit_as: Callable[[Role], Visit]) -> None:
    endpoint_id = added(room)
    chief = visit_as(Role.CHIEF)

    assert "/desk/webhooks" not in addresses(chief.get("/desk").text)
    for path in (PATH, f"{PATH}/{endpoint_id}"):
        assert chief.get(path).status_code == 403
    for path in ("", "/test", "/secret", "/switch", "/delete", "/again/1"):
        assert chief.post(f"{PATH}/{endpoint_id}{path}").status_code == 403


def test_no_name_and_no_answer_becomes_a_part_of_the_page(visit: Visit) -> None:
    added(visit.room, name=HOSTILE[:60])

    for path in (PATH, f"{PATH}/1"):
        html = visit.get(path).text
        must_be_harmless(html)
        assert "alert(1)" in html


def test_a_strange_id_is_an_address_where_nothing_is(visit: Visit) -> None:
    for path in ("9", "x", "0", str(2**63)):
        assert visit.get(f"{PATH}/{path}").status_code == 404
    assert visit.get(f"{PATH}/{added(visit.room)}?before=x").status_code == 200


def test_the_log_goes_on_page_by_page(visit: Visit) -> None:
    endpoint_id = added(visit.room)
    now = visit.room.now()
    row = {"endpoint_id": endpoint_id, "kind": "webhook.test", "at": now, "facts": {}}
    with visit.room.database.transaction() as connection:
        store.put(connection, [row | {"message_id": f"msg_{each}"} for each in range(90)], now=now)

    path, seen = f"{PATH}/{endpoint_id}", 0
    while path:
        html = visit.get(path).text
        seen += len([each for each in elements(html, "th", scope="row") if words(each) == "webhook.test"])
        onward = elements(html, "a", rel="next")
        path = onward[0].get("href", "") if onward else ""
    assert seen == 90
