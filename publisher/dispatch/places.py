import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias
from urllib.parse import quote

from publisher.compose.slots import Slot, marker
from publisher.errors import TemplateTextError

URL_SLOTS = frozenset({Slot.UNSUBSCRIBE_URL, Slot.ONE_CLICK_URL, Slot.PREFERENCES_URL, Slot.READ_URL})
HEADER_ONLY = frozenset({Slot.ONE_CLICK_URL, Slot.MESSAGE_ID, Slot.DATE})
"""Slots that mean nothing to a reader. A visible one-click address would be followed by scanners (RFC 8058)."""

URL_CHARACTERS = "-._~:/?#[]@!$&'()*+,;=%"
"""RFC 3986, section 2: everything but letters and digits that may stand in a URL as it is."""


class Place(StrEnum):
    """Where a slot stands, which says how its value is escaped."""

    HEADER = "header"
    """One word in a structured header field: ASCII, no space, no brackets."""
    DATE = "date"
    """A header field of several plain words."""
    TEXT = "text"
    URL = "url"
    """A whole URL, in a header or in plain text."""
    HTML = "html"
    HTML_URL = "html-url"
    """A whole URL, in HTML."""
    URL_PART = "url-part"
    """Somewhere inside the URL of an HTML attribute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Insert:
    """A slot, where it stands, and what stands there for a reader without a value."""

    slot: Slot
    place: Place
    fallback: str = ""


Span: TypeAlias = str | Insert
"""A stretch of text: the same for everybody, or a slot."""

Escape: TypeAlias = Callable[[str], str]

_MARKERS = {marker(slot): slot for slot in Slot}
_MARKER = re.compile("|".join(re.escape(word) for word in sorted(_MARKERS, key=len, reverse=True)))
_UNWANTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")
_DATE_BYTES = bytes(byte for byte in range(32, 127) if byte not in b"<>")
_HEADER_BYTES = _DATE_BYTES.replace(b" ", b"")
_URL_BYTES = (URL_CHARACTERS + "".join(map(chr, [*range(48, 58), *range(65, 91), *range(97, 123)]))).encode()
_URL_ATTRIBUTES = frozenset({"href", "src", "action", "background", "cite", "poster"})
_UNRESERVED = b"-._~" + bytes(byte for byte in _URL_BYTES if chr(byte).isalnum())
_HARMLESS_IN_URL = _URL_BYTES.translate(None, b"&'")
_HARMLESS_IN_TEXT = _HARMLESS_IN_URL + b" "
_TAG = re.compile(r"""<[a-zA-Z](?:"[^"]*"|'[^']*'|[^"'>])*>""")
_ATTRIBUTE = re.compile(r"""([^\s"'=<>/]+)\s*=\s*("[^"]*"|'[^']*')""")
_RAW_ELEMENT = re.compile(r"<(style|script)\b.*?</\1", re.DOTALL | re.IGNORECASE)


def harmless(insert: Insert) -> bytes:
    """Return the ASCII characters of which a value can consist without a need to be escaped."""
    if insert.place is Place.URL_PART:
        return _UNRESERVED
    return _HARMLESS_IN_TEXT if insert.place in {Place.TEXT, Place.HTML, Place.DATE} else _HARMLESS_IN_URL


def clean(value: str) -> str:
    """Return one line without controls: no value can begin a line of its own, in a header or anywhere."""
    return value if value.isprintable() else _UNWANTED.sub(" ", value).strip()


def escape_header(value: str) -> str:
    return _only(value, _HEADER_BYTES)


def escape_date(value: str) -> str:
    return _only(value, _DATE_BYTES)


def _only(value: str, allowed: bytes) -> str:
    raw = value.encode("ascii", errors="ignore")
    unwanted = raw.translate(None, allowed)
    return raw.translate(None, unwanted).decode() if unwanted or len(raw) != len(value) else value


def escape_url(value: str) -> str:
    """Percent-encode what may not stand in a URL; what is already encoded stays as it is."""
    if value.isascii() and not value.encode().translate(None, _URL_BYTES):
        return value
    return quote(clean(value).encode(errors="replace"), safe=URL_CHARACTERS)


def escape_html(value: str) -> str:
    return html.escape(clean(value))


def escape_html_url(value: str) -> str:
    value = escape_url(value)
    return html.escape(value) if "&" in value or "'" in value else value


def escape_url_part(value: str) -> str:
    return quote(clean(value).encode(errors="replace"), safe="")


ESCAPES: dict[Place, Escape] = {
    Place.HEADER: escape_header,
    Place.DATE: escape_date,
    Place.TEXT: clean,
    Place.URL: escape_url,
    Place.HTML: escape_html,
    Place.HTML_URL: escape_html_url,
    Place.URL_PART: escape_url_part,
}


def spans_of_text(text: str, fallbacks: dict[Slot, str]) -> tuple[Span, ...]:
    """Split plain text at its markers."""
    return tuple(_spans(text, fallbacks, lambda slot, _: Place.URL if slot in URL_SLOTS else Place.TEXT))


def spans_of_html(text: str, fallbacks: dict[Slot, str]) -> tuple[Span, ...]:
    """
    Split HTML at its markers.

    Raises:
        TemplateTextError: A slot stands where no escaping makes it safe: in a style sheet, in a script,
            or inside a tag without quotation marks.

    """
    places = _HtmlPlaces(text)
    return tuple(_spans(text, fallbacks, places.of))


def _spans(text: str, fallbacks: dict[Slot, str], place: Callable[[Slot, int], Place]) -> Iterator[Span]:
    end = 0
    for found in _MARKER.finditer(text):
        slot = _MARKERS[found[0]]
        if slot in HEADER_ONLY:
            raise TemplateTextError(f"the slot “{slot}” belongs in the header, not in the letter")
        if found.start() > end:
            yield text[end : found.start()]
        yield Insert(slot=slot, place=place(slot, found.start()), fallback=fallbacks.get(slot, ""))
        end = found.end()
    if end < len(text):
        yield text[end:]


class _HtmlPlaces:
    """Tells where in a piece of HTML a slot stands. Tags inside conditional comments are tags too."""

    def __init__(self, text: str) -> None:
        self._raw = [found.span() for found in _RAW_ELEMENT.finditer(text)]
        self._tags = list(_TAG.finditer(text))
        self._starts = [tag.start() for tag in self._tags]

    def of(self, slot: Slot, start: int) -> Place:
        if any(begin < start < end for begin, end in self._raw):
            raise TemplateTextError(f"the slot “{slot}” stands in a style sheet or a script")
        at = bisect_right(self._starts, start) - 1
        if at < 0 or self._tags[at].end() <= start:
            return Place.HTML_URL if slot in URL_SLOTS else Place.HTML
        return _place_in_tag(self._tags[at], slot, start)


def _place_in_tag(tag: re.Match[str], slot: Slot, start: int) -> Place:
    at = start - tag.start()
    for attribute in _ATTRIBUTE.finditer(tag[0]):
        begin, end = attribute.span(2)
        if begin < at < end:
            if attribute[1].lower() not in _URL_ATTRIBUTES:
                return Place.HTML_URL if slot in URL_SLOTS else Place.HTML
            return Place.HTML_URL if slot in URL_SLOTS and at == begin + 1 else Place.URL_PART
    raise TemplateTextError(f"the slot “{slot}” stands in a tag, outside of quotation marks")
