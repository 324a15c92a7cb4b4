"""What readers do with their data by the link in their mails."""

from typing import Any

import pytest

from publisher.audience import erased
from publisher.audience import store as audience
from publisher.audience.tokens import Purpose
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.pages import Links, elements, words


def test_a_reader_takes_the_data_along(web: TestClient, links: Links) -> None:
    page = web.get(links.preferences)
    (download,) = [each for each in elements(page.text, "a") if "my-data.json" in (each.get("href") or "")]

    answer = web.get(download.get("href") or "")

    data: dict[str, Any] = answer.json()
    assert data["email"] in page.text
    assert [each["mailing_list"] for each in data["subscriptions"]] == ["readers"]
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@pytest.mark.parametrize("never_again", [True, False])
def test_a_reader_is_forgotten_on_request(web: TestClient, room: Newsroom, links: Links, *, never_again: bool) -> None:
    email = web.get(f"{links.preferences}/my-data.json").json()["email"]
    asked = web.get(f"{links.preferences}/erase")
    assert "Erase me for good" in words(elements(asked.text, "main")[0])
    with room.database.reading() as connection:
        assert audience.subscriber_with_email(connection, email), "opening the link erases nobody"

    gone = web.post(f"{links.preferences}/erase", data={"never_again": "yes"} if never_again else {})

    assert "You are forgotten" in gone.text
    with room.database.reading() as connection:
        assert audience.subscriber_with_email(connection, email) is None
        assert audience.suppressions(connection, [email]) == {}
        assert bool(erased.suppression_of(room.database, connection, email)) is never_again
    for path in ("", "/my-data.json", "/erase"):
        assert web.get(f"{links.preferences}{path}").status_code == 404
    assert web.post(links.unsubscribe).status_code == 200, "a mail program that asks late is told yes"


def test_a_link_for_something_else_tells_and_erases_nothing(web: TestClient, room: Newsroom, links: Links) -> None:
    assert links
    for purpose in (Purpose.UNSUBSCRIBE, Purpose.CONFIRM):
        token = room.signer.sign(purpose, 1)
        assert web.get(f"/preferences/{token}/my-data.json").status_code == 404
        assert web.post(f"/preferences/{token}/erase").status_code == 404
