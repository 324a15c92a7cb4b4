import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import argon2
import pytest
import sqlalchemy as sa

from publisher.database import Database, metadata
from publisher.editors import flow, staff, store
from publisher.editors.model import Editor, EditorId, Role, SignedIn, SignInRefused
from publisher.editors.tables import editor, editor_session, sign_in_attempt, sign_in_link
from publisher.errors import ConflictError, InputError, NotFoundError
from tests.audience.clocks import MORNING, SetClock

PASSWORD = "correct horse battery"
ANNA = "Anna@example.org"
HERE, ELSEWHERE = "192.0.2.0/24", "198.51.100.0/24"


@pytest.fixture(autouse=True)
def _light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash costs 50 ms for good reason; the tests make hundreds."""
    monkeypatch.setattr(flow, "_hasher", argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    flow._nobodys_hash.cache_clear()


def hire(database: Database, clock: SetClock, password: str | None = PASSWORD) -> EditorId:
    return flow.add_editor(database, email=ANNA, name="Anna", role=Role.CHIEF, password=password, clock=clock)


def sign_in(
    database: Database, clock: SetClock, password: str = PASSWORD, *, email: str = ANNA, origin: str = HERE
) -> SignedIn | SignInRefused:
    return flow.sign_in(database, email=email, password=password, origin=origin, clock=clock)


def token(signed_in: SignedIn | SignInRefused | None) -> str:
    assert isinstance(signed_in, SignedIn)
    return signed_in.token


def test_an_editor_signs_in_and_out(either: Database, clock: SetClock) -> None:
    hire(either, clock)

    session = token(sign_in(either, clock, email=" anna@EXAMPLE.org "))

    assert flow.session_editor(either, session, clock=clock) == Editor(
        id=EditorId(1), email=ANNA, name="Anna", role=Role.CHIEF, created_at=MORNING, disabled_at=None
    )
    flow.sign_out(either, session)
    flow.sign_out(either, session)
    assert flow.session_editor(either, session, clock=clock) is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ANNA, "wrong"),
        ("bert@example.org", PASSWORD),
        (ANNA, ""),
        (ANNA, "x" * 100_000),
        ("", ""),
        ("\0\ud800", "\ud800"),
    ],
)
def test_a_wrong_address_and_a_wrong_password_look_the_same(
    either: Database, clock: SetClock, email: str, password: str
) -> None:
    hire(either, clock)

    assert sign_in(either, clock, password, email=email) == SignInRefused(try_again_at=None)


def test_an_unknown_address_takes_as_long_as_a_known_one(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the time tells a stranger who works here."""
    monkeypatch.setattr(flow, "_hasher", argon2.PasswordHasher(time_cost=8, memory_cost=8_192, parallelism=1))
    hire(database, clock)

    def seconds(email: str, number: int) -> float:
        start = time.process_time()
        sign_in(database, clock, "wrong password", email=email, origin=f"origin {number}")
        return time.process_time() - start

    known = statistics.median(seconds(ANNA, number) for number in range(9))
    unknown = statistics.median(seconds("bert@example.org", number) for number in range(9))

    assert known / 2 < unknown < known * 2


def test_an_editor_without_a_password_cannot_sign_in_by_one(database: Database, clock: SetClock) -> None:
    hire(database, clock, password=None)

    assert sign_in(database, clock, "") == SignInRefused(try_again_at=None)


def test_after_five_failures_even_the_right_password_waits(either: Database, clock: SetClock) -> None:
    hire(either, clock)
    for _ in range(5):
        assert sign_in(either, clock, "wrong") == SignInRefused(try_again_at=None)

    refused = sign_in(either, clock)

    assert refused == SignInRefused(try_again_at=MORNING + timedelta(seconds=30))
    clock.pass_by(timedelta(seconds=30))
    assert token(sign_in(either, clock))
    assert isinstance(sign_in(either, clock, "wrong"), SignInRefused)
    assert token(sign_in(either, clock))


