from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.archive import store as archive
from publisher.archive.model import ArticleId, Change
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.errors import InputError, LeaseLostError, NotFoundError
from publisher.related import store
from publisher.related.index import index
from publisher.related.linking import Linking
from publisher.related.model import Choice, Work
from publisher.related.rules import SHOWN
from publisher.related.saving import save
from publisher.related.sense import Embed, nothing
from publisher.related.tables import related_choice
from publisher.turn import Turn, place, take_turns

STAGE = "relate"
CHANGES_AT_ONCE = 50
BANNED_AT_MOST = 100
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


def relate_due(database: Database, clock: Clock, embed: Embed = nothing) -> bool:
    """
    Relate every article that changed; return whether there was any, for whoever rings the next stage.

    An idle tick only reads. Any number of workers may run it.

    Args:
        database: Where the articles are.
        clock: Tells the time.
        embed: Returns what a sentence model makes of an article; by default there is none.

    """
    with database.reading() as connection:
        if place(connection, STAGE) >= archive.last_change(connection):
            return False
    take_turns(database, STAGE, clock, lambda turn: _step(database, turn, embed))
    return True


def arrange(
    database: Database,
    article_id: ArticleId,
    *,
    pinned: Sequence[ArticleId],
    banned: Collection[ArticleId],
    clock: Clock,
    check: Callable[[Connection], None] = lambda _: None,
) -> None:
    """
    Store all that an editor decides about the links below an article, in the place of what was decided before.

    It holds whatever is computed: pinned links come first, in this order, banned ones never; the rules have the rest.
    `check` may refuse, by raising, what was decided meanwhile.

    Raises:
        InputError: Too many are pinned, the article itself is among them, or one is both pinned and banned.
        NotFoundError: There is no such article.

    """
    _check(article_id, pinned, banned)
    chosen = [*((each, Choice.PINNED) for each in pinned), *((each, Choice.BANNED) for each in sorted(set(banned)))]
    with database.transaction() as connection:
        one_at_a_time(connection, f"links below {article_id}")
        check(connection)
        existing = archive.leads(connection, [article_id, *(each for each, _ in chosen)])
        for each in (article_id, *(each for each, _ in chosen)):
            if each not in existing:
                raise NotFoundError("article", each)
        connection.execute(sa.delete(related_choice).where(related_choice.c.article_id == article_id))
        rows = [
            {"article_id": article_id, "target_id": target_id, "choice": choice, "chosen_at": clock(), "place": place}
            for place, (target_id, choice) in enumerate(chosen)
        ]
        if rows:
            connection.execute(sa.insert(related_choice), rows)
        acts.note(connection, "links arranged", f"article {article_id}")


def _check(article_id: ArticleId, pinned: Sequence[ArticleId], banned: Collection[ArticleId]) -> None:
    if article_id in {*pinned, *banned}:
        raise InputError("An article cannot be related to itself.")
    if len(set(pinned)) != len(pinned):
        raise InputError("An article can be pinned once only.")
    if len(pinned) > SHOWN:
        raise InputError(f"Below an article stand {SHOWN} links, so no more can be pinned.")
    if not set(pinned).isdisjoint(banned):
        raise InputError("An article cannot be both pinned and banned.")
    if len(banned) > BANNED_AT_MOST:
        raise InputError(f"At most {BANNED_AT_MOST} articles can be banned below one.")


def _step(database: Database, turn: Turn, embed: Embed) -> bool:
    with database.reading() as connection:
        changes = archive.changes(connection, after=place(connection, STAGE), at_most=CHANGES_AT_ONCE)
    if changes:
        _relate(database, turn, changes, embed)
    return len(changes) == CHANGES_AT_ONCE


def _relate(database: Database, turn: Turn, changes: Sequence[Change], embed: Embed) -> None:
    """
    Do a few changes at once, or each alone when one of them cannot be done, or pass that one over.

    An article that nobody foresaw must not keep the others from the readers: it has no links.
    """
    try:
        _relate_together(database, turn, changes, embed)
    except NOT_THE_ARTICLES_FAULT:
        raise
    except Exception:
        if len(changes) > 1:
            for change in changes:
                _relate(database, turn, [change], embed)
            return
        log.exception("article_not_related", article_id=changes[0].article_id, seq=changes[0].seq)
        with database.transaction() as connection:
            turn.advance(connection, changes[0].seq)


def _relate_together(database: Database, turn: Turn, changes: Sequence[Change], embed: Embed) -> None:
    with database.reading() as connection:
        work = _work_out(connection, list(dict.fromkeys(change.article_id for change in changes)), embed)
    with database.transaction() as connection:
        turn.advance(connection, changes[-1].seq)
        save(connection, work)


def _work_out(connection: Connection, ids: Sequence[ArticleId], embed: Embed) -> Work:
    """Return what must be written after these articles changed; nothing for what was done before."""
    texts, known = store.texts(connection, ids), store.known(connection, ids)
    changed = [text for text in texts.values() if text.id not in known or known[text.id].digest != text.digest]
    gone = [each for each in known if each not in texts and known[each].digest is not None]
    if not changed and not gone:
        return Work()
    revised = {text.id for text in changed} & known.keys()
    entries = index(connection, changed, counted=known, embed=embed)
    links = Linking(connection, entries, revised=revised).links(gone=gone)
    return Work(entries=entries, known={each: known[each] for each in (*revised, *gone)}, gone=gone, links=links)
