"""What else this part of the site serves: the list of all feeds, sitemaps, robots.txt."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from feeds import opml
from publisher.database import Database
from publisher.syndication import discovery, sitemap
from publisher.syndication.model import Site

_PART = re.compile(r"/sitemap-([1-9][0-9]{0,5})\.xml")
Maker = Callable[[Connection, Site, datetime], bytes | None]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page by what makes it, and how long it stays as it is."""

    media_type: str
    seconds: int
    make: Maker = field(repr=False)


PAGES = {
    discovery.OPML_PATH: Page(
        media_type=f"{opml.MEDIA_TYPE}; charset=utf-8",
        seconds=60,
        make=lambda connection, site, _now: discovery.as_opml(connection, site),
    ),
    "/sitemap.xml": Page(
        media_type=sitemap.MEDIA_TYPE,
        seconds=300,
        make=lambda connection, site, _now: sitemap.sitemap(connection, site),
    ),
    "/news-sitemap.xml": Page(
        media_type=sitemap.MEDIA_TYPE,
        seconds=60,
        make=lambda connection, site, now: sitemap.news_sitemap(connection, site, now=now),
    ),
    "/robots.txt": Page(
        media_type="text/plain; charset=utf-8", seconds=3600, make=lambda _connection, site, _now: sitemap.robots(site)
    ),
}


def page_at(path: str) -> Page | None:
    """Return the page at a path; a part of the sitemap has one, whether or not there are so many parts."""
    part = _PART.fullmatch(path)
    if part is None:
        return PAGES.get(path)
    number = int(part[1])
    return Page(
        media_type=sitemap.MEDIA_TYPE,
        seconds=300,
        make=lambda connection, site, _now: sitemap.sitemap_part(connection, site, number),
    )


def make_page(database: Database, site: Site, page: Page, now: datetime) -> bytes | None:
    """Return a page's bytes; None where there is no such page after all."""
    with database.reading() as connection:
        return page.make(connection, site, now)
