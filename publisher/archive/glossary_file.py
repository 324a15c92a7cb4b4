"""The file form of a glossary: YAML, a list of terms; what is exported can be imported."""

from collections.abc import Iterable
from typing import Any

import yaml

from publisher.archive.model import GlossaryTerm, TermKind
from publisher.errors import ImportFileError

TEXTS = ("name", "hangul", "romanisation", "explanation", "link")
FIELDS = (*TEXTS, "aliases", "kind", "case_sensitive")


def read_terms(text: str) -> list[GlossaryTerm]:
    """
    Return the terms of a file.

    Raises:
        ImportFileError: It is not such a file, or a term in it has a field that we do not know.

    """
    try:
        found = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ImportFileError("This is not YAML.", f"line {line}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise ImportFileError("This is not YAML.") from None
    if not isinstance(found, list):
        raise ImportFileError("This is no list of terms; `publisher glossary export` shows what one looks like.")
    return [_term(values, f"term {number}") for number, values in enumerate(found, 1)]


def write_terms(terms: Iterable[GlossaryTerm]) -> str:
    """Return terms as a file, in the order given."""
    rows = [
        {
            "name": term.name,
            "aliases": list(term.aliases),
            "hangul": term.hangul,
            "romanisation": term.romanisation,
            "kind": term.kind.value,
            "explanation": term.explanation,
            "link": term.link,
            "case_sensitive": term.case_sensitive,
        }
        for term in terms
    ]
    return yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=120)


def _term(values: Any, where: str) -> GlossaryTerm:
    if not isinstance(values, dict):
        raise ImportFileError("This is no term: a term has fields, such as name and explanation.", where)
    if unknown := [str(name) for name in values if name not in FIELDS]:
        raise ImportFileError(f"There is no field {unknown[0]!r}; there are {', '.join(FIELDS)}.", where)
    texts = {name: _text(values.get(name), f"{where}, {name}") for name in TEXTS}
    if texts["name"]:
        where = f"{where}, “{texts['name']}”"
    return GlossaryTerm(
        slug="",
        **texts,
        aliases=_aliases(values.get("aliases"), f"{where}, aliases"),
        kind=_kind(values.get("kind", TermKind.WORD), f"{where}, kind"),
        case_sensitive=_yes_or_no(values.get("case_sensitive", True), f"{where}, case_sensitive"),
    )


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ImportFileError(f"{value!r} is no text; put it in quotes.", where)
    return value


def _aliases(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ImportFileError("This is no list, such as [DC Inside, 디시].", where)
    return tuple(_text(each, where) for each in value)


def _kind(value: Any, where: str) -> TermKind:
    if not isinstance(value, str) or value not in set(TermKind):
        raise ImportFileError(f"{value!r} is no kind of term; there are {', '.join(TermKind)}.", where)
    return TermKind(value)


def _yes_or_no(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ImportFileError(f"{value!r} is neither true nor false.", where)
    return value
