"""
WordPress's export of a site: WXR, which is RSS with more in it.

No entity but XML's own is ever resolved, nothing is fetched, and one post at a time is in memory.

Source:
    WordPress, `wp-admin/includes/export.php`: WXR 1.2; namespaces of 1.0 and 1.1 differ in the number only.
"""

import re
from collections.abc import Iterator
from html import escape
from typing import Any, BinaryIO

from lxml import etree

from publisher.errors import SubmissionError
from publisher.intake.post import Post, names_of

WP = re.compile(r"\{(?:https?://wordpress\.org/export/[\d.]+/)(?P<part>excerpt/)?\}")
NAMES = {
    "{http://purl.org/rss/1.0/modules/content/}encoded": "content",
    "{http://purl.org/dc/elements/1.1/}creator": "creator",
}
BLOCK_COMMENT = re.compile(r"<!--\s*/?wp:.{0,20000}?-->", re.DOTALL)
BLOCK = re.compile(
    r"\s*<(?:p|div|h[1-6]|ul|ol|dl|table|blockquote|pre|figure|hr|section|article|aside|address|form|iframe|!--)\b",
    re.IGNORECASE,
)
CAPTION = re.compile(
    r"\[caption[^\]]*\]\s*(?P<image>(?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)(?P<text>.{0,5000}?)\[/caption\]",
    re.DOTALL,
)
EMBED = re.compile(r"\[embed[^\]]*\]\s*(?P<url>https?://[^\s\[\]<>\"]+)\s*\[/embed\]")
GALLERY = re.compile(r"\[gallery\b(?P<rest>[^\]]*)\]")
IDS = re.compile(r"\bids\s*=\s*[\"']?(?P<ids>[\d,\s]+)")
KNOWN = "audio|video|playlist|gallery|embed|caption|wp_caption|contact-form-7|gravityform|wpforms|vc_\\w+|et_pb_\\w+"
SHORTCODE = re.compile(
    rf"\[/?(?:(?:{KNOWN})\b[^\[\]]*|[a-z][\w-]*(?:\s+[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\]]+))+\s*/?)\]"
)
PAIR = re.compile(r"\[(?P<name>[a-z][\w-]{2,})(?:\s[^\[\]]*)?\](?P<inner>.{0,5000}?)\[/(?P=name)\]", re.DOTALL)
MOST_PICTURES = 200_000
"""Whose addresses are kept in memory while posts are read."""


def posts_of_wordpress(source: BinaryIO, address: str) -> Iterator[Post]:
    """Yield a site's posts. Raises SubmissionError, where the file is damaged."""
    pictures: dict[str, tuple[str, str]] = {}
    for kind, found in _things(source):
        if kind == "item" and found.get("post_type") == "attachment" and len(pictures) < MOST_PICTURES:
            pictures[found.get("post_id", "")] = (found.get("attachment_url", ""), found.get("title", ""))
    authors: dict[str, str] = {}
    tongue = ""
    for kind, found in _things(source):
        if kind == "author":
            authors[found.get("author_login", "")] = found.get("author_display_name", "")
        elif kind == "language":
            tongue = found["text"]
        elif kind == "base_site_url":
            address = address or found["text"]
        elif found.get("post_type") not in {"attachment", None}:
            yield _post(found, pictures, authors, tongue, address)


def _post(
    found: dict[str, Any], pictures: dict[str, tuple[str, str]], authors: dict[str, str], tongue: str, address: str
) -> Post:
    login, meta = found.get("creator", ""), found["meta"]
    picture, alt = pictures.get(meta.get("_thumbnail_id", ""), ("", ""))
    left_out, is_missed = _left_out(found)
    return Post(
        name=found.get("title") or found.get("post_id", ""),
        external_id=f"wordpress:{found.get('guid') or found.get('post_id')}"[:500],
        left_out=left_out,
        is_missed=is_missed,
        title=found.get("title", ""),
        html="" if left_out else as_html(found.get("content", ""), pictures),
        slug=found.get("post_name", ""),
        published_at=_date(found),
        summary=found.get("excerpt", ""),
        language=tongue.replace("_", "-"),
        authors=tuple(filter(None, (authors.get(login) or login,))),
        topics=names_of(found["topics"]),
        image=picture,
        image_alt=alt,
        canonical_url=meta.get("_yoast_wpseo_canonical", ""),
        base_url=found.get("link") or f"{address}/",
    )


