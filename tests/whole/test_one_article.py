# ruff: noqa: E501 -- a paragraph of plain text is one line
"""One article in, every channel out: on the real thing, as a newcomer runs it."""

import email
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import feedparser
import pytest

from tests.service import PUBLISHER, Service, environment, running

ARTICLE = """The Bakery That Opens at Midnight: How a Seoul Alley Learned to Eat Late

A Loaf for the Night Shift
In an alley behind Namdaemun Market, a bakery turns on its lights when everybody else has gone home. Naver maps lists it as closed, and the line outside says otherwise.
Why It Matters

The customers are porters, nurses and taxi drivers. For them a warm 소금빵 at two in the morning is not a trend. It is dinner.
Cultural and Historical Context
Markets in Seoul have worked at night for generations. Wholesale buyers from the provinces arrived by bus after dark and left before dawn.
Foreign Fans’ Guide: What You Should Know
Bring cash, stand on the left, and do not ask for a table. The porters have the right of way.
Discover More

The Table That Fills Itself: A Short Guide to Banchan
Why the side dishes keep coming, and what it means to leave one untouched.

A Piece Nobody Has
It is not in the archive.
"""
TITLE = ARTICLE.partition("\n")[0]
SLUG = "the-bakery-that-opens-at-midnight-how-a-seoul-alley-learned-to-eat-late"


