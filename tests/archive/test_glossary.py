"""Glossary terms: what they must be like, and how they are kept."""

import pickle
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.archive import glossary, rules
from publisher.archive.glossary_file import read_terms, write_terms
from publisher.archive.model import GlossaryTerm, TermKind
from publisher.archive.rules import Spellings
from publisher.database import Database
from publisher.errors import ImportFileError, NotFoundError, TermError
from tests.builders import TUESDAY

THEQOO = GlossaryTerm(
    slug="",
    name="Theqoo",
    hangul="더쿠",
    romanisation="Deoku",
    kind=TermKind.OUTLET,
    explanation="A community about idols.",
    aliases=("The Qoo",),
    case_sensitive=False,
)


def a_term(name: str = "Hanok", **values: Any) -> GlossaryTerm:
    return GlossaryTerm(slug="", name=name, **({"explanation": "A traditional Korean house."} | values))


def add(database: Database, term: GlossaryTerm) -> GlossaryTerm:
    with database.transaction() as connection:
        return glossary.add(connection, term, now=TUESDAY)


def stored(database: Database) -> list[GlossaryTerm]:
    with database.reading() as connection:
        return glossary.terms(connection)


def faults(term: GlossaryTerm, *others: GlossaryTerm) -> dict[str, str]:
    return rules.faults(rules.tidy(term), Spellings(others))


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"name": " "}, "name", "needs a name"),
        ({"name": "!?"}, "name", "a letter or a digit"),
        ({"name": "x" * 101}, "name", "At most 100 characters, please; this has 101."),
        ({"hangul": "가" * 101}, "hangul", "At most 100"),
        ({"romanisation": "x" * 101}, "romanisation", "At most 100"),
        ({"explanation": " \n"}, "explanation", "needs an explanation"),
        ({"explanation": "x" * 301}, "explanation", "at most 300 characters, please; this has 301."),
        ({"link": "ftp://a.example"}, "link", "https://"),
        ({"link": "javascript:alert(1)"}, "link", "https://"),
        ({"link": "https://"}, "link", "https://"),
        ({"link": "https://[half"}, "link", "https://"),
        ({"link": "www.example.org"}, "link", "https://"),
        ({"link": f"https://a.example/{'x' * 500}"}, "link", "At most 500"),
        ({"aliases": ("?",)}, "aliases", "a letter or a digit"),
        ({"aliases": tuple(f"n{each}" for each in range(31))}, "aliases", "at most 30"),
    ],
)
def test_what_is_wrong_is_said_of_its_field(values: dict[str, Any], field: str, said: str) -> None:
    found = faults(replace(a_term(), **values))

    assert list(found) == [field]
    assert said in found[field]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": "theqoo"}, "name"),
        ({"name": "The Qoo"}, "name"),
        ({"hangul": "더쿠"}, "hangul"),
        ({"romanisation": "Deoku"}, "romanisation"),
        ({"aliases": ("Qoo", "THE  QOO")}, "aliases"),
    ],
)
def test_a_spelling_belongs_to_one_term(values: dict[str, Any], field: str) -> None:
    """The matcher would explain the wrong one without a word."""
    found = faults(replace(a_term(), **values), replace(THEQOO, slug="theqoo"))

    assert list(found) == [field]
    assert found[field].endswith("belongs to the term “Theqoo” already.")


def test_two_terms_that_mind_capitals_may_differ_in_them() -> None:
    sea = replace(a_term("SEA"), slug="sea")

    assert faults(a_term("Sea"), sea) == {}
    assert faults(a_term("Sea", case_sensitive=False), sea) != {}
    assert faults(a_term("SEA"), sea) != {}


def test_a_term_is_tidied() -> None:
    found = rules.tidy(a_term("  Han\tok ", aliases=(" hanoks", "hanoks", "", "Han ok"), explanation="One\n line."))

    assert (found.name, found.aliases, found.explanation) == ("Han ok", ("hanoks",), "One line.")


def test_an_error_survives_pickling() -> None:
    error = TermError("Hanok", {"name": "No.", "link": "Neither."})

    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.faults, again.where) == (str(error), error.faults, "name")


def test_a_term_is_kept_whole(database: Database) -> None:
    added = add(database, THEQOO)

    assert added == replace(THEQOO, slug="theqoo")
    assert stored(database) == [added]


