"""RFC 8058: one click in a mail program ends the subscription; nothing else about it may surprise anybody."""

from datetime import datetime, timedelta

import pytest

from publisher.audience import flow as audience
from publisher.audience.model import How
from publisher.audience.store import consents_of, subscriber_with_email, subscription_with_id, subscriptions_of
from publisher.audience.tokens import Purpose
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.pages import Links, elements, standing, words

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
READER = "reader@readers.example"


def test_one_click_unsubscribes_by_an_urlencoded_form(web: TestClient, room: Newsroom, links: Links) -> None:
    answer = web.post(links.unsubscribe, data=ONE_CLICK)

    assert answer.status_code == 200
    assert set(standing(room).values()) == {"unsubscribed"}


def test_one_click_unsubscribes_by_a_multipart_form(web: TestClient, room: Newsroom, links: Links) -> None:
    answer = web.post(links.unsubscribe, files={name: (None, value) for name, value in ONE_CLICK.items()})

    assert answer.request.headers["Content-Type"].startswith("multipart/form-data")
    assert answer.status_code == 200
    assert set(standing(room).values()) == {"unsubscribed"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", ""), (b"--broken", "multipart/form-data"), (b"\xff", "text/plain"), (b"x" * 100_000, "text/plain")],
)
def test_a_careless_mail_program_unsubscribes_too(
    web: TestClient, room: Newsroom, links: Links, body: bytes, kind: str
) -> None:
    """Whoever posts to this address wants to leave; a broken body is no reason to go on mailing."""
    answer = web.post(links.unsubscribe, content=body, headers={"Content-Type": kind} if kind else {})

    assert answer.status_code == 200
    assert set(standing(room).values()) == {"unsubscribed"}


def test_unsubscribing_needs_no_cookie_and_is_never_redirected(web: TestClient, room: Newsroom, links: Links) -> None:
    """Mail programs follow no redirect of a POST: not even one that takes a slash away."""
    plain, slash = web.post(links.unsubscribe, data=ONE_CLICK), web.post(f"{links.unsubscribe}/", data=ONE_CLICK)

    assert (plain.status_code, slash.status_code) == (200, 200)
    assert "Set-Cookie" not in plain.headers
    assert "Cookie" not in plain.request.headers
    assert set(standing(room).values()) == {"unsubscribed"}


def test_unsubscribing_twice_is_unsubscribing(web: TestClient, room: Newsroom, links: Links) -> None:
    first, second = web.post(links.unsubscribe, data=ONE_CLICK), web.post(links.unsubscribe, data=ONE_CLICK)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.text == second.text
    assert set(standing(room).values()) == {"unsubscribed"}


def test_opening_the_link_never_unsubscribes(web: TestClient, room: Newsroom, links: Links) -> None:
    """Scanners open every link in a mail, and would empty a mailing list overnight."""
    for path in (links.unsubscribe, f"{links.unsubscribe}/", f"{links.unsubscribe}?List-Unsubscribe=One-Click"):
        page, head = web.get(path), web.head(path)
        assert (page.status_code, head.status_code) == (200, 200)
        assert words(elements(page.text, "button")[0]) == "Unsubscribe"

    assert set(standing(room).values()) == {"confirmed"}


def test_a_link_ends_one_subscription_and_leaves_the_others(web: TestClient, room: Newsroom, links: Links) -> None:
    audience.add_mailing_list(room.database, slug="sport", name="Sport", clock=room.now)
    yes = audience.Yes(how=How.CLI)
    audience.add_subscriber(room.database, email=READER, lists=["sport"], yes=yes, clock=room.now)

    web.post(links.unsubscribe, data=ONE_CLICK)

    assert sorted(standing(room).values()) == ["confirmed", "unsubscribed"]


def test_a_subscription_that_is_gone_altogether_is_unsubscribed(web: TestClient, room: Newsroom) -> None:
    token = room.signer.sign(Purpose.UNSUBSCRIBE, 987_654)

    assert web.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 200


def test_a_token_for_something_else_unsubscribes_nobody(web: TestClient, room: Newsroom, links: Links) -> None:
    token = links.preferences.rpartition("/")[2]

    assert web.post(f"/unsubscribe/{token}", data=ONE_CLICK).status_code == 404
    assert set(standing(room).values()) == {"confirmed"}


