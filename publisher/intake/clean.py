import re
import sys

import nh3

from publisher.outbound import address_problem

TAGS = {
    *("p", "br", "hr", "div", "h3", "h4", "h5", "h6", "blockquote", "pre"),
    *("ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "img"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("a", "em", "strong", "b", "i", "u", "s", "del", "ins", "mark", "small", "sub", "sup", "q", "cite", "abbr"),
    *("code", "kbd", "samp", "var", "time", "ruby", "rt", "rp"),
}
GONE_WITH_CONTENT = {
    *("script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "svg", "math", "canvas"),
    *("audio", "video", "nav", "button", "select", "textarea", "input", "noembed", "noframes"),
}
"""Elements whose content is no text of the article: programs, drawings, controls, navigation."""
ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
NUMBERS = {"width", "height", "start", "colspan", "rowspan"}
WEB = ("http://", "https://")
LINE_BREAKS = re.compile("\r\n?|[\v\f]")
NUMBERED_CHARACTER = re.compile(r"&#(?:[xX]0*(?P<hex>[0-9a-fA-F]{1,8})|0*(?P<decimal>[0-9]{1,8}));?")
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean_text(text: str) -> str:
    r"""
    Return the text without the characters that XML forbids, lone surrogates among them; lines end in \n.

    One such character would make every feed that carries the article unreadable.

    Source:
        XML 1.0 (fifth edition), section 2.2, production 2 (Char).

    """
    return text if text.isprintable() else FORBIDDEN.sub("", LINE_BREAKS.sub("\n", text))


def without_forbidden_references(markup: str) -> str:
    """Return HTML or XML without the numbered references that stand for a forbidden character."""
    return NUMBERED_CHARACTER.sub(_allowed, markup)


def one_line(text: str) -> str:
    """Return clean text with every run of white space made one space."""
    return " ".join(clean_text(text).split())


def clean_fragment(html: str) -> str:
    """
    Return HTML that is safe to show anywhere: the last step for every piece of an article.

    What is not allowed goes; the text inside it stays, but for scripts and their like.
    `publisher.intake.blocks` brings the HTML into shape before.
    """
    return clean_text(_cleaner.clean(clean_text(html))).strip()


def _allowed(reference: re.Match[str]) -> str:
    number = int(reference["hex"], 16) if reference["hex"] else int(reference["decimal"])
    return "" if number > sys.maxunicode or FORBIDDEN.match(chr(number)) else reference[0]


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name in NUMBERS:
        return value if re.fullmatch(r"[0-9]{1,5}", value) else None
    if tag == "img" and name == "src":
        return value if value.lower().startswith(WEB) and not address_problem(value) else None
    return value


_cleaner = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags=GONE_WITH_CONTENT,
    attributes=ATTRIBUTES,
    attribute_filter=_attribute,
    link_rel=None,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