def test_no_two_terms_have_the_same_place(database: Database) -> None:
    slugs = [add(database, a_term(name)).slug for name in ("C", "C++", "New", "Proposals", "한옥", "···1···")]

    assert slugs == ["c", "c-2", "new-2", "proposals-2", "hanog", "1"]


def test_what_cannot_be_kept_changes_nothing(database: Database) -> None:
    add(database, THEQOO)

    with pytest.raises(TermError) as caught:
        add(database, a_term("Theqoo", link="nowhere"))

    assert set(caught.value.faults) == {"name", "link"}
    assert len(stored(database)) == 1


def test_a_term_keeps_its_place_under_another_name(database: Database) -> None:
    added = add(database, THEQOO)

    with database.transaction() as connection:
        glossary.change(connection, replace(added, name="TheQoo", kind=TermKind.WORD), now=TUESDAY)

    assert [(each.slug, each.name, each.kind) for each in stored(database)] == [("theqoo", "TheQoo", "word")]


def test_an_unknown_term_cannot_be_changed_or_removed(database: Database) -> None:
    with database.transaction() as connection:
        assert not glossary.remove(connection, "none")
        with pytest.raises(NotFoundError):
            glossary.change(connection, replace(THEQOO, slug="none"), now=TUESDAY)


def test_what_is_exported_can_be_imported(database: Database) -> None:
    terms = [THEQOO, a_term(link="https://a.example", hangul="한옥")]

    with database.transaction() as connection:
        first = glossary.import_all(connection, read_terms(write_terms(terms)), now=TUESDAY)
        second = glossary.import_all(connection, read_terms(write_terms(terms)), now=TUESDAY)

    assert (first.added, first.changed, first.unchanged) == (2, 0, 0)
    assert (second.added, second.changed, second.unchanged) == (0, 0, 2)
    assert sorted(replace(each, slug="").name for each in stored(database)) == ["Hanok", "Theqoo"]


def test_an_import_may_move_a_spelling_from_one_term_to_another(database: Database) -> None:
    """What counts is the glossary as it will be, not the order in the file."""
    add(database, THEQOO)
    add(database, a_term())

    with database.transaction() as connection:
        moved = [a_term(aliases=("The Qoo",)), replace(THEQOO, aliases=())]
        done = glossary.import_all(connection, moved, now=TUESDAY)

    assert (done.added, done.changed) == (0, 2)
    assert [each.aliases for each in stored(database)] == [("The Qoo",), ()]


def test_an_import_is_all_or_nothing(database: Database) -> None:
    for terms in (
        [a_term(), a_term("Ondol", explanation="")],
        [a_term(), a_term()],
        [a_term(), a_term("hanok", case_sensitive=False)],
    ):
        with pytest.raises(TermError), database.transaction() as connection:
            glossary.import_all(connection, terms, now=TUESDAY)

    assert stored(database) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no list of terms"),
        ("a: [", "not YAML"),
        ("\x00", "not YAML"),
        ("name: Hanok", "no list of terms"),
        ("- Hanok", "term 1: This is no term"),
        ("- {name: Hanok, explanaton: x}", "no field 'explanaton'"),
        ("- {name: 7}", "term 1, name: 7 is no text"),
        ("- {name: Hanok, aliases: hanoks}", "“Hanok”, aliases: This is no list"),
        ("- {name: Hanok, aliases: [no]}", "is no text; put it in quotes"),
        ("- {name: Hanok, kind: house}", "is no kind of term"),
        ("- {name: Hanok, kind: [word]}", "is no kind of term"),
        ("- {name: Hanok, case_sensitive: maybe}", "neither true nor false"),
        ("- !!python/object/apply:os.system [ls]", "not YAML"),
    ],
)
def test_a_file_that_is_no_glossary_is_refused_with_a_reason(text: str, said: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read_terms(text)

    assert said in str(caught.value)


words = st.text(alphabet="aA b’'한ß", max_size=6)


@given(st.lists(st.tuples(words, words, st.booleans()), max_size=6))
def test_no_spelling_of_accepted_terms_finds_two_of_them(rows: list[tuple[str, str, bool]]) -> None:
    kept: list[GlossaryTerm] = []
    for number, (name, alias, minds) in enumerate(rows):
        term = rules.tidy(
            GlossaryTerm(slug=str(number), name=name, aliases=(alias,), explanation="x", case_sensitive=minds)
        )
        if not rules.faults(term, Spellings(kept)):
            kept.append(term)

    owners = Spellings(kept)
    assert all(owners.owner(text, term) is None for term in kept for text in rules.spellings(term))
