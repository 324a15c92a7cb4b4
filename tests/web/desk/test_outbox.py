from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from publisher.dispatch.transports.choose import outbox_in
from publisher.wiring import Newsroom
from tests.web.desk.visits import HOSTILE, Visit, must_be_harmless, notes
from tests.web.pages import elements, words


def write(
    room: Newsroom,
    *,
    number: int = 1,
    html: str = "<html><head></head><body><p>Hello</p></body></html>",
    **headers: str,
) -> str:
    """Put a mail into the outbox; return its name there."""
    mail = EmailMessage(policy=SMTP)
    usual = {"From": "news@news.example", "To": "reader@readers.example", "Subject": f"Mail {number}"}
    for name, value in (usual | {"Message-ID": f"<{number}@news.example>"} | headers).items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Hello in text")
    if html:
        mail.add_alternative(html, subtype="html")
    outbox = outbox_in(room.settings.data_dir)
    outbox.send_one("news@news.example", "reader@readers.example", mail.as_bytes())
    return outbox.list_newest(1)[0].name


def test_a_mail_is_shown_with_headers_text_and_html(visit: Visit) -> None:
    name = write(visit.room, Subject="Guten Tag, 안녕하세요", List_Id="<weekly.news.example>")

    html = visit.get(f"/desk/outbox/{name}").text

    assert words(elements(html, "h1")[0]) == "Guten Tag, 안녕하세요"
    shown = {words(row[0]): words(row[1]) for row in (list(each) for each in elements(html, "tr"))}
    assert shown["To"] == "reader@readers.example"
    assert shown["List-Id"] == "<weekly.news.example>"
    assert words(elements(html, "pre")[0]) == "Hello in text"
    assert {each.get("src") for each in elements(html, "iframe")} == {f"/desk/outbox/{name}/html"}
    assert "<p>Hello</p>" in visit.get(f"/desk/outbox/{name}/html").text


def test_a_mail_comes_out_byte_for_byte(visit: Visit) -> None:
    name = write(visit.room)

    answer = visit.get(f"/desk/outbox/{name}/raw")

    assert answer.content == outbox_in(visit.room.settings.data_dir).read(name)
    assert answer.headers["Content-Type"] == "message/rfc822"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_mail_without_html_has_no_frame(visit: Visit) -> None:
    name = write(visit.room, html="")

    assert not elements(visit.get(f"/desk/outbox/{name}").text, "iframe")
    assert visit.get(f"/desk/outbox/{name}/html").status_code == 404


def test_mails_are_listed_newest_first_page_by_page(visit: Visit) -> None:
    for number in range(90):
        write(visit.room, number=number)

    path, seen = "/desk/outbox", list[str]()
    while path:
        html = visit.get(path).text
        seen += [words(each) for each in elements(html, "th", scope="row")]
        onward = elements(html, "a", rel="next")
        path = onward[0].get("href", "") if onward else ""

    assert seen == [f"Mail {number}" for number in reversed(range(90))]


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fsecret_key",
        "%2e%2e/%2e%2e/secret_key",
        "..%5c..%5csecret_key",
        "%2Fetc%2Fpasswd",
        "secret_key",
        f"{'0' * 40}.eml%00",
        f"..%2fcur%2f{'0' * 40}.eml",
        f"{'0' * 40}.eml",
    ],
)
def test_nothing_but_mails_comes_out_of_the_outbox(visit: Visit, name: str) -> None:
    secret = Path(visit.room.settings.data_dir / "secret_key").read_text(encoding="utf-8")

    for path in (f"/desk/outbox/{name}", f"/desk/outbox/{name}/raw", f"/desk/outbox/{name}/html"):
        answer = visit.get(path)
        assert answer.status_code == 404
        assert secret not in answer.text
    assert visit.get(f"/desk/outbox?before={name}").status_code == 200


def test_no_header_of_a_mail_becomes_a_part_of_the_page(visit: Visit) -> None:
    """A subscriber chooses her own name, and sees to it that it stands in the To of her mail."""
    name = write(
        visit.room, Subject=HOSTILE, To='"<script>alert(1)</script>" <reader@readers.example>', List_Id=HOSTILE
    )

    for path in ("/desk/outbox", f"/desk/outbox/{name}"):
        html = visit.get(path).text
        must_be_harmless(html)
        assert "alert(1)" in html


def test_the_html_of_a_mail_can_do_nothing(visit: Visit) -> None:
    name = write(visit.room, html="<html><head></head><body><script>alert(1)</script></body></html>")

    policy = visit.get(f"/desk/outbox/{name}/html").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    assert "script" not in policy


@pytest.mark.parametrize("subject", ["", "=?utf-8?q?=ff?=", "=?nonsense?b?%?=", "a" * 5_000])
def test_a_mail_with_an_odd_subject_is_shown_all_the_same(visit: Visit, subject: str) -> None:
    raw = f"Message-ID: <odd@news.example>\r\nSubject: {subject}\r\nTo: <<>>,,@\r\n\r\nText".encode()
    outbox = outbox_in(visit.room.settings.data_dir)
    outbox.send_one("", "", raw)

    assert visit.get("/desk/outbox").status_code == 200
    assert visit.get(f"/desk/outbox/{outbox.list_newest(1)[0].name}").status_code == 200


def test_an_empty_outbox_says_so(visit: Visit) -> None:
    html = visit.get("/desk/outbox").text

    assert "Nothing has been sent yet." in html
    assert not notes(html)
