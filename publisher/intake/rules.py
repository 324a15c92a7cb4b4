"""
What a line of an article is: heading or text, the guide, the teasers. One place for every outside form.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import accumulate

from publisher.intake.model import Teaser

LONGEST_HEADING = 120
"""Characters. The newsroom's own headings have up to 110; its paragraphs begin at about 200."""
LONGEST_KNOWN = 200
"""Characters beyond which no heading opens the guide or the teasers."""
LIST_LINES = 3
"""So many short lines without a gap are a list or a verse, not headings."""
NARROWEST, WIDEST = 50, 100
"""Columns between which programs wrap text."""
SOME_FOLDS, MOSTLY = 2, 0.5
"""How many full lines make a pattern: two, and this share of all lines that another follows."""
BROKEN_WORD = re.compile(r"\w-$")

CLOSING = "\"'”’»)]）」』"
FULL_STOPS = (".", "。", "．", "…")
CALLS = (*FULL_STOPS, "?", "!", "？", "！")
GOES_ON = (",", ";", "，", "、", "–", "—")
BULLET = re.compile(r"[-*•·‣▪–]\s+(?=.*\w)")
SEPARATOR = re.compile(r"(?:[-*_=~•·#]\s*){3,}")
NUMBERED = re.compile(r"\d{1,3}[.)]\s")
WEB_ADDRESS = re.compile(r"https?://\S+")
NO_WORD = re.compile(r"[\W_]+")

PEOPLE = r"(?:fans?|readers?|viewers?|listeners?|audiences?|visitors?|travell?ers?|tourists?|newcomers?|supporters?)"
ABROAD = rf"(?:(?:foreign|international|overseas|global) {PEOPLE}|foreigners?|{PEOPLE} (?:from )?abroad)"
NEED = (
    r"(?:(?:what|things|everything)(?: \w+){0,4} (?:should|need to|must|have to|ought to) know|(?:what|things) to know)"
)
GUIDE = re.compile(
    rf"\b{ABROAD}\b.*\b(?:guide|{NEED})\b|\bguide for (?:\w+ )?{ABROAD}\b"
    rf"|\bwhat {ABROAD} (?:should|need to|must) know\b|\b{NEED} for {ABROAD}\b"
    r"|(?:외국인?|해외|글로벌) ?(?:팬|독자|시청자|방문객|여행자)\S*(?: \S+)* ?(?:안내|가이드|알아야|알아 ?둘|알아 ?두)"
    r"|외국인(?:을 위한(?: \S+)* ?(?:안내|가이드)|이 알아)"
)
BARE_GUIDE = re.compile(
    r"what (?:you|readers) (?:should|need to) know|what to know|알아두면 좋은 (?:점|것)|알아야 할 (?:점|것)"
)
TEASERS = re.compile(
    r"(?:discover|read|explore|see) more(?: (?:articles|stories|news))?"
    r"|related(?: (?:articles?|stories|news|reading|posts?|links?|coverage))?|more (?:articles|stories|to read)"
    r"|(?:you (?:may|might) also like|also read|read also|read next|keep reading|further reading|see also)"
    r"|더 알아보기|더 ?읽기|더 ?보기|더 읽어보기|관련 ?기사|관련 ?글|함께 ?읽기|함께 읽으면 좋은 (?:글|기사)"
)


class Role(Enum):
    """What a line below "Discover More" is, as far as its outside form tells."""

    TITLE = auto()
    SUMMARY = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, kw_only=True)
class TeaserLine:
    """One line below "Discover More"."""

    text: str
    role: Role = Role.UNKNOWN
    url: str = ""


@dataclass(kw_only=True)
class _Gathered:
    """A teaser whose lines are still coming."""

    title: str
    url: str
    summary: list[str]


def headings(lines: Sequence[str]) -> frozenset[int]:
    """
    Return which lines of a plain text are headings, by index; empty lines are the gaps.

    A heading is a short line without a final full stop before a paragraph. A line of a list is
    none. Below "Discover More" only the guide's heading counts, for titles stand there.
    """
    found: set[int] = set()
    below_teasers = False
    texts = [index for index, line in enumerate(lines) if line]
    for place, index in enumerate(texts):
        line, following = lines[index], lines[texts[place + 1]] if place + 1 < len(texts) else ""
        if not following or not could_be_heading(line):
            continue
        if opens_guide(line):
            below_teasers = False
            found.add(index)
        elif below_teasers:
            continue
        elif opens_teasers(line):
            below_teasers = True
            found.add(index)
        elif not (could_be_heading(following) or is_separator(following) or _is_listed(lines, index)):
            found.add(index)
    return frozenset(found)


def could_be_heading(line: str) -> bool:
    """Tell whether a line, taken alone, looks like a heading: short, with words, and no sentence."""
    if len(line) > LONGEST_HEADING or not NO_WORD.sub("", line) or is_bullet(line) or WEB_ADDRESS.match(line):
        return False
    return not ends_a_sentence(line) and not line.endswith(GOES_ON)


