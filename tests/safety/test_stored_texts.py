"""Hostile words in every text field of every form of the desk, looked for on every page for people."""

from collections.abc import Iterator
from typing import Any

import pytest

from publisher.editors.model import Role
from tests.safety.routes import Route, all_routes
from tests.safety.test_every_route import LIVE, Place, place
from tests.web.desk.visits import HOSTILE, form_values, must_be_harmless
from tests.web.pages import XHTML, elements

assert place  # a fixture
KEPT_OUT = ("/desk/sign", "/desk/me", "/desk/webhooks/1/delete", "/desk/editors/1", "/desk/subscribers/1/erase")
"""What would end the visit, or take away what the other forms are about."""


READ_BY_ALL = (
    *("/", "/glossary", "/feeds", "/issues", "/issues/weekly", "/issues/weekly/1", "/subscribe", "/topics"),
    *("/feeds/all.atom", "/feeds/all.rss", "/feeds/guide.atom", "/desk/issues/1/mail", "/desk/editions/weekly/mail"),
)
"""Pages for everybody, feeds, and mails as they would be sent."""
KEPT_IN_AT_LEAST = 5
"""Tables."""


USUAL = {
    "name": "A Name",
    "explanation": "What it is.",
    "text": "Title\n\nText.",
    "title": "Title",
    "url": "https://one.example.org/",
    "email": "new@readers.example",
    "languages": "ko",
}
"""What stands in the other fields, so that one odd text is all that could be refused."""


def is_page(route: Route) -> bool:
    return route.method == "GET" and route.path.startswith("/desk") and "sign-in" not in route.path and route != LIVE


PAGES = sorted(each.filled() for each in all_routes() if is_page(each))


def forms_on(html: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each form's address with what a browser would send, hostile in one field after the other."""
    for form in elements(html, "form", method="post"):
        action = form.get("action", "")
        typed = {
            each.get("name", ""): f"{HOSTILE} {each.get('name')}"
            for each in form.iter()
            if each.tag == f"{XHTML}textarea" or (each.tag == f"{XHTML}input" and each.get("type", "text") == "text")
        }
        if typed and not action.startswith(KEPT_OUT):
            given = form_values(html, action)
            usual = {name: given.get(name) or USUAL.get(name, "") for name in typed}
            for name, text in typed.items():
                yield action, given | usual | {name: text}


@pytest.mark.slow
def test_what_is_typed_anywhere_stays_words_everywhere(place: Place) -> None:
    """An editor's browser must not run what another editor, or who got hold of her session, has written."""
    web = place.visits[Role.OPERATOR].web
    sent = 0
    for path in PAGES:
        page = web.get(path)
        if page.headers.get("Content-Type", "").startswith("text/html"):
            for action, values in forms_on(page.text):
                answer = web.post(action, data=values)
                assert answer.status_code < 500, action
                if answer.status_code != 303:
                    must_be_harmless(answer.text)
                sent += 1
    assert sent > 10, "most of the desk's forms take a text"

    for path in PAGES:
        page = web.get(path)
        if page.headers.get("Content-Type", "").startswith("text/html") and "mail" not in path:
            must_be_harmless(page.text)
    for path in READ_BY_ALL:
        text = web.get(path).text
        assert "<script>alert(1)" not in text, path
        assert "<img src=x" not in text, path
    kept = {name for name, rows in place.everything().items() if "alert(1)" in str(rows)}
    assert len(kept) >= KEPT_IN_AT_LEAST, kept
