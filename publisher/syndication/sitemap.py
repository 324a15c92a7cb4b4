"""Sitemaps for search engines, and robots.txt."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from math import ceil
from typing import Any
from xml.sax.saxutils import escape

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from feeds.instants import rfc3339
from publisher.archive import store as archive
from publisher.archive.model import ArticleState
from publisher.archive.tables import article, article_author, article_topic, author, topic
from publisher.compose.model import IssueState
from publisher.compose.tables import edition, issue
from publisher.syndication.model import Site

MEDIA_TYPE = "application/xml"
URLS_AT_MOST = 50_000
"""In one file (sitemaps.org, protocol 0.9)."""
NEWS_AT_MOST = 1_000
NEWS_FOR = timedelta(days=2)
"""Both from Google's rules for news sitemaps."""

ALWAYS_THERE = ("/", "/feeds")

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_NEWS = f'{_SITEMAP} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'


def sitemap(connection: Connection, site: Site, *, urls_at_most: int = URLS_AT_MOST) -> bytes:
    """Return the sitemap; where it would be too long, the index of its parts."""
    parts = max(1, ceil(_number(connection) / urls_at_most))
    if parts == 1:
        return _url_set(_urls(connection, site))
    listed = "".join(
        f"<sitemap><loc>{escape(site.base_url)}/sitemap-{part}.xml</loc></sitemap>\n" for part in range(1, parts + 1)
    )
    return f"{_HEAD}<sitemapindex {_SITEMAP}>\n{listed}</sitemapindex>\n".encode()


def sitemap_part(connection: Connection, site: Site, part: int, *, urls_at_most: int = URLS_AT_MOST) -> bytes | None:
    """Return one part, counted from 1; None where there are not so many."""
    urls = islice(_urls(connection, site), (part - 1) * urls_at_most, part * urls_at_most)
    first = next(urls, None)
    return None if first is None else _url_set([first, *urls])


def news_sitemap(connection: Connection, site: Site, *, now: datetime) -> bytes:
    """Return the articles of the last two days."""
    leads = archive.listed(connection, at_most=NEWS_AT_MOST, since=now - NEWS_FOR, until=now)
    publication = f"<news:name>{escape(site.site_name)}</news:name>"
    entries = "".join(
        f"<url><loc>{escape(site.base_url)}/articles/{lead.slug}</loc><news:news><news:publication>{publication}"
        f"<news:language>{escape(lead.language)}</news:language></news:publication>"
        f"<news:publication_date>{rfc3339(lead.published_at)}</news:publication_date>"
        f"<news:title>{escape(lead.title)}</news:title></news:news></url>\n"
        for lead in leads
    )
    return f"{_HEAD}<urlset {_NEWS}>\n{entries}</urlset>\n".encode()


def robots(site: Site) -> bytes:
    """Return what robots may read: all that people may; the desk and the links in our mail are nobody else's."""
    private = ("/desk", "/api/", "/confirm/", "/preferences/", "/unsubscribe/", "/hub")
    rules = "".join(f"Disallow: {path}\n" for path in private)
    maps = "".join(f"Sitemap: {site.base_url}{path}\n" for path in ("/sitemap.xml", "/news-sitemap.xml"))
    return f"User-agent: *\n{rules}\n{maps}".encode()


def _url_set(urls: Iterable[str]) -> bytes:
    return f"{_HEAD}<urlset {_SITEMAP}>\n{''.join(urls)}</urlset>\n".encode()


def _url(location: str, modified_at: datetime | None = None) -> str:
    modified = f"<lastmod>{rfc3339(modified_at)}</lastmod>" if modified_at else ""
    return f"<url><loc>{escape(location)}</loc>{modified}</url>\n"


def _number(connection: Connection) -> int:
    listed = (_articles(), _in_use(topic, article_topic), _in_use(author, article_author), _issues())
    counted = [sa.select(sa.func.count()).select_from(each.order_by(None).subquery()) for each in listed]
    return len(ALWAYS_THERE) + sum(int(connection.execute(each).scalar_one()) for each in counted)


def _urls(connection: Connection, site: Site) -> Iterator[str]:
    """Yield every page. Articles come first, in the order of their coming, so that full parts hardly change."""
    base = site.base_url
    yield from (_url(f"{base}/articles/{row.slug}", row.updated_at) for row in connection.execute(_articles()))
    yield from (_url(f"{base}{path}") for path in ALWAYS_THERE)
    yield from (_url(f"{base}/topics/{row.slug}") for row in connection.execute(_in_use(topic, article_topic)))
    yield from (_url(f"{base}/authors/{row.slug}") for row in connection.execute(_in_use(author, article_author)))
    yield from (
        _url(f"{base}/issues/{row.slug}/{row.number}", row.approved_at) for row in connection.execute(_issues())
    )


def _articles() -> sa.Select[Any]:
    visible = sa.select(article.c.slug, article.c.updated_at).where(article.c.state == ArticleState.PUBLISHED)
    return visible.order_by(article.c.id)


def _in_use(named: sa.Table, link: sa.Table) -> sa.Select[Any]:
    """Return those topics or authors that have an article to show."""
    visible = sa.select(link.c.article_id).join(article, article.c.id == link.c.article_id)
    visible = visible.where(article.c.state == ArticleState.PUBLISHED, link.c[f"{named.name}_id"] == named.c.id)
    return sa.select(named.c.slug).where(visible.exists()).order_by(named.c.id)


def _issues() -> sa.Select[Any]:
    approved = sa.select(edition.c.slug, issue.c.number, issue.c.approved_at).join(issue)
    return approved.where(issue.c.state == IssueState.APPROVED).order_by(issue.c.id)
