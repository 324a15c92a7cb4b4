import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from feeds.formats import FeedFormat
from publisher import acts, turn
from publisher.archive import store as archive
from publisher.archive.model import Change
from publisher.clock import Clock
from publisher.compose.model import IssueState
from publisher.compose.tables import issue
from publisher.database import Database
from publisher.errors import NotFoundError
from publisher.intake import store as intake
from publisher.syndication import documents, membership, store
from publisher.syndication.contents import contents
from publisher.syndication.documents import Print
from publisher.syndication.model import ALWAYS_RENDERED, Contents, Feed, FeedKey, FeedState, Site
from publisher.syndication.printing import printed
from publisher.syndication.tables import feed_move, syndicated_issue
from publisher.syndication.websub import store as websub
from publisher.turn import Turn

log = structlog.get_logger()

STAGE = "syndicate"
READ_AFTER = "relate"
"""The stage whose finished changes we read: an article enters the feeds with its related links."""
CHANGES_AT_ONCE = 200
ISSUES_AT_ONCE = 100
FEEDS_AT_ONCE = 8
HOLD = timedelta(seconds=2)
"""While more is coming, a feed is rendered this often at most; a burst of articles shares its renderings."""
PAUSE_S = 0.1
TURN_S = 20.0
"""After so long the worker is free for other tasks; the next tick goes on."""
LATE_COMMITS = timedelta(hours=1)
"""How far back we look for issues that were approved before the last one we saw, but committed after."""
ARCHIVES_KEPT = 2_000
"""Archive documents whose bytes are kept, some 100 kB each; the others are made again when asked for."""


def syndicate_due(database: Database, site: Site, *, clock: Clock, pause: Callable[[float], None] = turn.rest) -> bool:
    """
    Bring every feed up to date with the archive and the approved issues, and return whether any was behind.

    Any number of workers may run it; an idle tick only reads.
    """
    with database.reading() as connection:
        due = bool(_changes(connection, 1) or _issues(connection, 1) or store.due(connection, at_most=1))
    if due:
        until = time.monotonic() + TURN_S
        turn.take_turns(
            database,
            STAGE,
            clock,
            lambda mine: time.monotonic() < until and _step(database, site, mine, clock, pause),
        )
    return due


def end(database: Database, key: FeedKey) -> None:
    """Close a feed for good: it answers 410 from now on, and readers drop it. Raises NotFoundError."""
    _set_state(database, key, FeedState.ENDED)


def reopen(database: Database, key: FeedKey) -> None:
    """Publish an ended feed again. Raises NotFoundError."""
    _set_state(database, key, FeedState.LIVE)


def move(database: Database, key: FeedKey, to_slug: str, *, clock: Clock) -> None:
    """Let a feed's addresses lead, with 301, to those of another of its kind, as after a topic got a new name."""
    with database.transaction() as connection:
        elsewhere = sa.and_(feed_move.c.kind == key.kind, feed_move.c.to_slug == key.slug)
        connection.execute(sa.update(feed_move).where(elsewhere).values(to_slug=to_slug))
        ours = sa.and_(feed_move.c.kind == key.kind, feed_move.c.slug.in_((key.slug, to_slug)))
        connection.execute(sa.delete(feed_move).where(ours))
        acts.note(connection, "feed moved", f"{key.path} to {to_slug}")
        row = {"kind": key.kind, "slug": key.slug, "to_slug": to_slug, "moved_at": clock()}
        connection.execute(sa.insert(feed_move).values(row))
        known = store.feed_named(connection, key)
        if known:
            documents.outdate_all(connection, known.id)


def forget_archives(database: Database, *, kept: int = ARCHIVES_KEPT) -> int:
    """Drop the bytes of archive documents that were made longest ago; return of how many. Idle, it only reads."""
    with database.reading() as connection:
        extra = documents.archives_beyond(connection, kept)
    if extra:
        with database.transaction() as connection:
            documents.forget_bodies(connection, extra)
    return len(extra)


