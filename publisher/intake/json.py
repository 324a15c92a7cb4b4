import json
from collections.abc import Mapping
from typing import Any

from publisher.errors import SubmissionError
from publisher.intake.blocks import absolute_link
from publisher.intake.body import Body, Part, arrange, body_of_html, checked, part_of_html, without_guide
from publisher.intake.fields import (
    COMMON,
    LONGEST_ADDRESS,
    LONGEST_SUMMARY,
    common_fields,
    likely_name,
    pixels,
    quoted,
    text,
    title_of,
    web_address,
)
from publisher.intake.markdown import body_of_markdown
from publisher.intake.model import Draft, Image, Section, Teaser
from publisher.intake.plain_text import body_of_text

FIELDS = COMMON | {"title", "sections", "body", "format", "guide", "teasers", "image"}
SECTION_FIELDS = frozenset({"heading", "html"})
TEASER_FIELDS = frozenset({"title", "summary", "url"})
IMAGE_FIELDS = frozenset({"url", "alt", "credit", "width", "height"})


def read_json(source: str, *, base_url: str = "") -> Draft:
    """Return the draft in a JSON text of the API's own form; `read_values` tells its fields."""
    try:
        values = json.loads(source)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SubmissionError(f"This is not JSON ({error.msg}).", where) from None
    except (RecursionError, ValueError):
        raise SubmissionError("This JSON has too many levels or digits to be an article.") from None
    return read_values(values, base_url=base_url)


def read_values(values: Any, *, base_url: str = "") -> Draft:
    """
    Return the draft in a JSON object.

    The text is either `sections`, a list of {heading, html}, or `body`, a text whose `format` is
    markdown (if none is named), html or text. `guide` {heading, html} and `teasers` [{title, summary, url}]
    are looked for in the text where they are not given. Unknown fields are refused: a misspelt
    `publish_at` would publish at once.
    """
    fields = _object(values, FIELDS, "")
    title = title_of(fields.get("title"), hint="give it a “title”")
    common = common_fields(fields)
    base_url = common["canonical_url"] or base_url
    found = _body(fields, title, base_url)
    guide = None
    if fields.get("guide") is not None:
        part = _part(fields["guide"], "guide", base_url)
        if not part.html:
            raise SubmissionError("The guide section has no text.", "guide")
        guide, found = Section(heading=part.heading, html=part.html), without_guide(found)
    named = _teasers(fields.get("teasers"), base_url)
    return checked(
        Draft(
            title=title,
            sections=found.sections,
            guide=guide or found.guide,
            teasers=(*named, *(each for each in found.teasers if each.title not in {one.title for one in named})),
            image=_image(fields.get("image"), base_url),
            **common,
        )
    )


def _body(fields: Mapping[str, Any], title: str, base_url: str) -> Body:
    sections, body = fields.get("sections"), fields.get("body")
    if sections is None:
        return _body_of_text(body, fields.get("format"), title, base_url)
    if body is not None:
        raise SubmissionError("Give either “sections” or “body”, not both.", "body")
    return arrange([_part(each, where, base_url) for each, where in _each(sections, "sections")])


def _body_of_text(body: Any, form: Any, title: str, base_url: str) -> Body:
    if not isinstance(body, str | None):
        raise SubmissionError("This must be text.", "body")
    match form:
        case None | "" | "markdown":
            return body_of_markdown(body or "", title=title, base_url=base_url)
        case "html":
            return body_of_html(body or "", title=title, base_url=base_url)
        case "text":
            return body_of_text(body or "")
    raise SubmissionError(f"{quoted(form)} is not one of markdown, html and text.", "format")


def _part(value: Any, where: str, base_url: str) -> Part:
    fields = _object(value, SECTION_FIELDS, where)
    html = fields.get("html") or ""
    if not isinstance(html, str):
        raise SubmissionError("This must be text.", f"{where}.html")
    return part_of_html(text(fields.get("heading"), f"{where}.heading"), html, base_url=base_url)


def _teasers(values: Any, base_url: str) -> tuple[Teaser, ...]:
    return tuple(_teaser(each, where, base_url) for each, where in _each(values or [], "teasers"))


def _teaser(value: Any, where: str, base_url: str) -> Teaser:
    fields = _object(value, TEASER_FIELDS, where)
    title = text(fields.get("title"), f"{where}.title")
    if not title:
        raise SubmissionError("The teaser has no title.", where)
    summary = text(fields.get("summary"), f"{where}.summary", at_most=LONGEST_SUMMARY)
    return Teaser(title=title, summary=summary, url=_address(fields.get("url"), f"{where}.url", base_url))


def _image(value: Any, base_url: str) -> Image | None:
    if value is None or value == "":
        return None
    fields = {"url": value} if isinstance(value, str) else _object(value, IMAGE_FIELDS, "image")
    url = _address(fields.get("url"), "image.url", base_url)
    if not url:
        raise SubmissionError("The image has no address.", "image.url")
    return Image(
        url=url,
        alt=text(fields.get("alt"), "image.alt"),
        credit=text(fields.get("credit"), "image.credit"),
        width=pixels(fields.get("width"), "image.width"),
        height=pixels(fields.get("height"), "image.height"),
    )


def _address(value: Any, where: str, base_url: str) -> str:
    given = text(value, where, at_most=LONGEST_ADDRESS)
    return web_address(absolute_link(given, base_url) or given, where) if given else ""


def _each(values: Any, where: str) -> list[tuple[Any, str]]:
    if not isinstance(values, list):
        raise SubmissionError("This must be a list.", where)
    return [(each, f"{where}[{index}]") for index, each in enumerate(values)]


def _object(value: Any, known: frozenset[str], where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SubmissionError("This must be an object: {“name”: value, …}.", where)
    for name in value.keys() - known:
        meant = likely_name(name, known)
        also = f"is “{meant}” meant?" if meant else f"there are {', '.join(sorted(known))}."
        raise SubmissionError(f"{quoted(name)} is not known; {also}", where)
    return value
