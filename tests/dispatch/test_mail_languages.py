"""One issue, several languages of what stands around its articles: who gets which, and what is kept of it."""

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher.audience import store as audience
from publisher.audience.tables import subscriber
from publisher.compose import store as compose
from publisher.compose.flow import preview
from publisher.compose.model import IssueId, Tracking
from publisher.compose.tables import edition
from publisher.dispatch import flow
from publisher.dispatch.sending import send_due
from publisher.dispatch.tables import tracked_link
from publisher.dispatch.transports.choose import outbox_in
from tests.newsroom import Room, open_room

SUBJECT = "Hello, {{ name }}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    with open_room(tmp_path, database_url=url) as found:
        yield found


def readers(room: Room, *tags: str) -> list[str]:
    """Put readers on the mailing list, each with a language tag and without a name, and return their addresses."""
    addresses = room.readers(len(tags))
    with room.database.transaction() as connection:
        for address, tag in zip(addresses, tags, strict=True):
            chosen = sa.update(subscriber).where(subscriber.c.email == address)
            connection.execute(chosen.values(language=tag, name=""))
    return addresses


def speak(room: Room, language: str, tracking: Tracking = Tracking.OFF) -> None:
    with room.database.transaction() as connection:
        connection.execute(sa.update(edition).values(language=language, tracking=tracking))


def sent(room: Room) -> dict[str, EmailMessage]:
    """Send what is due, and return each reader's mail."""
    transport = outbox_in(room.settings.data_dir)
    transport.open()
    flow.plan_due(room.database, room.settings, clock=room.clock, planned=lambda: None)
    send_due(room.dispatcher(transport))
    found = {}
    for path in (room.settings.data_dir / "outbox" / "new").iterdir():
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        found[str(message["To"])] = message
    return found


def language_of(message: EmailMessage) -> str:
    html = message.get_body(("html",))
    assert html is not None
    [language] = re.findall(r'<html[^>]* lang="([^"]+)"', html.get_content())
    return str(language)


def kept(room: Room, issue_id: IssueId) -> set[str]:
    with room.database.reading() as connection:
        return set(compose.translations_of(connection, [issue_id])[issue_id])


def test_each_reader_gets_the_language_chosen_and_who_chose_another_one_the_editions(room: Room) -> None:
    tags = ["en", "ko", "", "ko-KR", "fr", "en-GB", "ko"]
    addresses = readers(room, *tags)
    room.approved_issue(subject=SUBJECT)

    mails = sent(room)

    told = [language_of(mails[address]) for address in addresses]
    assert told == ["en", "ko", "en", "ko", "en", "en", "ko"]
    assert mails[addresses[1]]["Subject"] == "Hello, 독자"
    assert mails[addresses[4]]["Subject"] == "Hello, reader"
    text = mails[addresses[1]].get_body(("plain",))
    assert text is not None
    assert "구독" in text.get_content()
    assert "You get this because" not in text.get_content()


def test_a_korean_edition_speaks_korean_to_all_but_those_who_chose_english(room: Room) -> None:
    addresses = readers(room, "", "en", "fr")
    speak(room, "ko")
    issue_id = room.approved_issue()

    mails = sent(room)

    assert [language_of(mails[address]) for address in addresses] == ["ko", "en", "ko"]
    assert kept(room, issue_id) == {"en"}


def test_only_languages_that_somebody_has_chosen_are_made(room: Room) -> None:
    readers(room, "en", "", "fr")

    assert kept(room, room.approved_issue()) == set()


def test_a_letter_belongs_to_the_reader_however_the_languages_are_mixed(room: Room) -> None:
    """Letters of one load go out by language; each outcome must come back to whom it is about."""
    addresses = readers(room, *(("en", "ko")[number % 3 == 0] for number in range(1_200)))
    room.approved_issue()

    mails = sent(room)

    assert set(mails) == set(addresses)
    wrong = [each for number, each in enumerate(addresses) if (language_of(mails[each]) == "ko") != (number % 3 == 0)]
    assert wrong == []


def test_a_link_has_one_number_in_all_languages(room: Room) -> None:
    addresses = readers(room, "en", "ko")
    speak(room, "en", Tracking.TOTALS)
    room.approved_issue()

    mails = sent(room)

    with room.database.reading() as connection:
        urls = list(connection.scalars(sa.select(tracked_link.c.url)))
    assert len(urls) == len(set(urls)) > 1
    bodies = [mails[address].get_body(("html",)) for address in addresses]
    links = [set(re.findall(r'href="([^"]+/l/[^"]+)"', body.get_content())) for body in bodies if body]
    assert links[0] == links[1] != set()


def test_an_editor_looks_at_a_draft_in_any_language_and_at_an_issue_in_those_it_was_sent_in(room: Room) -> None:
    readers(room, "en")
    issue_id = room.approved_issue()

    assert preview(room.database, room.settings, issue_id, language="ko") == preview(
        room.database, room.settings, issue_id
    )


def test_the_languages_of_the_readers_are_told_apart(room: Room) -> None:
    readers(room, "en", "ko", "", "ko-KR", "en", "ko")

    with room.database.reading() as connection:
        assert audience.languages(connection) == {"en", "ko", "ko-KR"}


def test_where_nobody_reads_no_language_is_found(room: Room) -> None:
    with room.database.reading() as connection:
        assert audience.languages(connection) == set()
