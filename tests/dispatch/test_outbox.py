import mailbox
import os
from pathlib import Path

import pytest

from publisher.compose.slots import Slot
from publisher.dispatch.model import Sent, Untried
from publisher.dispatch.transports.outbox import OutboxTransport
from publisher.errors import NotFoundError
from tests.dispatch.mail import a_letter, an_envelope, reader_values

LETTER = a_letter()


@pytest.fixture
def outbox(tmp_path: Path) -> OutboxTransport:
    return OutboxTransport(tmp_path / "outbox")


def test_every_mail_lands_in_the_outbox_as_the_reader_would_have_got_it(outbox: OutboxTransport) -> None:
    envelopes = [an_envelope(seq) for seq in range(1, 6)]

    outcomes = outbox.send_all(LETTER, envelopes)

    assert all(isinstance(outcome, Sent) for outcome in outcomes)
    found = {outbox.read(mail.name) for mail in outbox.list_newest(10)}
    assert found == {LETTER.splice(envelope.values) for envelope in envelopes}


def test_a_second_copy_takes_the_place_of_the_first(outbox: OutboxTransport) -> None:
    """A mail that is sent again after a crash has the same Message-ID."""
    later = reader_values(1, {Slot.DATE: "Tue, 02 Jun 2026 09:00:00 +0000"})

    outbox.send_all(LETTER, [an_envelope(1)])
    outbox.send_all(LETTER, [an_envelope(1, values=later)])

    [mail] = outbox.list_newest(10)
    assert outbox.read(mail.name) == LETTER.splice(later)


def test_a_single_mail_is_written_too_with_a_message_id_or_without(outbox: OutboxTransport) -> None:
    outbox.send_one("", "a@x.example", b"Subject: one\r\n\r\nx\r\n")
    outbox.send_one("", "a@x.example", b"Subject: one\r\nMessage-ID:\r\n <1@x.example>\r\n\r\nx\r\n")
    outbox.send_one("", "a@x.example", b"Subject: two\r\nmessage-id: <1@x.example>\r\n\r\nx\r\n")

    assert sorted(mail.subject for mail in outbox.list_newest(10)) == ["one", "two"]


def test_the_newest_mails_come_first_page_by_page(outbox: OutboxTransport, tmp_path: Path) -> None:
    outbox.send_all(LETTER, [an_envelope(seq) for seq in range(1, 8)])
    for at, path in enumerate(sorted((tmp_path / "outbox" / "new").iterdir())):
        os.utime(path, (1_700_000_000 + at, 1_700_000_000 + at))

    everything = outbox.list_newest(10)
    first = outbox.list_newest(3)
    second = outbox.list_newest(3, before=first[-1].name)
    third = outbox.list_newest(3, before=second[-1].name)

    assert [*first, *second, *third] == everything
    assert [mail.written_at for mail in everything] == sorted((mail.written_at for mail in everything), reverse=True)
    assert len(third) == 1
    assert outbox.list_newest(3, before=third[-1].name) == []


def test_a_list_shows_whom_a_mail_is_for_and_what_it_is_about(outbox: OutboxTransport) -> None:
    letter = a_letter(subject="안녕하세요, the news")
    outbox.send_all(letter, [an_envelope(1)])

    [mail] = outbox.list_newest(1)

    assert (mail.subject, mail.address) == ("안녕하세요, the news", "Minji Kim <reader1@mail.example>")
    assert mail.size_bytes == len(outbox.read(mail.name))
    assert mail.written_at.tzinfo is not None


def test_an_empty_or_missing_outbox_has_no_mails(outbox: OutboxTransport) -> None:
    assert outbox.list_newest(10) == []
    outbox.open()
    assert outbox.list_newest(10) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 40 + ".eml", "0" * 40 + ".eml\n", "new/x"])
def test_a_name_that_is_no_mail_of_ours_is_not_read(outbox: OutboxTransport, name: str) -> None:
    outbox.send_all(LETTER, [an_envelope(1)])

    with pytest.raises(NotFoundError):
        outbox.read(name)
    assert outbox.list_newest(5, before=name) == []


def test_another_program_can_read_the_outbox(outbox: OutboxTransport, tmp_path: Path) -> None:
    outbox.send_all(LETTER, [an_envelope(seq) for seq in (1, 2)])

    box = mailbox.Maildir(tmp_path / "outbox", create=False)

    assert sorted(mail["To"] for mail in box) == [
        "Minji Kim <reader1@mail.example>",
        "Minji Kim <reader2@mail.example>",
    ]


def test_nothing_half_written_is_ever_shown(outbox: OutboxTransport, tmp_path: Path) -> None:
    outbox.send_all(LETTER, [an_envelope(1)])

    assert list((tmp_path / "outbox" / "tmp").iterdir()) == []


def test_an_outbox_that_cannot_be_written_has_tried_nobody(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")
    outbox = OutboxTransport(tmp_path / "outbox")

    outcomes = outbox.send_all(LETTER, [an_envelope(1), an_envelope(2)])

    assert [type(outcome) for outcome in outcomes] == [Untried, Untried]


def test_an_envelope_without_a_value_is_noticed_before_anything_is_written(outbox: OutboxTransport) -> None:
    with pytest.raises(ValueError, match="lacks a value"):
        outbox.send_all(LETTER, [an_envelope(1), an_envelope(2, values={})])

    assert outbox.list_newest(10) == []
