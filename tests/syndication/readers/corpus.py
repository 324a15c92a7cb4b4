"""Articles on which feeds break, in the form in which a newsroom's own system hands them in."""

import json
from typing import Any

from publisher.intake.model import Draft
from publisher.intake.read import read

PARAGRAPH = "The council met by the river and spoke about rent, bridges and the night train. "
TWO_MEGABYTES = "".join(f"<p>{number}. {PARAGRAPH * 24}</p>" for number in range(1_050))

HARD: list[dict[str, Any]] = [
    {"title": "The bridge opens 🌉👩🏽‍🚀", "topics": ["Cities 🏙"], "body": "<p>🌉 and 👩🏽‍🚀 <em>and</em> 🇰🇷.</p>"},
    {"title": "다리가 열렸다", "authors": ["김기자"], "language": "ko", "body": "<p>시장은 ‘계획대로’라고 말했다.</p>"},
    {"title": "افتتاح الجسر", "language": "ar", "body": '<p dir="rtl">افتتح العمدة الجسر.</p>'},
    {"title": "What ]]> ends", "body": "<pre>if (a[b[0]]&gt;1) {}</pre><p>]]&gt; <![CDATA[ x ]]></p>"},
    {"title": "<b> & \"quotes\" &amp; 'more'", "topics": ["R & D", '"Quoted"'], "body": "<p>a &lt; b &amp;&amp; b</p>"},
    {"title": "Entities", "body": "<p>&amp;amp; &nbsp; &lt;script&gt; &#128514; &hellip; &eacute;</p>"},
    {"title": "Con\x00trol\x1b \ufffe\uffffcharacters", "body": "<p>\x0bBody\x08 of it\x1f</p>"},
    {"title": ("A title of a thousand characters " * 40)[:1_000], "body": "<p>Short.</p>"},
    {"title": "Two megabytes", "topics": ["Long reads"], "authors": ["Lee Jiho"], "body": TWO_MEGABYTES},
    {"title": "Nobody signed this", "authors": [], "body": "<p>Unsigned.</p>"},
    {
        "title": "Five people wrote this",
        "authors": ["Ann", "Bo", "Cy", "Di O’Dea", "Eun-ji 박"],
        "body": "<p>Five.</p>",
    },
    {
        "title": "A picture of unknown size",
        "image": {"url": "https://cdn.example/harbour.webp", "alt": 'The "harbour" & <boats>'},
        "body": '<p>See <img src="https://cdn.example/inline.png?a=1&amp;b=2" alt="inline"> and read on.</p>',
    },
    {
        "title": "A picture of known size",
        "image": {"url": "https://cdn.example/bridge.jpg", "alt": "Bridge", "width": 1200, "height": 800},
        "body": "<p>Seen.</p>",
    },
    {"title": "The first second", "published_at": "1970-01-01T00:00:00Z", "body": "<p>Long ago.</p>"},
    {"title": "The same second", "published_at": "2026-05-05T05:05:05Z", "body": "<p>One of two.</p>"},
    {"title": "The same second", "published_at": "2026-05-05T05:05:05Z", "body": "<p>Two of two.</p>"},
    {"title": "No topics", "topics": [], "body": "<p>Nothing to sort it by.</p>"},
    {
        "title": "Lists, tables and a guide",
        "body": "<ul><li>One</li><li>Two</li></ul><table><tr><td>A</td><td>B</td></tr></table>",
        "guide": {"heading": "Foreign Fans’ Guide: What You Should Know", "html": "<p>Bring cash &amp; patience.</p>"},
    },
    {
        "title": "Links",
        "body": '<p><a href="/topics/film">ours</a> <a href="https://other.example/?a=1&amp;b=2">theirs</a></p>',
    },
]


def hard_drafts() -> list[Draft]:
    """Return the articles as intake reads them."""
    return [_read(number, values) for number, values in enumerate(HARD)]


def edited(number: int, **changes: Any) -> Draft:
    """Return one of them as it is handed in again, changed."""
    return _read(number, HARD[number] | changes)


def _read(number: int, values: dict[str, Any]) -> Draft:
    usual = {
        "authors": ["Kim Minji"],
        "topics": ["Society"],
        "format": "html",
        "summary": f"Summary {number} < & > “”.",
    }
    whole = usual | {"external_id": f"hard-{number}"} | values
    return read(json.dumps(whole).encode(), name="article.json")
