"""Letters to one reader: the one that asks for the yes, and the one that follows it."""

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience import flow as audience
from publisher.audience.model import How, SuppressionReason
from publisher.audience.tokens import Signer
from publisher.dispatch.notices import notify_due, pending
from publisher.dispatch.tables import notice
from publisher.dispatch.transports.choose import outbox_in, transport_for
from publisher.dispatch.transports.transport import Transport
from tests.audience.clocks import SetClock
from tests.newsroom import Room, open_room

ANNA = "anna@readers.example"


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url, clock=clock) as found:
        yield found


def notify(room: Room, transport: Transport | None = None) -> int:
    outbox = transport or outbox_in(room.settings.data_dir)
    outbox.open()
    return notify_due(room.database, outbox, Signer(room.settings.secret_key), room.settings, clock=room.clock)


def letters(room: Room) -> list[EmailMessage]:
    paths = sorted((room.settings.data_dir / "outbox" / "new").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
    found = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in paths]
    return [each for each in found if isinstance(each, EmailMessage)]


def texts(room: Room) -> list[str]:
    return [str(part.get_content()) for each in letters(room) if (part := each.get_body(("plain",)))]


def ask(room: Room, address: str = ANNA, **details: str) -> None:
    audience.ask_to_subscribe(room.database, email=address, lists=["readers"], clock=room.clock, **details)


def say_yes(room: Room) -> None:
    [token] = re.findall(r"/confirm/(\S+)", texts(room)[0])
    audience.confirm(room.database, Signer(room.settings.secret_key), token, clock=room.clock)


def test_who_asks_is_asked_for_the_yes_once(room: Room) -> None:
    ask(room, name="Anna")

    assert [notify(room), notify(room)] == [1, 0]

    [letter] = letters(room)
    assert (letter["To"], letter["Subject"]) == (f"Anna <{ANNA}>", "Please confirm: Readers")
    assert (letter["Auto-Submitted"], letter["List-Unsubscribe"]) == ("auto-generated", None)


def test_who_asked_days_before_the_first_look_is_asked_all_the_same(room: Room, clock: SetClock) -> None:
    ask(room)
    clock.pass_by(timedelta(days=3))

    assert notify(room) == 1


def test_who_says_yes_is_welcomed_once_and_told_what_comes_and_how_to_leave(room: Room, clock: SetClock) -> None:
    ask(room, name="Anna & Co.")
    notify(room)
    clock.pass_by(timedelta(minutes=3))
    say_yes(room)
    say_yes(room)

    assert [notify(room), notify(room)] == [1, 0]
    clock.pass_by(timedelta(minutes=3))
    assert notify(room) == 0

    _, letter = letters(room)
    _, text = texts(room)
    assert letter["Subject"] == "Welcome to Readers"
    assert "Hello, Anna & Co." in text
    assert "The Weekly" in text
    assert "x-slot" not in text
    [token] = re.findall(r"/unsubscribe/(\S+)", text)
    ended = audience.unsubscribe_by_link(room.database, Signer(room.settings.secret_key), token, clock=room.clock)
    assert ended is not None
    html = letter.get_body(("html",))
    assert html is not None
    assert "Anna &amp; Co." in html.get_content()


def test_a_welcome_speaks_the_readers_language(room: Room, clock: SetClock) -> None:
    ask(room, language="ko")
    notify(room)
    clock.pass_by(timedelta(minutes=1))
    say_yes(room)
    notify(room)

    html = letters(room)[1].get_body(("html",))
    assert html is not None
    assert 'lang="ko"' in html.get_content()
    assert "독자" in texts(room)[1]


def test_who_is_put_on_a_list_by_an_editor_is_not_welcomed(room: Room) -> None:
    room.reader(ANNA)
    yes = audience.Yes(how=How.API)
    audience.add_subscriber(room.database, email="bert@readers.example", lists=["readers"], yes=yes, clock=room.clock)

    assert notify(room) == 0


def test_who_left_or_is_suppressed_before_the_welcome_gets_none(room: Room, clock: SetClock) -> None:
    ask(room)
    notify(room)
    clock.pass_by(timedelta(minutes=1))
    say_yes(room)
    audience.suppress(room.database, ANNA, reason=SuppressionReason.BOUNCED, clock=room.clock)

    assert notify(room) == 0
    assert len(letters(room)) == 1


def test_a_letter_waits_for_a_server_that_is_away(room: Room, clock: SetClock) -> None:
    ask(room)

    notify(room, transport_for("smtp://127.0.0.1:1?connect_timeout=1", room.settings.data_dir))
    with room.database.reading() as connection:
        assert len(pending(connection)) == 1
    clock.pass_by(timedelta(minutes=1))
    assert notify(room) == 1

    assert len(letters(room)) == 1
    with room.database.reading() as connection:
        assert connection.scalars(sa.select(notice.c.state)).all() == ["sent"]
        assert pending(connection) == []


def test_a_yes_from_long_before_the_first_look_is_not_welcomed(room: Room, clock: SetClock) -> None:
    """An update of Publisher must not welcome those who have been reading for years."""
    ask(room)
    notify(room)
    clock.pass_by(timedelta(minutes=1))
    say_yes(room)
    clock.pass_by(timedelta(days=3))

    assert notify(room) == 0
