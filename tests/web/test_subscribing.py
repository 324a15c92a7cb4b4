from datetime import timedelta
from pathlib import Path

import pytest

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import confirmations_due, consents_of, subscriber_with_email, subscription_with_id
from publisher.audience.tokens import Purpose
from publisher.pulse import client
from publisher.web.allowance import Allowance, Bound
from publisher.web.app import make_app
from publisher.web.public.subscribe import OF_A_NETWORK, OF_AN_ADDRESS
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.browser import TestClient
from tests.web.pages import elements, standing, words

ANN = "ann@readers.example"


def confirm_path(room: Newsroom) -> str:
    """The address in the confirmation mail that waits to be sent."""
    with room.database.reading() as connection:
        (due,) = confirmations_due(connection, at_most=10)
    return f"/confirm/{room.signer.sign(Purpose.CONFIRM, due.subscription_id)}"


def test_who_subscribes_waits_for_a_confirmation(web: TestClient, room: Newsroom) -> None:
    answer = web.post("/subscribe", data={"email": f" {ANN} ", "name": "Ann"})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/subscribe/sent")
    assert set(standing(room, ANN).values()) == {"pending"}
    redis = client(room.settings.redis_url)
    assert redis.llen("upkeep") == 1, "a worker was told to send the mail at once"
    redis.close()


def test_the_answer_tells_nobody_who_reads_us(web: TestClient, room: Newsroom) -> None:
    yes = audience.Yes(how=How.CLI)
    audience.add_subscriber(room.database, email=ANN, lists=["readers"], yes=yes, clock=room.now)

    known, unknown = (web.post("/subscribe", data={"email": email}) for email in (ANN, "bo@readers.example"))

    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert {**known.headers} == {**unknown.headers}
    assert set(standing(room, ANN).values()) == {"confirmed"}


def test_a_program_that_fills_in_every_field_subscribes_nobody(web: TestClient, room: Newsroom) -> None:
    answer = web.post("/subscribe", data={"email": ANN, "website": "https://spam.example"})

    assert answer.status_code == 303
    assert standing(room, ANN) == {}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "nonsense"}, "The address has no @."),
        ({"email": ""}, "The address is missing."),
        ({}, "The address is missing."),
        ({"email": ANN, "list": "nothing"}, "There is no mailing list 'nothing'."),
    ],
)
def test_what_is_wrong_is_said_beside_the_form(web: TestClient, form: dict[str, str], said: str) -> None:
    answer = web.post("/subscribe", data=form)

    assert answer.status_code == 422
    assert words(elements(answer.text, "p", role="alert")[0]) == said
    assert elements(answer.text, "input", id="email")[0].get("value") == form.get("email", "")


def test_a_reader_chooses_among_several_mailing_lists(web: TestClient, room: Newsroom) -> None:
    audience.add_mailing_list(room.database, slug="sport", name="Sport", clock=room.now)

    none = web.post("/subscribe", data={"email": ANN})
    both = web.post("/subscribe", data={"email": ANN, "list": ["readers", "sport"]})

    assert (none.status_code, both.status_code) == (422, 303)
    assert list(standing(room, ANN).values()) == ["pending", "pending"]


def test_one_network_cannot_subscribe_the_whole_world(web: TestClient, room: Newsroom) -> None:
    allowance = Allowance(room.settings.redis_url, room.settings.secret_key)
    for _ in range(OF_A_NETWORK.at_most):
        allowance.permits(OF_A_NETWORK, "203.0.113.0/24")

    answer = web.post("/subscribe", data={"email": ANN})

    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert standing(room, ANN) == {}


def test_an_address_that_is_asked_too_often_gets_no_more_mail_and_the_same_answer(
    web: TestClient, room: Newsroom
) -> None:
    allowance = Allowance(room.settings.redis_url, room.settings.secret_key)
    for _ in range(OF_AN_ADDRESS.at_most):
        allowance.permits(OF_AN_ADDRESS, ANN)

    answer = web.post("/subscribe", data={"email": ANN.upper()})

    assert answer.status_code == 303
    assert standing(room, ANN) == {}


def test_without_redis_everybody_may_subscribe(tmp_path: Path, room: Newsroom) -> None:
    """The bound protects mailboxes; it must not turn readers away because a cache is down."""
    alone = Newsroom(settings_in(tmp_path, REDIS_URL=f"redis+socket://{tmp_path}/nowhere.sock"))

    with TestClient(make_app(lambda: alone), follow_redirects=False, client=("203.0.113.7", 1)) as browser:
        answer = browser.post("/subscribe", data={"email": ANN})

    assert answer.status_code == 303
    assert set(standing(room, ANN).values()) == {"pending"}


def test_an_allowance_comes_back_when_its_while_is_over(room: Newsroom) -> None:
    allowance = Allowance(room.settings.redis_url, room.settings.secret_key)
    brief = Bound(name="test", at_most=2, within=timedelta(seconds=1))

    permitted = [allowance.permits(brief, "somebody") for _ in range(3)]
    redis = client(room.settings.redis_url)
    (key,) = redis.keys("publisher:allowance:test:*")

    assert permitted == [True, True, False]
    assert allowance.permits(brief, "somebody else")
    assert 0 < redis.pttl(key) <= 1000
    assert b"somebody" not in key, "no personal data in Redis"
    redis.close()


