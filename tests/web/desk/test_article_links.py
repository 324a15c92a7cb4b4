"""Deciding about the links below an article at the desk."""

from typing import Any

import pytest

from publisher.archive import store
from publisher.archive.model import ArticleId
from publisher.related.model import Choice
from publisher.related.shown import links_shown
from publisher.related.store import choices
from publisher.wiring import Newsroom
from tests.web.desk.visits import Visit, form_values, notes
from tests.web.pages import an_archive, elements, words


@pytest.fixture
def ids(room: Newsroom) -> list[ArticleId]:
    """Six articles; the first has three pinned links."""
    return an_archive(room, 6)


def path(article_id: ArticleId) -> str:
    return f"/desk/articles/{article_id}"


def fill_in(visit: Visit, article_id: ArticleId, **changes: Any) -> Any:
    """Send the form as the page shows it, with some changes."""
    html = visit.get(path(article_id)).text
    values = form_values(html, f"{path(article_id)}/links") | {
        "link": [each.get("value") for each in elements(html, "input", name="link")]
    }
    return visit.web.post(f"{path(article_id)}/links", data=values | changes)


def shown(room: Newsroom, article_id: ArticleId) -> list[ArticleId]:
    with room.database.reading() as connection:
        return [link.lead.id for link in links_shown(connection, [article_id])[article_id]]


def decided(room: Newsroom, article_id: ArticleId) -> dict[ArticleId, Choice]:
    with room.database.reading() as connection:
        return choices(connection, article_id)


def test_a_form_sent_as_it_came_changes_nothing(visit: Visit, ids: list[ArticleId]) -> None:
    before = decided(visit.room, ids[0])

    page = visit.after(fill_in(visit, ids[0]))

    assert "Saved." in page
    assert decided(visit.room, ids[0]) == before


def test_links_are_put_into_another_order(visit: Visit, ids: list[ArticleId]) -> None:
    first, second, third = shown(visit.room, ids[0])

    fill_in(visit, ids[0], **{f"place-{first}": "3", f"place-{second}": "2", f"place-{third}": "1"})

    assert shown(visit.room, ids[0]) == [third, second, first]
    page = visit.get(path(ids[0])).text
    assert [each.get("value") for each in elements(page, "input", type="number")][:3] == ["1", "2", "3"]


def test_a_link_is_banned_and_given_back_to_the_rules(visit: Visit, ids: list[ArticleId]) -> None:
    first = shown(visit.room, ids[0])[0]

    fill_in(visit, ids[0], **{f"decision-{first}": "banned"})
    assert first not in shown(visit.room, ids[0])
    assert decided(visit.room, ids[0])[first] is Choice.BANNED

    fill_in(visit, ids[0], **{f"decision-{first}": "rules"})
    assert first not in decided(visit.room, ids[0])


@pytest.mark.parametrize("meant", ["{id}", "{slug}", "/articles/{slug}", "https://news.example/articles/{slug}?a=b"])
def test_another_article_is_pinned_by_number_or_address(visit: Visit, ids: list[ArticleId], meant: str) -> None:
    with visit.room.database.reading() as connection:
        slug = store.leads(connection, [ids[2]])[ids[2]].slug

    fill_in(visit, ids[5], another=meant.format(id=ids[2], slug=slug))

    assert shown(visit.room, ids[5])[0] == ids[2]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"another": "no-such-thing"}, "There is no article 'no-such-thing'"),
        ({"another": "{own}"}, "cannot be related to itself"),
        ({"another": "{other}"}, "no more can be pinned"),
        ({"place-{first}": "many"}, "whole number from 1 to 99"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(
    visit: Visit, ids: list[ArticleId], changes: dict[str, str], said: str
) -> None:
    before = decided(visit.room, ids[0])
    names = {"own": ids[0], "other": ids[5], "first": shown(visit.room, ids[0])[0]}
    filled = {name.format(**names): value.format(**names) for name, value in changes.items()}

    answer = fill_in(visit, ids[0], **filled)

    assert answer.status_code == 422
    assert any(said in note and "Nothing has been changed." in note for note in notes(answer.text))
    assert decided(visit.room, ids[0]) == before


def test_who_decides_about_what_has_changed_meanwhile_is_told(visit: Visit, ids: list[ArticleId]) -> None:
    answer = fill_in(visit, ids[0], version="older")

    assert answer.status_code == 409
    assert any("decided anew" in note for note in notes(answer.text))


def test_reasons_stand_beside_the_links(visit: Visit, ids: list[ArticleId]) -> None:
    (listed,) = elements(visit.get(path(ids[0])).text, "ul", class_="rows links")

    assert "Pinned by an editor." in words(listed)
