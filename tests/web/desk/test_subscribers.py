"""Readers at the desk: found, added, imported, changed, erased; and the addresses that are not mailed."""

import csv
import io
from typing import Any

import pytest

from publisher import acts
from publisher.audience import flow
from publisher.audience import store as audience
from publisher.audience.imports import import_due
from publisher.audience.model import How, Subscriber, SubscriptionState, Suppression, SuppressionReason
from publisher.compose.model import Edition
from publisher.editors.model import Role
from publisher.wiring import Newsroom
from tests.web.browser import TestClient
from tests.web.desk.visits import HOSTILE, Visit, form_values, must_be_harmless, notes, sign_in
from tests.web.pages import elements, standing, words

READERS, SUPPRESSIONS = "/desk/subscribers", "/desk/suppressions"
ANN = "ann@readers.example"


@pytest.fixture
def chief(web: TestClient, room: Newsroom, weekly: Edition) -> Visit:
    """A chief, and a newsroom with three readers."""
    assert weekly
    for name in ("ann", "ben", "cai"):
        join(room, f"{name}@readers.example", name=name.title())
    return sign_in(web, room, Role.CHIEF)


def join(room: Newsroom, address: str, **details: str) -> None:
    yes = flow.Yes(how=How.FORM, origin="203.0.113.7", wording="Yes, send me Readers.")
    flow.add_subscriber(room.database, email=address, lists=["readers"], yes=yes, clock=room.now, **details)


def reader(room: Newsroom, address: str = ANN) -> Subscriber | None:
    with room.database.reading() as connection:
        return audience.subscriber_with_email(connection, address)


def path_of(room: Newsroom, address: str = ANN) -> str:
    found = reader(room, address)
    assert found
    return f"{READERS}/{found.id}"


def suppression(room: Newsroom, address: str = ANN) -> Suppression | None:
    with room.database.reading() as connection:
        return audience.suppressions(connection, [address]).get(address)


def fill_in(visit: Visit, page: str, action: str, **changes: Any) -> Any:
    values = form_values(visit.get(page).text, action)
    return visit.web.post(action, data=values | changes)


def addresses(html: str) -> list[str]:
    return [words(each) for each in elements(html, "th", scope="row")]


# --- the list


def test_readers_are_found_by_the_beginning_of_their_address(chief: Visit) -> None:
    assert addresses(chief.get(READERS).text) == [f"{each}@readers.example" for each in ("ann", "ben", "cai")]
    assert addresses(chief.get(f"{READERS}?q=BE").text) == ["ben@readers.example"]
    assert "Nobody here" in chief.get(f"{READERS}?q=zoe").text
    assert chief.get(f"{READERS}?list=martians").status_code == 404


def test_readers_are_found_by_the_beginning_of_their_name_too(chief: Visit) -> None:
    join(chief.room, "x@readers.example", name="Benedikt")

    assert sorted(addresses(chief.get(f"{READERS}?q=Ben").text)) == ["ben@readers.example", "x@readers.example"]
    assert addresses(chief.get(f"{READERS}?q=Bene").text) == ["x@readers.example"]


def test_readers_are_found_by_the_state_of_their_subscriptions(chief: Visit) -> None:
    path = path_of(chief.room)
    fill_in(chief, path, f"{path}/unsubscribe")
    fill_in(chief, READERS, f"{READERS}/new", email="dan@readers.example")

    assert addresses(chief.get(f"{READERS}?state=unsubscribed").text) == [ANN]
    assert addresses(chief.get(f"{READERS}?state=pending&list=readers").text) == ["dan@readers.example"]
    confirmed = ["ben@readers.example", "cai@readers.example"]
    assert addresses(chief.get(f"{READERS}?state=confirmed").text) == confirmed
    assert addresses(chief.get(f"{READERS}?state=confirmed&q=c").text) == confirmed[1:]
    assert chief.get(f"{READERS}?state=pending&after=nonsense").status_code == 404