def test_opening_the_link_confirms_nothing(web: TestClient, room: Newsroom) -> None:
    """Mail scanners open every link before the reader does."""
    web.post("/subscribe", data={"email": ANN})

    page = web.get(confirm_path(room))
    head = web.head(confirm_path(room))

    assert (page.status_code, head.status_code) == (200, 200)
    assert elements(page.text, "button", type="submit")
    assert set(standing(room, ANN).values()) == {"pending"}


def test_pressing_the_button_confirms_and_keeps_the_sentence_that_was_agreed_to(
    web: TestClient, room: Newsroom
) -> None:
    web.post("/subscribe", data={"email": ANN})
    path = confirm_path(room)
    sentence = words(elements(web.get(path).text, "p", class_="standfirst")[0])

    first, again = web.post(path), web.post(path)

    assert (first.status_code, again.status_code) == (200, 200)
    assert set(standing(room, ANN).values()) == {"confirmed"}
    number = room.signer.read(Purpose.CONFIRM, path.rpartition("/")[2])
    with room.database.reading() as connection:
        found = subscription_with_id(connection, number)  # type: ignore[arg-type]
        assert found
        (consent,) = consents_of(connection, found.id)
    assert consent.wording == sentence
    assert "“Readers”" in sentence
    assert consent.origin == "203.0.113.0/24"


def test_one_button_confirms_all_lists_that_it_names(web: TestClient, room: Newsroom) -> None:
    audience.add_mailing_list(room.database, slug="sport", name="Sport", clock=room.now)
    web.post("/subscribe", data={"email": ANN, "list": ["readers", "sport"]})
    path = confirm_path(room)

    page = web.get(path)
    web.post(path)

    assert "“Readers” and “Sport”" in words(elements(page.text, "p", class_="standfirst")[0])
    assert list(standing(room, ANN).values()) == ["confirmed", "confirmed"]


def test_a_link_from_before_an_unsubscription_does_nothing_and_says_so(web: TestClient, room: Newsroom) -> None:
    web.post("/subscribe", data={"email": ANN})
    path = confirm_path(room)
    web.post(path)
    number = room.signer.read(Purpose.CONFIRM, path.rpartition("/")[2])
    audience.unsubscribe(room.database, number, clock=room.now)  # type: ignore[arg-type]

    answer = web.post(path)

    assert answer.status_code == 409
    assert elements(answer.text, "a", href="/subscribe")
    assert set(standing(room, ANN).values()) == {"unsubscribed"}


@pytest.mark.parametrize("path", ["/confirm/", "/unsubscribe/", "/preferences/"])
@pytest.mark.parametrize("token", ["x", "A" * 32, "%00", "é", "A" * 5000])
def test_a_link_that_is_not_whole_says_what_to_do(web: TestClient, path: str, token: str) -> None:
    for answer in (web.get(f"{path}{token}"), web.post(f"{path}{token}", data={"x": "y"})):
        assert answer.status_code == 404
        assert words(elements(answer.text, "h1")[0]) == "This link is not whole"
        assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"


def test_a_name_in_a_form_is_shown_as_text(web: TestClient, room: Newsroom) -> None:
    answer = web.post("/subscribe", data={"email": "no", "name": '"><script>alert(1)</script>'})

    assert elements(answer.text, "input", id="name")[0].get("value") == '"><script>alert(1)</script>'
    assert [words(each) for each in elements(answer.text, "script")] == [""], "only our own file"
    with room.database.reading() as connection:
        assert subscriber_with_email(connection, "no") is None


def test_what_a_reader_chooses_waits_and_holds_after_the_yes(web: TestClient, room: Newsroom) -> None:
    """The page before the button names what it will set: somebody else may have filled in the form."""
    chosen = {"email": ANN, "language": "ko", "time_zone": "Asia/Seoul", "form": "subscribe-page"}
    web.post("/subscribe", data=chosen)
    path = confirm_path(room)

    shown = [words(each) for each in elements(web.get(path).text, "dd")]
    web.post(path)

    assert shown == ["한국어", "Asia/Seoul"]
    with room.database.reading() as connection:
        reader = subscriber_with_email(connection, ANN)
    assert reader is not None
    assert (reader.language, reader.time_zone) == ("ko", "Asia/Seoul")


def test_the_form_shows_lists_by_how_often_they_come_and_keeps_what_was_typed(full_web: TestClient) -> None:
    form = {"email": "no", "language": "ko", "time_zone": "Asia/Seoul", "list": "readers"}

    page = full_web.post("/subscribe", data=form).text

    assert words(elements(page, "legend")[0]) == "Once a week"
    assert "The Weekly: Every Friday at 07:00, Seoul time." in words(elements(page, "fieldset")[0])
    selected = {
        each.get("value") or words(each) for each in elements(page, "option") if each.get("selected") is not None
    }
    assert selected == {"ko", "Asia/Seoul"}