def test_a_mistake_is_undone_with_one_press_and_a_new_consent(web: TestClient, room: Newsroom, links: Links) -> None:
    page = web.post(links.unsubscribe, data=ONE_CLICK)
    (form,) = [each for each in elements(page.text, "form") if "undo" in (each.get("action") or "")]

    answer = web.post(form.get("action", ""))

    assert answer.status_code == 200
    assert set(standing(room).values()) == {"confirmed"}
    number = room.signer.read(Purpose.UNSUBSCRIBE, links.unsubscribe.rpartition("/")[2])
    with room.database.reading() as connection:
        found = subscription_with_id(connection, number)  # type: ignore[arg-type]
        assert found
        assert len(consents_of(connection, found.id)) == 2


def test_pages_behind_secret_links_are_kept_nowhere(web: TestClient, links: Links) -> None:
    for path in (links.unsubscribe, links.preferences):
        headers = web.get(path, headers={"Accept-Encoding": "gzip"}).headers
        assert headers["Cache-Control"] == "private, no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "Content-Encoding" not in headers


# --- preferences


def test_preferences_show_what_is_known_and_keep_what_is_chosen(web: TestClient, room: Newsroom, links: Links) -> None:
    audience.add_mailing_list(room.database, slug="sport", name="Sport", clock=room.now)

    form = {"name": "Ann Lee", "language": "ko", "time_zone": "Asia/Seoul", "list": ["sport"]}
    saved = web.post(links.preferences, data=form)
    shown = web.get(links.preferences).text

    assert saved.status_code == 200
    assert words(elements(saved.text, "p", role="status")[0]) == "Saved."
    assert elements(shown, "input", id="name")[0].get("value") == "Ann Lee"
    assert {each.get("value") for each in elements(shown, "option", selected="")} == {"ko", None}
    assert [each.get("value") for each in elements(shown, "input", checked="")] == ["sport"]
    assert sorted(standing(room).values()) == ["confirmed", "unsubscribed"]


def test_ticking_no_list_leaves_all(web: TestClient, room: Newsroom, links: Links) -> None:
    web.post(links.preferences, data={"name": ""})

    assert set(standing(room).values()) == {"unsubscribed"}


def test_a_pause_lasts_two_weeks_and_can_be_ended(web: TestClient, room: Newsroom, links: Links) -> None:
    def paused_for() -> timedelta | None:
        with room.database.reading() as connection:
            reader = subscriber_with_email(connection, READER)
            assert reader
            (found,) = subscriptions_of(connection, [reader.id])[reader.id]
        return found.paused_until - room.now() if found.paused_until else None

    web.post(links.preferences, data={"list": "readers", "pause": "two-weeks"})
    begun = paused_for()
    web.post(links.preferences, data={"list": "readers", "pause": "two-weeks", "name": "Ann"})
    kept = paused_for()
    web.post(links.preferences, data={"list": "readers"})

    assert begun is not None
    assert kept is not None
    assert timedelta(days=13) < kept < begun <= timedelta(days=14)
    assert paused_for() is None


def test_a_paused_reader_is_told_until_when_and_resumes_by_a_button(
    web: TestClient, room: Newsroom, links: Links
) -> None:
    """Saving something else keeps the pause, and a list that is chosen meanwhile is silent as long as the others."""

    def pauses() -> list[datetime | None]:
        with room.database.reading() as connection:
            reader = subscriber_with_email(connection, READER)
            assert reader
            return [each.paused_until for each in subscriptions_of(connection, [reader.id])[reader.id]]

    paused = web.post(links.preferences, data={"list": "readers", "pause": "two-weeks"}).text
    assert elements(paused, "input", type="checkbox", name="pause") == []
    assert "Paused until" in words(elements(paused, "main")[0])
    carried = {each.get("name") or "": each.get("value") or "" for each in elements(paused, "input", type="hidden")}
    assert elements(paused, "form", action=f"{links.preferences}/resume")

    web.post(links.preferences, data=carried | {"list": ["readers", "others"]})
    first, second = pauses()
    resumed = web.post(f"{links.preferences}/resume")

    assert first is not None
    assert first == second
    assert pauses() == [None, None]
    assert resumed.headers["Location"] == links.preferences
    assert web.post(f"{links.preferences[:-1]}x/resume").status_code == 404


@pytest.mark.parametrize("wrong", [{"language": "!!"}, {"time_zone": "Moon/Base"}, {"list": "nothing"}])
def test_a_wrong_choice_changes_nothing_and_says_why(
    web: TestClient, room: Newsroom, links: Links, wrong: dict[str, str]
) -> None:
    answer = web.post(links.preferences, data={"list": "readers", "name": "New"} | wrong)

    assert answer.status_code == 422
    assert words(elements(answer.text, "p", role="alert")[0])
    assert elements(answer.text, "input", id="name")[0].get("value") == ""
    assert set(standing(room).values()) == {"confirmed"}
