import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypedDict

from publisher.errors import SubmissionError
from publisher.intake.clean import one_line
from publisher.outbound import address_problem

LONGEST_TITLE = 1_000
LONGEST_SUMMARY = 5_000
LONGEST_NAME = 200
LONGEST_ADDRESS = 2_000
MOST_NAMES = 100
MOST_QUOTED = 60
"""Characters of a wrong value that its error repeats."""
FIRST_YEAR, LAST_YEAR = 1000, 9000
"""Four digits, and room for every time zone at both ends."""

LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
SLUG = re.compile(r"\w+(?:-+\w+)*")
PIXELS = re.compile(r"[1-9][0-9]{0,4}")
GAP_BEFORE_ZONE = re.compile(r"\s+(?=[+-]\d\d|Z$)")
Absent = (None, "")


class CommonFields(TypedDict):
    """The fields of a draft that every written form spells the same."""

    summary: str
    language: str
    authors: tuple[str, ...]
    topics: tuple[str, ...]
    slug: str
    canonical_url: str
    external_id: str
    importance: int | None
    published_at: datetime | None
    publish_at: datetime | None


COMMON = frozenset(CommonFields.__annotations__)


def common_fields(values: Mapping[str, Any]) -> CommonFields:
    """Return the checked fields of front matter or JSON; a missing one is empty."""
    return CommonFields(
        summary=text(values.get("summary"), "summary", at_most=LONGEST_SUMMARY),
        language=language(values.get("language"), "language"),
        authors=names(values.get("authors"), "authors"),
        topics=names(values.get("topics"), "topics"),
        slug=slug(values.get("slug"), "slug"),
        canonical_url=web_address(values.get("canonical_url"), "canonical_url"),
        external_id=text(values.get("external_id"), "external_id", at_most=500),
        importance=importance(values.get("importance"), "importance"),
        published_at=instant(values.get("published_at"), "published_at"),
        publish_at=instant(values.get("publish_at"), "publish_at"),
    )


def title_of(value: Any, *, hint: str) -> str:
    """Return an article's title on one line; `hint` says where one would be looked for."""
    title = text(value, "title")
    if not any(letter.isprintable() and not letter.isspace() for letter in title):
        raise SubmissionError(f"The article has no title; {hint}.", "title")
    return title


def heading_of(value: Any) -> str:
    return text(value, "heading")


def text(value: Any, where: str, *, at_most: int = LONGEST_TITLE) -> str:
    """Return plain text on one line."""
    if value in Absent:
        return ""
    if not isinstance(value, str):
        raise SubmissionError("This must be text.", where)
    line = one_line(value)
    if len(line) > at_most:
        raise SubmissionError(f"This has {len(line):,} characters; at most {at_most:,} are possible.", where)
    return line


def names(value: Any, where: str) -> tuple[str, ...]:
    """Return names from a list, or from one text with commas; each once."""
    if value in Absent:
        return ()
    found = value.split(",") if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise SubmissionError("This must be a list of names, or names with commas between them.", where)
    if len(found) > MOST_NAMES:
        raise SubmissionError(f"These are {len(found):,} names; at most {MOST_NAMES} are possible.", where)
    lines = (text(each, where, at_most=LONGEST_NAME) for each in found)
    return tuple(dict.fromkeys(line for line in lines if line))


def cut_names(values: Iterable[Any]) -> tuple[str, ...]:
    """Return names that a page or feed happens to carry: as many and as much of them as we keep, each once."""
    lines = (one_line(value)[:LONGEST_NAME] for value in values if isinstance(value, str))
    return tuple(islice(dict.fromkeys(line for line in lines if line), MOST_NAMES))


def instant(value: Any, where: str) -> datetime | None:
    """
    Return an aware UTC instant from an ISO 8601 text.

    A date alone is its midnight in UTC; a time without a zone is UTC.
    """
    if value in Absent:
        return None
    try:
        read = datetime.fromisoformat(GAP_BEFORE_ZONE.sub("", value.strip().upper()))
        found = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError, AttributeError):
        found = None
    if found is None or not FIRST_YEAR <= found.year < LAST_YEAR:
        problem = f"{quoted(value)} is not a date; write it like 2026-03-31 or 2026-03-31T09:00:00+09:00."
        raise SubmissionError(problem, where)
    return found


def web_address(value: Any, where: str) -> str:
    """Return an absolute http or https address that a reader anywhere could open."""
    address = text(value, where, at_most=LONGEST_ADDRESS)
    problem = address_problem(address) if address else ""
    if problem or " " in address:
        raise SubmissionError(f"{quoted(address)} {problem or 'has a space in it'}.", where)
    return address


def language(value: Any, where: str) -> str:
    """Return a BCP 47 tag, its primary part in lower case."""
    tag = text(value, where).replace("_", "-")
    if tag and not LANGUAGE.fullmatch(tag):
        raise SubmissionError(f"{quoted(tag)} is not a language tag; write one like en, ko or pt-BR.", where)
    primary, dash, rest = tag.partition("-")
    return primary.lower() + dash + rest


def slug(value: Any, where: str) -> str:
    found = text(value, where, at_most=LONGEST_NAME).lower()
    if found and not SLUG.fullmatch(found):
        problem = f"{quoted(found)} may hold letters, digits and hyphens only; write it like a-year-of-ties."
        raise SubmissionError(problem, where)
    return found


def importance(value: Any, where: str) -> int | None:
    """Return a number from 1 (leads everything) to 5."""
    if value in Absent:
        return None
    if not isinstance(value, str | int) or str(value).strip() not in {"1", "2", "3", "4", "5"}:
        raise SubmissionError(f"{quoted(value)} must be a number from 1 (leads everything) to 5.", where)
    return int(value)


def pixels(value: Any, where: str) -> int | None:
    """Return a picture's width or height in pixels."""
    if value in Absent:
        return None
    if not isinstance(value, str | int) or not PIXELS.fullmatch(str(value)):
        raise SubmissionError(f"{quoted(value)} must be a number of pixels.", where)
    return int(value)


def likely_name(name: str, known: Collection[str]) -> str:
    """Return the field that a misspelt name was meant to be; empty where none is near."""
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.8)), "")


def quoted(value: Any) -> str:
    """Return the start of a wrong value, to be shown in the sentence about it."""
    shown = one_line(str(value)) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return f"“{shown[:MOST_QUOTED]}…”" if len(shown) > MOST_QUOTED else f"“{shown}”"
