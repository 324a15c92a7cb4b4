"""Documents that nobody has asked for before: made for the first who does, then kept like the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import floor

from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from feeds.formats import render
from publisher.clock import Clock
from publisher.compose import store as compose
from publisher.database import Database
from publisher.syndication import documents, encodings, store
from publisher.syndication.contents import contents, contents_when_asked
from publisher.syndication.document import document
from publisher.syndication.documents import Print
from publisher.syndication.encodings import Encoding
from publisher.syndication.model import (
    ALWAYS_RENDERED,
    MADE_WHEN_ASKED,
    Contents,
    Feed,
    FeedAddress,
    FeedKey,
    FeedKind,
    FeedState,
    Site,
)
from publisher.syndication.printing import printed


class Absence(Enum):
    """Why there is no document."""

    UNKNOWN = "unknown"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Where the document is now."""

    to: FeedAddress


@dataclass(frozen=True, kw_only=True)
class Made:
    """A document ready to be served."""

    etag: str
    modified_s: int | None
    """None where nobody keeps track of it: then the ETag alone tells."""
    bodies: Mapping[Encoding, bytes] = field(repr=False)

    def body(self, encoding: Encoding) -> bytes:
        return encodings.body_in(self.bodies, encoding)


def make(
    database: Database, site: Site, address: FeedAddress, encoding: Encoding, *, clock: Clock
) -> Made | Moved | Absence:
    """
    Return the document at an address, made now, at least in one coding.

    What belongs to a feed of our own is stored for all who come later; a combined feed or a search is not.
    """
    key = address.key
    if key.kind in MADE_WHEN_ASKED:
        return _make_when_asked(database, site, address, encoding, clock=clock)
    with database.reading() as connection:
        to = store.move_target(connection, key)
        found = store.feed_named(connection, key)
        is_to_begin = found is None and to is None and _exists(connection, key)
    if to is not None:
        return Moved(to=FeedAddress(key=to, feed_format=address.feed_format))
    if is_to_begin:
        with database.transaction() as connection:
            store.ensure(connection, [key], domain=site.domain, now=clock())
    elif found is None:
        return Absence.UNKNOWN
    elif found.state is FeedState.ENDED:
        return Absence.ENDED
    return _make(database, site, address)


def _make(database: Database, site: Site, address: FeedAddress) -> Made | Absence:
    with database.reading() as connection:
        found = store.feed_named(connection, address.key)
        held = contents(connection, found, site, address.archive) if found else None
    if found is None or held is None:
        return Absence.UNKNOWN
    [made] = printed(held, [address.feed_format], site, known={})
    try:
        modified_s = _keep(database, site, found, held, made)
    except OperationalError:  # the database is busy for longer than a reader should wait: served, and made again
        modified_s = floor(held.updated_at.timestamp())
    return Made(etag=made.etag, modified_s=modified_s, bodies=made.bodies)


def _keep(database: Database, site: Site, found: Feed, held: Contents, made: Print) -> int:
    """Store a document and return its Last-Modified. Where its feed has changed meanwhile it is to be made again."""
    with database.transaction() as connection:
        is_current = store.locked(connection, found.id).version == found.version
        documents.put(
            connection,
            found.id,
            held.archive,
            [made],
            updated_at=held.updated_at,
            made_for=site.fingerprint,
            is_current=is_current,
        )
        documents.mention(connection, found.id, held.archive, held.mentions)
        return documents.stored(connection, found.id, held.archive)[made.feed_format].modified_s


def _make_when_asked(
    database: Database, site: Site, address: FeedAddress, encoding: Encoding, *, clock: Clock
) -> Made | Absence:
    with database.reading() as connection:
        house = store.feed_named(connection, FeedKey(kind=FeedKind.ALL))
        began_at = house.created_at if house else clock()
        held = contents_when_asked(connection, address.key, site, began_at=began_at)
    if held is None:
        return Absence.UNKNOWN
    data = render(document(held, address.feed_format, site), address.feed_format)
    return Made(etag=encodings.etag_of(data), modified_s=None, bodies={encoding: encodings.encoded(data, encoding)})


def _exists(connection: Connection, key: FeedKey) -> bool:
    """Tell whether a feed that no article or issue has entered so far is to be there nevertheless."""
    if key.kind is FeedKind.EDITION:
        return any(each.slug == key.slug for each in compose.editions(connection))
    return key.kind in ALWAYS_RENDERED
