"""Every address, with every role and every scope, and ids of others and of nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response

from publisher.audience import flow as audience
from publisher.audience import segment_store
from publisher.audience.imports import import_due, put_import
from publisher.audience.model import How, SuppressionReason
from publisher.audience.segments import Conditions
from publisher.database import metadata
from publisher.dispatch import flow as dispatch
from publisher.editors import powers
from publisher.editors import store as editor_store
from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Role, Scope
from publisher.intake.polling import add_source
from publisher.webhooks import flow as webhooks
from publisher.webhooks.flow import Wanted
from publisher.webhooks.model import Happening
from publisher.wiring import Newsroom
from tests.safety.routes import Route, all_routes
from tests.web.browser import TestClient
from tests.web.conftest import a_browser, a_newsroom
from tests.web.desk.visits import Visit, sign_in
from tests.web.pages import fill

pytestmark = pytest.mark.slow

ROUTES = all_routes()
DESK = [each for each in ROUTES if each.path.startswith("/desk") and not each.path.startswith("/desk/sign-in")]
API = [each for each in ROUTES if each.path.startswith("/api/v1/")]
ELSEWHERE = [each for each in ROUTES if each not in DESK and each not in API and each.path != "/metrics"]
NEVER_THERE = (
    "999999",
    "9223372036854775808",
    "0",
    "-1",
    "1e3",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%F0%9F%98%80",
    "'--",
)
LIVE = Route(path="/desk/issues/{issue_id}/live", method="GET")
"""An answer without an end; tests/web/desk/test_live.py looks at it."""
READ_NOW = Route(path="/desk/sources/{source_id}/read", method="POST")
"""An editor who waits for an article need not wait for the hour; what is read was chosen by a chief."""
PIXEL = "GET /o/{reader}"
"""A picture for everybody, so that it tells nobody whether a token is ours."""
NOT_YET = {"GET /readyz", "POST /webhooks/sendgrid"}
"""503 as long as no worker beats, and no key of SendGrid is set."""
KEPT = {"editor_session", "api_token", "api_call", "editor_second_factor"}
"""Tables in which a visit itself leaves its trace; the last has the secret that its page shows."""

CHIEFS = (
    "GET /desk/subscribers.csv",
    *("GET /desk/record", "POST /desk/calendar/{issue_id}", "GET /desk/subscribers/{subscriber_id}/data.json"),
    *(f"POST /desk/issues/{{issue_id}}/{word}" for word in ("approve", "retry", "subject", "{word}")),
    "POST /desk/calendar/slots/{slug}",
)
CHIEFS_BELOW = ("/desk/editors", "/desk/subscribers/imports")
CHANGED_BY_CHIEFS = (
    *("/desk/editions", "/desk/mailing-lists", "/desk/sources", "/desk/subscribers", "/desk/suppressions"),
    "/desk/segments",
)
FORMS_OF_CHIEFS = ("/desk/editions/new", "/desk/segments/new", "/desk/suppressions/lift")
OPERATORS_BELOW = ("/desk/webhooks", "/desk/system")


def least_role(route: Route) -> Role:
    """Return who may use an address of the desk, as publisher/editors/powers.py means it."""
    if route.path.startswith(OPERATORS_BELOW):
        return Role.OPERATOR
    is_change = route.method != "GET" and route.path.startswith(CHANGED_BY_CHIEFS) and route != READ_NOW
    is_chiefs = str(route) in CHIEFS or route.path in FORMS_OF_CHIEFS or route.path.startswith(CHIEFS_BELOW)
    return powers.SENDING if is_change or is_chiefs else Role.EDITOR


def scopes_for(route: Route) -> set[Scope]:
    """Return the scopes each of which opens an address of the API."""
    about = route.path.removeprefix("/api/v1/").partition("/")[0]
    reads = route.method == "GET"
    if about == "webhooks":
        return {Scope.WEBHOOKS}
    if about in {"subscribers", "subscriber-imports", "suppressions", "segments"}:
        return {Scope.SUBSCRIBERS, Scope.READ_SUBSCRIBERS} if reads else {Scope.SUBSCRIBERS}
    if about == "mailing-lists":
        return {Scope.READ, Scope.READ_SUBSCRIBERS, Scope.SUBSCRIBERS} if reads else {Scope.SUBSCRIBERS}
    if "deliveries" in route.path:
        return set()  # takes two, one for issues and one for subscribers
    writes = Scope.ISSUES if about in {"issues", "editions"} else Scope.ARTICLES
    return {Scope.READ, writes} if reads else {writes}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A newsroom with one of everything, its ids all 1."""

    room: Newsroom
    visits: dict[Role, Visit]
    programs: dict[Scope, dict[str, str]]
    web: TestClient

    def everything(self) -> dict[str, Any]:
        with self.room.database.reading() as connection:
            tables = [each for each in metadata.sorted_tables if each.name not in KEPT]
            return {each.name: sorted(map(repr, connection.execute(sa.select(each)))) for each in tables}

    def ask(self, role: Role, route: Route, value: str = "", key: str = "") -> Response:
        data = {"form_key": key} if route.method != "GET" else None
        answer: Response = self.visits[role].web.request(route.method, route.filled(value), data=data)
        return answer

    def call(self, headers: dict[str, str], route: Route, value: str = "") -> Response:
        body: dict[str, Any] | None = {} if route.method in {"POST", "PUT"} else None
        answer: Response = self.web.request(route.method, route.filled(value), headers=headers, json=body)
        return answer


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Place]:
    room = a_newsroom(tmp_path_factory.mktemp("routes"), redis_url)
    fill(room)
    _furnish(room)
    browsers = {role: a_browser(room) for role in reversed(Role)}
    with browsers[Role.OPERATOR], browsers[Role.CHIEF], browsers[Role.EDITOR], a_browser(room) as web:
        visits = {role: sign_in(each, room, role, email=f"{role}@desk.example") for role, each in browsers.items()}
        tokens = {each: add_api_token(room.database, name=each, scopes={each}, clock=room.now) for each in Scope}
        programs = {scope: {"Authorization": f"Bearer {token}"} for scope, token in tokens.items()}
        yield Place(room=room, visits=visits, programs=programs, web=web)


