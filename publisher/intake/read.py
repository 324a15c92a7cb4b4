import codecs
import re
from collections.abc import Callable
from pathlib import PurePath

from publisher.errors import SubmissionError
from publisher.intake.html import read_html
from publisher.intake.json import read_json
from publisher.intake.markdown import read_markdown
from publisher.intake.model import Draft
from publisher.intake.plain_text import read_plain_text

MOST_BYTES = 5 * 1024 * 1024
"""The longest article anyone has handed in is far below; more is a mistake."""


def _read_text(source: str, /, *, base_url: str = "") -> Draft:
    del base_url
    return read_plain_text(source)


READERS: dict[str, Callable[..., Draft]] = {
    ".txt": _read_text,
    ".text": _read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".json": read_json,
}
SUFFIXES = frozenset(READERS)
"""Of the files that can be handed in."""
OTHER_FORMS = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "an office document or archive",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"{\\rtf": "a rich text (RTF) document",
    b"\x1f\x8b": "a compressed file",
}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
HTML_START = re.compile(
    r"\s*<(?:!doctype html|html|head|body|article|main|section|div|h1|p|meta|title)\b", re.IGNORECASE
)
MARKDOWN_START = re.compile(r"\s*(?:---[ \t]*\n|# \S)")
JSON_START = re.compile(r"\s*\{\s*[\"}]")


def read(data: bytes, *, name: str, base_url: str = "") -> Draft:
    """
    Return the draft in a file from outside, whatever its form.

    Args:
        data: Its bytes: UTF-8, with or without a byte order mark, or UTF-16 with one.
        name: The file's name; its suffix tells the form, else the first characters do.
        base_url: Where it came from, for relative links.

    Raises:
        SubmissionError: What is wrong, and where, in one sentence.

    """
    try:
        source = decoded(data)
        return _reader(name, source)(source, base_url=base_url)
    except SubmissionError as error:
        raise SubmissionError(error.problem, ", ".join(part for part in (name, error.where) if part)) from None


def decoded(data: bytes) -> str:
    """Return the text of a file. Raises SubmissionError: it is none."""
    if len(data) > MOST_BYTES:
        raise SubmissionError(f"It has {len(data):,} bytes; at most 5 MB ({MOST_BYTES:,} bytes) are possible.")
    if not data.strip():
        raise SubmissionError("It is empty.")
    for start, form in OTHER_FORMS.items():
        if data.startswith(start):
            raise SubmissionError(f"It is {form}; hand in plain text, Markdown, HTML or JSON.")
    mark = next((mark for mark in BYTE_ORDER_MARKS if data.startswith(mark)), b"")
    encoding = BYTE_ORDER_MARKS.get(mark, "utf-8")
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        offset = error.start + len(mark)
        problem = f"It is not {encoding.upper()}: byte 0x{data[offset]:02X} does not fit there. Save it as UTF-8."
        raise SubmissionError(problem, f"byte {offset:,}") from None


def is_plain_text(name: str, source: str) -> bool:
    """Tell whether every character of a file stands for itself."""
    return _reader(name, source) is _read_text


def _reader(name: str, source: str) -> Callable[..., Draft]:
    if known := READERS.get(PurePath(name).suffix.lower()):
        return known
    if JSON_START.match(source):
        return read_json
    if HTML_START.match(source):
        return read_html
    return read_markdown if MARKDOWN_START.match(source) else _read_text
