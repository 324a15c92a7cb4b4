from collections.abc import Iterable, Mapping

from feeds.formats import FeedFormat, render
from publisher.syndication import encodings
from publisher.syndication.document import document
from publisher.syndication.documents import Print, Stored
from publisher.syndication.model import Contents, Site


def printed(
    held: Contents, formats: Iterable[FeedFormat], site: Site, known: Mapping[FeedFormat, Stored]
) -> list[Print]:
    """Render contents in some formats. Only what is not stored already is compressed, which costs most."""
    return [_printed(render(document(held, each, site), each), each, known.get(each)) for each in formats]


def _printed(data: bytes, feed_format: FeedFormat, known: Stored | None) -> Print:
    etag = encodings.etag_of(data)
    is_stored = known is not None and known.etag == etag and known.has_bodies
    bodies = {} if is_stored else {each: encodings.encoded(data, each) for each in encodings.STORED}
    return Print(feed_format=feed_format, etag=etag, length_bytes=len(data), bodies=bodies)
