import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from publisher.errors import SubmissionError
from publisher.intake import rules
from publisher.intake.blocks import HEADINGS, blocks_of, parse_html, text_of, to_html
from publisher.intake.clean import one_line
from publisher.intake.fields import heading_of
from publisher.intake.model import Draft, Section, Teaser
from publisher.intake.rules import Role, TeaserLine

SECTION_LEVEL = 2
"""h1 and h2 open sections; what stands lower belongs to them."""
SEPARATED = re.compile(r"[\s:：–—‒―|-]+")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A heading and what stands below it, before we know what it is for."""

    heading: str
    html: str
    teaser_lines: tuple[TeaserLine, ...] = ()
    """The same again as lines; only below a heading that opens teasers."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """What an article says below its title."""

    sections: tuple[Section, ...] = ()
    guide: Section | None = None
    guide_at: int = 0
    """How many sections stand above the guide."""
    teasers: tuple[Teaser, ...] = ()


@dataclass(kw_only=True)
class _Open:
    """The part that is being gathered."""

    heading: str = ""
    level: int = SECTION_LEVEL
    blocks: list[HtmlElement]


def arrange(parts: Sequence[Part]) -> Body:
    """Sort parts into sections, the guide section and teasers; parts that say nothing go."""
    place = rules.guide_place([part.heading if part.html else "" for part in parts])
    above, below = (parts, ()) if place is None else (parts[:place], parts[place + 1 :])
    return Body(
        sections=(*_sections(above), *_sections(below)),
        guide=None if place is None else Section(heading=parts[place].heading, html=parts[place].html),
        guide_at=len(_sections(above)),
        teasers=rules.pair(line for part in parts for line in part.teaser_lines),
    )


def without_guide(body: Body) -> Body:
    """Return the body with its guide section as an ordinary one, for an article that brings its own."""
    if body.guide is None:
        return body
    sections = (*body.sections[: body.guide_at], body.guide, *body.sections[body.guide_at :])
    return Body(sections=sections, teasers=body.teasers)


def body_of_html(html: str, *, title: str = "", base_url: str = "") -> Body:
    """Return the body that HTML from outside holds; a first h1 that repeats the title is dropped."""
    return body_of_blocks(blocks_of(parse_html(html), base_url=base_url), title=title)


def body_of_blocks(blocks: Iterable[HtmlElement], *, title: str = "") -> Body:
    """Cut blocks into parts at h1 and h2, and at any heading that opens the guide or the teasers."""
    return arrange([_part(part) for part in _cut(_without_title(blocks, title))])


def checked(draft: Draft) -> Draft:
    """Return the draft if it says anything below its title."""
    if not any(section.html for section in (*draft.sections, *([draft.guide] if draft.guide else []))):
        raise SubmissionError("The article has a title, but no text below it.")
    return draft


def part_of_html(heading: str, html: str, *, base_url: str = "") -> Part:
    """Return the part that a given heading and HTML from outside make."""
    return _part(_Open(heading=heading, blocks=blocks_of(parse_html(html), base_url=base_url)))


def _sections(parts: Iterable[Part]) -> tuple[Section, ...]:
    return tuple(
        Section(heading=part.heading, html=part.html)
        for part in parts
        if part.html or (part.heading and not rules.opens_teasers(part.heading))
    )


def _without_title(blocks: Iterable[HtmlElement], title: str) -> Iterator[HtmlElement]:
    first = True
    for block in blocks:
        if block.tag == "h1" and first:
            first = False
            if text_of(block).casefold() == title.casefold():
                continue
        yield block


def _cut(blocks: Iterable[HtmlElement]) -> list[_Open]:
    parts = [_Open(blocks=[])]
    for block in blocks:
        heading, level = _heading(block)
        if heading and (level <= parts[-1].level or rules.opens_more(heading)):
            parts.append(_Open(heading=heading_of(heading), level=max(level, SECTION_LEVEL), blocks=[]))
        else:
            parts[-1].blocks.append(block)
    return parts


def _heading(block: HtmlElement) -> tuple[str, int]:
    """Return a heading and its level; bold words alone count where they open the guide or the teasers."""
    if block.tag in HEADINGS:
        return text_of(block), int(block.tag[1])
    text = text_of(block) if block.tag == "p" and len(block) == 1 and block[0].tag in {"strong", "b"} else ""
    return (text, SECTION_LEVEL) if text and text == text_of(block[0]) and rules.opens_more(text) else ("", 0)


def _part(part: _Open) -> Part:
    lines = tuple(_teaser_lines(part.blocks)) if rules.opens_teasers(part.heading) else ()
    return Part(heading=part.heading, html="" if lines else to_html(part.blocks), teaser_lines=lines)


def _teaser_lines(blocks: Iterable[HtmlElement]) -> Iterator[TeaserLine]:
    for block in blocks:
        if block.tag in {"ul", "ol"}:
            for entry in block.iterchildren("li"):
                yield from _entry_lines(entry)
        elif block.tag in HEADINGS:
            yield TeaserLine(text=text_of(block), role=Role.TITLE, url=_first_link(block))
        elif text := text_of(block):
            yield from _title_and_rest(block, text) or _two_lines(block) or [_line(block, text)]


def _entry_lines(entry: HtmlElement) -> Iterable[TeaserLine]:
    """Return the lines of one entry of a list: its link, or first bold words, is the title."""
    inner = [each for each in entry.iter("h3", "h4", "h5", "h6", "a", "strong", "b") if text_of(each)]
    text = text_of(entry)
    if not inner:
        return _two_lines(entry) or ([TeaserLine(text=text, role=Role.TITLE)] if text else [])
    title = text_of(inner[0])
    before, _, after = text.partition(title)
    rest = SEPARATED.sub(" ", before, count=1).strip() + SEPARATED.sub(" ", after, count=1).rstrip()
    return _titled(title, rest.strip(), _first_link(entry))


def _title_and_rest(block: HtmlElement, text: str) -> list[TeaserLine]:
    """Return title and summary of a paragraph that opens with a link or bold words on their own."""
    first = next((each for each in block if each.tag in {"a", "strong", "b", "em"} and text_of(each)), None)
    title = text_of(first) if first is not None else ""
    rest = text[len(title) :]
    if first is None or not text.startswith(title):
        return []
    is_apart = not rest or rest.lstrip()[0] in ":：–—|-" or _breaks_after(first)
    return _titled(title, SEPARATED.sub(" ", rest, count=1).strip(), _first_link(block)) if is_apart else []


def _breaks_after(element: HtmlElement) -> bool:
    following = element.getnext()
    tail = element.tail or ""
    return "\n" in tail[: len(tail) - len(tail.lstrip())] or (
        not tail.strip() and following is not None and following.tag == "br"
    )


def _two_lines(block: HtmlElement) -> list[TeaserLine]:
    """Return title and summary that stand on two lines of one paragraph."""
    for line_break in block.iter("br"):
        line_break.tail = f"\n{line_break.tail or ''}"
    first, _, rest = block.text_content().strip().partition("\n")
    title, summary = one_line(first), one_line(rest)
    is_pair = summary and rules.could_be_heading(title) and not rules.could_be_heading(summary)
    return _titled(title, summary, _first_link(block)) if is_pair else []


def _titled(title: str, summary: str, url: str) -> list[TeaserLine]:
    lines = [TeaserLine(text=title, role=Role.TITLE, url=url), TeaserLine(text=summary, role=Role.SUMMARY)]
    return lines if summary else lines[:1]


def _line(block: HtmlElement, text: str) -> TeaserLine:
    return TeaserLine(text=text, url=_first_link(block))


def _first_link(element: HtmlElement) -> str:
    found = next(element.iter("a"), None)
    address = "" if found is None else found.get("href", "")
    return address if address.startswith(("http://", "https://")) else ""
