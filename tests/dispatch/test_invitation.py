"""The letter that invites somebody to the desk."""

from email import message_from_bytes, policy
from pathlib import Path

from publisher.clock import utc_now
from publisher.dispatch.invitation import send_invitation
from publisher.dispatch.transports.choose import outbox_in
from publisher.editors.model import Editor, EditorId, Role
from tests.builders import settings_in

LINK = "https://news.example/desk/sign-in/" + "x" * 43
BERT = Editor(
    id=EditorId(2), email="bert@desk.example", name="Bert", role=Role.EDITOR, created_at=utc_now(), disabled_at=None
)


def test_the_letter_carries_the_whole_link_to_who_is_invited(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, MAIL_URL="smtp://127.0.0.1:2525", MAIL_FROM="News <news@mail.example>")
    outbox = outbox_in(tmp_path)

    assert send_invitation(outbox, settings, BERT, LINK, clock=utc_now)

    (written,) = outbox.list_newest(2, None)
    mail = message_from_bytes(outbox.read(written.name), policy=policy.default)
    assert mail["To"] == "bert@desk.example"
    body = mail.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()


def test_the_letter_speaks_the_language_that_was_chosen(tmp_path: Path) -> None:
    """Who is invited in Seoul should not have to ask what the letter says."""
    settings = settings_in(tmp_path, MAIL_URL="smtp://127.0.0.1:2525", MAIL_FROM="News <news@mail.example>")
    outbox = outbox_in(tmp_path)

    assert send_invitation(outbox, settings, BERT, LINK, language="ko", clock=utc_now)

    mail = message_from_bytes(outbox.read(outbox.list_newest(2, None)[0].name), policy=policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "초대" in mail["Subject"]
    assert "역할: 편집자" in body.get_content()
    assert LINK in body.get_content()


def test_no_invitation_lies_in_the_outbox_where_every_editor_reads(tmp_path: Path) -> None:
    """The link may make a chief of whoever opens it."""
    outbox = outbox_in(tmp_path)

    assert not send_invitation(outbox, settings_in(tmp_path), BERT, LINK, clock=utc_now)

    assert outbox.list_newest(2, None) == []
