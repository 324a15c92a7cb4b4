from pathlib import Path

import pytest
from lxml import etree

SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).with_name("atom.rng")))

FEED = """<feed xmlns="http://www.w3.org/2005/Atom">
<id>tag:a.example,2026:f</id><title>Feed</title><updated>2026-11-03T09:00:00Z</updated>
<entry><id>tag:a.example,2026:1</id><title>One</title><updated>2026-11-03T09:00:00.5+09:00</updated>
<author><name>Ann</name></author><link href="https://a.example/1"/><summary>Short</summary></entry></feed>"""


def test_a_small_feed_is_valid() -> None:
    SCHEMA.assertValid(etree.fromstring(FEED))


@pytest.mark.parametrize(
    ("this", "or_that"),
    [
        ('<link href="https://a.example/1"/>', '<content type="html">&lt;p&gt;Short&lt;/p&gt;</content>'),
        (
            '<link href="https://a.example/1"/>',
            '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"/></content>',
        ),
        ('<link href="https://a.example/1"/>', '<link rel="via" href="x:1"/><link rel="alternate" href="x:2"/>'),
        (
            "<author><name>Ann</name></author>",
            "<author><uri>x:a</uri><name>Ann</name></author><author><name>B</name></author>",
        ),
        ("<summary>Short</summary>", '<m:content xmlns:m="x:m" url="x:1"><m:b/>text</m:content>'),
        ("<entry>", "<author><name>Ann</name></author><entry>"),
    ],
)
def test_the_schema_lets_through_what_the_standard_allows(this: str, or_that: str) -> None:
    assert this in FEED

    SCHEMA.assertValid(etree.fromstring(FEED.replace(this, or_that)))


def test_an_author_of_the_feed_is_enough() -> None:
    author = "<author><name>Ann</name></author>"

    SCHEMA.assertValid(etree.fromstring(FEED.replace(author, "").replace("<entry>", f"{author}<entry>")))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<id>tag:a.example,2026:1</id>", ""),
        ("tag:a.example,2026:1", "articles/1"),
        ("tag:a.example,2026:1", "tag:a.example, 2026:1"),
        ("<title>One</title>", ""),
        ("<title>One</title>", "<title>One</title><title>Two</title>"),
        ("<title>One</title>", "<title> </title>"),
        ("<title>One</title>", "<title><b>One</b></title>"),
        ("<updated>2026-11-03T09:00:00Z</updated>", ""),
        ("2026-11-03T09:00:00Z", "2026-11-03T09:00:00"),
        ("2026-11-03T09:00:00Z", "2026-11-03T09:00:00z"),
        ("2026-11-03T09:00:00Z", "2026-11-03"),
        ("2026-11-03T09:00:00Z", "2026-13-03T09:00:00Z"),
        ("<author><name>Ann</name></author>", ""),
        ("<author><name>Ann</name></author>", "<author><name/></author>"),
        ("<author><name>Ann</name></author>", "<author>Ann</author>"),
        ('<link href="https://a.example/1"/>', ""),
        ('<link href="https://a.example/1"/>', '<link rel="enclosure" href="https://a.example/1"/>'),
        ('<link href="https://a.example/1"/>', '<link href="/1"/>'),
        ('<link href="https://a.example/1"/>', '<link href="https://a.example/1" length="None"/>'),
        ("<summary>Short</summary>", '<summary type="CDATA">Short</summary>'),
        ("<summary>Short</summary>", '<content type="CDATA">Short</content>'),
        ("<summary>Short</summary>", '<content type="html"><p>Short</p></content>'),
        ("<summary>Short</summary>", "<pubDate>Short</pubDate>"),
        ("<summary>Short</summary>", '<content xmlns="">Short</content>'),
        ("<entry>", '<entry xml:lang="not a tag">'),
        ("<entry>", '<entry lang="en">'),
        ("<feed ", '<feed version="1.0" '),
    ],
)
def test_the_schema_refuses_what_the_standard_forbids(right: str, wrong: str) -> None:
    """A schema that lets everything through would make every feed look right."""
    assert right in FEED

    assert not SCHEMA.validate(etree.fromstring(FEED.replace(right, wrong)))
