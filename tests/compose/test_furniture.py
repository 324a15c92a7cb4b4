"""The words of the furniture: every sentence of a template stands in every language's catalogue."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from publisher import rendering
from publisher.compose import render
from publisher.rendering import FOLDER, languages, themed

Sentence = str | tuple[str, ...]
CODE = Path(render.__file__).parent


def used_in_templates() -> Iterator[Sentence]:
    for folder in ("email", "guide"):
        for path in sorted((FOLDER / folder).rglob("*")):
            name = str(path.relative_to(FOLDER))
            if path.suffix in {".html", ".txt"} or (path.suffix == ".mjml" and "parts" not in name):
                source = themed(name) if path.suffix == ".mjml" else path.read_text(encoding="utf-8")
                for _, _, message, _ in babel_extract(BytesIO(source.encode()), ("_", "ngettext"), (), {}):
                    yield sentence(message)


def used_in_code() -> Iterator[Sentence]:
    for path in sorted(CODE.glob("*.py")):
        keywords = {"say": None, "gettext": None, "ngettext": (1, 2)}
        for _, message, _, _ in extract_from_file("python", path, keywords=keywords):
            yield sentence(message)


def sentence(message: str | tuple[str | None, ...] | None) -> Sentence:
    if isinstance(message, str):
        return message
    parts = tuple(part for part in message or () if part)
    return parts if len(parts) > 1 else parts[0]


USED = {*used_in_templates(), *used_in_code()}


def catalogue(language: str) -> Catalog:
    with (FOLDER / "locale" / language / "LC_MESSAGES" / rendering.DOMAIN).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_there_and_none_is_left_over(language: str) -> None:
    entries = {
        tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
        for message in catalogue(language)
        if message.id
    }

    assert len(USED) > 40
    assert entries == USED


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_translated_with_all_its_slots(language: str) -> None:
    """A slot that a translator forgot is a reader's name that never shows."""
    for message in catalogue(language):
        if not message.id:
            continue
        originals = message.id if isinstance(message.id, (list, tuple)) else (message.id,)
        translations = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
        for translation in translations:
            assert translation, message.id
            assert slots(translation) == slots(originals[-1]), message.id


def slots(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)[sd]", text))


def test_there_are_english_and_korean() -> None:
    assert {"en", "ko"} <= set(languages())
