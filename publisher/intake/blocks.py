import re
from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit

from lxml.etree import ParserError, iterwalk, strip_elements, tostring
from lxml.html import HtmlElement, HTMLParser, document_fromstring, fromstring

from publisher.errors import SubmissionError
from publisher.intake.clean import (
    GONE_WITH_CONTENT,
    WEB,
    clean_fragment,
    clean_text,
    one_line,
    without_forbidden_references,
)
from publisher.outbound import address_problem

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
BLOCKS = (*HEADINGS, "p", "ul", "ol", "dl", "blockquote", "pre", "table", "figure", "hr")
CONTAINERS = (
    *("body", "div", "section", "article", "main", "header", "footer", "aside", "center", "address", "details"),
    *("summary", "dialog", "fieldset", "legend", "form", "hgroup", "search", "frameset"),
)
EARLY_END = re.compile(r"</(?:body|html)\b[^>]*>", re.IGNORECASE)
NO_BREAK_IN_ADDRESS = re.compile(r"[\t\n]")


def parse_html(html: str) -> HtmlElement:
    """
    Return the root of a page or a fragment, without scripts and their like.

    Broken HTML is read as far as it goes; the parser stops at 256 elements inside each other
    (libxml2's xmlParserMaxDepth), so deeper ones are refused rather than cut.
    """
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    text = EARLY_END.sub("", without_forbidden_references(clean_text(html)))
    try:
        root: HtmlElement = document_fromstring(text.encode(), parser=parser)
    except ParserError:
        root = fromstring("<html><body></body></html>")
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        raise SubmissionError("The HTML has more than 256 elements inside each other.")
    strip_elements(root, *GONE_WITH_CONTENT, with_tail=False)
    return root


def blocks_of(container: HtmlElement, *, base_url: str = "") -> list[HtmlElement]:
    """
    Return the paragraphs, headings, lists … of a container in order; loose text becomes a paragraph.

    Links and pictures are made absolute with `base_url`; without one, a relative link becomes
    plain text and a relative picture goes.
    """
    _mend_links(container, base_url)
    return list(_flow(container))


def to_html(blocks: Iterable[HtmlElement]) -> str:
    """Return clean HTML of blocks; no heading in it stands above h3."""
    return clean_fragment("\n".join(_serialised(block) for block in blocks))


def clean_html(html: str, *, base_url: str = "") -> str:
    """Return any HTML from outside as clean HTML."""
    return to_html(blocks_of(parse_html(html), base_url=base_url))


def text_of(element: HtmlElement) -> str:
    """Return an element's words on one line; a line break in it parts words."""
    if next(element.iter("br"), None) is None:
        return one_line(element.text_content())
    pieces = []
    for event, inner in iterwalk(element, ("start", "end")):
        if event == "start":
            pieces.append(" " if inner.tag == "br" else inner.text or "")
        elif inner is not element:
            pieces.append(inner.tail or "")
    return one_line("".join(pieces))


def absolute_link(address: str, base_url: str) -> str:
    """Return the address as an absolute http, https or mailto one; empty where that cannot be."""
    address = NO_BREAK_IN_ADDRESS.sub("", clean_text(address)).strip()
    if address.startswith("//"):
        address = f"https:{address}"
    try:
        found = urljoin(base_url, address).replace(" ", "%20")
        scheme, host = urlsplit(found).scheme, urlsplit(found).hostname
    except ValueError:
        return ""
    if "\\" in found or not (scheme == "mailto" or (scheme in {"http", "https"} and host)):
        return ""
    return found


def _mend_links(container: HtmlElement, base_url: str) -> None:
    """Make links absolute; one that leads nowhere becomes a span, which cleaning takes away around its text."""
    for link in container.iter("a"):
        if address := absolute_link(link.get("href", ""), base_url):
            link.set("href", address)
        else:
            link.tag = "span"
    for picture in container.iter("img"):
        address = absolute_link(picture.get("src", ""), base_url)
        if address.lower().startswith(WEB) and not address_problem(address):
            picture.set("src", address)
        else:
            picture.tag = "span"


def _flow(container: HtmlElement) -> Iterator[HtmlElement]:
    loose = _paragraph(container, container.text)
    for child in list(container):
        tail, child.tail = child.tail, None
        if child.tag in BLOCKS or _holds_blocks(child):
            yield from filter(_says_something, [loose])
            yield from filter(_says_something, [child]) if child.tag in BLOCKS else _contents(child)
            loose = _paragraph(container, tail)
        else:
            loose.append(child)
            child.tail = tail
    yield from filter(_says_something, [loose])


def _contents(container: HtmlElement) -> Iterator[HtmlElement]:
    """Yield what a container holds; a link around whole paragraphs goes into each of them."""
    for block in _flow(container):
        if container.tag == "a" and block.tag in (*HEADINGS, "p"):
            link = block.makeelement("a", href=container.get("href"))
            link.text, block.text = block.text, None
            link.extend(list(block))
            block.append(link)
        yield block


def _holds_blocks(element: HtmlElement) -> bool:
    return next(element.iter(*BLOCKS, *CONTAINERS), None) is not None


def _paragraph(beside: HtmlElement, text: str | None) -> HtmlElement:
    paragraph = beside.makeelement("p")
    paragraph.text = text
    return paragraph


def _says_something(block: HtmlElement) -> bool:
    return block.tag == "hr" or bool(block.text_content().strip()) or next(block.iter("img"), None) is not None


def _serialised(block: HtmlElement) -> str:
    for element in block.iter("h1", "h2", *CONTAINERS):
        element.tag = "h3" if element.tag in HEADINGS else "div"
    return str(tostring(block, encoding="unicode", method="html", with_tail=False))
