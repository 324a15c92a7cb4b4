"""The text part of a mail, laid out from an article's structure; never stripped from the HTML mail."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from lxml.html import HtmlElement

WIDTH = 72
"""Columns. Leaves room for quotation marks within the 78 of RFC 5322, section 2.1.1."""
SPACE = " \t\r\n\f"
LINE_BREAK = "\v"
"""Stands for <br> until the line is wrapped; clean text holds no such control."""


class Links:
    """The links of a text, numbered in the order in which they come; one address has one number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, url: str) -> int:
        return self._numbers.setdefault(url, len(self._numbers) + 1)

    def lines(self) -> list[str]:
        return [f"[{number}] {url}" for url, number in self._numbers.items()]


def from_html(root: HtmlElement, links: Links, width: int = WIDTH) -> str:
    """Return the blocks of clean HTML as paragraphs, lists and quotations with an empty line between them."""
    return "\n\n".join(_blocks(root, links, width))


def wrap(text: str, *, first: str = "", rest: str = "", width: int = WIDTH) -> str:
    """
    Break a text into lines that are at most `width` columns wide, Hangul counted double.

    Korean breaks between words as Latin does. A word that is too long for a line stays whole if it
    may be an address; other long ones (Chinese, Japanese: no spaces) break anywhere.

    Args:
        text: One paragraph.
        first: Begins the first line, such as "* ".
        rest: Begins the other lines.
        width: The columns of a line, its beginning included.

    """
    lines: list[str] = []
    for part in text.split(LINE_BREAK):
        lines += _wrapped(part, first if not lines else rest, rest, width)
    return "\n".join(lines)


def underlined(text: str, sign: str) -> str:
    """Return a heading with a line of `sign` below it, as wide as its widest line."""
    heading = wrap(text)
    return f"{heading}\n{sign * max(columns(line) for line in heading.splitlines() or [''])}"


def columns(text: str) -> int:
    """
    Return how many columns of a terminal a text takes.

    Source:
        Unicode Standard Annex 11: wide (W) and fullwidth (F) characters take two; those that combine, none.

    """
    return len(text) if text.isascii() else sum(map(_columns_of, text))


@lru_cache(maxsize=20_000)
def _columns_of(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _wrapped(text: str, first: str, rest: str, width: int) -> Iterator[str]:
    line, room, is_empty = first, width - columns(first), True
    for word in _words(text, width - columns(rest)):
        size = columns(word) + (not is_empty)
        if size > room and not is_empty:
            yield line
            line, room, is_empty = rest, width - columns(rest), True
            size -= 1
        line += word if is_empty else f" {word}"
        room -= size
        is_empty = False
    yield line.rstrip() if is_empty else line


def _words(text: str, width: int) -> Iterator[str]:
    for word in text.split():
        if columns(word) <= width or word.isascii():
            yield word
        else:
            yield from _broken(word, width)


def _broken(word: str, width: int) -> Iterator[str]:
    start, taken = 0, 0
    for place, character in enumerate(word):
        size = _columns_of(character)
        if taken + size > width:
            yield word[start:place]
            start, taken = place, 0
        taken += size
    yield word[start:]


# --- from structure to text


def _blocks(parent: HtmlElement, links: Links, width: int) -> Iterator[str]:
    """Yield each block of an element; loose words between blocks are a paragraph of their own."""
    loose = parent.text or ""
    for child in parent:
        block = _block(child, links, width)
        if block is None:
            loose += _phrase(child, links) + (child.tail or "")
            continue
        yield from _paragraph(loose, width)
        yield from block
        loose = child.tail or ""
    yield from _paragraph(loose, width)


def _paragraph(text: str, width: int) -> Iterator[str]:
    if text.strip():
        yield wrap(_tidy(text), width=width)


def _block(element: HtmlElement, links: Links, width: int) -> Iterable[str] | None:
    """Return an element's blocks, or None for an element inside a line."""
    layout = _LAYOUTS.get(element.tag)
    return layout(element, links, width) if layout else None


def _text_block(element: HtmlElement, links: Links, width: int) -> Iterator[str]:
    return _paragraph(_line(element, links), width)


def _heading(element: HtmlElement, links: Links, _width: int) -> Iterator[str]:
    yield underlined(_tidy(_line(element, links)), "~")


def _quotation(element: HtmlElement, links: Links, width: int) -> Iterator[str]:
    yield _indented("\n\n".join(_blocks(element, links, width - 2)), "> ")


def _as_written(element: HtmlElement, _links: Links, _width: int) -> Iterator[str]:
    yield _indented("".join(element.itertext()).strip("\n"), "    ")


def _list(element: HtmlElement, links: Links, width: int) -> Iterator[str]:
    yield "\n".join(_points(element, links, width))


def _table(element: HtmlElement, links: Links, width: int) -> Iterator[str]:
    yield "\n".join(_rows(element, links, width))


def _rule(_element: HtmlElement, _links: Links, _width: int) -> Iterator[str]:
    yield "* * *"


def _points(element: HtmlElement, links: Links, width: int) -> Iterator[str]:
    start = int(element.get("start") or 1)
    for number, item in enumerate(element.iterchildren("li"), start):
        sign = f"{number}. " if element.tag == "ol" else "* "
        indent = " " * len(sign)
        lines = "\n".join(_blocks(item, links, width - len(sign)))
        yield sign + _indented(lines, indent).removeprefix(indent)


def _rows(table: HtmlElement, links: Links, width: int) -> Iterator[str]:
    for row in table.iter("caption", "tr"):
        if row.tag == "caption":
            yield wrap(_tidy(_line(row, links)), width=width)
            continue
        cells = (_tidy(_line(cell, links)).replace(LINE_BREAK, " ") for cell in row.iterchildren("td", "th"))
        yield wrap(" | ".join(cells), rest="    ", width=width)


def _line(element: HtmlElement, links: Links) -> str:
    return (element.text or "") + "".join(_phrase(child, links) + (child.tail or "") for child in element)


def _phrase(element: HtmlElement, links: Links) -> str:
    """Return what stands inside a line: words, a link with its number, a picture's description."""
    if element.tag == "br":
        return LINE_BREAK
    if element.tag == "img":
        return f"[{element.get('alt')}]" if element.get("alt") else ""
    words, url = _line(element, links), element.get("href") or ""
    if element.tag != "a" or not url or url.removeprefix("mailto:") == words.strip():
        return words
    return f"{words} [{links.number(url)}]"


def _tidy(text: str) -> str:
    return LINE_BREAK.join(" ".join(part.split(None)) for part in text.split(LINE_BREAK)).strip(f"{SPACE}{LINE_BREAK}")


def _indented(text: str, indent: str) -> str:
    return "\n".join(f"{indent}{line}".rstrip() for line in text.split("\n"))


_LAYOUTS: dict[str, Callable[[HtmlElement, Links, int], Iterator[str]]] = {
    **dict.fromkeys(("p", "figcaption", "caption"), _text_block),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _heading),
    **dict.fromkeys(("ul", "ol"), _list),
    **dict.fromkeys(("div", "dl", "dd", "dt", "figure"), _blocks),
    "blockquote": _quotation,
    "table": _table,
    "pre": _as_written,
    "hr": _rule,
}
