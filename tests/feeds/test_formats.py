import json
import locale
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.document import Entry
from feeds.formats import FeedFormat, render
from tests.feeds.documents import GOLDEN, HARD_ENTRIES, NINETEEN_SEVENTY, TUESDAY, a_document, an_entry

XML_FORMATS = (FeedFormat.ATOM, FeedFormat.RSS)
ANY_TEXT = st.text(st.characters(), max_size=60)
"""With control characters, non-characters and lone surrogates."""


def is_xml_character(character: str) -> bool:
    """XML 1.0 (fifth edition), section 2.2, production 2."""
    point = ord(character)
    return point in {0x9, 0xA, 0xD} or any(
        first <= point <= last for first, last in ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
    )


def read(data: bytes, feed_format: FeedFormat) -> Any:
    """Read a feed the way feedparser's users do, but without its cleaning of HTML."""
    headers = {"content-type": feed_format.media_type}
    parsed = feedparser.parse(data, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def titles(data: bytes, feed_format: FeedFormat) -> list[str]:
    """The titles of the entries, by a plain parser of the format."""
    if feed_format is FeedFormat.JSON:
        return [item["title"] for item in json.loads(data)["items"]]
    path = "{*}entry/{*}title" if feed_format is FeedFormat.ATOM else "channel/item/title"
    return [title.text or "" for title in etree.fromstring(data).findall(path)]


def feed_title(data: bytes, feed_format: FeedFormat) -> str:
    """The title of the feed, by a plain parser of the format."""
    if feed_format is FeedFormat.JSON:
        return str(json.loads(data)["title"])
    return etree.fromstring(data).findtext("{*}title" if feed_format is FeedFormat.ATOM else "channel/title") or ""


def test_each_format_has_its_type_and_suffix() -> None:
    assert [(each.value, each.media_type, each.link_type, each.suffix) for each in FeedFormat] == [
        ("atom", "application/atom+xml; charset=utf-8", "application/atom+xml", ".atom"),
        ("rss", "application/rss+xml; charset=utf-8", "application/rss+xml", ".rss"),
        ("json", "application/feed+json", "application/feed+json", ".json"),
    ]


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_the_same_document_gives_the_same_bytes(feed_format: FeedFormat) -> None:
    """An ETag is made of the bytes."""
    assert render(GOLDEN["hard"], feed_format) == render(GOLDEN["hard"], feed_format)


@pytest.mark.parametrize("feed_format", FeedFormat)
@pytest.mark.parametrize("entries", [(), (NINETEEN_SEVENTY,)], ids=["empty", "old"])
def test_the_present_day_is_nowhere_in_a_feed(entries: tuple[Entry, ...], feed_format: FeedFormat) -> None:
    """feedgen says "now" wherever it is not told the instant; then every rendering would be news to every reader."""
    today = datetime.now(UTC)

    rendered = render(a_document(*entries, updated_at=NINETEEN_SEVENTY.updated_at), feed_format).decode()

    assert today.date().isoformat() not in rendered
    assert format(today, "%d %b %Y") not in rendered


@pytest.mark.parametrize("feed_format", XML_FORMATS)
@pytest.mark.parametrize("name", ["newsroom", "archive", "author", "empty", "hard"])
def test_feedparser_reads_every_feed(name: str, feed_format: FeedFormat) -> None:
    document = GOLDEN[name]

    parsed = read(render(document, feed_format), feed_format)

    assert parsed.feed.title == document.title
    assert [entry.id for entry in parsed.entries] == [entry.id for entry in document.entries]
    assert [entry.link for entry in parsed.entries] == [entry.url for entry in document.entries]


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_entries_stay_in_the_order_of_the_document(feed_format: FeedFormat) -> None:
    numbers = range(1, 31)

    rendered = render(a_document(*map(an_entry, numbers)), feed_format)

    assert titles(rendered, feed_format) == [f"Article number {number}" for number in numbers]


@pytest.mark.parametrize("feed_format", XML_FORMATS)
@pytest.mark.parametrize("entry", HARD_ENTRIES, ids=lambda entry: entry.id.rpartition("/")[2])
def test_a_hard_article_alone_makes_a_readable_feed(entry: Entry, feed_format: FeedFormat) -> None:
    """If one article of the corpus breaks a format, this says which."""
    parsed = read(render(a_document(entry), feed_format), feed_format)

    assert len(parsed.entries) == 1
    assert parsed.entries[0].title.strip()


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_one_control_character_costs_itself_and_nothing_else(feed_format: FeedFormat) -> None:
    spoilt = an_entry(
        1, title="One\x00 bad\ud800 \ufffecharacter", content_html="<p>Body\x0c</p>", topics=("To\x01pic",)
    )

    rendered = render(a_document(spoilt, an_entry(2)), feed_format)

    assert titles(rendered, feed_format) == ["One bad character", "Article number 2"]
    assert "<p>Body</p>" in rendered.decode().replace("&lt;", "<").replace("&gt;", ">")


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_an_article_without_a_title_is_shown_by_its_summary_or_its_address(feed_format: FeedFormat) -> None:
    """feedgen refuses an empty title, and with it the whole feed."""
    summarised = an_entry(1, title=" \x00", summary="word " * 50)
    bare = an_entry(2, title="", summary="")

    by_summary, by_address = titles(render(a_document(summarised, bare), feed_format), feed_format)

    assert by_summary == "word " * 19 + "…"
    assert by_address == bare.url


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_a_feed_without_a_title_is_shown_by_its_description_or_its_address(feed_format: FeedFormat) -> None:
    described = a_document(title="", description="All about bridges.")
    bare = a_document(title="\x00", description="")

    assert feed_title(render(described, feed_format), feed_format) == "All about bridges."
    assert feed_title(render(bare, feed_format), feed_format) == bare.links.self_url


@pytest.mark.parametrize(
    ("feed_format", "said"),
    [
        (FeedFormat.ATOM, b"<published>2026-11-03T09:00:00Z</published>"),
        (FeedFormat.RSS, b"<pubDate>Tue, 03 Nov 2026 09:00:00 +0000</pubDate>"),
        (FeedFormat.JSON, b'"date_published":"2026-11-03T09:00:00Z"'),
    ],
)
def test_an_instant_is_said_in_utc_to_the_second(feed_format: FeedFormat, said: bytes) -> None:
    """RFC 822 knows no fractions, and one article should not have two instants."""
    in_seoul = datetime.fromisoformat("2026-11-03T18:00:00.999999+09:00")

    assert said in render(a_document(an_entry(1, published_at=in_seoul)), feed_format)


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_an_instant_without_a_time_zone_is_refused(feed_format: FeedFormat) -> None:
    naive = TUESDAY.replace(tzinfo=None)

    with pytest.raises(ValueError, match=r"2026-11-03T09:00:00 has none\.$"):
        render(a_document(an_entry(1, published_at=naive)), feed_format)


@pytest.mark.parametrize("feed_format", FeedFormat)
@given(title=ANY_TEXT, text=ANY_TEXT)
def test_any_text_is_carried_and_read_back(feed_format: FeedFormat, title: str, text: str) -> None:
    """Well-formed whatever was typed, and the title the same but for what no feed can carry."""
    entry = an_entry(1, title=title, summary=text, content_html=text, topics=(f"Topic {text}",))

    rendered = render(a_document(entry, title=f"Feed {text}", description=text, copyright=text), feed_format)

    expected = "".join(filter(is_xml_character, title))
    [read_back] = titles(rendered, feed_format)
    assert read_back == expected if expected.strip() else read_back.strip()


@pytest.mark.parametrize("feed_format", XML_FORMATS)
@given(text=ANY_TEXT)
def test_any_body_is_read_back(feed_format: FeedFormat, text: str) -> None:
    rendered = render(a_document(an_entry(1, content_html=f"<p>{text}</p>")), feed_format)

    element = etree.fromstring(rendered).find(".//{*}content" if feed_format is FeedFormat.ATOM else ".//{*}encoded")
    assert element is not None
    assert element.text == f"<p>{''.join(filter(is_xml_character, text))}</p>"


@pytest.mark.parametrize("feed_format", FeedFormat)
def test_rendering_leaves_the_locale_of_the_process_alone(
    feed_format: FeedFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`setlocale` is for the whole process: two threads in it at once leave a third with the wrong one."""
    monkeypatch.setattr(locale, "setlocale", _refuse("setlocale"))

    assert render(GOLDEN["newsroom"], feed_format)


def test_threads_render_the_same_bytes_as_one_thread_alone() -> None:
    """The web server renders in many threads at once."""
    jobs = [(name, feed_format) for name in GOLDEN for feed_format in FeedFormat] * 6
    alone = {(name, feed_format): render(GOLDEN[name], feed_format) for name, feed_format in jobs}
    before = locale.setlocale(locale.LC_ALL)

    with ThreadPoolExecutor(max_workers=8) as threads:
        together = list(threads.map(lambda job: render(GOLDEN[job[0]], job[1]), jobs))

    assert together == [alone[job] for job in jobs]
    assert locale.setlocale(locale.LC_ALL) == before


def _refuse(name: str) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        pytest.fail(f"{name} was called")

    return refuse
