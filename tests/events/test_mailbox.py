"""What comes back by mail: whose it is, and what it says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from publisher.audience.model import SuppressionReason
from publisher.audience.store import suppressions
from publisher.audience.tables import subscription
from publisher.audience.tokens import Signer
from publisher.compose.model import IssueId
from publisher.dispatch import flow as dispatch
from publisher.dispatch.return_path import ReturnPaths
from publisher.dispatch.sending import send_due
from publisher.dispatch.transports.choose import transport_for
from publisher.errors import InputError
from publisher.events import flow, mailbox
from publisher.events.model import EventKind
from publisher.events.tables import delivery_event
from tests.dispatch.sink import Sink, Terms
from tests.events.reports import a_bounce, a_complaint, an_absence
from tests.newsroom import Room

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PATHS = ReturnPaths(Signer("k" * 64), "bounces@news.example")
MINE = PATHS.of(IssueId(1), 1)


@given(st.integers(1, 2**40), st.integers(1, 2**40))
def test_a_return_path_tells_its_delivery_and_survives_small_letters(issue_id: int, seq: int) -> None:
    path = PATHS.of(IssueId(issue_id), seq)

    assert PATHS.find(path) == PATHS.find(f"To: <{path.upper()}>") == (issue_id, seq)
    assert len(path.partition("@")[0]) <= 64, "RFC 5321, section 4.5.3.1.1"


def test_a_return_path_of_another_newsroom_is_not_ours() -> None:
    others = ReturnPaths(Signer("o" * 64), "bounces@news.example").of(IssueId(1), 1)

    assert PATHS.find(others) is None
    assert PATHS.find(MINE.replace("+1-1-", "+1-2-")) is None
    assert PATHS.find(f"{others}, {MINE}") == (1, 1)
    assert PATHS.find("bounces@news.example") is None


@pytest.mark.parametrize(
    ("values", "kind", "status", "is_dead"),
    [
        ({}, EventKind.BOUNCED, "5.1.1", True),
        ({"status": "5.2.2", "said": "smtp; 552 5.2.2 full"}, EventKind.BOUNCED, "5.2.2", False),
        ({"status": "5.0.0"}, EventKind.BOUNCED, "5.1.1", True),
        ({"status": "5.0.0 (undefined status)", "said": "smtp; 550 unknown"}, EventKind.BOUNCED, "5.0.0", False),
        ({"status": "4.4.7", "said": "x-local; expired"}, EventKind.BOUNCED, "4.4.7", False),
        ({"action": "delayed", "status": "4.4.1"}, EventKind.DEFERRED, "4.4.1", False),
        ({"action": "delayed", "status": "5.1.1"}, EventKind.DEFERRED, "5.1.1", False),
        ({"action": "Delivered", "status": "2.0.0", "said": ""}, EventKind.DELIVERED, "2.0.0", False),
        ({"action": "relayed", "status": "2.0.0", "said": ""}, EventKind.PROCESSED, "2.0.0", False),
    ],
)
def test_a_notification_is_understood(values: dict[str, str], kind: EventKind, status: str, *, is_dead: bool) -> None:
    (found,) = mailbox.read(a_bounce(MINE, **values), PATHS, now=NOW)

    assert (found.kind, found.status, found.is_dead) == (kind, status, is_dead)
    assert (found.issue_id, found.seq) == (1, 1)
    assert found.at == datetime(2026, 3, 3, 1, 0, tzinfo=UTC)
    assert "reader1@" not in found.reason


@pytest.mark.parametrize(
    ("feedback", "kinds"),
    [
        ("abuse", [EventKind.COMPLAINED]),
        ("Abuse", [EventKind.COMPLAINED]),
        ("opt-out", [EventKind.UNSUBSCRIBED]),
        ("not-spam", []),
        ("auth-failure", []),
    ],
)
def test_a_complaint_is_understood(feedback: str, kinds: list[EventKind]) -> None:
    found = mailbox.read(a_complaint(MINE, feedback=feedback), PATHS, now=NOW)

    assert [each.kind for each in found] == kinds


def test_what_a_mail_program_answers_by_itself_is_no_bounce() -> None:
    assert mailbox.read(an_absence(MINE), PATHS, now=NOW) == []


def test_a_bounce_that_nobody_signed_for_is_not_believed() -> None:
    """Anybody can write to our return address, and would like to see a reader gone."""
    assert mailbox.read(a_bounce("bounces+1-1-0123456789abcdef@news.example"), PATHS, now=NOW) == []


@given(st.binary(max_size=300), st.integers(0, 900))
def test_no_mail_however_broken_stops_us(rubbish: bytes, at: int) -> None:
    raw = a_bounce(MINE)

    for each in mailbox.read(raw[:at] + rubbish + raw[at:], PATHS, now=NOW):
        assert "\0" not in each.raw + each.reason + each.status


def test_a_bounce_and_a_complaint_have_their_consequences(room: Room, sent: Callable[[], int]) -> None:
    room.readers(2)
    issue_id = IssueId(sent())
    paths = ReturnPaths(
        room.dispatcher(transport_for("outbox:", room.settings.data_dir)).signer, "bounces@news.example"
    )
    mails = [a_bounce(paths.of(issue_id, 1)), a_complaint(paths.of(issue_id, 2)), an_absence(paths.of(issue_id, 1))]

    for _ in range(2):
        assert flow.ingest(room.database, mails, paths, clock=room.clock) == (3, 2)
        flow.apply_due(room.database, clock=room.clock)

    with room.database.reading() as connection:
        found = suppressions(connection, [f"reader{seq}@readers.example" for seq in (1, 2)])
        assert [found[key].reason for key in sorted(found)] == [SuppressionReason.BOUNCED, SuppressionReason.COMPLAINED]
        assert list(connection.scalars(sa.select(subscription.c.state).order_by(subscription.c.id))) == [
            "confirmed",
            "unsubscribed",
        ]
        assert connection.scalar(sa.select(sa.func.count()).select_from(delivery_event)) == 2


def test_every_reader_has_a_return_path_of_his_own(room: Room) -> None:
    room.readers(2)
    issue_id = room.approved_issue()
    dispatch.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    with Sink(Terms(keep=True)) as server:
        worker = room.dispatcher(transport_for(f"smtp://127.0.0.1:{server.port}?connections=1", Path("/nowhere")))
        send_due(worker)
        worker.transport.close()
        senders = [each for each in server.record.commands if each.startswith("MAIL")]

    paths = ReturnPaths(worker.signer, "bounces@news.example")
    assert [paths.find(each) for each in senders] == [(issue_id, 1), (issue_id, 2)]


def test_mails_are_found_in_a_maildir_and_in_a_file(tmp_path: Path) -> None:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "1.eml").write_bytes(part.encode())

    assert list(mailbox.mails_in(tmp_path)) == [b"new", b"cur"]
    assert list(mailbox.mails_in(tmp_path / "cur" / "1.eml")) == [b"cur"]
    with pytest.raises(InputError, match="neither a maildir nor a file"):
        list(mailbox.mails_in(tmp_path / "nowhere"))
