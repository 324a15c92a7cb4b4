"""What must be true of every mail that a full run writes: form, links, pictures, and what a spam filter says."""

import http.client
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

import html5lib
import pytest

from tests.service import Service
from tests.whole.mails import READERS, SITE, Mail, every_mail

SPAM_AT_MOST = 1.5
"""SpamAssassin calls 5 spam."""
HTML_AT_MOST_BYTES = 102_000
"""Where Gmail cuts a mail off."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, list[Mail]]]:
    with every_mail(tmp_path_factory.mktemp("mails") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def mails(run: tuple[Service, list[Mail]]) -> list[Mail]:
    return run[1]


def parsed(mail: Mail) -> Element:
    """The mail as a browser reads it; any parse error fails."""
    document = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(mail.html)
    assert isinstance(document, Element)
    return document


def links(mail: Mail) -> set[str]:
    found = [each.get("href", "") for each in parsed(mail).iter("a")]
    return {*found, *re.findall(r"https?://\S+", mail.text)}


def test_a_run_writes_every_kind_of_mail_in_both_languages(mails: list[Mail]) -> None:
    languages = [str(parsed(mail).get("lang")) for mail in mails if mail.is_issue]

    assert sorted(languages) == ["en"] * 3 + ["ko"] * 3
    assert sum(not mail.is_issue for mail in mails) == 2


def test_headers_are_what_receivers_of_bulk_mail_ask_for(mails: list[Mail]) -> None:
    for mail in mails:
        message = mail.message
        assert not message.defects, mail.name
        for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
            assert len(message.get_all(name, [])) == 1, f"{mail.name}: {name}"
        assert parsedate_to_datetime(message["Date"]).tzinfo is not None
        assert re.fullmatch(r"<[^<>\s]+@letter\.example\.org>", message["Message-ID"])
        for name in ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Precedence"):
            assert (name in message) is mail.is_issue, f"{mail.name}: {name}"
        assert ("Auto-Submitted" in message) is not mail.is_issue
        assert not {"Bcc", "Cc"} & set(message)
        if mail.is_issue:
            assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert re.fullmatch(rf"<{SITE}/unsubscribe/[^<>\s]+>", message["List-Unsubscribe"].strip())
            assert re.fullmatch(r"[^<]*<[a-z]+\.letter\.example\.org>", message["List-Id"])


def test_every_line_is_short_plain_ascii(mails: list[Mail]) -> None:
    for mail in mails:
        assert mail.raw.isascii(), mail.name
        head, _, body = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")
        assert max(map(len, head.split(b"\n"))) <= 998, mail.name
        assert max(map(len, body.split(b"\n"))) <= 78, mail.name


def test_text_comes_before_html_and_neither_shows_a_slot(mails: list[Mail]) -> None:
    for mail in mails:
        kinds = [part.get_content_type() for part in mail.message.iter_parts()]
        assert kinds == ["text/plain", "text/html"], mail.name
        for part in (mail.message["Subject"], mail.text, mail.html):
            assert "x-slot" not in part, mail.name
            assert "{{" not in part, mail.name
        assert len(mail.html.encode()) < HTML_AT_MOST_BYTES, mail.name


def test_who_has_a_name_is_called_by_it(mails: list[Mail]) -> None:
    names = {address: name for address, name, _ in READERS}
    for mail in mails:
        name = names.get(str(mail.message["To"]))
        assert name is None or name in mail.text


def test_every_link_leads_somewhere(run: tuple[Service, list[Mail]]) -> None:
    service, mails = run
    wanted = {link.rstrip(").,") for mail in mails for link in links(mail) if not link.startswith(("mailto:", "#"))}

    assert all(link.startswith("https://") for link in wanted), "absolute, and over TLS"
    ours = sorted({link.removeprefix(SITE).partition("#")[0] for link in wanted if link.startswith(f"{SITE}/")})
    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip(ours, pool.map(lambda path: service.status(_where(service, path)), ours), strict=True))
    assert len(ours) > 40
    assert {path: status for path, status in answers.items() if status != 200} == {}


def _where(service: Service, path: str) -> str:
    """The path that a tracked link leads on to, for it names the site by the address that nobody answers here."""
    if not path.startswith("/l/"):
        return path
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request("GET", path)
    target = connection.getresponse().getheader("Location") or path
    connection.close()
    return target.removeprefix(SITE).partition("#")[0] if target.startswith(SITE) else "/"


def test_preferences_are_those_of_the_reader_whom_the_mail_is_to(run: tuple[Service, list[Mail]]) -> None:
    service, mails = run
    for mail in mails:
        paths = set(re.findall(rf"{SITE}(/preferences/[\w-]+)", mail.text + mail.html))
        address = mail.message["To"].addresses[0].addr_spec
        assert bool(paths) is not mail.name.startswith("Please confirm"), mail.name
        for path in paths:
            with urllib.request.urlopen(f"{service.base_url}{path}", timeout=10) as answer:
                assert f"For {address}" in answer.read().decode(), mail.name


def test_every_picture_is_there_and_says_what_it_shows(run: tuple[Service, list[Mail]]) -> None:
    service, mails = run
    pictures = {each.get("src", ""): each.get("alt") for mail in mails for each in parsed(mail).iter("img")}

    assert len(pictures) > 3
    for source, alt in pictures.items():
        assert alt is not None, source
        assert source.startswith(f"{SITE}/"), source
        assert service.status(source.removeprefix(SITE)) == 200, source


def test_a_spam_filter_has_nothing_to_say(mails: list[Mail]) -> None:
    if shutil.which("spamassassin") is None:
        pytest.skip("spamassassin is not installed, so no mail was shown to a spam filter")
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(_spam_report, mails))

    scores = {mail.name: _score(report) for mail, report in zip(mails, reports, strict=True)}
    told = [report for report in reports if _score(report) >= SPAM_AT_MOST]
    print(scores)
    assert max(scores.values()) < SPAM_AT_MOST, told


def _spam_report(mail: Mail) -> str:
    """What SpamAssassin says by its own rules: it asks nobody and learns nothing."""
    command = ("spamassassin", "--local", "--test-mode", "--cf=use_bayes 0")
    done = subprocess.run(command, input=mail.raw, capture_output=True, timeout=60, check=True)
    return done.stdout.decode(errors="replace")


def _score(report: str) -> float:
    [found] = re.findall(r"X-Spam-Status: \w+, score=(-?[\d.]+)", report)
    return float(found)