def ends_a_sentence(line: str) -> bool:
    """Tell whether a line ends with a full stop, or as a quotation that is a sentence."""
    bare = line.rstrip(CLOSING)
    return bare.endswith(FULL_STOPS) or (line[-1:] in CLOSING and bare != line and bare.endswith(CALLS))


def is_bullet(line: str) -> bool:
    return BULLET.match(line) is not None


def is_separator(line: str) -> bool:
    return SEPARATOR.fullmatch(line) is not None


def without_bullet(line: str) -> str:
    return BULLET.sub("", line, count=1)


def opens_guide(heading: str) -> bool:
    """
    Tell whether a heading opens the section for readers abroad.

    "Foreign Fans’ Guide: What You Should Know", and what other desks call it: a guide, or what
    to know, together with the readers it is for.
    """
    return GUIDE.search(_plain(heading)) is not None


def opens_teasers(heading: str) -> bool:
    """Tell whether a heading, taken whole, opens the related articles: "Discover More" and its kin."""
    return TEASERS.fullmatch(_plain(heading)) is not None


def opens_more(heading: str) -> bool:
    return opens_guide(heading) or opens_teasers(heading)


def guide_place(headings: Sequence[str]) -> int | None:
    """
    Return which of an article's headings opens the guide section.

    The first that names its readers; else the last that says no more than "What You Should
    Know", which may stand above any section.
    """
    named = [place for place, heading in enumerate(headings) if opens_guide(heading)]
    bare = [place for place, heading in enumerate(headings) if BARE_GUIDE.fullmatch(_plain(heading))]
    return named[0] if named else bare[-1] if bare else None


def pair(lines: Iterable[TeaserLine]) -> tuple[Teaser, ...]:
    """
    Return the teasers that these lines make: a title, then perhaps a summary and an address.

    Where the form does not tell, a sentence or a long line belongs to the title above it. A second
    line with the same link is the summary, as on cards that are a link as a whole.
    """
    teasers: list[_Gathered] = []
    for line in lines:
        current = teasers[-1] if teasers else None
        if current and WEB_ADDRESS.fullmatch(line.text):
            current.url = current.url or line.text
        elif current and _is_summary(line, current):
            current.summary.append(line.text)
        else:
            teasers.append(_Gathered(title=line.text, url=line.url, summary=[]))
    return tuple(Teaser(title=each.title, summary=" ".join(each.summary), url=each.url) for each in teasers)


def unfolded(lines: Sequence[str]) -> list[str]:
    """
    Return the lines of a text with its paragraphs on one line each; empty lines stay.

    Only a text that was wrapped by a program is changed: no line in it is as long as a paragraph,
    and there is a column at which most lines had no room for the next line's first word.
    """
    if max(map(len, lines), default=0) > LONGEST_HEADING:
        return list(lines)
    rooms = {below: _room(lines[below - 1], lines[below]) for below in range(1, len(lines))}
    pairs = [room for room in rooms.values() if room]
    column = _busiest_column(pairs)
    folds = {below for below, room in rooms.items() if column in room}
    if len(folds) < max(SOME_FOLDS, MOSTLY * len(pairs)):
        return list(lines)
    joined: list[list[str]] = []
    for index, line in enumerate(lines):
        if index in folds:
            joined[-1] += [line] if BROKEN_WORD.search(lines[index - 1]) else [" ", line]
        else:
            joined.append([line])
    return ["".join(pieces) for pieces in joined]


def _room(line: str, following: str) -> range:
    """Return the columns at which a program would have ended this line before the next one's first word."""
    if not line or not following or is_bullet(following) or opens_more(line) or opens_more(following):
        return range(0)
    return range(len(line), len(line) + 1 + len(following.split(maxsplit=1)[0]))


def _busiest_column(rooms: Iterable[range]) -> int:
    steps = [0] * (WIDEST + 2)
    for room in rooms:
        first, end = max(room.start, NARROWEST), min(room.stop, WIDEST + 1)
        if first < end:
            steps[first] += 1
            steps[end] -= 1
    at = list(accumulate(steps))
    return at.index(max(at))


def _is_listed(lines: Sequence[str], index: int) -> bool:
    """Tell whether a line ends a list: short lines without a gap above it, or numbers in a row."""
    above = 0
    while above < index and could_be_heading(lines[index - above - 1]):
        above += 1
    numbered = NUMBERED.match(lines[index]) and above > 0 and NUMBERED.match(lines[index - 1])
    return above + 1 >= LIST_LINES or bool(numbered)


def _is_summary(line: TeaserLine, current: _Gathered) -> bool:
    if line.role is Role.UNKNOWN:
        return not could_be_heading(line.text)
    leads_to_the_same = bool(line.url) and line.url == current.url and not current.summary
    return line.role is Role.SUMMARY or leads_to_the_same


def _plain(heading: str) -> str:
    """Return a heading's words in lower case, apostrophes and punctuation gone; nothing of one that goes on and on."""
    if len(heading) > LONGEST_KNOWN:
        return ""
    text = unicodedata.normalize("NFKC", heading).casefold()
    text = re.sub(r"['’‘ʼ`´]s?\b|['’‘ʼ`´]", lambda mark: "s" if mark[0].endswith("s") else "", text)
    return NO_WORD.sub(" ", text).strip()
