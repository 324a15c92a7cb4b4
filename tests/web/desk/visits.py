"""Editors at the desk, as tests see them: signed in, filling in forms that the pages gave them."""

import re
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from httpx import Response

from publisher.editors import flow as editors
from publisher.editors.model import EditorId, Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.pages import XHTML, elements, parsed, words

ANNA = "anna@desk.example"
PASSWORD = "correct horse battery"
HOSTILE = "</title></textarea>\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One editor's visit."""

    web: TestClient
    room: Newsroom

    def get(self, path: str) -> Response:
        answer: Response = self.web.get(path)
        return answer

    def key(self) -> str:
        """The form key of this session, as every page of the desk carries it."""
        found: str = elements(self.web.get("/desk/issues").text, "input", name="form_key")[0].get("value", "")
        return found

    def post(self, path: str, **fields: Any) -> Response:
        """Send a form of our own."""
        answer: Response = self.web.post(path, data={"form_key": self.key()} | fields)
        return answer

    def after(self, answer: Response) -> str:
        """The page that a form leads to."""
        assert answer.status_code == 303, answer.text
        page = self.get(answer.headers["Location"])
        assert page.status_code == 200
        return page.text

    def save(self, issue_id: int, **changes: Any) -> Response:
        """Fill in the form of a draft as its page shows it, with some changes, and send it."""
        html = self.web.get(f"/desk/issues/{issue_id}").text
        values = form_values(html, f"/desk/issues/{issue_id}")
        answer: Response = self.web.post(f"/desk/issues/{issue_id}", data=values | changes)
        return answer

    def approve(self, issue_id: int, **fields: str) -> Response:
        """Approve what the page shows, to go out at once unless the fields say when."""
        html = self.web.get(f"/desk/issues/{issue_id}").text
        path = f"/desk/issues/{issue_id}/approve"
        answer: Response = self.web.post(path, data=form_values(html, path) | (fields or {"now": "yes"}))
        return answer


def hire(room: Newsroom, role: Role = Role.OPERATOR, *, email: str = ANNA, password: str | None = None) -> EditorId:
    return editors.add_editor(
        room.database, email=email, name="Anna Weber", role=role, password=password, clock=room.now
    )


def sign_in(web: TestClient, room: Newsroom, role: Role = Role.OPERATOR, *, email: str = ANNA) -> Visit:
    """Sign a new editor in by a link."""
    token = editors.make_sign_in_link(room.database, hire(room, role, email=email), clock=room.now)
    assert web.get(f"/desk/sign-in/{token}").status_code == 303
    return Visit(web=web, room=room)


def form_values(html: str, action: str) -> dict[str, Any]:
    """What a browser would send of the first form with this action, nothing in it changed."""
    (form, *_) = [each for each in elements(html, "form", action=action) if each.get("method") == "post"]
    found: dict[str, Any] = {}
    for each in form.iter():
        name, kind = each.get("name"), each.get("type", "text")
        if each.tag == f"{XHTML}textarea" and name:
            found[name] = (each.text or "").removeprefix("\n")
        elif each.tag == f"{XHTML}select" and name:
            found[name] = next((choice for choice in each if "selected" in choice.attrib), each[0]).get("value", "")
        elif each.tag == f"{XHTML}input" and name and (kind not in {"checkbox", "radio"} or "checked" in each.attrib):
            value = each.get("value", "")
            found[name] = [*found.get(name, []), value] if kind == "checkbox" else value
    return found


def notes(html: str) -> list[str]:
    """What a page says happened, or went wrong."""
    shown = [each for each in elements(html, "p") if "note" in (each.get("class") or "").split()]
    return [words(each) for each in shown if "hidden" not in each.attrib]


def state_of(html: str) -> str:
    (facts,) = elements(html, "p", class_="facts")
    return next(words(each) for each in facts.iter() if "state" in (each.get("class") or "").split())


def must_be_harmless(html: str) -> None:
    """Fail on anything that our policy would stop, or a text from outside could have brought."""
    for each in parsed(html).iter():
        assert not any(name.startswith("on") or name == "style" for name in each.attrib), each.attrib
        assert each.tag != f"{XHTML}style"
        address = each.get("href") or each.get("src") or each.get("action") or ""
        assert not re.match(r"\s*(javascript|data|vbscript):", address, re.IGNORECASE), address
        if each.tag == f"{XHTML}script":
            _must_be_our_script(each)


def _must_be_our_script(script: Element) -> None:
    assert re.fullmatch(r"/static/(desk|calendar)\.[0-9a-f]{12}\.js", script.get("src", ""))
    assert not script.text
