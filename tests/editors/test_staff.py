from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from publisher.database import Database
from publisher.editors import flow, powers, staff, store
from publisher.editors.model import Editor, EditorId, Role
from publisher.errors import ConflictError, NotAllowedError
from tests.audience.clocks import SetClock


def hire(database: Database, clock: SetClock, name: str, role: Role) -> EditorId:
    return flow.add_editor(database, email=f"{name}@example.org", name=name, role=role, clock=clock)


def everybody(database: Database) -> dict[str, Editor]:
    with database.reading() as connection:
        return {each.name: each for each in store.editors(connection)}


@pytest.mark.parametrize("role", [Role.CHIEF, Role.OPERATOR])
def test_the_last_who_leads_cannot_be_shut_out_or_demoted(database: Database, clock: SetClock, role: Role) -> None:
    """A newsroom that nobody leads could never be mended at its desk."""
    last = hire(database, clock, "Anna", role)
    hire(database, clock, "Bert", Role.EDITOR)

    with pytest.raises(ConflictError, match="last"):
        staff.disable_editor(database, last, clock=clock)
    with pytest.raises(ConflictError, match="last"):
        staff.set_role(database, last, Role.EDITOR)

    assert everybody(database)["Anna"].role is role
    assert everybody(database)["Anna"].disabled_at is None


def test_two_operators_cannot_shut_each_other_out_at_once(either: Database, clock: SetClock) -> None:
    first, second = (hire(either, clock, name, Role.OPERATOR) for name in ("Anna", "Bert"))

    def shut_out(by: EditorId, whom: EditorId) -> bool:
        try:
            staff.disable_editor(either, whom, by=by, clock=clock)
        except (ConflictError, NotAllowedError):
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(shut_out, (first, second), (second, first)))

    assert sorted(done) == [False, True]
    assert sum(each.disabled_at is None for each in everybody(either).values()) == 1


def test_a_chief_touches_no_operator_and_makes_none(database: Database, clock: SetClock) -> None:
    """Else every chief could make himself one."""
    chief, boss = hire(database, clock, "Anna", Role.CHIEF), hire(database, clock, "Bert", Role.OPERATOR)
    hire(database, clock, "Carl", Role.OPERATOR)

    with pytest.raises(NotAllowedError):
        staff.set_role(database, chief, Role.OPERATOR, by=chief)
    with pytest.raises(NotAllowedError):
        staff.disable_editor(database, boss, by=chief, clock=clock)
    with pytest.raises(NotAllowedError):
        staff.make_link(database, boss, by=chief, clock=clock)
    with pytest.raises(NotAllowedError):
        staff.invite(database, by=chief, email="new@example.org", name="New", role=Role.OPERATOR, clock=clock)

    assert set(everybody(database)) == {"Anna", "Bert", "Carl"}


def test_an_invitation_waits_a_week_and_works_once(database: Database, clock: SetClock) -> None:
    chief = hire(database, clock, "Anna", Role.CHIEF)
    _, token = staff.invite(database, by=chief, email="b@example.org", name="Bert", role=Role.EDITOR, clock=clock)
    clock.now += timedelta(days=6)

    assert flow.use_sign_in_link(database, token, clock=clock) is not None
    assert flow.use_sign_in_link(database, token, clock=clock) is None


@pytest.mark.parametrize("role", list(Role))
def test_nobody_gives_a_role_above_his_own(database: Database, clock: SetClock, role: Role) -> None:
    hire(database, clock, "Anna", role)

    given = powers.roles_to_give(everybody(database)["Anna"])

    assert all(role.includes(each) for each in given)
    assert bool(given) is role.includes(powers.EDITORS)