def _furnish(room: Newsroom) -> None:
    yes = audience.Yes(how=How.CLI, wording="Yes.")
    audience.add_subscriber(room.database, email="ann@readers.example", lists=["readers"], yes=yes, clock=room.now)
    audience.suppress(room.database, "eve@readers.example", reason=SuppressionReason.COMPLAINED, clock=room.now)
    dispatch.plan_due(room.database, room.settings, clock=room.now, planned=lambda: None)
    file = BytesIO(b"email\nben@readers.example\nnonsense\n")
    put_import(room.database, file, name="people.csv", list_slug="readers", confirmed=True, clock=room.now)
    import_due(room.database, clock=room.now)
    add_source(room.database, room.settings, "https://other.example/feed.xml", clock=room.now)
    with room.database.transaction() as connection:
        abroad = Conditions(languages=("ko",))
        segment_store.add_segment(connection, slug="abroad", name="Abroad", conditions=abroad, now=room.now())
    wanted = Wanted(url="https://crm.example.org/hooks", happenings=list(Happening))
    added = webhooks.add_endpoint(room.database, wanted, clock=room.now, allow_private=False).endpoint
    webhooks.send_test(room.database, added.id, clock=room.now)


def test_the_table_of_routes_is_the_whole_application() -> None:
    """An address that this file does not know is one that nobody has tried to break."""
    assert len(ROUTES) > 200
    assert {each.path.partition("/")[0] for each in ROUTES} == {""}
    assert {"/desk/editors/{editor_id}/role", "/api/v1/subscribers/{subscriber_id}", "/webhooks/sendgrid"} <= {
        each.path for each in ROUTES
    }


def test_nobody_gets_past_the_door(place: Place) -> None:
    """Without a session or a token every address of the desk and the API is shut, and nothing is changed."""
    before = place.everything()

    for route in DESK:
        answer = place.web.request(route.method, route.filled())
        assert answer.status_code == 303, route
        assert answer.headers["Location"].startswith("/desk/sign-in?next="), route
    for route in API:
        for headers in ({}, {"Authorization": "Bearer pub_x"}, {"Authorization": "Basic YTpi"}):
            assert place.call(headers, route).status_code == 401, route

    assert place.everything() == before


