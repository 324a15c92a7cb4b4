from collections import defaultdict
from collections.abc import Mapping, Sequence
from urllib.parse import urljoin

from lxml.html import HtmlElement

from publisher.intake.blocks import absolute_link, blocks_of, parse_html, text_of
from publisher.intake.body import body_of_blocks, checked
from publisher.intake.clean import one_line
from publisher.intake.fields import (
    LANGUAGE,
    LONGEST_SUMMARY,
    PIXELS,
    cut_names,
    instant,
    language,
    text,
    title_of,
    web_address,
)
from publisher.intake.model import Draft, Image

BESIDE_THE_TEXT = ("header", "footer", "aside")
"""A page's own frame; inside an article they belong to it."""
ENOUGH = 0.5
"""Share of the page's words that an <article> must hold to be the article, and no card that leads to another."""


def read_html(page: str, *, base_url: str = "") -> Draft:
    """
    Return the draft in an HTML page or fragment, cleaned.

    The title is og:title, else the first h1, else the page's title. The text is what <article>
    holds, else <main>, else the body without its header, footer and asides.

    Args:
        page: The HTML.
        base_url: Where the page came from; its relative links are resolved against its
            canonical address first, then against this.

    """
    root = parse_html(page)
    meta = _meta(root)
    base = urljoin(base_url, next((each.get("href", "") for each in root.iter("base")), ""))
    canonical = _canonical(root, base)
    blocks = blocks_of(_content(root), base_url=canonical or base)
    title = _title(root, meta, blocks)
    body = body_of_blocks(blocks, title=title)
    return checked(
        Draft(
            title=title,
            sections=body.sections,
            guide=body.guide,
            teasers=body.teasers,
            summary=text(_first(meta, "description", "og:description"), "description", at_most=LONGEST_SUMMARY),
            language=_language(root),
            authors=cut_names(each for each in meta["author"] + meta["article:author"] if "://" not in each),
            topics=cut_names(meta["article:tag"] or _first(meta, "keywords").split(",")),
            image=_image(meta, canonical or base),
            canonical_url=canonical,
            published_at=instant(_first(meta, "article:published_time"), "article:published_time"),
        )
    )


def _meta(root: HtmlElement) -> Mapping[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for element in root.iter("meta"):
        name = (element.get("property") or element.get("name") or "").strip().lower()
        if content := one_line(element.get("content") or ""):
            found[name].append(content)
    return found


def _first(meta: Mapping[str, list[str]], *wanted: str) -> str:
    return next((meta[name][0] for name in wanted if meta[name]), "")


def _canonical(root: HtmlElement, base: str) -> str:
    links = (each for each in root.iter("link") if "canonical" in (each.get("rel") or "").lower().split())
    given = next((one_line(each.get("href") or "") for each in links), "")
    return web_address(absolute_link(given, base) or given, "canonical") if given else ""


def _title(root: HtmlElement, meta: Mapping[str, list[str]], blocks: Sequence[HtmlElement]) -> str:
    heading = next((text_of(block) for block in blocks if block.tag == "h1"), "")
    page_title = next((text_of(each) for each in root.iter("title")), "")
    return title_of(_first(meta, "og:title") or heading or page_title, hint="give it an h1, og:title or title element")


def _content(root: HtmlElement) -> HtmlElement:
    body = next(root.iter("body", "frameset"), root)
    scope = next(body.iter("main"), body)
    article = max(body.iter("article"), key=_length, default=None)
    if article is not None and _length(article) >= ENOUGH * _length(scope):
        return article
    if scope is body:
        for element in list(body.iter(*BESIDE_THE_TEXT)):
            element.drop_tree()
    return scope


def _length(element: HtmlElement) -> int:
    return len(one_line(element.text_content()))


def _language(root: HtmlElement) -> str:
    """Return the page's language if it names one that can be; a wrong one is found out by the archive."""
    tag = (root.get("lang") or "").strip().replace("_", "-")
    return language(tag, "lang") if LANGUAGE.fullmatch(tag) else ""


def _image(meta: Mapping[str, list[str]], base: str) -> Image | None:
    given = _first(meta, "og:image", "og:image:url", "og:image:secure_url")
    if not given:
        return None
    return Image(
        url=web_address(absolute_link(given, base) or given, "og:image"),
        alt=text(_first(meta, "og:image:alt"), "og:image:alt"),
        width=_pixels(_first(meta, "og:image:width")),
        height=_pixels(_first(meta, "og:image:height")),
    )


def _pixels(given: str) -> int | None:
    """Return a size if it is one; a page's slip there is not worth refusing the article."""
    return int(given) if PIXELS.fullmatch(given) else None
