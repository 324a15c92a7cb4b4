"""The glossary at the desk: terms, their forms, and what is proposed."""

from typing import Any

import pytest

from publisher.archive import glossary as archive
from publisher.archive.model import GlossaryTerm
from publisher.archive.proposals import count_due
from publisher.database import Database
from publisher.editors.model import Role
from publisher.intake.model import Section
from publisher.web.desk.glossary import ON_A_PAGE
from publisher.wiring import Newsroom
from tests.builders import a_draft, handed_in
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes, sign_in
from tests.web.pages import XHTML, addresses, elements, words

LIST = "/desk/glossary"
NEW = "/desk/glossary/new"
PROPOSALS = "/desk/glossary/proposals"
HANOK = {
    "name": "Hanok",
    "hangul": "한옥",
    "romanisation": "hanok",
    "kind": "place",
    "explanation": "A traditional Korean house.",
    "aliases": "hanoks\r\nKorean house\r\n",
    "link": "https://houses.example/",
    "case": "any",
}


@pytest.fixture
def editor(web: TestClient, room: Newsroom) -> Visit:
    """Keeping terms takes no more than the role of editor."""
    return sign_in(web, room, Role.EDITOR)


def stored(database: Database) -> list[GlossaryTerm]:
    with database.reading() as connection:
        return archive.terms(connection)


def fill_in(visit: Visit, path: str, **changes: Any) -> Any:
    """Fill in the form as the page shows it, with some changes, and send it."""
    values = form_values(visit.get(path).text, path)
    return visit.web.post(path, data=values | changes)


def add_some(room: Newsroom, number: int) -> None:
    with room.database.transaction() as connection:
        some = [
            GlossaryTerm(slug=f"t{each}", name=f"{'ABCD'[each % 4]}-term {each:03}", explanation=f"Number {each}.")
            for each in range(number)
        ]
        archive.keep(connection, some, now=room.now())


def publish(room: Newsroom, sentence: str, number: int = 3) -> None:
    """Articles that all say this, counted."""
    drafts = [
        a_draft(
            external_id=str(each), title=f"Piece {each}", sections=(Section(heading="", html=f"<p>{sentence}</p>"),)
        )
        for each in range(number)
    ]
    handed_in(room.database, drafts, clock=room.now)
    count_due(room.database, clock=room.now)


def shown(html: str) -> list[str]:
    return [words(each) for each in elements(html, "th", scope="row")]


def fault_beside(html: str, field: str) -> str:
    """What a page says is wrong with a field: in the element that the field itself names."""
    (found,) = [each for each in parsed_fields(html) if each.get("name") == field]
    assert found.get("aria-invalid") == "true"
    described = (found.get("aria-describedby") or "").split()
    assert described[0] == f"{field}-problem"
    return words(elements(html, "p", id=described[0])[0])


def parsed_fields(html: str) -> list[Any]:
    return [*elements(html, "input"), *elements(html, "textarea")]


# --- terms


def test_a_term_is_added_with_all_it_has(editor: Visit) -> None:
    page = editor.after(fill_in(editor, NEW, **HANOK))

    (found,) = stored(editor.room.database)
    assert (found.slug, found.name, found.hangul, found.kind) == ("hanok", "Hanok", "한옥", "place")
    assert (found.aliases, found.link, found.case_sensitive) == (("hanoks", "Korean house"), HANOK["link"], False)
    assert notes(page)[0].startswith("Added.")
    assert "hanok" in words(elements(editor.get("/glossary").text, "div", id="term-hanok")[0])


def test_a_form_sent_as_it_came_changes_nothing(editor: Visit) -> None:
    fill_in(editor, NEW, **HANOK)
    before = stored(editor.room.database)

    page = editor.after(fill_in(editor, f"{LIST}/hanok"))

    assert stored(editor.room.database) == before
    assert notes(page)[0].startswith("Changed.")


def test_a_term_is_changed_and_keeps_its_address(editor: Visit) -> None:
    fill_in(editor, NEW, **HANOK)

    page = editor.after(fill_in(editor, f"{LIST}/hanok", name="Hanok House", aliases="", case=""))

    (found,) = stored(editor.room.database)
    assert (found.slug, found.name, found.aliases, found.case_sensitive) == ("hanok", "Hanok House", (), True)
    assert words(elements(page, "h1")[0]).startswith("Hanok House")