class Newsroom:
    """A running Publisher and what a person does with it."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder

    def publisher(self, *arguments: str) -> str:
        done = subprocess.run(
            (*PUBLISHER, *arguments),
            env=environment(PUBLISHER_DATA_DIR=str(self.folder)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.publisher(*arguments, "--json"))

    def read(self, path: str) -> str:
        with urllib.request.urlopen(self.service.base_url + path, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def mails(self) -> list[EmailMessage]:
        files = sorted((self.folder / "outbox" / "new").glob("*.eml"))
        return [email.message_from_bytes(each.read_bytes(), policy=default) for each in files]


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    folder = tmp_path_factory.mktemp("whole") / "data"
    with running(folder) as service:
        service.wait_until_ready()
        room = Newsroom(service, folder)
        for number in range(3):
            room.publisher(
                "subscriber", "add", f"reader{number}@readers.example", "--name", f"R {number}", "--confirmed"
            )
        yield room


@pytest.fixture(scope="module")
def handed_in(newsroom: Newsroom, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("in") / "bakery.txt"
    path.write_text(ARTICLE, encoding="utf-8")
    [row] = newsroom.json("article", "add", str(path), "--topic", "food", "--author", "Han Jisoo")
    wait_until(lambda: len(newsroom.mails()) == 3)
    found: dict[str, Any] = row
    return found


def wait_until(is_so: Callable[[], bool], *, within_s: float = 30) -> None:
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s, "it never came to that"
        time.sleep(0.05)


def test_the_command_says_where_the_article_is(newsroom: Newsroom, handed_in: dict[str, Any]) -> None:
    assert handed_in["url"] == f"{newsroom.service.base_url}/articles/{handed_in['slug']}"
    assert handed_in["slug"].startswith("the-bakery-that-opens-at-midnight")
    listed = newsroom.json("article", "list")
    assert {"id", "slug", "title", "state", "published_at"} <= set(listed[0])
    assert listed[0]["title"] == TITLE


def test_its_page_shows_everything(newsroom: Newsroom, handed_in: dict[str, Any]) -> None:
    html = newsroom.read(f"/articles/{handed_in['slug']}")

    assert TITLE in html
    for text in (
        "A Loaf for the Night Shift",
        "Why It Matters",
        "소금빵",
        "Bring cash, stand on the left",
        "Han Jisoo",
    ):
        assert text in html
    assert "A Short Guide to Banchan" in html, "the teaser that is in the archive is the first related link"
    assert '/feeds/topics/food.atom"' in html


@pytest.mark.parametrize("feed", ["all", "topics/food", "authors/han-jisoo", "languages/en"])
@pytest.mark.parametrize("suffix", ["atom", "rss", "json"])
def test_every_feed_has_it_first(newsroom: Newsroom, handed_in: dict[str, Any], feed: str, suffix: str) -> None:
    wait_until(lambda: handed_in["slug"] in newsroom.read(f"/feeds/{feed}.{suffix}"))
    text = newsroom.read(f"/feeds/{feed}.{suffix}")

    if suffix == "json":
        first = json.loads(text)["items"][0]
        assert (first["title"], first["url"]) == (TITLE, handed_in["url"])
    else:
        parsed = feedparser.parse(text)
        assert not parsed.bozo
        assert (parsed.entries[0].title, parsed.entries[0].link) == (TITLE, handed_in["url"])
    assert "소금빵" in text
    assert "Discover More" in text


def test_each_reader_has_the_alert_in_html_and_text(newsroom: Newsroom, handed_in: dict[str, Any]) -> None:
    mails = [mail for mail in newsroom.mails() if mail["Subject"] == TITLE]

    assert {mail["To"].addresses[0].addr_spec for mail in mails} == {
        f"reader{each}@readers.example" for each in range(3)
    }
    for mail in mails:
        text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert html is not None
        for part in (text.get_content(), html.get_content()):
            assert "소금빵" in part
            assert "A Short Guide to Banchan" in part
            assert "x-slot" not in part
            assert handed_in["slug"] in part
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_it_is_in_the_next_guide(newsroom: Newsroom, handed_in: dict[str, Any]) -> None:
    issue_id = newsroom.json("issue", "draft", "guide", "--now")["id"]
    newsroom.publisher("issue", "approve", str(issue_id), "--wait")

    report = newsroom.json("issue", "report", str(issue_id))
    assert report["state"] == "sent"
    assert report["counts"]["sent"] == 3
    assert {"planned", "sent", "failed", "deferred", "skipped", "uncertain"} <= set(report["counts"])
    page = newsroom.read(f"/issues/guide/{report['number']}")
    assert "Bring cash, stand on the left" in page
    assert "Naver" in page
    assert handed_in["slug"] in page
    wait_until(lambda: "Bring cash, stand on the left" in newsroom.read("/feeds/guide.atom"))


def test_one_click_ends_a_subscription(newsroom: Newsroom, handed_in: dict[str, Any]) -> None:
    assert handed_in
    mail = next(each for each in newsroom.mails() if each["To"].addresses[0].addr_spec == "reader2@readers.example")
    url = re.findall(r"<(http[^>]+)>", mail["List-Unsubscribe"])[0]

    for _ in range(2):
        request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click", method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert (answer.status, answer.url) == (200, url)

    rows = {row["email"]: row["subscriptions"] for row in newsroom.json("subscriber", "list")}
    assert rows["reader2@readers.example"] == ["readers (unsubscribed)"]
    assert rows["reader1@readers.example"] == ["readers (confirmed)"]


def test_the_form_leads_to_a_confirmed_subscription(newsroom: Newsroom) -> None:
    before = len(newsroom.mails())
    form = urllib.request.Request(
        f"{newsroom.service.base_url}/subscribe", data=b"email=new%40readers.example&list=readers", method="POST"
    )
    with urllib.request.urlopen(form, timeout=10) as answer:
        assert answer.status == 200
    wait_until(lambda: len(newsroom.mails()) == before + 1)
    [mail] = [each for each in newsroom.mails() if each["To"].addresses[0].addr_spec == "new@readers.example"]
    text = mail.get_body(("plain",))
    assert text is not None
    assert mail["List-Unsubscribe"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    url = re.findall(r"http\S+/confirm/\S+", text.get_content())[0]

    with urllib.request.urlopen(url, timeout=10) as shown:
        assert shown.status == 200
    assert "readers (pending)" in newsroom.publisher("subscriber", "list", "--json"), "looking confirms nothing"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"", method="POST"), timeout=10) as confirmed:
        assert confirmed.status == 200

    rows = {row["email"]: row["subscriptions"] for row in newsroom.json("subscriber", "list")}
    assert rows["new@readers.example"] == ["readers (confirmed)"]


def test_an_embargo_ends_on_the_second_and_a_withdrawal_at_once(newsroom: Newsroom, tmp_path: Path) -> None:
    path = tmp_path / "later.md"
    due = time.time() + 6
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
    path.write_text(
        f"---\ntitle: Under Embargo\npublish_at: {stamp}\n---\nNobody may know this yet.\n", encoding="utf-8"
    )

    [row] = newsroom.json("article", "add", str(path))
    assert row["state"] == "embargoed"
    assert newsroom.service.status("/articles/under-embargo") == 404
    assert "Under Embargo" not in newsroom.read("/feeds/all.atom") + newsroom.read("/") + newsroom.read(
        "/search?q=embargo"
    )

    wait_until(lambda: newsroom.service.status("/articles/under-embargo") == 200)
    late_s = time.time() - int(due)
    assert -0.1 < late_s < 5, "within two seconds and the second that was cut off, on a busy machine"
    wait_until(lambda: "Under Embargo" in newsroom.read("/feeds/all.atom"))

    newsroom.publisher("article", "withdraw", str(row["id"]))
    assert newsroom.service.status("/articles/under-embargo") == 410
    wait_until(lambda: "Under Embargo" not in newsroom.read("/feeds/all.atom"))