@pytest.mark.parametrize("state", ["confirmed", "unsubscribed"])
def test_the_pages_of_a_state_keep_to_it(chief: Visit, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setattr("publisher.web.desk.subscribers.ON_A_PAGE", 2)
    if state == "unsubscribed":
        for name in ("ann", "ben", "cai"):
            path = path_of(chief.room, f"{name}@readers.example")
            fill_in(chief, path, f"{path}/unsubscribe")

    first = chief.get(f"{READERS}?state={state}&list=readers").text
    (chosen,) = [words(each) for each in elements(first, "option", selected="") if words(each) != "Readers"]
    (following,) = [each.get("href") or "" for each in elements(first, "a", rel="next")]
    second = chief.get(following).text

    assert chosen == state
    assert sorted(addresses(first) + addresses(second)) == [f"{each}@readers.example" for each in ("ann", "ben", "cai")]
    assert elements(second, "a", rel="next") == []


def test_long_lists_have_pages(chief: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.web.desk.subscribers.ON_A_PAGE", 2)

    first = chief.get(READERS).text
    (following,) = [each.get("href") or "" for each in elements(first, "a", rel="next")]
    second = chief.get(following).text

    assert addresses(first) == ["ann@readers.example", "ben@readers.example"]
    assert addresses(second) == ["cai@readers.example"]
    assert elements(second, "a", rel="next") == []


def test_who_is_not_mailed_is_marked(chief: Visit) -> None:
    flow.suppress(chief.room.database, ANN, reason=SuppressionReason.COMPLAINED, clock=chief.room.now)

    assert addresses(chief.get(READERS).text)[0] == f"{ANN} suppressed: complained"


def test_somebody_is_added_after_a_mail_or_with_the_yes_at_hand(chief: Visit) -> None:
    new = f"{READERS}/new"
    asked = chief.after(fill_in(chief, READERS, new, email="dan@readers.example"))
    added = chief.after(fill_in(chief, READERS, new, email="eve@readers.example", consent="Signed at the reading."))

    assert set(standing(chief.room, "dan@readers.example").values()) == {"pending"}
    assert set(standing(chief.room, "eve@readers.example").values()) == {"confirmed"}
    assert "A mail asks for a yes" in asked
    assert "Signed at the reading." in added


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"email": "nonsense"}, "no @"),
        ({"email": "x@y.example", "language": "???"}, "language tag"),
        ({"email": "x@y.example", "mailing_list": []}, "Choose a mailing list"),
    ],
)
def test_who_cannot_be_added_is_said_and_what_was_typed_stays(chief: Visit, typed: dict[str, Any], said: str) -> None:
    page = fill_in(chief, READERS, f"{READERS}/new", **typed)

    assert page.status_code == 422
    assert said in notes(page.text)[0]
    assert form_values(page.text, f"{READERS}/new")["email"] == typed["email"]


def test_a_file_is_imported_with_a_report_of_its_bad_lines(chief: Visit) -> None:
    lines = ["email,name", "new@readers.example,New", f"{ANN},Ann", "nonsense,Nobody"]
    key = chief.key()

    begun = chief.web.post(
        f"{READERS}/import",
        data={"form_key": key, "mailing_list": "readers", "confirmed": "yes"},
        files={"file": ("people.csv", "\n".join(lines), "text/csv")},
    )

    waiting = chief.after(begun)
    assert "Waits for a worker" in waiting
    assert standing(chief.room, "new@readers.example") == {}
    import_due(chief.room.database, clock=chief.room.now)
    page = chief.get(begun.headers["Location"].partition("?")[0])
    told = words(elements(page.text, "dl", class_="counts")[0])
    assert "Added new on readers1" in told
    assert "Refused lines that cannot be read1" in told
    assert "no @" in page.text
    assert set(standing(chief.room, "new@readers.example").values()) == {"confirmed"}
    (file,) = [each.get("href") or "" for each in elements(page.text, "a") if "refused" in (each.get("href") or "")]
    assert list(csv.DictReader(io.StringIO(chief.get(file).text))) == [
        {"line": "4", "problem": "The address has no @."}
    ]
    assert "people.csv" in words(elements(chief.get(READERS).text, "ul", class_="rows")[0])
    without = chief.web.post(f"{READERS}/import", data={"form_key": key, "mailing_list": "readers"})
    assert (without.status_code, "Choose a CSV file" in without.text) == (422, True)