@pytest.mark.parametrize("role", [Role.EDITOR, Role.CHIEF])
def test_a_role_reaches_what_it_may_and_nothing_else(place: Place, role: Role) -> None:
    """Refused is refused before anything is read or done; and what is meant for a role is not shut to it."""
    before, key = place.everything(), place.visits[role].key()
    shut = [each for each in DESK if not role.includes(least_role(each))]
    open_pages = [each for each in DESK if each.method == "GET" and each not in shut and each != LIVE]

    refused = [str(each) for each in shut if place.ask(role, each, key=key).status_code != 403]
    missed = [str(each) for each in open_pages if place.ask(role, each).status_code == 403]

    assert (refused, missed) == ([], [])
    assert place.everything() == before


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_what_it_names_and_nothing_else(place: Place, scope: Scope) -> None:
    """A token that leaks must do no more harm than its name says."""
    before, program = place.everything(), place.programs[scope]
    shut = [each for each in API if scope not in scopes_for(each)]
    open_pages = [each for each in API if each.method == "GET" and each not in shut]

    refused = [str(each) for each in shut if place.call(program, each).status_code != 403]
    missed = [str(each) for each in open_pages if place.call(program, each).status_code == 403]

    assert (refused, missed) == ([], [])
    assert place.everything() == before


@pytest.mark.parametrize("value", NEVER_THERE)
def test_an_id_of_nothing_is_nothing(place: Place, value: str) -> None:
    """Not an error of ours, not a change, and never a thing that was not asked for."""
    before, key = place.everything(), place.visits[Role.OPERATOR].key()
    everything = {"Authorization": f"Bearer {_key_to_all(place)}"}

    found: list[tuple[str, int]] = []
    for route in (each for each in ROUTES if each.parameters):
        if route.path.startswith("/desk") and not route.path.startswith("/desk/sign-in"):
            answer = place.ask(Role.OPERATOR, route, value, key)
        else:
            answer = place.call(everything if route in API else {}, route, value)
        found.append((str(route), answer.status_code))

    assert [each for each in found if not 400 <= each[1] < 500] in ([], [(PIXEL, 200)])
    assert place.everything() == before


@pytest.mark.parametrize("role", Role)
def test_a_key_of_ones_own_leads_no_further_than_the_desk(place: Place, role: Role) -> None:
    """Sources are led by chiefs: an editor must not say through the API which feeds are read."""
    room, may = place.room, role.includes(powers.SOURCES)
    with room.database.reading() as connection:
        owner = next(each for each in editor_store.editors(connection) if each.role is role)
    token = add_api_token(room.database, name="hers", scopes={Scope.ARTICLES}, by=owner.id, clock=room.now)
    headers, url = {"Authorization": f"Bearer {token}"}, f"https://{role}.example/feed.xml"

    added = place.web.post("/api/v1/sources", json={"url": url}, headers=headers)
    removed = place.web.delete(f"/api/v1/sources/{added.json().get('id', 1)}", headers=headers)

    assert (added.status_code, removed.status_code) == ((201, 204) if may else (403, 403))
    assert may or "role" in added.json()["detail"]
    assert place.web.get("/api/v1/sources", headers=headers).status_code == 200


def _key_to_all(place: Place) -> str:
    return add_api_token(place.room.database, name="all", scopes=set(Scope), clock=place.room.now)


def test_no_address_answers_with_an_error_of_ours(place: Place) -> None:
    """Whatever is there, asked for with an empty form; last in this file, for much of it does something."""
    key = place.visits[Role.OPERATOR].key
    everything = {"Authorization": f"Bearer {_key_to_all(place)}"}
    ways: dict[bool, Callable[[Route], Response]] = {
        True: lambda route: place.ask(Role.OPERATOR, route, key=key()),
        False: lambda route: place.call(everything if route in API else {}, route),
    }

    found = {
        str(each): ways[each in DESK](each).status_code
        for each in [*ELSEWHERE, *API, *DESK]
        if each != LIVE and each.path not in {"/desk/sign-out", "/desk/me/sessions/end-others"}
    }

    assert {route for route, status in found.items() if status >= 500} <= NOT_YET
