"""`publisher glossary`: list, add, remove, import, export."""

from pathlib import Path

import pytest

from publisher.up.samples import SAMPLES
from tests.cli.conftest import Publisher

HANOK = ("add", "Hanok", "--explanation", "A traditional Korean house.")


def names(publisher: Publisher) -> list[str]:
    return [each["name"] for each in publisher("glossary", "list", "--json").json]


def test_a_new_house_has_no_terms(publisher: Publisher) -> None:
    assert "publisher glossary add" in publisher("glossary", "list").out
    assert publisher("glossary", "list", "--json").json == []


def test_a_term_is_added_with_all_it_has(publisher: Publisher) -> None:
    done = publisher(
        "glossary",
        *HANOK,
        "--hangul",
        "한옥",
        "--alias",
        "hanoks",
        "--any-case",
        "--link",
        "https://a.example/",
        "--json",
    )

    assert done.json["slug"] == "hanok"
    assert publisher("glossary", "list", "--json").json == [
        {
            "slug": "hanok",
            "name": "Hanok",
            "hangul": "한옥",
            "romanisation": "",
            "kind": "word",
            "explanation": "A traditional Korean house.",
            "link": "https://a.example/",
            "aliases": ["hanoks"],
            "case_sensitive": False,
        }
    ]
    assert "한옥" in publisher("glossary", "list").out


def test_a_term_is_removed(publisher: Publisher) -> None:
    publisher("glossary", *HANOK)

    assert publisher("glossary", "remove", "hanok").code == 0
    assert names(publisher) == []
    assert "There is no glossary term 'hanok'" in publisher("glossary", "remove", "hanok").err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "Hanok", "--explanation", "Another."), "“Hanok” belongs to the term “Hanok” already."),
        (("add", "Ondol", "--explanation", ""), "needs an explanation"),
        (("add", "Ondol", "--explanation", "x", "--kind", "house"), "is no kind of term"),
        (("import", "none.yaml"), "none.yaml: This cannot be read"),
        (("import", "-"), "no list of terms"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(publisher: Publisher, words: tuple[str, ...], said: str) -> None:
    publisher("glossary", *HANOK)

    done = publisher("glossary", *words)

    assert done.code == 1
    assert done.err.startswith("publisher: ")
    assert said in done.err
    assert names(publisher) == ["Hanok"]


def test_what_is_exported_is_imported_unchanged(publisher: Publisher, tmp_path: Path) -> None:
    first = publisher("glossary", "import", SAMPLES / "glossary.yaml")
    file = tmp_path / "mine.yaml"
    file.write_text(publisher("glossary", "export").out, encoding="utf-8")

    again = publisher("glossary", "import", file)

    number = len(names(publisher))
    assert number >= 60
    assert first.out == f"{number} added, 0 changed, 0 as they were.\n"
    assert again.out == f"0 added, 0 changed, {number} as they were.\n"


def test_a_bad_term_keeps_the_whole_file_out(publisher: Publisher) -> None:
    typed = "- {name: Hanok, explanation: A house.}\n- {name: Ondol, link: nowhere}\n"

    done = publisher("glossary", "import", "-", typed=typed)

    assert done.code == 1
    assert "“Ondol” – explanation: A term needs an explanation" in done.err
    assert names(publisher) == []