def test_the_page_of_an_import_says_which_export_was_recognised(chief: Visit) -> None:
    file = "id,email,subscribed_to_emails\n1,new@readers.example,true\n2,old@readers.example,false\n"
    values = {"form_key": chief.key(), "mailing_list": "readers", "confirmed": "yes"}
    chief.web.post(f"{READERS}/import", data=values, files={"file": ("members.csv", file, "text/csv")})
    import_due(chief.room.database, clock=chief.room.now)

    told = words(elements(chief.get(f"{READERS}/imports/1").text, "main")[0])

    assert "Recognised: an export of Ghost." in told
    assert "Left there and so have left readers1" in told


def test_a_file_that_names_no_columns_is_refused_at_once(chief: Visit) -> None:
    page = chief.web.post(
        f"{READERS}/import",
        data={"form_key": chief.key(), "mailing_list": "readers"},
        files={"file": ("people.csv", "ann@readers.example\n", "text/csv")},
    )

    assert (page.status_code, "must name the columns" in page.text) == (422, True)
    assert chief.get(f"{READERS}/imports/1").status_code == 404
    assert chief.get(f"{READERS}/imports/1/refused.csv").status_code == 404


def test_a_file_from_elsewhere_is_refused(chief: Visit) -> None:
    forged = {"form_key": "x", "mailing_list": "readers", "confirmed": "yes"}
    files = {"file": ("people.csv", "email\nevil@readers.example", "text/csv")}

    assert chief.web.post(f"{READERS}/import", data=forged, files=files).status_code == 403
    assert reader(chief.room, "evil@readers.example") is None


def test_everybody_is_exported(chief: Visit) -> None:
    answer = chief.get(f"{READERS}.csv?list=readers")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [each["email"] for each in rows] == [f"{each}@readers.example" for each in ("ann", "ben", "cai")]
    assert answer.headers["Cache-Control"] == "no-store"


# --- one reader


def test_a_reader_is_shown_with_all_that_happened(chief: Visit) -> None:
    page = chief.get(path_of(chief.room)).text

    assert "Yes, send me Readers." in page
    assert "from 203.0.113.0/24" in words(elements(page, "main")[0])
    assert chief.get(f"{path_of(chief.room)}/data.json").json()["consents"][0]["from"] == "203.0.113.0/24"


def test_details_are_changed(chief: Visit) -> None:
    path = path_of(chief.room)

    chief.after(fill_in(chief, path, path, name="Anna", language="ko", time_zone="Asia/Seoul"))
    wrong = fill_in(chief, path, path, time_zone="Mars/Olympus")

    found = reader(chief.room)
    assert found
    assert (found.name, found.language, found.time_zone) == ("Anna", "ko", "Asia/Seoul")
    assert (wrong.status_code, "time zone" in notes(wrong.text)[0]) == (422, True)


def test_a_reader_leaves_and_is_asked_again(chief: Visit) -> None:
    path = path_of(chief.room)

    chief.after(fill_in(chief, path, f"{path}/unsubscribe"))
    left = standing(chief.room, ANN)
    chief.after(fill_in(chief, path, f"{path}/ask"))

    assert set(left.values()) == {SubscriptionState.UNSUBSCRIBED}
    assert set(standing(chief.room, ANN).values()) == {SubscriptionState.PENDING}


def test_a_reader_is_erased_once_the_address_is_typed(chief: Visit) -> None:
    path = path_of(chief.room)

    wrong = fill_in(chief, path, f"{path}/erase", address="ben@readers.example")
    assert (wrong.status_code, reader(chief.room) is not None) == (422, True)
    gone = chief.after(fill_in(chief, path, f"{path}/erase", address=ANN.upper()))

    assert "Erased for good." in gone
    assert ANN not in gone
    assert reader(chief.room) is None
    assert chief.get(path).status_code == 404
    assert suppression(chief.room) is None
    assert addresses(chief.get(SUPPRESSIONS).text) == []
    assert addresses(chief.get(f"{SUPPRESSIONS}?q={ANN.upper()}").text) == [ANN]
    chief.after(lift(chief, ANN, why="Erased by mistake."))
    assert addresses(chief.get(f"{SUPPRESSIONS}?q={ANN}").text) == []