def test_a_term_is_removed_after_a_second_look(editor: Visit) -> None:
    fill_in(editor, NEW, **HANOK)
    (details,) = elements(editor.get(f"{LIST}/hanok").text, "details")

    page = editor.after(editor.post(f"{LIST}/hanok/remove"))

    assert "Remove" in words(details)
    assert notes(page)[0].startswith("Removed.")
    assert stored(editor.room.database) == []
    assert editor.get(f"{LIST}/hanok").status_code == 404
    assert editor.post(f"{LIST}/hanok/remove").status_code == 404
    assert editor.post(f"{LIST}/hanok", **HANOK).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "needs a name"),
        ("name", "Jeonse", "“Jeonse” belongs to the term “Jeonse” already."),
        ("hangul", "전세", "“전세” belongs to the term “Jeonse” already."),
        ("aliases", "house\nkey money", "“key money” belongs to the term “Jeonse” already."),
        ("explanation", "", "needs an explanation"),
        ("explanation", "x" * 301, "at most 300 characters, please; this has 301."),
        ("link", "houses.example", "begins with https://"),
        ("link", "javascript:alert(1)", "begins with https://"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(editor: Visit, field: str, value: str, said: str) -> None:
    jeonse = {"name": "Jeonse", "hangul": "전세", "explanation": "A lease.", "aliases": "key money"}
    assert fill_in(editor, NEW, **jeonse).status_code == 303
    fill_in(editor, NEW, **HANOK)
    before = stored(editor.room.database)

    for path in (NEW, f"{LIST}/hanok"):
        others = {"name": "Hanbang", "hangul": "한방", "romanisation": "", "aliases": ""} if path == NEW else {}
        answer = fill_in(editor, path, **(HANOK | others | {field: value}))

        assert answer.status_code == 422
        assert said in fault_beside(answer.text, field)
        assert "Nothing has been" in notes(answer.text)[0]
        assert HANOK["kind"] == form_values(answer.text, path)["kind"], "what was typed is still there"
        must_be_harmless(answer.text)
    assert stored(editor.room.database) == before


def test_every_wrong_field_is_told_at_once(editor: Visit) -> None:
    answer = fill_in(editor, NEW, name="", link="nowhere")

    assert "3 fields need another look" in notes(answer.text)[0]
    for field in ("name", "explanation", "link"):
        assert fault_beside(answer.text, field)


def test_hostile_words_stay_text(editor: Visit) -> None:
    page = editor.after(fill_in(editor, NEW, name=HOSTILE[:90], explanation=HOSTILE, aliases=HOSTILE[:80] + "x"))

    must_be_harmless(page)
    must_be_harmless(editor.get(LIST).text)
    must_be_harmless(editor.get(f"{LIST}?q=%3Cscript%3E").text)
    must_be_harmless(editor.get(f"{NEW}?name=%3Cscript%3Ealert(1)%3C/script%3E").text)


def test_terms_are_found_by_any_spelling_and_by_their_explanation(editor: Visit) -> None:
    fill_in(editor, NEW, **HANOK)
    fill_in(editor, NEW, name="Ondol", explanation="Heating below the floor.")

    assert shown(editor.get(LIST).text) == ["Hanok", "Ondol"]
    for query in ("hAnOk", "한옥", "korean house", "TRADITIONAL"):
        assert shown(editor.get(f"{LIST}?q={query}").text) == ["Hanok"]
    assert shown(editor.get(f"{LIST}?letter=O").text) == ["Ondol"]
    nothing = editor.get(f"{LIST}?q=sauna").text
    assert shown(nothing) == []
    assert f"{NEW}?name=sauna" in addresses(nothing)


def test_many_terms_are_shown_by_letter(editor: Visit) -> None:
    add_some(editor.room, ON_A_PAGE + 4)

    html = editor.get(LIST).text

    (letters,) = elements(html, "nav", aria_label="First letters")
    assert words(letters) == "ABCD"
    assert {each[0] for each in shown(html)} == {"A"}
    assert "204 terms" in words(elements(html, "p", class_="facts")[0])
    assert {each[0] for each in shown(editor.get(f"{LIST}?letter=C").text)} == {"C"}
    assert len(shown(editor.get(f"{LIST}?q=term").text)) == ON_A_PAGE


def test_a_term_says_where_it_occurs(editor: Visit) -> None:
    publish(editor.room, "They live in a hanok.", 7)
    fill_in(editor, NEW, **HANOK)
    fill_in(editor, NEW, name="Ondol", explanation="Heating below the floor.")

    (where,) = elements(editor.get(f"{LIST}/hanok").text, "section", aria_labelledby="where")
    (nowhere,) = elements(editor.get(f"{LIST}/ondol").text, "section", aria_labelledby="where")

    assert "7 published articles name it." in words(where)
    assert len(list(where.iter(f"{XHTML}a"))) == 5
    assert "No published article names it." in words(nowhere)


# --- proposals


def test_a_name_that_recurs_is_proposed_with_a_sentence(editor: Visit) -> None:
    publish(editor.room, "Then users of Theqoo spoke up. They were many.")

    html = editor.get(PROPOSALS).text

    (proposal,) = elements(html, "ul", class_="proposals")
    assert "Theqoo 3 articles Then users of Theqoo spoke up. From Piece 2" in words(proposal)
    assert "Proposals (1)" in words(elements(editor.get(LIST).text, "a", href=PROPOSALS)[0])


def test_a_proposal_becomes_a_term(editor: Visit) -> None:
    publish(editor.room, "Then users of Theqoo spoke up.")
    (way,) = [each for each in addresses(editor.get(PROPOSALS).text) if each.startswith(NEW)]

    values = form_values(editor.get(way).text, NEW)
    editor.after(editor.web.post(NEW, data=values | {"explanation": "A community."}))

    assert [each.name for each in stored(editor.room.database)] == ["Theqoo"]
    assert "Nothing to decide" in editor.get(PROPOSALS).text


def test_what_is_no_term_goes_for_good_and_may_come_back_by_hand(editor: Visit) -> None:
    publish(editor.room, "Then users of Theqoo spoke up.")

    page = editor.after(editor.post(f"{PROPOSALS}/dismiss", name="Theqoo"))
    publish(editor.room, "Then users of Theqoo spoke up again.", 5)
    later = editor.get(PROPOSALS).text
    back = editor.after(editor.post(f"{PROPOSALS}/propose", name="Theqoo"))

    assert "will not be proposed again" in notes(page)[0]
    assert not elements(later, "ul", class_="proposals")
    assert "Theqoo" in words(elements(later, "details")[0])
    assert "Theqoo 5 articles" in words(elements(back, "ul", class_="proposals")[0])
    assert editor.post(f"{PROPOSALS}/dismiss", name="Nobody").status_code == 404


def test_a_hostile_article_writes_nothing_into_the_proposals(editor: Visit) -> None:
    publish(editor.room, "Say &lt;script&gt; Theqoo &lt;/script&gt; and Theqoo &amp;amp; more.")

    html = editor.get(PROPOSALS).text

    must_be_harmless(html)
    assert "Say <script> Theqoo </script>" in words(elements(html, "blockquote")[0])
