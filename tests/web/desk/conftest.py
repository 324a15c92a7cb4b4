from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from publisher.archive.model import ArticleId
from publisher.audience import flow as audience
from publisher.audience.model import How, MailingListId
from publisher.audience.store import mailing_list_named
from publisher.compose import store
from publisher.compose.cadence import parse
from publisher.compose.model import Edition, EditionId, EditionKind
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.conftest import a_browser
from tests.web.desk.at_work import Site, opened_site
from tests.web.desk.visits import Visit, sign_in
from tests.web.pages import an_archive


@pytest.fixture
def visit(web: TestClient, room: Newsroom) -> Visit:
    """An operator at the desk of a new newsroom."""
    return sign_in(web, room)


@pytest.fixture
def visit_as(room: Newsroom) -> Iterator[Callable[[Role], Visit]]:
    """Makes another editor, with a browser of her own, and any role."""
    with ExitStack() as browsers:

        def visit_as(role: Role) -> Visit:
            web = browsers.enter_context(a_browser(room))
            return sign_in(web, room, role, email=f"{role}@desk.example")

        yield visit_as


@pytest.fixture
def weekly(room: Newsroom) -> Edition:
    """A weekly digest that an editor may draft at any time."""
    with room.database.transaction() as connection:
        list_id: MailingListId = mailing_list_named(connection, "readers").id
        return store.add_edition(
            connection,
            Edition(
                id=EditionId(0),
                slug="weekly",
                name="The Weekly",
                kind=EditionKind.DIGEST,
                mailing_list_id=list_id,
                cadence=parse("mon 08:00 Asia/Seoul"),
                at_least=2,
            ),
            now=room.now(),
        )


@pytest.fixture
def ids(room: Newsroom) -> list[ArticleId]:
    """Four articles of today."""
    return an_archive(room, 4)


@pytest.fixture
def draft(visit: Visit, weekly: Edition, ids: list[ArticleId]) -> int:
    """The number of a draft of the weekly with those four."""
    assert weekly
    assert ids
    answer = visit.post("/desk/issues", edition="weekly")
    return int(answer.headers["Location"].partition("?")[0].rpartition("/")[2])


@pytest.fixture
def readers(room: Newsroom) -> list[str]:
    """Three confirmed readers."""
    addresses = [f"reader{number}@readers.example" for number in range(1, 4)]
    for each in addresses:
        audience.add_subscriber(
            room.database, email=each, lists=["readers"], yes=audience.Yes(how=How.CLI, wording="Yes."), clock=room.now
        )
    return addresses


@pytest.fixture
def site(tmp_path: Path, redis_url: str) -> Iterator[Site]:
    """A newsroom with an edition and two readers, under a real server."""
    with opened_site(tmp_path, redis_url) as found:
        yield found