def test_the_wait_grows_with_every_further_failure(database: Database, clock: SetClock) -> None:
    hire(database, clock)
    for _ in range(5):
        sign_in(database, clock, "wrong")
    clock.pass_by(timedelta(seconds=30))
    sign_in(database, clock, "wrong")

    assert sign_in(database, clock) == SignInRefused(try_again_at=clock.now + timedelta(seconds=60))


def test_nobody_is_shut_out_from_elsewhere(database: Database, clock: SetClock) -> None:
    hire(database, clock)
    for _ in range(9):
        sign_in(database, clock, "wrong", origin=ELSEWHERE)

    assert token(sign_in(database, clock, origin=HERE))


def test_unknown_addresses_are_throttled_as_known_ones(database: Database, clock: SetClock) -> None:
    for _ in range(5):
        sign_in(database, clock, email="bert@example.org")

    assert sign_in(database, clock, email="bert@example.org") == SignInRefused(
        try_again_at=MORNING + timedelta(seconds=30)
    )


def test_many_attempts_at_once_are_not_many_for_free(either: Database, clock: SetClock) -> None:
    hire(either, clock)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: sign_in(either, clock, f"guess {number}"), range(12)))

    assert answers.count(SignInRefused(try_again_at=None)) == 5


def test_old_attempts_are_cleared_away(database: Database, clock: SetClock) -> None:
    sign_in(database, clock, email="bert@example.org")
    clock.pass_by(timedelta(hours=24))
    sign_in(database, clock, email="carl@example.org")

    with database.reading() as connection:
        assert connection.scalars(sa.select(sign_in_attempt.c.email_key)).all() == ["carl@example.org"]


def test_a_session_lives_as_long_as_it_is_used(either: Database, clock: SetClock) -> None:
    hire(either, clock)
    session = token(sign_in(either, clock))

    for _ in range(30):
        clock.pass_by(timedelta(hours=11))
        alive = flow.session_editor(either, session, clock=clock)
        assert (alive is not None) == (clock.now - MORNING < timedelta(days=14))


def test_a_session_ends_after_a_night_unused(database: Database, clock: SetClock) -> None:
    hire(database, clock)
    session = token(sign_in(database, clock))
    clock.pass_by(timedelta(hours=12))

    assert flow.session_editor(database, session, clock=clock) is None
    sign_in(database, clock)
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(editor_session)) == 1


def test_looking_at_pages_writes_once_in_five_minutes(database: Database, clock: SetClock) -> None:
    hire(database, clock)
    session = token(sign_in(database, clock))
    seen = set()
    for _ in range(10):
        clock.pass_by(timedelta(minutes=1))
        flow.session_editor(database, session, clock=clock)
        with database.reading() as connection:
            seen.add(connection.scalar(sa.select(editor_session.c.seen_at)))

    assert seen == {MORNING, MORNING + timedelta(minutes=5), MORNING + timedelta(minutes=10)}


def test_the_database_holds_nothing_to_sign_in_with(database: Database, clock: SetClock) -> None:
    editor_id = hire(database, clock)
    session = token(sign_in(database, clock))
    link = flow.make_sign_in_link(database, editor_id, clock=clock)

    with database.reading() as connection:
        kept = str([connection.execute(sa.select(table)).all() for table in (editor, editor_session, sign_in_link)])

    assert len({session, link}) == 2
    assert all(secret not in kept for secret in (session, link, PASSWORD))
    assert "$argon2id$" in kept
    assert flow.session_editor(database, "made up", clock=clock) is None


def test_a_disabled_editor_is_out_at_once(either: Database, clock: SetClock) -> None:
    editor_id = hire(either, clock)
    session = token(sign_in(either, clock))
    link = flow.make_sign_in_link(either, editor_id, clock=clock)

    flow.add_editor(either, email="bert@example.org", name="Bert", role=Role.CHIEF, clock=clock)
    staff.disable_editor(either, editor_id, clock=clock)

    assert flow.session_editor(either, session, clock=clock) is None
    assert sign_in(either, clock) == SignInRefused(try_again_at=None)
    assert flow.use_sign_in_link(either, link, clock=clock) is None
    with pytest.raises(ConflictError, match="disabled"):
        flow.make_sign_in_link(either, editor_id, clock=clock)
    staff.enable_editor(either, editor_id)
    assert token(sign_in(either, clock))


