from collections.abc import Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, Change
from publisher.clock import Clock
from publisher.database import Database, upsert
from publisher.errors import InputError, LeaseLostError, NotFoundError
from publisher.related import store
from publisher.related.index import index
from publisher.related.linking import Linking
from publisher.related.model import Choice, Work
from publisher.related.saving import save
from publisher.related.tables import related_choice
from publisher.turn import Turn, place, take_turns

STAGE = "relate"
CHANGES_AT_ONCE = 50
NOT_THE_ARTICLES_FAULT = (
    LeaseLostError,
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.ProgrammingError,
    sa.exc.TimeoutError,
)
"""The database is away, full or not ours to write: trying later is right, passing over is not."""

log = structlog.get_logger()


def relate_due(database: Database, clock: Clock) -> bool:
    """
    Relate every article that changed; return whether there was any, for whoever rings the next stage.

    An idle tick only reads. Any number of workers may run it.
    """
    with database.reading() as connection:
        if place(connection, STAGE) >= archive.last_change(connection):
            return False
    take_turns(database, STAGE, clock, lambda turn: _step(database, turn))
    return True


def pin(database: Database, article_id: ArticleId, target_id: ArticleId, clock: Clock) -> None:
    """Put a link first below an article, whatever is computed."""
    _choose(database, article_id, target_id, Choice.PINNED, clock)


def ban(database: Database, article_id: ArticleId, target_id: ArticleId, clock: Clock) -> None:
    """Never show a link below an article again; the next one moves up."""
    _choose(database, article_id, target_id, Choice.BANNED, clock)


def leave_to_rules(database: Database, article_id: ArticleId, target_id: ArticleId) -> None:
    """Take back what an editor decided about a link."""
    chosen = sa.and_(related_choice.c.article_id == article_id, related_choice.c.target_id == target_id)
    with database.transaction() as connection:
        connection.execute(sa.delete(related_choice).where(chosen))


def _step(database: Database, turn: Turn) -> bool:
    with database.reading() as connection:
        changes = archive.changes(connection, after=place(connection, STAGE), at_most=CHANGES_AT_ONCE)
    if changes:
        _relate(database, turn, changes)
    return len(changes) == CHANGES_AT_ONCE


def _relate(database: Database, turn: Turn, changes: Sequence[Change]) -> None:
    """
    Do a few changes at once, or each alone when one of them cannot be done, or pass that one over.

    An article that nobody foresaw must not keep the others from the readers: it has no links.
    """
    try:
        _relate_together(database, turn, changes)
    except NOT_THE_ARTICLES_FAULT:
        raise
    except Exception:
        if len(changes) > 1:
            for change in changes:
                _relate(database, turn, [change])
            return
        log.exception("article_not_related", article_id=changes[0].article_id, seq=changes[0].seq)
        with database.transaction() as connection:
            turn.advance(connection, changes[0].seq)


def _relate_together(database: Database, turn: Turn, changes: Sequence[Change]) -> None:
    with database.reading() as connection:
        work = _work_out(connection, list(dict.fromkeys(change.article_id for change in changes)))
    with database.transaction() as connection:
        turn.advance(connection, changes[-1].seq)
        save(connection, work)


def _work_out(connection: Connection, ids: Sequence[ArticleId]) -> Work:
    """Return what must be written after these articles changed; nothing for what was done before."""
    texts, known = store.texts(connection, ids), store.known(connection, ids)
    changed = [text for text in texts.values() if text.id not in known or known[text.id].digest != text.digest]
    gone = [each for each in known if each not in texts and known[each].digest is not None]
    if not changed and not gone:
        return Work()
    revised = {text.id for text in changed} & known.keys()
    entries = index(connection, changed, counted=known)
    links = Linking(connection, entries, revised=revised).links(gone=gone)
    return Work(entries=entries, known={each: known[each] for each in (*revised, *gone)}, gone=gone, links=links)


def _choose(database: Database, article_id: ArticleId, target_id: ArticleId, choice: Choice, clock: Clock) -> None:
    if article_id == target_id:
        raise InputError("an article cannot be related to itself", "related link")
    with database.transaction() as connection:
        existing = archive.leads(connection, [article_id, target_id])
        for each in (article_id, target_id):
            if each not in existing:
                raise NotFoundError("article", each)
        decided = {"choice": choice, "chosen_at": clock()}
        chosen = upsert(connection, related_choice).values(article_id=article_id, target_id=target_id, **decided)
        connection.execute(chosen.on_conflict_do_update(index_elements=["article_id", "target_id"], set_=decided))
