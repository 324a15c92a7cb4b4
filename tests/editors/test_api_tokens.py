from datetime import timedelta

import pytest
import sqlalchemy as sa

from publisher.database import Database
from publisher.editors import api_tokens, store
from publisher.editors.model import ApiToken, Scope
from publisher.editors.tables import api_token
from publisher.errors import InputError
from tests.audience.clocks import MORNING, SetClock


def listed(database: Database) -> list[ApiToken]:
    with database.reading() as connection:
        return store.api_tokens(connection)


def test_a_program_may_do_what_its_token_says(either: Database, clock: SetClock) -> None:
    token = api_tokens.add_api_token(
        either, name=" Newsroom\nCMS ", scopes=[Scope.ARTICLES, Scope.READ, Scope.READ], clock=clock
    )

    found = api_tokens.check_api_token(either, token, clock=clock)

    assert token.startswith("pub_")
    assert len(token) == 47
    assert found is not None
    assert (found.name, sorted(found.scopes)) == ("Newsroom CMS", [Scope.ARTICLES, Scope.READ])


def test_a_token_is_shown_once_and_kept_nowhere(database: Database, clock: SetClock) -> None:
    token = api_tokens.add_api_token(database, name="CMS", scopes=[Scope.READ], clock=clock)

    with database.reading() as connection:
        kept = str(connection.execute(sa.select(api_token)).all())

    assert token not in kept
    assert token.removeprefix("pub_") not in kept


@pytest.mark.parametrize("token", ["", "pub_", "pub_made-up", "made up", "pub_\ud800"])
def test_a_made_up_token_is_nothing(database: Database, clock: SetClock, token: str) -> None:
    api_tokens.add_api_token(database, name="CMS", scopes=[Scope.READ], clock=clock)

    assert api_tokens.check_api_token(database, token, clock=clock) is None


def test_a_revoked_token_ends_at_once(either: Database, clock: SetClock) -> None:
    token = api_tokens.add_api_token(either, name="CMS", scopes=[Scope.READ], clock=clock)
    (kept,) = listed(either)

    assert api_tokens.revoke_api_token(either, kept.id, clock=clock) is True
    assert api_tokens.revoke_api_token(either, kept.id, clock=clock) is False
    assert api_tokens.check_api_token(either, token, clock=clock) is None
    assert [each.revoked_at for each in listed(either)] == [MORNING]


def test_the_last_use_is_known_to_the_minute(database: Database, clock: SetClock) -> None:
    token = api_tokens.add_api_token(database, name="CMS", scopes=[Scope.READ], clock=clock)
    uses = []
    for _ in range(5):
        api_tokens.check_api_token(database, token, clock=clock)
        uses.append(listed(database)[0].last_used_at)
        clock.pass_by(timedelta(seconds=30))

    assert sorted({each for each in uses if each}) == [MORNING + timedelta(minutes=minute) for minute in range(3)]


def test_a_token_needs_a_name_and_a_scope(database: Database, clock: SetClock) -> None:
    with pytest.raises(InputError, match="scope"):
        api_tokens.add_api_token(database, name="CMS", scopes=[], clock=clock)
    with pytest.raises(InputError, match="name"):
        api_tokens.add_api_token(database, name=" ", scopes=[Scope.READ], clock=clock)
