from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.errors import SubmissionError
from publisher.intake.feed_form import read_feed
from publisher.intake.model import Draft, Image, Section

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>The Coast Paper</title><link>https://coast.example/</link><language>en-us</language>
{entries}
</channel></rss>"""
ENTRY = """<item><title>A &amp;amp; B: “Louder”</title><link>https://coast.example/1</link>
<guid isPermaLink="false">coast-1</guid><pubDate>Tue, 31 Mar 2026 09:00:00 +0900</pubDate>
<dc:creator>Kim Min-ji</dc:creator><category>sport</category><category>coast</category>
<description>How a club won &lt;b&gt;back&lt;/b&gt; its crowd.</description>
<content:encoded><![CDATA[<p onclick="x()">Full <a href="/map">text</a>.<script>evil()</script></p>
<h2>Foreign Fans' Guide</h2><p>Take the KTX.</p>]]></content:encoded>
<media:content url="https://coast.example/p.jpg" medium="image"/></item>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="ko"><title>신문</title><id>tag:a</id>
<entry><id>tag:coast.example,2026:1</id><title type="html">A &lt;em&gt;quiet&lt;/em&gt; stadium</title>
<link rel="alternate" href="/1"/><updated>2026-03-31T00:00:00Z</updated><author><name>김민지</name></author>
<content type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml"><p>본문 <b>전체</b></p></div></content></entry></feed>"""


def rss(*entries: str) -> bytes:
    return RSS.format(entries="\n".join(entries)).encode()


def an_entry(inside: str) -> str:
    return f"<item><description>Text.</description>{inside}</item>"


def test_rss_with_full_content_gives_whole_drafts() -> None:
    found = read_feed(rss(ENTRY), url="https://coast.example/feed")

    assert found.problems == ()
    assert found.drafts == (
        (
            "coast-1",
            Draft(
                title="A & B: “Louder”",
                sections=(Section(heading="", html='<p>Full <a href="https://coast.example/map">text</a>.</p>'),),
                guide=Section(heading="Foreign Fans' Guide", html="<p>Take the KTX.</p>"),
                summary="How a club won back its crowd.",
                language="en-us",
                authors=("Kim Min-ji",),
                topics=("sport", "coast"),
                image=Image(url="https://coast.example/p.jpg"),
                canonical_url="https://coast.example/1",
                external_id="coast-1",
                published_at=datetime(2026, 3, 31, tzinfo=UTC),
            ),
        ),
    )


def test_atom_with_xhtml_content_is_read() -> None:
    [(external_id, draft)] = read_feed(ATOM.encode(), url="https://coast.example/feed").drafts

    assert external_id == "tag:coast.example,2026:1"
    assert (draft.title, draft.language, draft.authors) == ("A quiet stadium", "ko", ("김민지",))
    assert draft.sections == (Section(heading="", html="<p>본문 <b>전체</b></p>"),)
    assert draft.canonical_url == "https://coast.example/1"
    assert draft.published_at == datetime(2026, 3, 31, tzinfo=UTC)


def test_a_description_is_the_text_where_there_is_no_other() -> None:
    [(_, draft)] = read_feed(rss(an_entry("<title>T</title><guid>1</guid>"))).drafts

    assert (draft.sections[0].html, draft.summary) == ("<p>Text.</p>", "")


def test_a_bad_entry_does_not_lose_the_others() -> None:
    found = read_feed(
        rss(
            an_entry("<guid>no-title</guid>"),
            ENTRY,
            an_entry("<title>T</title><guid>bad-date</guid><pubDate>some day</pubDate>"),
            "<item><title>T</title><guid>no-text</guid></item>",
            an_entry("<title>Last</title><guid>last</guid>"),
        )
    )

    assert [external_id for external_id, _ in found.drafts] == ["coast-1", "last"]
    assert [str(problem) for problem in found.problems] == [
        "entry 1, no-title, title: The article has no title; the entry needs one.",
        "entry 3, bad-date, published: “some day” is not a date.",
        "entry 4, no-text: The article has a title, but no text below it.",
    ]


def test_a_link_that_only_the_newsroom_could_open_is_left_out() -> None:
    link = "<link>http://10.0.0.8/a</link>"

    [(external_id, draft)] = read_feed(rss(an_entry(f"<title>T</title><guid>1</guid>{link}"))).drafts

    assert (external_id, draft.canonical_url) == ("1", "")


def test_an_entry_without_id_keeps_the_same_one_at_every_pull() -> None:
    by_link = read_feed(rss(an_entry("<title>T</title><link>https://coast.example/2</link>"))).drafts[0][0]
    by_title = [read_feed(rss(an_entry("<title>T</title>"))).drafts[0][0] for _ in range(2)]

    assert by_link == "https://coast.example/2"
    assert by_title[0] == by_title[1]
    assert by_title[0].startswith("sha256:")


def test_an_entry_that_comes_twice_counts_once() -> None:
    assert len(read_feed(rss(ENTRY, ENTRY)).drafts) == 1


def test_a_damaged_feed_gives_what_it_can_and_says_so() -> None:
    whole = rss(ENTRY, an_entry("<title>T</title><guid>2</guid>"))

    found = read_feed(whole[: whole.index(b"<title>T</title>")], url="https://coast.example/feed")

    assert [external_id for external_id, _ in found.drafts] == ["coast-1"]
    assert str(found.problems[0]) == "https://coast.example/feed: The feed is damaged, so that entries may be missing."


def test_a_korean_feed_in_its_old_encoding_is_read() -> None:
    document = RSS.replace("utf-8", "euc-kr").format(entries=an_entry("<title>한국 소식</title><guid>1</guid>"))

    assert read_feed(document.encode("euc-kr")).drafts[0][1].title == "한국 소식"


def test_a_character_that_xml_forbids_costs_no_entry() -> None:
    found = read_feed(rss(an_entry("<title>a&#xD800;b&#11;c\x08d</title><guid>1</guid>")))

    assert found.drafts[0][1].title == "abcd"
    assert found.problems == ()


def test_a_document_is_never_taken_for_a_path_or_an_address(tmp_path: Path) -> None:
    """The parser behind opens what looks like a file name or a URL."""
    stored = tmp_path / "feed.xml"
    stored.write_bytes(rss(ENTRY))

    for document in (str(stored).encode(), stored.as_uri().encode()):
        with pytest.raises(SubmissionError):
            read_feed(document)


def test_entities_of_entities_do_not_fill_the_memory() -> None:
    lines = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    document = (
        f'<!DOCTYPE rss [<!ENTITY a "lol">{lines}]>' + rss(an_entry("<title>&i;</title>")).decode().split("\n", 1)[1]
    )

    found = read_feed(document.encode())

    assert all(len(draft.title) < 1000 for _, draft in found.drafts)


@pytest.mark.parametrize("document", [b"", b"plain words", b"<html><body><p>x</p></body></html>", b"\x00\xff\xfe"])
def test_what_is_no_feed_is_told(document: bytes) -> None:
    with pytest.raises(SubmissionError, match=r"^https://a\.example/: This is not a feed"):
        read_feed(document, url="https://a.example/")


PIECES = [
    "<item>",
    "</item>",
    "<title>",
    "</title>",
    "&#xd800;",
    "<![CDATA[",
    "]]>",
    "<pubDate>x",
    "<link href='",
    "\x00",
]


@settings(deadline=None)
@given(st.binary(max_size=60), st.lists(st.sampled_from([*PIECES, ENTRY])).map("".join))
def test_any_document_is_read_or_refused(noise: bytes, entries: str) -> None:
    for document in (noise, rss(entries), noise + rss(entries), rss(entries) + noise):
        try:
            read_feed(document)
        except SubmissionError:
            continue
