"""What is held about one reader: shown, handed out, and erased for good."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience import flow as audience
from publisher.audience import store
from publisher.audience.csv_form import import_csv
from publisher.audience.model import How, Subscriber, SubscriberId, SubscriptionState, SuppressionReason
from publisher.audience.tables import subscriber_topic, subscription
from publisher.audience.tokens import Purpose, Signer
from publisher.compose.model import IssueId
from publisher.database import Database, metadata
from publisher.dispatch.history import deliveries_of, place_of
from publisher.dispatch.model import DeliveryState, Envelope, Outcome, Refused
from publisher.dispatch.tables import delivery, notice
from publisher.dispatch.transports.choose import outbox_in
from publisher.editors import calls
from publisher.editors.api_tokens import add_api_token, check_api_token
from publisher.editors.calls import Answered, Call
from publisher.editors.model import Scope
from publisher.errors import ConflictError, NotFoundError
from publisher.events import store as events
from publisher.events.flow import apply_due, receive
from publisher.events.history import erase, history, own_data
from publisher.events.model import DeliveryEvent, EventKind, Provider
from tests.dispatch.test_send import judged, over, plan, report_of, send
from tests.newsroom import Room, open_room

ADDRESS = "Jo.Doe@readers.example"
NAME = "Joanna Doe"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


def join(room: Room, address: str = ADDRESS) -> None:
    yes = audience.Yes(how=How.FORM, origin="203.0.113.9", wording="Yes, send me The Weekly.")
    person = {"email": address, "name": NAME, "language": "en", "time_zone": "Europe/Paris"}
    audience.add_subscriber(room.database, lists=["readers"], yes=yes, clock=room.clock, **person)


def reader(room: Room, address: str = ADDRESS) -> Subscriber:
    with room.database.reading() as connection:
        found = store.subscriber_with_email(connection, address)
    assert found
    return found


def live_through_everything(room: Room) -> Subscriber:
    """Give a reader a past: a mail, what a server said of it, clicks, topics, letters, a suppression."""
    room.readers(5)
    join(room)
    joanna = reader(room)
    issue_id = room.approved_issue()
    plan(room)
    with judged(room) as sink:
        send(room, over(sink.server))
    with room.database.transaction() as connection:
        (mine,) = store.subscriptions_of(connection, [joanna.id])[joanna.id]
        said = sa.update(delivery).where(delivery.c.subscription_id == mine.id)
        connection.execute(said.values(reason=f"550 5.1.1 <{ADDRESS}>: unknown"))
        (seq,) = connection.scalars(sa.select(delivery.c.seq).where(delivery.c.subscription_id == mine.id))
        connection.execute(sa.insert(subscriber_topic).values(subscriber_id=joanna.id, topic="culture"))
        asked = {"subscription_id": mine.id, "asked_at": room.clock(), "state": "sent", "attempts": 1}
        connection.execute(sa.insert(notice).values(**asked, reason=f"to {ADDRESS}"))
        told = [
            DeliveryEvent(
                provider=Provider.SENDGRID,
                event_id=str(kind),
                kind=kind,
                issue_id=issue_id,
                seq=seq,
                at=room.clock(),
                address=ADDRESS,
                reason=f"about {ADDRESS}",
                raw=json.dumps({"email": ADDRESS, "name": NAME}),
            )
            for kind in (EventKind.DELIVERED, EventKind.BOUNCED)
        ]
        events.add(connection, told[:1], now=room.clock())
    apply_due(room.database, clock=room.clock)
    with room.database.transaction() as connection:
        events.add(connection, told[1:], now=room.clock())
    reason = SuppressionReason.BOUNCED
    audience.suppress(room.database, ADDRESS, reason=reason, detail=f"<{ADDRESS}> unknown", clock=room.clock)
    return joanna


def forget(room: Room, subscriber_id: SubscriberId, *, never_again: bool) -> None:
    outbox = outbox_in(room.settings.data_dir)
    erase(room.database, outbox, subscriber_id, never_again=never_again, clock=room.clock)


def traces(database: Database, *words: str) -> dict[str, list[object]]:
    """Return every row of every table in which one of these words stands, in whatever form."""
    found: dict[str, list[object]] = {}
    with database.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                told = " ".join(
                    bytes(value).decode("utf-8", "replace") if isinstance(value, bytes | memoryview) else str(value)
                    for value in row
                ).lower()
                if any(word.lower() in told for word in words):
                    found.setdefault(table.name, []).append(tuple(row))
    return found


def test_all_that_happened_with_a_reader_is_told(room: Room) -> None:
    joanna = live_through_everything(room)

    with room.database.reading() as connection:
        found = history(connection, joanna, issues=10)
        data = own_data(connection, joanna)

    assert [each.state for each in found.deliveries] == [DeliveryState.SENT]
    assert [each.kind for each in found.events] == [EventKind.DELIVERED]
    assert (data["email"], data["topics"], data["time_zone"]) == (joanna.email, ["culture"], "Europe/Paris")
    assert data["consents"][0]["wording"] == "Yes, send me The Weekly."
    assert data["mails"][0]["subject"]
    assert data["not_mailed"]["reason"] == "bounced"
    assert json.dumps(data, default=str)


def test_an_erased_reader_stands_nowhere_any_more(room: Room) -> None:
    joanna = live_through_everything(room)
    assert {"subscriber", "delivery", "delivery_event", "notice"} <= traces(room.database, ADDRESS).keys()

    forget(room, joanna.id, never_again=False)

    assert traces(room.database, ADDRESS, NAME, "203.0.113", "unknown") == {}
    with pytest.raises(NotFoundError):
        forget(room, joanna.id, never_again=False)
    with room.database.reading() as connection:
        assert store.subscribers(connection, at_most=9, beginning="erased") == []
        assert store.subscriber_with_id(connection, joanna.id) is None


def test_mails_to_an_erased_reader_leave_the_outbox(room: Room) -> None:
    join(room)
    join(room, f"x{ADDRESS}")
    room.approved_issue()
    plan(room)
    outbox = outbox_in(room.settings.data_dir)
    send(room, outbox)

    forget(room, reader(room).id, never_again=False)

    assert [ADDRESS in mail.address for mail in outbox.list_newest(9)] == [True]
    assert f"x{ADDRESS}" in outbox.list_newest(9)[0].address


def test_what_is_counted_stays(room: Room) -> None:
    joanna = live_through_everything(room)
    with room.database.reading() as connection:
        (mine,) = history(connection, joanna, issues=9).deliveries
    before = report_of(room, mine.issue_id).counts

    forget(room, joanna.id, never_again=False)

    assert report_of(room, mine.issue_id).counts == before


def reason_of(room: Room, address: str = ADDRESS) -> SuppressionReason | None:
    with room.database.reading() as connection:
        found = store.suppressions(connection, [address]).get(address.lower())
    return found.reason if found else None


def imported(room: Room) -> int:
    """Bring the reader back with a file; return how many of its people are suppressed."""
    file = io.BytesIO(f"email,name\nnew@readers.example,New\n{ADDRESS.upper()},{NAME}\n".encode())
    how, words = How.IMPORT, "Yes."
    report = import_csv(
        room.database, file, mailing_list="readers", confirmed=True, how=how, clock=room.clock, wording=words
    )
    return report.suppressed


@pytest.mark.parametrize("comes_back", [join, imported])
def test_a_reader_who_is_never_to_be_mailed_again_is_known_by_nothing_else(
    room: Room, comes_back: Callable[[Room], object]
) -> None:
    join(room)

    forget(room, reader(room).id, never_again=True)

    assert traces(room.database, ADDRESS, NAME) == {}
    with room.database.reading() as connection:
        assert store.suppressed(connection, at_most=9) == []
    assert comes_back(room) in {None, 1}
    assert reason_of(room) is SuppressionReason.ASKED
    issue_id = room.approved_issue()
    plan(room)
    assert report_of(room, issue_id).counts[DeliveryState.SKIPPED] == 1


def test_an_erased_reader_who_says_yes_once_more_is_a_reader_again(room: Room) -> None:
    join(room)
    forget(room, reader(room).id, never_again=True)
    signer = Signer(room.settings.secret_key)

    audience.ask_to_subscribe(room.database, email=ADDRESS, lists=["readers"], clock=room.clock)
    with room.database.reading() as connection:
        joanna = store.subscriber_with_email(connection, ADDRESS)
        assert joanna
        (mine,) = store.subscriptions_of(connection, [joanna.id])[joanna.id]
        assert len(store.confirmations_due(connection, at_most=9)) == 1
    audience.confirm(room.database, signer, signer.sign(Purpose.CONFIRM, mine.id), clock=room.clock)

    assert reason_of(room) is None
    assert "suppression" not in traces(room.database, "erased")


def test_a_dead_address_is_not_mailed_again_whoever_brings_it(room: Room) -> None:
    joanna = live_through_everything(room)
    forget(room, joanna.id, never_again=False)

    join(room)

    assert reason_of(room) is SuppressionReason.BOUNCED


def test_who_knows_an_erased_address_may_lift_what_keeps_it_from_mail(room: Room) -> None:
    join(room)
    forget(room, reader(room).id, never_again=True)

    assert audience.lift_suppression(room.database, ADDRESS)
    assert not audience.lift_suppression(room.database, ADDRESS)

    join(room)
    assert reason_of(room) is None


def test_a_hash_tells_nobody_without_the_key() -> None:
    """Else a copy of the database would do to try addresses out."""
    ours, theirs = (Database("sqlite://", secret_key=key) for key in ("ours", "theirs"))

    assert ours.fingerprint(ADDRESS) == ours.fingerprint(ADDRESS) != theirs.fingerprint(ADDRESS)


def test_erased_without_a_note_the_reader_is_a_stranger(room: Room) -> None:
    join(room)
    first = reader(room)
    audience.suppress(room.database, ADDRESS, reason=SuppressionReason.ASKED, clock=room.clock)

    forget(room, first.id, never_again=False)

    assert traces(room.database, ADDRESS) == {}
    join(room)
    assert reader(room).id > first.id, "the old number stays taken, and the links that name it"


def test_a_send_that_is_under_way_passes_an_erased_reader_over(room: Room) -> None:
    readers = room.readers(5)
    join(room)
    issue_id = room.approved_issue()
    plan(room)

    forget(room, reader(room).id, never_again=False)
    with judged(room) as sink:
        send(room, over(sink.server))
        assert sorted(sink.recipients()) == sorted(readers)

    found = report_of(room, issue_id)
    assert (found.state, found.counts[DeliveryState.SKIPPED]) == ("sent", 1)


def test_old_links_of_an_erased_reader_begin_nothing(room: Room) -> None:
    join(room)
    joanna = reader(room)
    with room.database.reading() as connection:
        (mine,) = store.subscriptions_of(connection, [joanna.id])[joanna.id]
    forget(room, joanna.id, never_again=False)
    signer = Signer(room.settings.secret_key)

    with pytest.raises(ConflictError):
        audience.confirm(room.database, signer, signer.sign(Purpose.CONFIRM, mine.id), clock=room.clock)
    with pytest.raises(NotFoundError):
        audience.set_preferences(
            room.database, joanna.id, lists=["readers"], yes=audience.Yes(how=How.FORM), clock=room.clock
        )
    with room.database.reading() as connection:
        state = connection.scalar(sa.select(subscription.c.state).where(subscription.c.id == mine.id))
    assert state == SubscriptionState.UNSUBSCRIBED


def his_delivery(room: Room, joanna: Subscriber) -> tuple[IssueId, int]:
    with room.database.reading() as connection:
        (mine,) = history(connection, joanna, issues=9).deliveries
    return mine.issue_id, mine.seq


def a_report(place: tuple[IssueId, int], room: Room, **values: Any) -> DeliveryEvent:
    """A mail that came back to our return path: whose it is says the signature; the address stands in the text."""
    usual: dict[str, Any] = {
        "provider": Provider.MAILBOX,
        "event_id": "returned",
        "kind": EventKind.BOUNCED,
        "issue_id": place[0],
        "seq": place[1],
        "at": room.clock(),
        "status": "5.1.1",
        "is_dead": True,
        "reason": "unknown",
        "raw": f"Final-Recipient: rfc822; {ADDRESS}",
    }
    return DeliveryEvent(**usual | values)


def test_a_report_that_waits_is_forgotten_with_its_reader(room: Room) -> None:
    joanna = live_through_everything(room)
    receive(room.database, [a_report(his_delivery(room, joanna), room)], clock=room.clock)

    forget(room, joanna.id, never_again=False)

    assert "delivery_event" not in traces(room.database, ADDRESS)


@pytest.mark.parametrize("kind", [EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.DELIVERED])
def test_what_comes_back_to_an_erased_reader_names_nobody(room: Room, kind: EventKind) -> None:
    """Mail servers report for days; what they say then is about nobody we know."""
    join(room)
    issue_id = room.approved_issue()
    plan(room)
    joanna, place = reader(room), (issue_id, 1)
    with judged(room) as sink:
        send(room, over(sink.server))
    forget(room, joanna.id, never_again=False)

    late = [
        a_report(place, room, kind=kind),
        a_report(place, room, kind=kind, provider=Provider.SENDGRID, address=ADDRESS),
    ]
    receive(room.database, late, clock=room.clock)
    apply_due(room.database, clock=room.clock)

    assert traces(room.database, ADDRESS, "erased:", NAME).keys() <= {"subscriber"}
    assert traces(room.database, ADDRESS) == {}
    with room.database.reading() as connection:
        assert store.suppressed(connection, at_most=9) == []


def test_an_answer_that_was_on_the_wire_brings_no_erased_address_back(room: Room) -> None:
    """The server says that the address is dead after its reader has been erased."""
    join(room)
    room.approved_issue()
    plan(room)
    joanna = reader(room)

    class ErasedMeanwhile:
        name = "late"

        def open(self) -> None: ...

        def close(self) -> None: ...

        def send_all(self, _message: object, envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
            forget(room, joanna.id, never_again=False)
            return [Refused(code=550, enhanced="5.1.1", reason="unknown") for _ in envelopes]

        def send_one(self, _sender: str, _address: str, _raw: bytes) -> Outcome:
            raise AssertionError

    send(room, ErasedMeanwhile())

    assert traces(room.database, ADDRESS) == {}


def test_answers_that_are_kept_for_programs_forget_an_erased_reader_too(room: Room) -> None:
    """An answer to a request with an Idempotency-Key is kept for a day; who asks again then is told that it is gone."""
    join(room)
    token = add_api_token(room.database, name="CRM", scopes={Scope.SUBSCRIBERS}, clock=room.clock)
    found = check_api_token(room.database, token, clock=room.clock)
    assert found
    calls_made = [Call(token_id=found.id, key=key, request_hash="0") for key in ("his", "another's")]
    for call, address in zip(calls_made, (ADDRESS, "kim@readers.example"), strict=True):
        calls.begin(room.database, call, clock=room.clock)
        body = json.dumps({"email": address}).encode()
        calls.answer(room.database, call, Answered(status=201, headers={}, body=body))

    forget(room, reader(room).id, never_again=False)

    assert traces(room.database, ADDRESS) == {}
    his, other = (calls.begin(room.database, each, clock=room.clock) for each in calls_made)
    assert isinstance(his, Answered)
    assert (his.status, b"kim@" in getattr(other, "body", b"")) == (410, True)


# --- deliveries without an index


@given(st.sets(st.integers(1, 2_000), min_size=1, max_size=60), st.integers(1, 2_000))
def test_a_reader_is_found_among_deliveries_wherever_he_stands(ids: set[int], wanted: int) -> None:
    ordered = sorted(ids)

    found = place_of(wanted, lambda seq: ordered[seq - 1], len(ordered))

    assert found == (ordered.index(wanted) + 1 if wanted in ids else None)


def test_a_million_deliveries_take_a_few_looks() -> None:
    looks = list[int]()

    def at(seq: int) -> int:
        looks.append(seq)
        return 5 * seq + seq // 1_000

    assert place_of(at(777_777), at, 1_000_000) == 777_777
    assert len(looks) < 20


def test_deliveries_are_told_newest_first_and_as_many_as_asked_for(room: Room) -> None:
    room.readers(3)
    join(room)
    ids = [room.approved_issue() for _ in range(3)]
    plan(room)

    with room.database.reading() as connection:
        mine = store.subscriptions_of(connection, [reader(room).id])[reader(room).id]
        found = deliveries_of(connection, mine, at_most=2)

    assert [each.issue_id for each in found] == ids[:0:-1]
    assert {each.seq for each in found} == {4}