def _step(database: Database, site: Site, mine: Turn, clock: Clock, pause: Callable[[float], None]) -> bool:
    followed = _follow(database, site, mine, clock)
    with database.reading() as connection:
        crowded = _more_is_coming(connection)
        before = clock() - HOLD if crowded else None
        found = store.due(connection, at_most=FEEDS_AT_ONCE, rendered_before=before)
        waiting = bool(found) or bool(store.due(connection, at_most=1))
    for each in found:
        _publish(database, site, each, mine, clock)
    if waiting and not found and not followed:
        pause(PAUSE_S)
        with database.transaction() as connection:
            mine.hold(connection)
    return followed or waiting


def _follow(database: Database, site: Site, mine: Turn, clock: Clock) -> bool:
    with database.reading() as connection:
        changes, issues = _changes(connection, CHANGES_AT_ONCE), _issues(connection, ISSUES_AT_ONCE)
    if not changes and not issues:
        return False
    with database.transaction() as connection:
        mine.advance(connection, changes[-1].seq) if changes else mine.hold(connection)
        now, ids = clock(), {each.article_id for each in changes}
        membership.follow_articles(connection, ids, domain=site.domain, now=now)
        membership.follow_issues(connection, issues, domain=site.domain, now=now)
    return True


def _publish(database: Database, site: Site, found: Feed, mine: Turn, clock: Clock) -> None:
    """Make the documents of a feed that people read, and store them if they differ from the last ones."""
    with database.reading() as connection:
        current = store.feed_named(connection, found.key) or found
        held, prints = _printed(connection, current, site)
    with database.transaction() as connection:
        mine.hold(connection)
        store.rendered(connection, current, clock())
        if held:
            updated_at, made_for = held.updated_at, site.fingerprint
            changed = documents.put(connection, current.id, 0, prints, updated_at=updated_at, made_for=made_for)
            documents.mention(connection, current.id, 0, held.mentions)
            websub.note_changed(connection, current, changed, site, clock())


def _printed(connection: Connection, found: Feed, site: Site) -> tuple[Contents | None, list[Print]]:
    """Render a feed; one article that cannot be read must not stop all others, its feeds stay as they were."""
    try:
        held = contents(connection, found, site)
        known = documents.stored(connection, found.id)
        formats = FeedFormat if found.key.kind in ALWAYS_RENDERED else known
        return held, printed(held, formats, site, known) if held else []
    except (ValueError, LookupError, TypeError):
        log.exception("feed_not_rendered", feed=found.key.path)
        return None, []


def _changes(connection: Connection, at_most: int) -> list[Change]:
    finished = turn.place(connection, READ_AFTER)
    return archive.changes(connection, after=turn.place(connection, STAGE), at_most=at_most, up_to=finished)


def _issues(connection: Connection, at_most: int) -> list[int]:
    """Return issues that were approved and stand in no feed yet, oldest first."""
    newest = connection.scalar(sa.select(sa.func.max(syndicated_issue.c.approved_at)))
    known = sa.exists().where(syndicated_issue.c.issue_id == issue.c.id)
    wanted = sa.select(issue.c.id).where(issue.c.state == IssueState.APPROVED, issue.c.approved_at.is_not(None), ~known)
    if newest is not None:
        wanted = wanted.where(issue.c.approved_at > newest - LATE_COMMITS)
    return list(connection.scalars(wanted.order_by(issue.c.approved_at, issue.c.id).limit(at_most)))


def _more_is_coming(connection: Connection) -> bool:
    """Tell whether articles are on their way to us, so that rendering now means rendering again at once."""
    if intake.received(connection, at_most=1):
        return True
    return archive.last_change(connection) > turn.place(connection, STAGE)


def _set_state(database: Database, key: FeedKey, state: FeedState) -> None:
    with database.transaction() as connection:
        found = store.feed_named(connection, key)
        if found is None:
            raise NotFoundError("feed", key.path)
        store.set_state(connection, found.id, state)
        acts.note(connection, f"feed {state}", key.path)
        documents.outdate_all(connection, found.id)
