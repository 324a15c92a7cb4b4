from collections.abc import Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Browser

from publisher.audience import flow as audience
from publisher.audience.imports import import_due, put_import
from publisher.audience.model import How, SuppressionReason
from publisher.compose import flow as compose
from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch.sending import send_due
from publisher.editors import flow as editors
from publisher.webhooks import flow as webhooks
from publisher.webhooks.flow import Wanted
from publisher.webhooks.model import Happening
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.web.barriers import barriers_on
from tests.web.conftest import a_newsroom
from tests.web.desk.visits import hire
from tests.web.pages import fill
from tests.web.served import served

pytestmark = pytest.mark.browser

PAGES = (
    "/desk",
    "/desk/me",
    "/desk/system",
    "/desk/articles",
    "/desk/articles?q=nothing-of-this",
    "/desk/articles/new",
    "/desk/articles/import",
    "/desk/articles/1",
    "/desk/issues",
    "/desk/issues/1",
    "/desk/issues/2",
    "/desk/issues/3",
    "/desk/issues/1/deliveries",
    "/desk/calendar",
    "/desk/calendar?view=week",
    "/desk/editions",
    "/desk/editions/weekly",
    "/desk/editions/new",
    "/desk/mailing-lists",
    "/desk/mailing-lists/form",
    "/desk/sources",
    "/desk/subscribers",
    "/desk/subscribers/1",
    "/desk/subscribers/imports/1",
    "/desk/subscribers/imports/2",
    "/desk/suppressions",
    "/desk/suppressions/lift?email=eve@readers.example",
    "/desk/segments",
    "/desk/segments/new",
    "/desk/glossary",
    "/desk/glossary?q=deposit",
    "/desk/glossary?q=nothing-of-this",
    "/desk/glossary?letter=J",
    "/desk/glossary/new?name=Theqoo",
    "/desk/glossary/jeonse",
    "/desk/glossary/proposals",
    "/desk/outbox",
    "/desk/webhooks",
    "/desk/webhooks/1",
    "/desk/editors",
    "/desk/editors/1",
    "/desk/me/second-factor",
    "/desk/record",
    "/desk/tokens",
    "/desk/nothing",
)


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[str]:
    """What signs in to a desk with an issue that was sent, one that is paused, and a draft."""
    folder = tmp_path_factory.mktemp("desk")
    new = a_newsroom(folder, redis_url)
    fill(new)
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    audience.add_subscriber(new.database, email="ann@readers.example", lists=["readers"], yes=yes, clock=new.now)
    dispatch.plan_due(new.database, new.settings, clock=new.now, planned=lambda: None)
    audience.suppress(new.database, "eve@readers.example", reason=SuppressionReason.COMPLAINED, clock=new.now)
    file = b"email,colour\nben@readers.example,red\nnonsense,blue\n"
    for _ in range(2):
        import_due(new.database, clock=new.now)
        put_import(new.database, BytesIO(file), name="people.csv", list_slug="readers", confirmed=True, clock=new.now)
    dispatch.pause(new.database, new.settings, IssueId(2), reason="Paused by Anna.", clock=new.now)
    send_due(new.dispatcher)
    compose.draft_issue(new.database, new.settings, "weekly", clock=new.now)
    wanted = Wanted(url="https://crm.example.org/hooks", name="CRM", happenings=list(Happening))
    endpoint = webhooks.add_endpoint(new.database, wanted, clock=new.now, allow_private=False).endpoint
    webhooks.send_test(new.database, endpoint.id, clock=new.now)
    editor_id = hire(new)
    new.database.close()
    with served(folder, redis_url) as address:
        room = Newsroom(settings_in(folder, REDIS_URL=redis_url, BASE_URL=address))
        yield f"{address}/desk/sign-in/{editors.make_sign_in_link(room.database, editor_id, clock=room.now)}"
        room.database.close()


def test_nobody_is_kept_from_the_desk(browser: Browser, link: str) -> None:
    context = browser.new_context(base_url=link.partition("/desk")[0])
    page = context.new_page()

    found = barriers_on(page, ["/desk/sign-in"])
    page.goto(link)
    found += barriers_on(page, PAGES)

    assert found == [], "\n".join(found)
    context.close()
