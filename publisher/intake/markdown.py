import re
from typing import Any

import yaml
from markdown_it import MarkdownIt

from publisher.errors import SubmissionError
from publisher.intake.blocks import absolute_link, blocks_of, parse_html, text_of
from publisher.intake.body import Body, body_of_blocks, body_of_html, checked
from publisher.intake.clean import clean_text
from publisher.intake.fields import (
    COMMON,
    LONGEST_ADDRESS,
    common_fields,
    likely_name,
    quoted,
    text,
    title_of,
    web_address,
)
from publisher.intake.model import Draft, Image

FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*$\n?", re.DOTALL | re.MULTILINE)
LONGEST_FRONT_MATTER = 64_000
FIELDS = COMMON | {"title", "image", "image_alt", "image_credit"}
OTHER_NAMES = {
    "author": "authors",
    "tags": "topics",
    "date": "published_at",
    "lang": "language",
    "description": "summary",
}
"""What other systems' front matter calls the same."""
MAX_NESTING = 100


def read_markdown(source: str, *, base_url: str = "") -> Draft:
    """
    Return the draft in a Markdown text with YAML front matter.

    Without a `title` there, the first h1 is the title. A relative `image` is the path of a
    picture in or below the text's own folder, kept as it is, unless `base_url` tells where
    the text came from.
    """
    values, below = _front_matter(clean_text(source).lstrip("\n"))
    common = common_fields(values)
    image = _image(values, base_url)
    blocks = blocks_of(parse_html(to_html(below)), base_url=common["canonical_url"] or base_url)
    first = next((text_of(block) for block in blocks if block.tag == "h1"), "")
    title = title_of(values.get("title") or first, hint="write “title: …” in the front matter or open with “# …”")
    body = body_of_blocks(blocks, title=title)
    return checked(
        Draft(title=title, sections=body.sections, guide=body.guide, teasers=body.teasers, image=image, **common)
    )


def body_of_markdown(source: str, *, title: str = "", base_url: str = "") -> Body:
    """Return the body that a Markdown text without front matter holds."""
    return body_of_html(to_html(clean_text(source)), title=title, base_url=base_url)


def to_html(source: str) -> str:
    """Return CommonMark with tables as HTML that is not clean yet: HTML inside it comes through."""
    environment: dict[str, Any] = {}
    try:
        tokens = _reader.parse(source, environment)
        html: str = _reader.renderer.render(tokens, _reader.options, environment)
    except RecursionError:
        raise SubmissionError("The Markdown has too many lists or quotations inside each other.") from None
    # The parser leaves out, without a word, what stands deeper.
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        raise SubmissionError("The Markdown has too many lists or quotations inside each other.")
    return html


def _front_matter(source: str) -> tuple[dict[str, Any], str]:
    if not re.match(r"---[ \t]*(?:\n|$)", source):
        return {}, source
    found = FRONT_MATTER.match(source)
    if not found:
        raise SubmissionError("It opens with “---”, but no second “---” line closes it.", "front matter")
    return _checked_names(_parsed(found["yaml"])), source[found.end() :]


def _parsed(source: str) -> Any:
    if len(source) > LONGEST_FRONT_MATTER:
        raise SubmissionError(f"It has more than {LONGEST_FRONT_MATTER:,} characters.", "front matter")
    try:
        # Every value stays the text that was written: no date, number or yes/no is guessed.
        return yaml.load(source, Loader=yaml.BaseLoader)  # noqa: S506 - BaseLoader builds texts, lists and mappings only
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise SubmissionError(f"This is not YAML ({error.problem or error.context}).", f"line {line}") from None
    except (yaml.YAMLError, RecursionError, ValueError):
        raise SubmissionError("This is not YAML.", "front matter") from None


def _checked_names(values: Any) -> dict[str, Any]:
    if values is None or values == "":
        return {}
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise SubmissionError("It must be lines like “title: …”.", "front matter")
    known = {OTHER_NAMES.get(name, str(name)): _present(value) for name, value in values.items()}
    for name in known.keys() - FIELDS:
        if meant := likely_name(name, FIELDS):
            raise SubmissionError(f"{quoted(name)} is not known; is “{meant}” meant?", "front matter")
    return known


def _present(value: Any) -> Any:
    return "" if value in ("~", "null") else value


def _image(values: dict[str, Any], base_url: str) -> Image | None:
    given = text(values.get("image"), "image", at_most=LONGEST_ADDRESS)
    if not given:
        return None
    alt, credit = text(values.get("image_alt"), "image_alt"), text(values.get("image_credit"), "image_credit")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", given) or base_url:
        given = web_address(absolute_link(given, base_url) or given, "image")
    elif given.startswith(("/", "\\", "~")) or ".." in re.split(r"[/\\]", given):
        problem = f"{quoted(given)} must be a web address, or a file in or below the folder of the text."
        raise SubmissionError(problem, "image")
    return Image(url=given, alt=alt, credit=credit)


_reader = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
