import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby, pairwise

from publisher.intake import rules
from publisher.intake.body import Body, Part, arrange, checked
from publisher.intake.clean import clean_text, one_line
from publisher.intake.fields import title_of
from publisher.intake.model import Draft
from publisher.intake.rules import Role, TeaserLine

NAME = r"[^\W\d_a-z][\w.’'-]*(?: (?:(?:de|van|von|bin|al) )?[^\W\d_a-z][\w.’'-]*){0,3}"
BYLINE = re.compile(rf"By (?P<names>{NAME}(?:(?:, and |, | and | & ){NAME})*)")
KOREAN_BYLINE = re.compile(r"(?P<names>[가-힣]{2,5}) 기자")
PAIR = 2


def read_plain_text(text: str) -> Draft:
    """
    Return the draft in a plain text: the first line is the title, short lines before paragraphs are headings.

    A line is a paragraph, whether or not a blank line follows; only a text that a program
    has wrapped has its lines joined first. A byline below the title names the authors.
    """
    lines = _lines(text)
    start = next((index for index, line in enumerate(lines) if line), len(lines))
    title = title_of("".join(lines[start : start + 1]), hint="its first line is taken for the title")
    authors, below = _authors(lines[start + 1 :])
    body = _body(below)
    return checked(Draft(title=title, authors=authors, sections=body.sections, guide=body.guide, teasers=body.teasers))


def body_of_text(text: str) -> Body:
    """Return the body that a plain text without a title holds."""
    return _body(_lines(text))


def _lines(text: str) -> list[str]:
    return [one_line(line) for line in clean_text(text).split("\n")]


def _authors(lines: list[str]) -> tuple[tuple[str, ...], list[str]]:
    first = next((index for index, line in enumerate(lines) if line), 0)
    line = lines[first] if lines else ""
    found = BYLINE.fullmatch(line) or KOREAN_BYLINE.fullmatch(line)
    if not found:
        return (), lines
    return tuple(re.split(r",? and |, | & ", found["names"])), lines[first + 1 :]


def _body(wrapped: Sequence[str]) -> Body:
    lines = rules.unfolded(wrapped)
    starts = [*sorted(rules.headings(lines)), len(lines)]
    opening = Part(heading="", html=_html(lines[: starts[0]]))
    return arrange([opening, *(_part(lines[start], lines[start + 1 : end]) for start, end in pairwise(starts))])


def _part(heading: str, lines: Sequence[str]) -> Part:
    if rules.opens_teasers(heading):
        return Part(heading=heading, html="", teaser_lines=tuple(_teaser_lines(lines)))
    return Part(heading=heading, html=_html(lines))


def _html(lines: Sequence[str]) -> str:
    blocks: list[str] = []
    for is_list, run in groupby((line for line in lines if line), key=rules.is_bullet):
        if is_list:
            entries = "".join(f"<li>{escape(rules.without_bullet(line), quote=False)}</li>" for line in run)
            blocks.append(f"<ul>{entries}</ul>")
        else:
            blocks.extend(_paragraph(line) for line in run)
    return "\n".join(blocks)


def _paragraph(line: str) -> str:
    return "<hr>" if rules.is_separator(line) else f"<p>{escape(line, quote=False)}</p>"


def _teaser_lines(lines: Sequence[str]) -> Iterator[TeaserLine]:
    """Yield the lines below "Discover More"; two lines between gaps are a title and its summary."""
    for has_words, run in groupby(lines, key=bool):
        block = [line for line in run if has_words and not rules.is_separator(line)]
        is_pair = len(block) == PAIR and not any(map(rules.is_bullet, block))
        roles = (Role.TITLE, Role.SUMMARY) if is_pair else [Role.UNKNOWN] * len(block)
        for line, role in zip(block, roles, strict=True):
            yield TeaserLine(text=rules.without_bullet(line), role=Role.TITLE if rules.is_bullet(line) else role)