# --- suppressions


def test_an_address_is_suppressed_found_and_lifted(chief: Visit) -> None:
    added = chief.after(fill_in(chief, SUPPRESSIONS, SUPPRESSIONS, email=ANN, detail="wrote to us"))
    assert addresses(added) == [ANN]
    assert addresses(chief.get(f"{SUPPRESSIONS}?q=zoe").text) == []

    assert "An editor decided so." in lifting(chief, ANN)
    chief.after(lift(chief, ANN, why="ann@readers.example wrote: please"))

    assert suppression(chief.room) is None
    with chief.room.database.reading() as connection:
        (noted,) = acts.acts(connection, at_most=1, did="suppression lifted")
    assert (noted.thing, noted.actor.who) == ("an address: <address> wrote: please", "Anna Weber")
    assert chief.get(f"{SUPPRESSIONS}/lift?email={ANN}").status_code == 404
    assert chief.post(f"{SUPPRESSIONS}/lift", email=ANN, why="x").status_code == 404
    assert chief.get(f"{SUPPRESSIONS}/lift?email=nonsense").status_code == 404


def lifting(visit: Visit, address: str) -> str:
    return words(elements(visit.get(f"{SUPPRESSIONS}/lift?email={address}").text, "main")[0])


def lift(visit: Visit, address: str, **fields: str) -> Any:
    return fill_in(visit, f"{SUPPRESSIONS}/lift?email={address}", f"{SUPPRESSIONS}/lift", **fields)


def test_nothing_is_lifted_without_a_reason(chief: Visit) -> None:
    flow.suppress(chief.room.database, ANN, reason=SuppressionReason.BOUNCED, clock=chief.room.now)

    page = lift(chief, ANN)

    assert (page.status_code, notes(page.text)) == (422, ["Say why: it stands in the record."])
    assert suppression(chief.room)


def test_a_complaint_is_lifted_only_by_who_confirms_what_it_means(chief: Visit) -> None:
    flow.suppress(chief.room.database, ANN, reason=SuppressionReason.COMPLAINED, clock=chief.room.now)
    assert "reported a mail of ours as spam" in lifting(chief, ANN)

    refused = lift(chief, ANN, why="He called.")
    assert (refused.status_code, suppression(chief.room) is not None) == (422, True)
    assert form_values(refused.text, f"{SUPPRESSIONS}/lift")["why"] == "He called."
    chief.after(lift(chief, ANN, why="He called.", sure="yes"))

    assert suppression(chief.room) is None


# --- all of them


def test_an_editor_looks_and_changes_nothing(web: TestClient, room: Newsroom, weekly: Edition) -> None:
    assert weekly
    join(room, ANN)
    visit, path = sign_in(web, room, Role.EDITOR), path_of(room)

    assert ANN in visit.get(READERS).text
    assert "Erase for good" not in visit.get(path).text
    for each in (f"{READERS}.csv", f"{path}/data.json", f"{READERS}/imports/1", f"{READERS}/imports/1/refused.csv"):
        assert visit.get(each).status_code == 403
    for each in ("new", "import"):
        assert visit.post(f"{READERS}/{each}", email="x@y.example").status_code == 403
    for each in ("", "/unsubscribe", "/ask", "/erase"):
        assert visit.post(f"{path}{each}", address=ANN, list="readers").status_code == 403
    assert visit.post(SUPPRESSIONS, email=ANN).status_code == 403
    assert visit.post(f"{SUPPRESSIONS}/lift", email=ANN).status_code == 403
    assert set(standing(room, ANN).values()) == {"confirmed"}


def test_hostile_names_stay_words(chief: Visit) -> None:
    path = path_of(chief.room)
    fill_in(chief, path, path, name=HOSTILE)
    fill_in(chief, SUPPRESSIONS, SUPPRESSIONS, email=ANN, detail=HOSTILE)

    for each in (READERS, path, SUPPRESSIONS):
        must_be_harmless(chief.get(each).text)
