"""What each role may do at the desk, address by address."""

from collections.abc import Callable

import pytest

from publisher.editors import powers
from publisher.editors.model import Role
from tests.web.desk.test_forms import FILLED, FORMS, everything
from tests.web.desk.visits import Visit

POWERS = {
    "/desk/issues/{issue_id}/approve": powers.SENDING,
    "/desk/issues/{issue_id}/retry": powers.SENDING,
    "/desk/issues/{issue_id}/{word}": powers.SENDING,
    "/desk/editions/{slug}": powers.EDITIONS,
    "/desk/editors": powers.EDITORS,
    "/desk/editors/{editor_id}/role": powers.EDITORS,
    "/desk/editors/{editor_id}/disable": powers.EDITORS,
    "/desk/editors/{editor_id}/enable": powers.EDITORS,
    "/desk/editors/{editor_id}/link": powers.EDITORS,
    "/desk/editors/{editor_id}/reset-code": powers.EDITORS,
}
"""Every form that takes more than writing."""


def test_every_one_of_them_is_there() -> None:
    assert set(POWERS) <= set(FORMS)


@pytest.mark.parametrize("role", [Role.EDITOR, Role.CHIEF])
def test_what_a_role_may_not_do_is_refused_and_changes_nothing(
    visit: Visit, draft: int, visit_as: Callable[[Role], Visit], role: Role
) -> None:
    """Ids of one's own newsroom are easily guessed; a form that is not shown can be sent all the same."""
    somebody = visit_as(role)
    key = somebody.key()
    before = everything(visit.room)
    assert draft

    for path, power in POWERS.items():
        if role.includes(power):
            continue
        answer = somebody.web.post(path.format(**FILLED), data={"form_key": key, "role": role.value, "now": "yes"})
        assert answer.status_code == 403, path
        assert "This takes the role of" in answer.text

    assert everything(visit.room) == before


def test_an_editor_is_shown_no_button_that_takes_more(
    visit: Visit, draft: int, visit_as: Callable[[Role], Visit]
) -> None:
    editor = visit_as(Role.EDITOR)

    for path in (f"/desk/issues/{draft}", "/desk/editions/weekly"):
        page = editor.get(path).text
        for each in POWERS:
            assert f'action="{each.format(**FILLED)}"' not in page, (path, each)
    assert f'action="/desk/issues/{draft}/approve"' in visit.get(f"/desk/issues/{draft}").text


def test_a_chief_reaches_nothing_of_an_operator(visit: Visit, visit_as: Callable[[Role], Visit]) -> None:
    chief = visit_as(Role.CHIEF)
    key = chief.key()
    before = everything(visit.room)

    for word in ("role", "disable", "enable", "link", "reset-code"):
        answer = chief.web.post(f"/desk/editors/1/{word}", data={"form_key": key, "role": "editor"})
        assert answer.status_code == 403

    assert everything(visit.room) == before
