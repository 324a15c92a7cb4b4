from dataclasses import replace

import pytest

from publisher.archive.model import Article, ArticleId, ArticleState, Author, Lead, Topic
from publisher.intake.model import Image, Section
from publisher.syndication.entries import absolute, of_article
from publisher.syndication.model import Site
from tests.builders import TUESDAY

SITE = Site(base_url="https://news.example", site_name="News Example", domain="news.example")
ARTICLE = Article(
    id=ArticleId(1),
    uri="tag:news.example,2026-06-02:article/1",
    slug="how-jeonse-works",
    state=ArticleState.PUBLISHED,
    title="How Jeonse Works",
    summary="A deposit <instead> of rent.",
    language="en",
    authors=(Author(slug="kim-minji", name="Kim Minji"),),
    topics=(Topic(slug="society", name="Society"),),
    image=Image(url="/media/a.png", alt='A "house"', credit="Photo: Lee & Park", width=640, height=480),
    importance=3,
    canonical_url="",
    published_at=TUESDAY,
    updated_at=TUESDAY,
    revision=1,
    sections=(Section(heading="", html="<p>Opening.</p>"), Section(heading="Rent & keys", html="<p>Body.</p>")),
    guide=Section(heading="Foreign Fans’ Guide", html="<p>Ask first.</p>"),
    teasers=(),
)


def lead(title: str, slug: str, summary: str = "") -> Lead:
    values = {name: getattr(ARTICLE, name) for name in Lead.__dataclass_fields__}
    return Lead(**values | {"title": title, "slug": slug, "summary": summary})


def test_an_entry_carries_picture_sections_guide_and_related_links_in_this_order() -> None:
    entry = of_article(ARTICLE, [lead("More <b>", "more", "What & why."), lead("Last", "last")], SITE)

    assert entry.content_html == (
        '<figure><img src="https://news.example/media/a.png" alt="A &quot;house&quot;" width="640" height="480">'
        "<figcaption>Photo: Lee &amp; Park</figcaption></figure>\n"
        "<p>Opening.</p>\n"
        "<h2>Rent &amp; keys</h2>\n<p>Body.</p>\n"
        "<h2>Foreign Fans’ Guide</h2>\n<p>Ask first.</p>\n"
        "<h2>Discover More</h2>\n<ul>"
        '<li><a href="https://news.example/articles/more">More &lt;b&gt;</a><br>What &amp; why.</li>'
        '<li><a href="https://news.example/articles/last">Last</a></li></ul>'
    )


def test_an_entry_is_the_article_by_its_uri_with_all_that_a_reader_sorts_by() -> None:
    entry = of_article(ARTICLE, [], SITE)

    assert (entry.id, entry.url) == (ARTICLE.uri, "https://news.example/articles/how-jeonse-works")
    assert (entry.title, entry.summary, entry.language) == (ARTICLE.title, ARTICLE.summary, "en")
    assert [(each.name, each.url) for each in entry.authors] == [
        ("Kim Minji", "https://news.example/authors/kim-minji")
    ]
    assert entry.topics == ("Society",)
    assert entry.image is not None
    assert (entry.image.url, entry.image.media_type, entry.image.width) == (
        "https://news.example/media/a.png",
        "image/png",
        640,
    )


def test_an_article_without_picture_and_related_links_is_just_its_text() -> None:
    entry = of_article(replace(ARTICLE, image=None, guide=None), [], SITE)

    assert entry.content_html == "<p>Opening.</p>\n<h2>Rent &amp; keys</h2>\n<p>Body.</p>"
    assert entry.image is None


def test_a_picture_of_unknown_kind_and_size_is_taken_for_the_likeliest() -> None:
    entry = of_article(replace(ARTICLE, image=Image(url="https://cdn.example/picture?id=7")), [], SITE)

    assert entry.image is not None
    assert (entry.image.media_type, entry.image.width) == ("image/jpeg", None)


@pytest.mark.parametrize(
    ("written", "in_full"),
    [
        ('<a href="/topics/food">x</a>', '<a href="https://news.example/topics/food">x</a>'),
        ('<a href="#note">x</a>', '<a href="https://news.example/articles/a#note">x</a>'),
        ('<img alt="a > b" src="/media/b.jpg">', '<img alt="a > b" src="https://news.example/media/b.jpg">'),
        ('<img src="//cdn.example/b.jpg">', '<img src="https://cdn.example/b.jpg">'),
        ('<a href="mailto:desk@news.example">x</a>', '<a href="mailto:desk@news.example">x</a>'),
        ('<a href="https://other.example/?a=1&amp;b=2">x</a>', '<a href="https://other.example/?a=1&amp;b=2">x</a>'),
        ('<code>href="/not/a/link"</code>', '<code>href="/not/a/link"</code>'),
        ('<a title="src=" href="/a">x</a>', '<a title="src=" href="https://news.example/a">x</a>'),
        ('<a href="http://[">x</a>', '<a href="http://[">x</a>'),
        ('<a href="//[">x</a>', '<a href="https://news.example/articles/a">x</a>'),
    ],
)
def test_every_address_in_an_entry_is_in_full(written: str, in_full: str) -> None:
    """Readers show an entry far from where it was published."""
    assert absolute(written, "https://news.example/articles/a") == in_full
