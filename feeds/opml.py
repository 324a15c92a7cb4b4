from email.utils import format_datetime

from lxml import etree

from feeds.cleaning import clean
from feeds.document import Outline, OutlineList
from feeds.instants import utc_second

MEDIA_TYPE = "text/x-opml"


def render(outlines: OutlineList) -> bytes:
    """
    Return a list of feeds as OPML 2.0 in UTF-8, to be imported by any feed reader.

    Every outline has type "rss", whichever format its feed has: OPML knows no other for a feed.

    Source:
        OPML 2.0 (http://opml.org/spec2.opml), "Subscription lists".

    """
    outlines = clean(outlines)
    opml = etree.Element("opml", version="2.0")
    head = etree.SubElement(opml, "head")
    etree.SubElement(head, "title").text = outlines.title
    etree.SubElement(head, "dateCreated").text = format_datetime(utc_second(outlines.created_at))
    body = etree.SubElement(opml, "body")
    for outline in outlines.outlines:
        etree.SubElement(body, "outline", _attributes(outline))
    rendered: bytes = etree.tostring(opml, encoding="UTF-8", xml_declaration=True)
    return rendered


def _attributes(outline: Outline) -> dict[str, str]:
    title = outline.title if outline.title.strip() else outline.feed_url
    return {
        "text": title,
        "title": title,
        "type": "rss",
        "xmlUrl": outline.feed_url,
        "htmlUrl": outline.home_url,
    }
