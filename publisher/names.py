"""Names in running text, told by their capitals. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence

from publisher.words import ABBREVIATIONS

CALENDAR = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december
    """.split()  # noqa: SIM905 (nineteen quoted words read worse)
)
"""No reason to read on, and nothing to explain: that an article names a Tuesday."""
TITLES = frozenset({"president", "minister", "professor", "senator", "governor", "mayor"})
"""What stands before a name and is no part of it."""
EVERYBODY_KNOWS = frozenset(
    """
    north south east west korea korean koreans america american americans japan japanese china chinese english europe
    european europeans asia asian
    """.split()  # noqa: SIM905 (as above)
)
"""A name of nothing but these words needs no explanation."""
LONGEST = 80
EVERY_NOUN = frozenset({"de", "lb"})
"""German and Luxembourgish write every noun with a capital: there it tells nothing."""
WITHOUT_CAPITALS = frozenset({"ko", "ja", "zh"})
"""Among their letters every Latin word with a capital is a name, at the beginning of a sentence too."""

_WITHIN = re.compile(r"(?<=[a-z,;:] )[^\W\d_a-z]\w*(?:-\w+)*(?: [^\W\d_a-z]\w*(?:-\w+)*){0,3}")
"""Capitals in the middle of a sentence."""
_PART = "[A-ZÀ-ÖØ-Þ][0-9A-Za-zÀ-ÖØ-öø-ɏ&]*(?:-[0-9A-Za-zÀ-ÖØ-öø-ɏ]+)*"
_LATIN = re.compile(rf"(?<![0-9A-Za-zÀ-ÖØ-öø-ɏ_.@/&-]){_PART}(?: {_PART}){{0,3}}")
"""Stands apart from other Latin letters, and is no part of an address."""


def names_within(text: str) -> list[str]:
    """Return the capitalised runs of one to four words in the middle of sentences, as often as they stand there."""
    return _WITHIN.findall(text)


def proper_names(text: str, language: str) -> frozenset[str]:
    """
    Return what a text names: people, places, outlets; without titles, days and months.

    Capitals tell, so there are none in German, and in Korean only those in Latin letters. Only what
    stands in the middle of a sentence counts, for any word may begin one.

    Args:
        text: Paragraphs, without headings: those may have capitals everywhere.
        language: Of the text, the primary part only: `en`.

    """
    if language in EVERY_NOUN:
        return frozenset()
    found = _LATIN.findall(text) if language in WITHOUT_CAPITALS else names_within(text)
    return frozenset(_bare(found))


def _bare(found: Iterable[str]) -> Iterator[str]:
    for each in dict.fromkeys(found):
        parts = each.split(" ")
        while parts and parts[-1].lower() in CALENDAR:
            parts.pop()
        while parts and (parts[0].lower() in CALENDAR or (len(parts) > 1 and parts[0].lower() in TITLES)):
            parts.pop(0)
        if _may_need_explaining(parts):
            yield " ".join(parts)


def _may_need_explaining(parts: Sequence[str]) -> bool:
    name = " ".join(parts)
    return (
        1 < len(name) <= LONGEST
        and name.lower() not in ABBREVIATIONS
        and all(part[0].isupper() for part in parts)
        and not EVERYBODY_KNOWS.issuperset(name.lower().split())
    )
