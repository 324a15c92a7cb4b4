"""`publisher article`: hand in, list, show, withdraw."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import Publisher

TRAMS = "Trams Come Back\n\nThe first tram in fifty years left the depot. Children waved.\n"
MARKDOWN = """---
title: Night Markets Return
topics: [food]
authors: [Kim Minji]
external_id: night-1
---

Stalls open again along the river. Thousands came.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as a newsroom has it: good files and bad ones."""
    found = tmp_path / "articles"
    found.mkdir()
    (found / "trams.txt").write_text(TRAMS, encoding="utf-8")
    (found / "markets.md").write_text(MARKDOWN, encoding="utf-8")
    (found / "empty.txt").write_text("", encoding="utf-8")
    (found / "broken.txt").write_bytes(b"Title\n\nBroken \xff\xfe encoding here.\n")
    (found / "mapping.md").write_text("---\n- just\n- a list\n---\nText.\n", encoding="utf-8")
    (found / "notes.pdf").write_bytes(b"%PDF-1.7")
    return found


def test_an_article_is_handed_in_and_listed(publisher: Publisher, folder: Path) -> None:
    done = publisher("article", "add", folder / "trams.txt")

    assert done.code == 0
    assert "http://127.0.0.1:8000/articles/trams-come-back" in done.out
    listed = publisher("article", "list", "--json").json
    assert [(each["slug"], each["title"], each["state"]) for each in listed] == [
        ("trams-come-back", "Trams Come Back", "published")
    ]
    assert {"id", "slug", "title", "state", "published_at"} <= listed[0].keys()
    assert datetime.fromisoformat(listed[0]["published_at"]).tzinfo is not None


def test_a_batch_takes_the_good_ones_and_reports_each_bad_one(publisher: Publisher, folder: Path) -> None:
    done = publisher("article", "add", *sorted(folder.iterdir()))

    assert done.code == 1
    assert "2 handed in, 4 refused." in done.out
    assert done.err.count("\n") == 4
    for name in ("empty.txt", "broken.txt", "mapping.md", "notes.pdf"):
        assert name in done.err
    assert "Traceback" not in done.err
    assert {each["slug"] for each in publisher("article", "list", "--json").json} == {
        "trams-come-back",
        "night-markets-return",
    }


def test_a_folder_stands_for_the_articles_in_it(publisher: Publisher, folder: Path) -> None:
    done = publisher("article", "add", folder, "--json")

    rows = json.loads(done.out)
    assert done.code == 1
    assert [Path(each["file"]).name for each in rows if "problem" in each] == ["broken.txt", "empty.txt", "mapping.md"]
    assert {each["slug"] for each in rows if "slug" in each} == {"trams-come-back", "night-markets-return"}


def test_handing_in_the_same_file_again_makes_no_second_article(publisher: Publisher, folder: Path) -> None:
    first = json.loads(publisher("article", "add", folder / "markets.md", "--json").out)[0]
    again = json.loads(publisher("article", "add", folder / "markets.md", "--json").out)[0]

    assert again["id"] == first["id"]
    assert len(publisher("article", "list", "--json").json) == 1


def test_a_changed_article_keeps_its_id(publisher: Publisher, folder: Path) -> None:
    first = json.loads(publisher("article", "add", folder / "markets.md", "--json").out)[0]
    changed = MARKDOWN.replace("Thousands came.", "Ten thousand came.")
    (folder / "markets.md").write_text(changed, encoding="utf-8")

    again = json.loads(publisher("article", "add", folder / "markets.md", "--json").out)[0]
    shown = publisher("article", "show", again["slug"], "--json").json

    assert again["id"] == first["id"]
    assert shown["revision"] == 2
    assert "Ten thousand came." in shown["text"]


def test_the_command_line_fills_in_what_the_file_leaves_out(publisher: Publisher, folder: Path) -> None:
    words = ("--topic", "transport", "--author", "Lee Jun", "--language", "en", "--external-id", "tram-1")
    publisher("article", "add", folder / "trams.txt", *words)

    shown = publisher("article", "show", "trams-come-back", "--json").json

    assert shown["topics"] == ["transport"]
    assert shown["authors"] == ["Lee Jun"]
    assert shown["language"] == "en"


def test_an_embargo_is_kept(publisher: Publisher, folder: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")

    publisher("article", "add", folder / "trams.txt", "--publish-at", tomorrow)

    assert [each["state"] for each in publisher("article", "list", "--json").json] == ["embargoed"]
    assert publisher("article", "list", "--state", "published", "--json").json == []


def test_standard_input_is_read(publisher: Publisher) -> None:
    assert publisher("article", "add", "-", typed=TRAMS).code == 0
    assert publisher("article", "show", "trams-come-back", "--json").json["title"] == "Trams Come Back"


def test_an_article_is_shown_to_people_too(publisher: Publisher, folder: Path) -> None:
    publisher("article", "add", folder / "trams.txt")

    shown = publisher("article", "show", "trams-come-back")

    assert "title" in shown.out
    assert "Trams Come Back" in shown.out
    assert "Trams Come Back" in publisher("article", "list").out


def test_a_withdrawn_article_can_be_restored(publisher: Publisher, folder: Path) -> None:
    publisher("article", "add", folder / "trams.txt")

    assert "withdrawn" in publisher("article", "withdraw", "trams-come-back").out
    assert publisher("article", "show", "trams-come-back", "--json").json["state"] == "withdrawn"
    assert "unchanged" in publisher("article", "withdraw", "trams-come-back").out
    assert "restored" in publisher("article", "restore", "trams-come-back").out
    assert publisher("article", "show", "trams-come-back", "--json").json["state"] == "published"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("article", "show", "nowhere"), "publisher: There is no article 'nowhere'.\n"),
        (("article", "withdraw", "999"), "publisher: There is no article '999'.\n"),
        (
            ("article", "list", "--state", "lost"),
            "publisher: 'lost' is no state; there are embargoed, published, withdrawn and all.\n",
        ),
    ],
)
def test_a_wrong_name_is_one_sentence(publisher: Publisher, words: tuple[str, ...], says: str) -> None:
    done = publisher(*words)

    assert (done.code, done.err) == (1, says)


def test_a_file_that_is_not_there_is_one_sentence(publisher: Publisher, tmp_path: Path) -> None:
    done = publisher("article", "add", tmp_path / "nowhere.txt")

    assert done.code == 1
    assert "nowhere.txt" in done.err
    assert "No such file" in done.err
    assert done.err.count("\n") == 1


def test_one_external_id_cannot_be_two_articles(publisher: Publisher, folder: Path) -> None:
    done = publisher("article", "add", folder / "trams.txt", folder / "markets.md", "--external-id", "x")

    assert done.code == 1
    assert "--external-id goes with exactly one file" in done.err
    assert publisher("article", "list", "--json").json == []


def test_an_empty_archive_says_what_to_do(publisher: Publisher) -> None:
    assert "publisher article add" in publisher("article", "list").out


def test_who_hands_in_a_script_is_told_that_it_is_left_out(publisher: Publisher, folder: Path) -> None:
    page = folder / "page.html"
    page.write_text("<h1>Snow</h1>\n<p>It snowed.</p>\n<script>alert(1)</script>\n", encoding="utf-8")

    done = publisher("article", "add", page)

    assert "page.html: A script in line 3 was left out." in done.out
    [shown] = publisher("article", "add", page, "--json").json
    assert shown["note"] == "A script in line 3 was left out."


def test_links_below_an_article_are_decided(publisher: Publisher, folder: Path) -> None:
    for number in range(5):
        (folder / f"{number}.txt").write_text(f"Line {number}: {TRAMS}", encoding="utf-8")
        publisher("article", "add", folder / f"{number}.txt")
    ids = sorted(row["id"] for row in publisher("article", "list", "--json").json)
    first, *others = map(str, ids)

    found = publisher("article", "link", first, "--pin", others[2], "--pin", others[0], "--ban", others[1], "--json")

    assert [row["id"] for row in found.json][:2] == [int(others[2]), int(others[0])]
    assert found.json[-1] == {"id": int(others[1]), "title": "", "reason": "Banned."}
    assert publisher("article", "link", first, "--json").json == found.json
    publisher("article", "link", first, "--by-rules")
    assert "Banned." not in publisher("article", "link", first).out
    wrong = publisher("article", "link", first, "--by-rules", "--pin", others[0])
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)


def test_the_posts_of_another_system_move_in(publisher: Publisher, tmp_path: Path) -> None:
    post = {"id": "1", "title": "Trams", "html": "<p>Back.</p>", "status": "published", "published_at": "2019-05-06"}
    paid = post | {"id": "2", "title": "Paid", "visibility": "paid"}
    file = tmp_path / "ghost.json"
    file.write_text(json.dumps({"db": [{"data": {"posts": [post, paid]}}]}), encoding="utf-8")

    first = publisher("article", "import", file)
    again = publisher("article", "import", file, "--json")

    assert (first.code, first.out) == (1, "1 added, 0 here already, 0 never published (left out).\n")
    assert first.err.startswith("“Paid”: This is for members only")
    told = json.loads(again.out)
    assert (told["added"], told["known"], told["refused"]) == (0, 1, 1)
    assert publisher("article", "import", tmp_path / "no.json").err.count("cannot be read") == 1