def test_a_new_password_ends_all_sessions(database: Database, clock: SetClock) -> None:
    editor_id = hire(database, clock)
    session = token(sign_in(database, clock))

    flow.set_password(database, editor_id, "another good password")

    assert flow.session_editor(database, session, clock=clock) is None
    assert isinstance(sign_in(database, clock), SignInRefused)
    assert token(sign_in(database, clock, "another good password"))


def test_a_sign_in_link_works_once(either: Database, clock: SetClock) -> None:
    editor_id = hire(either, clock, password=None)
    link = flow.make_sign_in_link(either, editor_id, clock=clock)

    session = token(flow.use_sign_in_link(either, link, clock=clock))

    found = flow.session_editor(either, session, clock=clock)
    assert found is not None
    assert found.id == editor_id
    assert flow.use_sign_in_link(either, link, clock=clock) is None


def test_a_link_opened_in_two_places_signs_in_once(either: Database, clock: SetClock) -> None:
    link = flow.make_sign_in_link(either, hire(either, clock), clock=clock)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: flow.use_sign_in_link(either, link, clock=clock), range(8)))

    assert answers.count(None) == 7


def test_a_sign_in_link_is_good_for_fifteen_minutes(database: Database, clock: SetClock) -> None:
    link = flow.make_sign_in_link(database, hire(database, clock), clock=clock)
    clock.pass_by(timedelta(minutes=15))

    assert flow.use_sign_in_link(database, link, clock=clock) is None


def test_an_address_has_one_editor(either: Database, clock: SetClock) -> None:
    hire(either, clock)

    with pytest.raises(ConflictError, match="already"):
        flow.add_editor(either, email="anna@EXAMPLE.org", name="Anna", role=Role.EDITOR, clock=clock)
    with pytest.raises(InputError, match="at least 12"):
        flow.add_editor(either, email="bert@example.org", name="Bert", role=Role.EDITOR, password="short", clock=clock)
    with pytest.raises(InputError, match="needs a name"):
        flow.add_editor(either, email="bert@example.org", name="\n", role=Role.EDITOR, clock=clock)
    with either.reading() as connection:
        assert [each.email for each in store.editors(connection)] == [ANNA]


def test_a_role_can_change(database: Database, clock: SetClock) -> None:
    editor_id = hire(database, clock)

    staff.set_role(database, editor_id, Role.OPERATOR)

    with database.reading() as connection:
        assert [each.role for each in store.editors(connection)] == [Role.OPERATOR]


def test_nobody_can_be_changed_who_is_not_there(database: Database, clock: SetClock) -> None:
    nobody = EditorId(99)
    with pytest.raises(NotFoundError):
        flow.set_password(database, nobody, PASSWORD)
    with pytest.raises(NotFoundError):
        staff.set_role(database, nobody, Role.CHIEF)
    with pytest.raises(NotFoundError):
        staff.disable_editor(database, nobody, clock=clock)
    with pytest.raises(NotFoundError):
        staff.enable_editor(database, nobody)
    with pytest.raises(NotFoundError):
        flow.make_sign_in_link(database, nobody, clock=clock)


def test_a_password_hashed_with_less_work_is_hashed_anew(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hire(database, clock)
    monkeypatch.setattr(flow, "_hasher", argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=1))

    assert token(sign_in(database, clock))

    with database.reading() as connection:
        assert "t=2" in (connection.scalar(sa.select(editor.c.password_hash)) or "")
    assert token(sign_in(database, clock))


def test_passwords_are_hashed_as_rfc_9106_recommends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    assert flow._hashed(PASSWORD, ANNA).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_editors_tables_stand_alone() -> None:
    """Editors know nothing of the audience, nor the other way round."""
    own = {"editor", "editor_session", "sign_in_link", "sign_in_attempt", "api_token"}

    pointed_at = {key.column.table.name for name in own for key in metadata.tables[name].foreign_keys}

    assert pointed_at == {"editor"}
