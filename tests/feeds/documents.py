"""Documents for the tests of the feeds: two builders, the golden documents, and the hard corpus."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from feeds.document import Entry, FeedAuthor, FeedDocument, FeedImage, FeedLinks, Outline, OutlineList

TUESDAY = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)

LINKS = FeedLinks(self_url="https://news.example/feeds/all", home_url="https://news.example/articles")


def an_entry(number: int = 1, **changes: Any) -> Entry:
    """An entry that is unlike those with another number, and older the higher the number."""
    instant = TUESDAY - timedelta(hours=number)
    entry = Entry(
        id=f"tag:news.example,2026:article/{number}",
        url=f"https://news.example/articles/{number}",
        title=f"Article number {number}",
        content_html=f"<p>The whole of article number {number}.</p>",
        published_at=instant,
        updated_at=instant,
        summary=f"What article number {number} says.",
        authors=(FeedAuthor(name="Ann Reporter", url="https://news.example/authors/ann"),),
        topics=("Politics",),
    )
    return replace(entry, **changes)


def a_document(*entries: Entry, **changes: Any) -> FeedDocument:
    """A feed in English of a newsroom that has no authors of its own."""
    document = FeedDocument(
        id="tag:news.example,2026:feed/all",
        title="News Example",
        description="Everything that the newsroom publishes.",
        language="en",
        links=LINKS,
        entries=entries,
        updated_at=max((entry.updated_at for entry in entries), default=TUESDAY),
    )
    return replace(document, **changes)


PICTURE = FeedImage(
    url="https://news.example/media/bridge.jpg",
    media_type="image/jpeg",
    alt="The bridge at dawn",
    width=1200,
    height=800,
    length_bytes=184_213,
)
PICTURE_WITHOUT_SIZE = FeedImage(url="https://news.example/media/harbour.webp", media_type="image/webp")

NO_AUTHOR = an_entry(10, title="Nobody signed this", authors=())
FIVE_AUTHORS = an_entry(11, title="Five people wrote this", authors=tuple(FeedAuthor(name=name) for name in "ABCDE"))
SIZELESS_PICTURE = an_entry(12, title="A picture of unknown size", image=PICTURE_WITHOUT_SIZE)
NINETEEN_SEVENTY = an_entry(
    13,
    title="The first second",
    published_at=datetime(1970, 1, 1, tzinfo=UTC),
    updated_at=datetime(1970, 1, 1, tzinfo=UTC),
)

HARD_ENTRIES = (
    an_entry(1, title="The bridge opens 🌉👩🏽‍🚀", content_html="<p>🌉 and 👩🏽‍🚀.</p>", topics=("Cities 🏙",)),
    an_entry(2, title="다리가 열렸다", content_html="<p>시장은 ‘계획대로’라고 말했다.</p>", language="ko"),
    an_entry(3, title="افتتاح الجسر", content_html='<p dir="rtl">افتتح العمدة الجسر.</p>', language="ar"),
    an_entry(4, title="What ]]> ends", content_html="<pre>if (a[b[0]]>1) {}</pre> ]]>", summary="Watch the ]]> here."),
    an_entry(5, title="<b> & \"quotes\" &amp; 'more'", summary="a < b && b > c", topics=("R & D", '"Quoted"')),
    an_entry(6, title="Entities", content_html="<p>&amp;amp; &nbsp; &lt;script&gt; &#128514; &hellip;</p>"),
    an_entry(
        7, title="Con\x00trol\x1b \ud83d\ufffe\uffffcharacters", content_html="<p>\x0bBody\x08</p>", summary="\x1f"
    ),
    an_entry(8, title="Long " * 200, summary="Long. " * 500),
    an_entry(9, title=" \t ", summary="An article without a title is shown by its summary."),
    NO_AUTHOR,
    FIVE_AUTHORS,
    SIZELESS_PICTURE,
    NINETEEN_SEVENTY,
    an_entry(14, title="Line\r\nbreaks\tand tabs\n", content_html="<p>One\r\ntwo\n</p>"),
    an_entry(15, title="The same second", published_at=TUESDAY, updated_at=TUESDAY),
    an_entry(16, title="The same second", published_at=TUESDAY, updated_at=TUESDAY),
    an_entry(17, title="A body and nothing more", summary="", authors=(), topics=(), image=None),
    an_entry(18, title="A summary and nothing more", content_html=""),
    an_entry(19, title="Empty names", authors=(FeedAuthor(name=" \x01"),), topics=("", "\x02")),
)
"""Each has come up in a real newsroom, or breaks a feed writer that is known to us."""

_NEWSROOM = a_document(
    an_entry(1, title="The bridge opens", image=PICTURE, topics=("Politics", "Cities")),
    an_entry(
        2, title="다리가 열렸다", language="ko", authors=(FeedAuthor(name="김기자"), FeedAuthor(name="Bo Writer"))
    ),
    an_entry(3, updated_at=TUESDAY - timedelta(minutes=1), published_at=TUESDAY - timedelta(days=1, microseconds=7)),
    links=replace(
        LINKS,
        hubs=("https://news.example/hub", "https://hub.example/"),
        prev_archive_url="https://news.example/feeds/all/archives/2",
    ),
    icon_url="https://news.example/static/icon.png",
    copyright="© News Example",
)

GOLDEN: dict[str, FeedDocument] = {
    "newsroom": _NEWSROOM,
    "archive": a_document(
        an_entry(50),
        an_entry(51),
        links=replace(
            LINKS,
            self_url="https://news.example/feeds/all/archives/2",
            current_url="https://news.example/feeds/all",
            prev_archive_url="https://news.example/feeds/all/archives/1",
            next_archive_url="https://news.example/feeds/all/archives/3",
        ),
        is_archive=True,
        ttl_minutes=1440,
    ),
    "author": a_document(
        an_entry(1, authors=()), authors=(FeedAuthor(name="Ann Reporter", url="https://ann.example/"),)
    ),
    "empty": a_document(),
    "hard": a_document(*HARD_ENTRIES),
}
"""Name to document: `tests/golden/feeds/NAME.atom`, `.rss`, `.json` are what the readers get."""

OUTLINES = OutlineList(
    title='Feeds of "News Example" & friends',
    created_at=TUESDAY,
    outlines=(
        Outline(title="Everything", feed_url="https://news.example/feeds/all.atom", home_url="https://news.example/"),
        Outline(
            title="R & D <개발>\x00",
            feed_url="https://news.example/feeds/topics/r-and-d.atom?a=1&b=2",
            home_url="https://news.example/topics/r-and-d",
        ),
        Outline(
            title=" ", feed_url="https://news.example/feeds/untitled.rss", home_url="https://news.example/untitled"
        ),
    ),
)
