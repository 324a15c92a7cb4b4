"""`publisher --url …`: the same commands, on a service elsewhere, over its API."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from publisher.audience import flow as audience
from publisher.cli.elsewhere import service as elsewhere
from publisher.cli.elsewhere.named import named_in
from publisher.database import metadata
from publisher.editors.api_tokens import add_api_token
from publisher.editors.flow import add_editor
from publisher.editors.model import Role, Scope
from publisher.wiring import Newsroom
from tests.builders import settings_in
from tests.cli.conftest import Done, Publisher
from tests.service import free_port
from tests.web.served import served


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """A service on another machine, as far as the commands can tell."""

    url: str
    token: str
    reader_token: str


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Elsewhere]:
    folder = tmp_path_factory.mktemp("there")
    room = Newsroom(settings_in(folder, REDIS_URL=redis_url))
    metadata.create_all(room.database.engine)
    audience.add_mailing_list(room.database, slug="readers", name="Readers", clock=room.now)
    token = add_api_token(room.database, name="command", scopes=set(Scope), clock=room.now)
    reader = add_api_token(room.database, name="reader", scopes={Scope.READ}, clock=room.now)
    add_editor(room.database, email="anna@desk.example", name="Anna", role=Role.EDITOR, password=None, clock=room.now)
    room.database.close()
    with served(folder, redis_url) as address:
        yield Elsewhere(url=address, token=token, reader_token=reader)


@pytest.fixture
def remote(publisher: Publisher, there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """The command with the other service in its environment."""
    monkeypatch.setenv("PUBLISHER_URL", there.url)
    monkeypatch.setenv("PUBLISHER_TOKEN", there.token)
    return publisher


def test_articles_are_handed_in_and_withdrawn_elsewhere(remote: Callable[..., Done], tmp_path: Path) -> None:
    good, bad = tmp_path / "good.md", tmp_path / "bad.txt"
    good.write_text("# Night Markets Return\n\nPeople came from far away.\n", encoding="utf-8")
    bad.write_bytes(b"%PDF-1.7")
    done = remote("article", "add", good, bad, tmp_path / "none.txt", "--json")
    taken, refused, missing = json.loads(done.out)

    assert done.code == 1
    assert (taken["result"], taken["title"]) == ("new", "Night Markets Return")
    assert "PDF" in refused["problem"]
    assert "cannot be read" in missing["problem"]
    assert taken["id"] in [each["id"] for each in remote("article", "list", "--json").json]
    assert "withdrawn" in remote("article", "withdraw", taken["id"]).out
    assert "published" in remote("article", "restore", taken["id"]).out
    assert "Night Markets Return" in remote("article", "show", taken["id"]).out
    assert remote("article", "add", "-", typed="Trams\n\nThey come back.\n").code == 0


def test_an_issue_is_drafted_and_led_elsewhere(remote: Callable[..., Done], there: Elsewhere) -> None:
    for title in ("One", "Two"):
        assert remote("article", "add", "-", typed=f"{title}\n\nIt has rained, and much.\n").code == 0
    call(there, "editions", {"slug": "weekly", "kind": "digest", "mailing_list": "readers"})
    assert [each["slug"] for each in remote("edition", "list", "--json").json] == ["weekly"]

    issue = remote("issue", "draft", "weekly", "--now").out.strip()
    assert "It has rained" in remote("issue", "show", issue, "--text").out
    assert "on its way" in remote("issue", "test", issue, "anna@desk.example").out
    assert "year" in remote("issue", "approve", issue, "--at", "2099-01-01T00:00+00:00").err
    assert "approved" in remote("issue", "approve", issue).out
    assert remote("issue", "list", "--json").json[0]["state"] == "approved"
    assert remote("issue", "report", issue, "--json").json["total"] == 0
    assert "it cannot become paused now" in remote("issue", "pause", issue).err
    other = remote("issue", "draft", "weekly", "--subject", "A").out.strip()
    assert "tries 2 subjects" in remote("issue", "subjects", other, "--other", "B").out
    assert "No test of subjects has begun" in remote("issue", "subjects", other).out
    assert "one subject for all" in remote("issue", "subjects", other, "--off").out
    assert "cancelled" in remote("issue", "cancel", other).out


def call(there: Elsewhere, path: str, form: dict[str, Any]) -> None:
    service = elsewhere.Service(there.url, there.token)
    service.post(path, form)
    service.close()


def test_readers_lists_sources_and_webhooks_are_led_elsewhere(remote: Callable[..., Done]) -> None:
    assert remote("subscriber", "add", "ann@readers.example", "--confirmed").code == 0
    assert [each["email"] for each in remote("subscriber", "list", "--json").json] == ["ann@readers.example"]
    assert remote("mailing-list", "add", "others").code == 0
    assert {each["slug"] for each in remote("mailing-list", "list", "--json").json} == {"readers", "others"}
    added = remote("source", "add", "https://news.example.org/feed.xml", "--json").json
    assert remote("source", "remove", added["id"]).code == 0
    assert "no source" in remote("source", "list").out
    hook = remote("webhook", "add", "https://crm.example.org/", "--event", "issue.sent", "--json").json
    assert hook["secret"].startswith("whsec_")
    for words in (("test",), ("log",), ("off",), ("on",), ("secret",), ("show",), ("remove",)):
        assert remote("webhook", *words, hook["id"]).code == 0
    assert remote("glossary", "list").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ("up",),
        ("migrate",),
        ("worker", "--queues", "articles"),
        ("editor", "add", "x@y.example"),
        ("subscriber", "export", "file.csv"),
        ("token", "list"),
    ],
)
def test_a_command_that_cannot_work_elsewhere_says_so(remote: Callable[..., Done], words: tuple[str, ...]) -> None:
    done = remote(*words)

    assert done.code == 1
    assert "only where the service itself runs" in done.err
    assert done.err.count("\n") == 1


def test_an_address_on_the_command_line_comes_before_the_environment(
    publisher: Publisher, there: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISHER_URL", "https://nowhere.example")
    monkeypatch.setenv("PUBLISHER_TOKEN", "pub_wrong")

    assert publisher("--url", there.url, "--token", there.token, "mailing-list", "list").code == 0


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("{}", "pub_wrong", "does not know this token"),
        ("{}", "", "PUBLISHER_TOKEN must be set"),
        ("http://news.example.org", "pub_x", "must begin with https://"),
        ("{}/desk", "pub_x", "must be the service's address"),
        ("nonsense", "pub_x", "must be the service's address"),
        ("http://127.0.0.1:{}", "pub_x", "does not answer"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    publisher: Publisher, there: Elsewhere, *, url: str, token: str, said: str
) -> None:
    named = url.format(free_port() if "127" in url else there.url)

    done = publisher("--url", named, "--token", token, "article", "list")

    assert done.code == 1
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "pub_" not in done.err


def test_what_the_service_refuses_it_says_itself(publisher: Publisher, there: Elsewhere) -> None:
    to = ("--url", there.url, "--token", there.reader_token)

    assert "There is no article 999" in publisher(*to, "article", "show", 999).err
    assert "needs the scope issues" in publisher(*to, "issue", "draft", "weekly").err


@pytest.mark.parametrize(
    ("words", "environment", "named"),
    [
        (["article", "list"], {}, ""),
        (["article", "list"], {"PUBLISHER_URL": "https://a.example"}, "https://a.example"),
        (["--url", "https://b.example", "article"], {"PUBLISHER_URL": "https://a.example"}, "https://b.example"),
        (["--token", "pub_x", "--url=https://b.example", "article"], {}, "https://b.example"),
        (["webhook", "add", "--url", "https://b.example"], {}, ""),
        (["--url"], {}, ""),
    ],
)
def test_a_service_elsewhere_is_named_before_the_command(
    words: list[str], environment: dict[str, str], named: str
) -> None:
    assert named_in(words, environment) == named
