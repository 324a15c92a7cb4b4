"""An article's clean HTML as a mail carries it: parsed once, styled in place."""

from functools import cache

from css_inline import CSSInliner
from lxml.html import HtmlElement, fragment_fromstring, tostring
from markupsafe import Markup

from publisher.rendering import themed

COLUMN_PX = 520
"""What a card leaves for its text. Outlook knows no max-width, so every picture names a width."""
SUBHEADINGS = {"h3", "h4", "h5", "h6"}


def parse(clean_html: str) -> HtmlElement:
    """Return an element that holds the blocks of clean HTML (`publisher.intake.clean`)."""
    return fragment_fromstring(clean_html, create_parent="div")


def for_mail(root: HtmlElement, accent: str, *, first: int | None = None) -> Markup:
    """
    Return the blocks with the theme's styles in place, as mail readers want it.

    Args:
        root: From `parse`.
        accent: The colour of links.
        first: Leave out all blocks after so many; None: none.

    """
    blocks = list(root)[:first]
    while len(blocks) < len(root) and blocks and blocks[-1].tag in SUBHEADINGS:
        blocks.pop()  # a heading without what it announces
    for block in blocks:
        for picture in block.iter("img"):
            _fit(picture)
    html = "".join(tostring(block, encoding="unicode") for block in blocks)
    return Markup(_inliner().inline_fragment(html, _styles(accent))) if html else Markup()  # noqa: S704 -- clean already


def block_count(clean_html: str) -> int:
    return len(parse(clean_html))


def blocks_within(root: HtmlElement, characters: int) -> int:
    """Return how many of the blocks hold at most so many characters; at least one."""
    taken = 0
    for number, block in enumerate(root):
        taken += len(block.text_content())
        if taken > characters:
            return max(1, number)
    return len(root)


def _fit(picture: HtmlElement) -> None:
    width = picture.get("width", "")
    if not width.isdecimal() or int(width) > COLUMN_PX:
        picture.set("width", str(COLUMN_PX))
        picture.attrib.pop("height", None)
    picture.set("alt", picture.get("alt", ""))


@cache
def _inliner() -> CSSInliner:
    """Reads no file and no address; what a media rule says stays."""
    return CSSInliner(load_remote_stylesheets=False, keep_at_rules=True)


@cache
def _styles(accent: str) -> str:
    return f"{themed('email/article.css')}\na {{ color: {accent}; text-decoration: underline; }}"
