from enum import StrEnum

from feeds import atom, jsonfeed, rss
from feeds.document import FeedDocument


class FeedFormat(StrEnum):
    """A format that a feed is published in; the one that readers understand best comes first."""

    ATOM = "atom"
    RSS = "rss"
    JSON = "json"

    @property
    def link_type(self) -> str:
        """The bare type, for the `type` of a link to the feed."""
        return _LINK_TYPES[self]

    @property
    def media_type(self) -> str:
        """The whole type, for Content-Type. JSON is UTF-8 by definition (RFC 8259, section 8.1)."""
        return self.link_type if self is FeedFormat.JSON else f"{self.link_type}; charset=utf-8"

    @property
    def suffix(self) -> str:
        """How a file of this format ends, with the dot."""
        return f".{self}"


_LINK_TYPES = {FeedFormat.ATOM: atom.MEDIA_TYPE, FeedFormat.RSS: rss.MEDIA_TYPE, FeedFormat.JSON: jsonfeed.MEDIA_TYPE}
_RENDERERS = {FeedFormat.ATOM: atom.render, FeedFormat.RSS: rss.render, FeedFormat.JSON: jsonfeed.render}


def render(document: FeedDocument, feed_format: FeedFormat) -> bytes:
    """Return a feed in one format; the same document always gives the same bytes."""
    return _RENDERERS[feed_format](document)