def as_html(content: str, pictures: dict[str, tuple[str, str]]) -> str:
    """
    Return a post's text as HTML: block comments and shortcodes gone, what they hold kept, paragraphs made.

    A word in brackets stays; a shortcode is known by its name, its attributes, or its end.
    """
    is_of_blocks = bool(BLOCK_COMMENT.search(content))
    html = BLOCK_COMMENT.sub("", content)
    html = CAPTION.sub(r"<figure>\g<image><figcaption>\g<text></figcaption></figure>", html)
    html = EMBED.sub(r'<p><a href="\g<url>">\g<url></a></p>', html)
    html = GALLERY.sub(lambda match: _gallery(match["rest"], pictures), html)
    html = SHORTCODE.sub("", PAIR.sub(r"\g<inner>", html))
    return html if is_of_blocks or "<p" in html else "\n".join(_paragraphs(html))


def _gallery(rest: str, pictures: dict[str, tuple[str, str]]) -> str:
    ids = IDS.search(rest)
    found = [pictures[each] for each in re.findall(r"\d+", ids["ids"]) if each in pictures] if ids else []
    images = (f'<figure><img src="{escape(url)}" alt="{escape(alt)}"></figure>' for url, alt in found)
    return f"\n\n{''.join(images)}\n\n" if found else ""


def _paragraphs(html: str) -> Iterator[str]:
    """Yield the paragraphs of what was typed with empty lines between, as WordPress shows it (wpautop)."""
    for piece in re.split(r"\n\s*\n", html.replace("\r\n", "\n")):
        if piece.strip():
            yield piece if BLOCK.match(piece) else f"<p>{piece.strip().replace(chr(10), '<br>')}</p>"


def _left_out(found: dict[str, Any]) -> tuple[str, bool]:
    if found.get("post_type") != "post":
        return f"This is no post ({found.get('post_type')}).", False
    if found.get("status") != "publish":
        return "This was not published.", False
    if found.get("post_password"):
        return (
            "This asks for a password, and here everybody could read it. Hand it in by itself if that is right.",
            True,
        )
    return "", True


def _date(found: dict[str, Any]) -> str:
    return next(
        (each for name in ("post_date_gmt", "post_date") if (each := found.get(name, "")) and "0000-" not in each), ""
    )


def _things(source: BinaryIO) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield authors, the language and items, each forgotten when the next one comes."""
    source.seek(0)
    try:
        reading = etree.iterparse(
            source, events=("end",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
        )
        for _, element in reading:
            if not isinstance(element.tag, str):
                continue
            name = _name(element.tag)
            if name == "item":
                yield "item", _item(element)
            elif name == "author" and len(element):
                yield "author", {_name(each.tag): (each.text or "").strip() for each in element}
            elif name in {"language", "base_site_url"}:
                yield name, {"text": (element.text or "").strip()}
            else:
                continue
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except etree.XMLSyntaxError as problem:
        line = problem.lineno or 1
        raise SubmissionError(
            "The file is damaged here, and nothing below was read. Export it once more.", f"line {line}"
        ) from None


def _item(element: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"meta": {}, "topics": []}
    for each in element:
        name = _name(each.tag) if isinstance(each.tag, str) else ""
        if name == "postmeta":
            pair = {_name(part.tag): (part.text or "") for part in each if isinstance(part.tag, str)}
            found["meta"][pair.get("meta_key", "")] = pair.get("meta_value", "")
        elif name == "category":
            if each.get("domain") in {"category", "post_tag"}:
                found["topics"].append((each.text or "").strip())
        else:
            found.setdefault(name, (each.text or "").strip())
    return found


def _name(tag: str) -> str:
    if tag in NAMES:
        return NAMES[tag]
    found = WP.match(tag)
    return "excerpt" if found and found["part"] else tag[found.end() :] if found else tag
