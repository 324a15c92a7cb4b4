"""Articles that move to us from WordPress and Ghost."""

import io
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from publisher.archive import search, store
from publisher.archive.model import Article
from publisher.archive.moving import MoveReport, take_in
from publisher.compose.model import EditionKind, Window
from publisher.compose.rules import choose, is_news
from publisher.database import Database
from publisher.errors import SubmissionError
from publisher.intake.moving import posts
from publisher.intake.wordpress import as_html
from tests.audience.clocks import SetClock
from tests.builders import a_draft, handed_in
from tests.compose.issues import an_edition

NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
PUBLISHED = datetime(2019, 5, 6, 7, 8, 9, tzinfo=UTC)
HEAD = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><link>https://old.example</link><language>en-US</language>
<wp:base_site_url>https://old.example</wp:base_site_url>
<wp:author><wp:author_login>minji</wp:author_login>
<wp:author_display_name>Kim Minji</wp:author_display_name></wp:author>
"""


def item(number: int, text: str, **more: str) -> str:
    said = {
        "title": f"Post {number}",
        "status": "publish",
        "post_type": "post",
        "post_password": "",
        "extra": "",
    } | more
    return f"""<item><title><![CDATA[{said["title"]}]]></title><link>https://old.example/{number}/</link>
<dc:creator>minji</dc:creator><guid isPermaLink="false">https://old.example/?p={number}</guid>
<content:encoded><![CDATA[{text}]]></content:encoded><excerpt:encoded><![CDATA[In short.]]></excerpt:encoded>
<wp:post_id>{number}</wp:post_id><wp:post_date_gmt>2019-05-06 07:08:09</wp:post_date_gmt>
<wp:post_name>post-{number}</wp:post_name><wp:status>{said["status"]}</wp:status>
<wp:post_type>{said["post_type"]}</wp:post_type><wp:post_password>{said["post_password"]}</wp:post_password>
<category domain="category" nicename="food"><![CDATA[Food]]></category>
<category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category>
<category domain="post_tag" nicename="seoul"><![CDATA[Seoul]]></category>{said["extra"]}</item>
"""


PICTURE = (
    "<item><title>A bowl</title><wp:post_id>9</wp:post_id><wp:post_type>attachment</wp:post_type>"
    "<wp:attachment_url>https://old.example/bowl.jpg</wp:attachment_url></item>"
)
THUMBNAIL = "<wp:postmeta><wp:meta_key>_thumbnail_id</wp:meta_key><wp:meta_value>9</wp:meta_value></wp:postmeta>"
WORDPRESS = HEAD + "".join(
    (
        item(
            1,
            "<!-- wp:paragraph --><p>Noodles, <script>alert(1)</script>cold.</p><!-- /wp:paragraph -->",
            extra=THUMBNAIL,
        ),
        item(2, "A draft.", status="draft"),
        item(3, "A page.", post_type="page"),
        item(4, "A secret.", post_password="x"),
        item(5, ""),
        PICTURE,
        "</channel></rss>",
    )
)
GHOST: dict[str, Any] = {
    "posts": [
        {
            "id": "1",
            "uuid": "u1",
            "title": "Post 1",
            "slug": "post-1",
            "html": '<p>Noodles, cold. <a href="__GHOST_URL__/2/">More</a></p>',
            "status": "published",
            "type": "post",
            "visibility": "public",
            "published_at": "2019-05-06T07:08:09.000Z",
            "custom_excerpt": "In short.",
            "feature_image": "__GHOST_URL__/content/images/bowl.jpg",
            "canonical_url": "https://elsewhere.example/noodles",
            "locale": "en",
        },
        {"id": "2", "title": "Paid", "html": "<p>x</p>", "status": "published", "visibility": "paid"},
        {"id": "3", "title": "Draft", "html": "<p>x</p>", "status": "draft"},
    ],
    "posts_meta": [{"post_id": "1", "feature_image_alt": "A bowl"}],
    "users": [{"id": "7", "name": "Kim Minji"}],
    "posts_authors": [{"post_id": "1", "author_id": "7", "sort_order": 0}],
    "tags": [{"id": "t", "name": "Food"}, {"id": "i", "name": "#internal"}],
    "posts_tags": [{"post_id": "1", "tag_id": "t"}, {"post_id": "1", "tag_id": "i"}],
}


def of_ghost(data: dict[str, Any] = GHOST) -> str:
    return json.dumps({"db": [{"meta": {}, "data": data}]})


def move(database: Database, text: str, address: str = "https://old.example") -> MoveReport:
    found = posts(io.BytesIO(text.encode()), address=address)
    return take_in(database, found, origin="cli", domain="news.example", clock=lambda: NOW)


def only_article(database: Database) -> Article:
    with database.reading() as connection:
        (lead,) = store.listed(connection, at_most=9)
        return store.articles(connection, [lead.id])[lead.id]


def numbers(report: MoveReport) -> tuple[int, int, int, int]:
    return report.added, report.known, report.left_out, report.refused


def test_a_post_of_wordpress_is_an_article_as_old_as_it_is(database: Database) -> None:
    report = move(database, WORDPRESS)

    assert numbers(report) == (1, 0, 2, 2)
    assert [(each.name, each.problem.split(" ")[0]) for each in report.refusals] == [
        ("Post 4", "This"),
        ("Post 5", "The"),
    ]
    found = only_article(database)
    assert (found.title, found.slug, found.published_at, found.updated_at) == ("Post 1", "post-1", PUBLISHED, PUBLISHED)
    assert [each.name for each in found.authors] == ["Kim Minji"]
    assert sorted(each.name for each in found.topics) == ["Food", "Seoul"]
    assert (found.language, found.summary, found.sections[0].html) == ("en-US", "In short.", "<p>Noodles, cold.</p>")
    assert found.image
    assert (found.image.url, found.image.alt) == ("https://old.example/bowl.jpg", "A bowl")
    with database.reading() as connection:
        assert search.find(connection, "noodles", at_most=9) == [found.id]


def test_a_post_of_ghost_is_an_article_as_old_as_it_is(database: Database) -> None:
    """What only members could read stays theirs: it is refused, not published."""
    report = move(database, of_ghost())

    assert numbers(report) == (1, 0, 1, 1)
    assert "members only" in report.refusals[0].problem
    found = only_article(database)
    assert (found.slug, found.published_at, found.canonical_url) == (
        "post-1",
        PUBLISHED,
        "https://elsewhere.example/noodles",
    )
    assert ([each.name for each in found.authors], [each.name for each in found.topics]) == (["Kim Minji"], ["Food"])
    assert 'href="https://old.example/2/"' in found.sections[0].html
    assert found.image
    assert (found.image.url, found.image.alt) == ("https://old.example/content/images/bowl.jpg", "A bowl")


@pytest.mark.parametrize("text", [WORDPRESS, of_ghost()])
def test_moving_in_twice_changes_nothing(database: Database, text: str) -> None:
    """Nor does it take back what an editor has corrected since."""
    move(database, text)
    before = only_article(database)

    again = move(database, text.replace("cold", "warm"))

    assert (again.added, again.known) == (0, 1)
    assert only_article(database) == before


@pytest.mark.parametrize(
    ("text", "address", "problem"),
    [
        (of_ghost(), "", "give its address"),
        ("{}", "", "neither an export"),
        ('{"db": [{"data": {}}]}', "", "no export of Ghost"),
        ("<rss/>", "", "no export of WordPress"),
        ("PK\x03\x04", "", "Unpack it"),
        (WORDPRESS.replace("</channel></rss>", ""), "", "damaged"),
    ],
)
def test_a_file_of_something_else_says_what_to_do(database: Database, text: str, address: str, problem: str) -> None:
    with pytest.raises(SubmissionError, match=problem):
        move(database, text, address)


def test_a_file_cannot_make_itself_longer_than_it_is(database: Database) -> None:
    """Entities that stand for entities, and files of this machine, are words that mean nothing."""
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 50}">' for n in range(1, 9))
    doctype = f'<!DOCTYPE rss [<!ENTITY e0 "xxxxxxxxxx">{bomb}<!ENTITY file SYSTEM "file:///etc/hostname">]><rss '
    evil = WORDPRESS.replace("<rss ", doctype, 1).replace("<title><![CDATA[Post 1]]>", "<title>Post 1&e8;&file;")

    with suppress(SubmissionError):
        move(database, evil)

    with database.reading() as connection:
        assert {each.title for each in store.listed(connection, at_most=9)} <= {"Post 1"}


@pytest.mark.parametrize(
    ("written", "html"),
    [
        ("One.\n\nTwo,\nthree.", "<p>One.</p>\n<p>Two,<br>three.</p>"),
        ("One [sic] word.", "<p>One [sic] word.</p>"),
        ('<p>[button url="x"]Press[/button]</p>', "<p>Press</p>"),
        ("<p>[lead]First[/lead] [contact-form-7 id=4]</p>", "<p>First </p>"),
        (
            '[caption id="a"]<img src="x.jpg" /> A bowl[/caption]',
            '<figure><img src="x.jpg" /><figcaption> A bowl</figcaption></figure>',
        ),
        (
            "[embed]https://video.example/1[/embed]",
            '<p><a href="https://video.example/1">https://video.example/1</a></p>',
        ),
        ('[gallery ids="9,8"]', '<figure><img src="https://old.example/bowl.jpg" alt="A bowl"></figure>'),
        ('<!-- wp:heading {"level":2} --><h2>Why</h2><!-- /wp:heading -->', "<h2>Why</h2>"),
    ],
)
def test_what_wordpress_wrote_is_shown_as_it_was(written: str, html: str) -> None:
    found = as_html(written, {"9": ("https://old.example/bowl.jpg", "A bowl")})

    assert found.strip() == html


def test_an_archive_that_moves_in_is_no_news(database: Database) -> None:
    """No alert, no issue to come; and newer articles stand above it wherever the newest come first."""
    (news,) = handed_in(database, [a_draft(title="News")], clock=SetClock(NOW))
    move(database, WORDPRESS)

    with database.reading() as connection:
        newest, old = store.listed(connection, at_most=9)
    alert = an_edition(kind=EditionKind.ALERT)
    window = Window(start=NOW - timedelta(days=7), end=NOW + timedelta(hours=1))
    assert (newest.id, old.published_at) == (news.article_id, PUBLISHED)
    assert [is_news(each, alert, now=NOW) for each in (newest, old)] == [True, False]
    assert [each.id for each in choose([newest, old], window=window, at_most=9)] == [newest.id]
