from feeds.document import FeedAuthor, FeedDocument, FeedLinks
from feeds.formats import FeedFormat
from publisher.syndication import names
from publisher.syndication.model import MADE_WHEN_ASKED, Contents, FeedAddress, Site

TTL_MINUTES = 15
"""How long caches and readers may keep a document."""


def document(held: Contents, feed_format: FeedFormat, site: Site) -> FeedDocument:
    """Return a document of a feed, with its links in one format, as `feeds` renders it."""

    def url(archive: int) -> str:
        return f"{site.base_url}{FeedAddress(key=held.key, feed_format=feed_format, archive=archive).path}"

    is_subscribed = not held.archive and held.key.kind not in MADE_WHEN_ASKED
    return FeedDocument(
        id=held.uri,
        title=held.title,
        description=held.description,
        language=held.language,
        links=FeedLinks(
            self_url=url(held.archive),
            home_url=names.home_url(held.key, site),
            hubs=site.hubs if is_subscribed else (),
            current_url=url(0) if held.archive else "",
            prev_archive_url=url(held.previous) if held.previous else "",
            next_archive_url=url(held.following) if held.following else "",
        ),
        entries=held.entries,
        updated_at=held.updated_at,
        authors=_authors(feed_format, site),
        ttl_minutes=TTL_MINUTES,
        is_archive=bool(held.archive),
    )


def _authors(feed_format: FeedFormat, site: Site) -> tuple[FeedAuthor, ...]:
    """
    Return who stands in for the author of what nobody signed: in Atom, which wants one, the house.

    Not in the other formats: there some readers add the feed's authors to those of every entry.
    """
    return (FeedAuthor(name=site.site_name, url=f"{site.base_url}/"),) if feed_format is FeedFormat.ATOM else ()
