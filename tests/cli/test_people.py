"""`publisher subscriber`, `mailing-list`, `editor`, `token` and `source`."""

import csv
import io
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from publisher import acts
from publisher.editors import api_tokens, flow
from publisher.editors.model import Scope, SignedIn
from publisher.editors.tables import editor_second_factor
from publisher.wiring import newsroom
from tests.cli.conftest import Publisher

PASSWORD = "seven wooden spoons"


@pytest.fixture
def listed(publisher: Publisher) -> Publisher:
    """With a mailing list."""
    assert publisher("mailing-list", "add", "readers", "--name", "Our Readers").code == 0
    return publisher


def test_mailing_lists_are_listed_with_their_readers(listed: Publisher) -> None:
    listed("subscriber", "add", "minji@example.org", "--confirmed")

    found = listed("mailing-list", "list", "--json").json

    assert [(each["slug"], each["name"], each["confirmed"]) for each in found] == [("readers", "Our Readers", 1)]


def test_a_mailing_list_is_added_once(listed: Publisher) -> None:
    done = listed("mailing-list", "add", "readers")

    assert done.code == 1
    assert done.err.count("\n") == 1


def test_a_file_of_subscribers_with_bad_lines_takes_the_good_ones(listed: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text(
        "email,name,language,timezone\n"
        "minji@example.org,Kim Minji,ko,Asia/Seoul\n"
        "no address,Nobody,,\n"
        "anna@example.org,Anna,de,Europe/Berlin\n"
        "@example.org,,,\n",
        encoding="utf-8",
    )

    done = listed("subscriber", "import", file, "--mailing-list", "readers", "--confirmed", "--json")

    report = json.loads(done.out)
    assert done.code == 1
    assert (report["added"], report["bad"]) == (2, 2)
    assert [each["line"] for each in report["bad_lines"]] == [3, 5]
    assert {each["email"] for each in listed("subscriber", "list", "--json").json} == {
        "minji@example.org",
        "anna@example.org",
    }


def test_importing_again_changes_nothing(listed: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("email\nminji@example.org\n", encoding="utf-8")
    words = ("subscriber", "import", file, "--mailing-list", "readers", "--confirmed")

    first, again = listed(*words), listed(*words)

    assert first.out.startswith("On readers: 1 added")
    assert again.out.startswith("On readers: 0 added, 0 merged, 1 unchanged.")
    assert again.code == 0


def test_the_report_says_which_export_was_recognised(listed: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text(
        "id,email,subscribed_to_emails,created_at\n1,minji@example.org,true,2019-05-06\n2,ben@example.org,false,\n",
        encoding="utf-8",
    )

    done = listed("subscriber", "import", file, "--confirmed")

    assert done.out.splitlines() == [
        "Recognised: an export of Ghost.",
        "On readers: 1 added, 0 merged, 0 unchanged.",
        "1 have left Ghost, and so this mailing list.",
        "Columns not read: id.",
    ]


def test_bad_lines_are_named_to_people(listed: Publisher, tmp_path: Path) -> None:
    file = tmp_path / "readers.csv"
    file.write_text("email\nnobody\n", encoding="utf-8")

    done = listed("subscriber", "import", file, "--confirmed")

    assert done.code == 1
    assert done.err.startswith("line 2: ")
    assert "nobody" not in done.err.splitlines()[1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,town\nMinji,Seoul\n", "email"),
        (b"", "The first line must name the columns"),
        (b"email\n\xff\xfe\n", "line 2: It is not UTF-8."),
    ],
)
def test_a_file_that_is_no_list_of_subscribers_is_one_sentence(
    listed: Publisher, tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "readers.csv"
    file.write_bytes(content)

    done = listed("subscriber", "import", file, "--confirmed")

    assert done.code == 1
    assert says in done.err
    assert "Traceback" not in done.err
    assert listed("subscriber", "list", "--json").json == []


def test_a_file_that_is_not_there_is_one_sentence(listed: Publisher, tmp_path: Path) -> None:
    done = listed("subscriber", "import", tmp_path / "nowhere.csv", "--confirmed")

    assert done.code == 1
    assert "nowhere.csv" in done.err
    assert done.err.count("\n") == 1


def test_what_was_exported_can_be_imported(listed: Publisher, tmp_path: Path) -> None:
    listed("subscriber", "add", "minji@example.org", "--name", "Kim Minji", "--confirmed")
    file = tmp_path / "export.csv"

    assert listed("subscriber", "export", file).code == 0
    printed = listed("subscriber", "export")

    rows = list(csv.DictReader(io.StringIO(printed.out)))
    assert [(each["email"], each["name"]) for each in rows] == [("minji@example.org", "Kim Minji")]
    assert listed("subscriber", "import", file, "--confirmed").code == 0


def test_an_export_to_nowhere_is_one_sentence(listed: Publisher, tmp_path: Path) -> None:
    done = listed("subscriber", "export", tmp_path / "missing" / "export.csv")

    assert done.code == 1
    assert "cannot be written" in done.err
    assert done.err.count("\n") == 1


def test_who_has_not_said_yes_is_asked_first(listed: Publisher) -> None:
    done = listed("subscriber", "add", "minji@example.org")

    assert "confirmation mail" in done.out
    assert listed("mailing-list", "list", "--json").json[0]["confirmed"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("subscriber", "add", "no address", "--confirmed"),
        ("subscriber", "add", "minji@example.org", "--mailing-list", "nobody", "--confirmed"),
        ("subscriber", "list", "--mailing-list", "nobody"),
        ("subscriber", "export", "--mailing-list", "nobody"),
        ("mailing-list", "add", "Not a slug"),
    ],
)
def test_a_wrong_word_is_one_sentence(listed: Publisher, words: tuple[str, ...]) -> None:
    done = listed(*words)

    assert done.code == 1
    assert done.err.startswith("publisher: ")
    assert done.err.count("\n") == 1


def test_the_first_editor_is_an_operator_and_can_sign_in(publisher: Publisher) -> None:
    added = publisher("editor", "add", "minji.kim@example.org", "--json", typed=f"{PASSWORD}\n").json

    room = newsroom()
    signed_in = flow.sign_in(
        room.database, email="minji.kim@example.org", password=PASSWORD, origin="127.0.0.1", clock=room.now
    )
    assert (added["role"], added["name"]) == ("operator", "Minji Kim")
    assert isinstance(signed_in, SignedIn)


def test_later_editors_are_editors_unless_said_otherwise(publisher: Publisher) -> None:
    publisher("editor", "add", "minji@example.org", typed=PASSWORD)
    publisher("editor", "add", "anna@example.org", "--name", "Anna", typed=PASSWORD)
    publisher("editor", "add", "lee@example.org", "--role", "chief", "--link")

    found = publisher("editor", "list", "--json").json

    assert {each["email"]: each["role"] for each in found} == {
        "minji@example.org": "operator",
        "anna@example.org": "editor",
        "lee@example.org": "chief",
    }
    assert "password" not in json.dumps(found)


def test_a_sign_in_link_stands_for_a_forgotten_password(publisher: Publisher) -> None:
    publisher("editor", "add", "minji@example.org", "--link")

    link = publisher("editor", "link", "minji@example.org").out.strip()

    assert link.startswith("http://127.0.0.1:8000/desk/sign-in/")
    room = newsroom()
    assert flow.use_sign_in_link(room.database, link.rpartition("/")[2], clock=room.now) is not None


def test_a_sign_in_link_is_the_first_operators_where_nobody_is_named(publisher: Publisher) -> None:
    """As `make run` prints one: a new one must not need a name that nobody has typed."""
    assert "There is no editor with the role 'operator'." in publisher("editor", "link").err
    publisher("editor", "add", "anna@example.org", "--role", "editor", "--link")
    publisher("editor", "add", "minji@example.org", "--role", "operator", "--link")

    token = publisher("editor", "link").out.strip().rpartition("/")[2]

    room = newsroom()
    signed_in = flow.use_sign_in_link(room.database, token, clock=room.now)
    assert signed_in is not None
    somebody = flow.session_editor(room.database, signed_in.token, clock=room.now)
    assert somebody is not None
    assert somebody.email == "minji@example.org"


def test_an_editor_can_be_shut_out_and_let_in_again(publisher: Publisher) -> None:
    publisher("editor", "add", "minji@example.org", "--link")
    publisher("editor", "add", "boss@example.org", "--link", "--role", "operator")

    assert publisher("editor", "disable", "minji@example.org").code == 0
    refused = publisher("editor", "link", "minji@example.org")
    assert publisher("editor", "enable", "1").code == 0

    assert refused.code == 1
    assert refused.err == "publisher: This editor is disabled.\n"
    assert publisher("editor", "link", "minji@example.org").code == 0


def test_a_password_and_a_role_can_be_changed(publisher: Publisher) -> None:
    publisher("editor", "add", "minji@example.org", typed=PASSWORD)
    publisher("editor", "add", "zoe@example.org", "--link", "--role", "operator")

    assert publisher("editor", "password", "minji@example.org", typed="eight wooden spoons\n").code == 0
    assert publisher("editor", "role", "minji@example.org", "chief").code == 0

    room = newsroom()
    signed_in = flow.sign_in(
        room.database, email="minji@example.org", password="eight wooden spoons", origin="here", clock=room.now
    )
    assert isinstance(signed_in, SignedIn)
    assert publisher("editor", "list", "--json").json[0]["role"] == "chief"


@pytest.mark.parametrize(
    ("words", "typed", "says"),
    [
        (("editor", "add", "nobody"), PASSWORD, "This is not an email address."),
        (("editor", "add", "minji@example.org"), "short", "A password has at least 12 characters."),
        (("editor", "add", "minji@example.org"), "", "A password has at least 12 characters."),
        (("editor", "add", "minji@example.org", "--role", "king"), PASSWORD, "'king' is no role"),
        (("editor", "link", "nobody@example.org"), "", "There is no editor 'nobody@example.org'."),
        (("token", "add", "CMS", "--scope", "everything"), "", "'everything' is no scope"),
        (("token", "add", " "), "", "An API token needs a name"),
        (("token", "revoke", "7"), "", "There is no token in force with the id 7."),
        (("source", "add", "ftp://example.org/feed"), "", "ftp"),
        (("source", "add", "http://127.0.0.1/feed.xml"), "", "127.0.0.1"),
        (("source", "remove", "7"), "", "7"),
    ],
)
def test_what_cannot_be_is_one_sentence(publisher: Publisher, words: tuple[str, ...], typed: str, says: str) -> None:
    done = publisher(*words, typed=typed)

    assert done.code == 1
    assert says in done.err
    assert done.err.startswith("publisher: ")
    assert done.err.count("\n") == 1


def test_an_editor_is_added_once(publisher: Publisher) -> None:
    publisher("editor", "add", "minji@example.org", typed=PASSWORD)

    done = publisher("editor", "add", "Minji@Example.org", typed=PASSWORD)

    assert done.code == 1
    assert done.err == "publisher: There is an editor with this address already.\n"


def test_a_token_is_printed_once_and_opens_what_it_names(publisher: Publisher) -> None:
    token = publisher("token", "add", "CMS", "--scope", "articles").out.strip()

    room = newsroom()
    found = api_tokens.check_api_token(room.database, token, clock=room.now)
    listed = publisher("token", "list", "--json")
    assert found is not None
    assert found.scopes == {Scope.ARTICLES}
    assert [(each["name"], each["scopes"]) for each in listed.json] == [("CMS", ["articles"])]
    assert token not in listed.out


def test_a_revoked_token_opens_nothing(publisher: Publisher) -> None:
    token = publisher("token", "add", "CMS", "--json").json["token"]

    assert publisher("token", "revoke", "1").code == 0

    room = newsroom()
    assert api_tokens.check_api_token(room.database, token, clock=room.now) is None
    assert publisher("token", "revoke", "1").code == 1


def test_empty_lists_say_what_to_do(publisher: Publisher) -> None:
    for kind in ("editor", "token", "source", "mailing-list", "subscriber", "edition", "issue"):
        assert f"publisher {kind}" in publisher(kind, "list").out
        assert publisher(kind, "list", "--json").json == []


def test_a_lost_second_factor_is_taken_away(publisher: Publisher) -> None:
    """The way out for a newsroom whose only operator has lost her phone."""
    publisher("editor", "add", "minji@example.org", "--link")
    room = newsroom()
    with room.database.transaction() as connection:
        values = {"editor_id": 1, "secret": "sealed", "confirmed_at": room.now(), "last_step": 0}
        connection.execute(sa.insert(editor_second_factor).values(values))

    assert "any more" in publisher("editor", "reset-code", "minji@example.org").out
    assert "had no second factor" in publisher("editor", "reset-code", "minji@example.org").out
    assert publisher("editor", "reset-code", "nobody@example.org").code == 1
    with room.database.reading() as connection:
        assert [each.actor.via for each in acts.acts(connection, at_most=1)] == ["cli"]
