from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher import acts
from publisher.archive.accept import Acceptance, Accepted, accept, note_change
from publisher.archive.model import ArticleId, ArticleState
from publisher.archive.tables import article
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.errors import NotFoundError
from publisher.intake import store as intake
from publisher.intake.flow import HandIn, handed_in
from publisher.intake.model import SubmissionId, SubmissionState
from publisher.intake.store import Submission
from publisher.intake.tables import submission

AT_ONCE = 20
"""Submissions in one transaction: long enough to share a commit, short enough for other writers."""


def accept_due(database: Database, *, domain: str, clock: Clock) -> int:
    """Take in everything that waits, oldest first; return how many. Any number of workers may run it."""
    taken = 0
    while True:
        accepted = _accept_some(database, (), domain=domain, clock=clock)
        taken += len(accepted)
        if len(accepted) < AT_ONCE:
            return taken


def accept_these(
    database: Database, ids: Sequence[SubmissionId], *, domain: str, clock: Clock
) -> dict[SubmissionId, Accepted]:
    """Take in just these submissions, for a caller who shows what became of them, also where a worker was quicker."""
    found: dict[SubmissionId, Accepted] = {}
    for start in range(0, len(ids), AT_ONCE):
        found |= _accept_some(database, ids[start : start + AT_ONCE], domain=domain, clock=clock)
    elsewhere = [each for each in ids if each not in found]
    if elsewhere:
        with database.reading() as connection:
            found |= _taken_elsewhere(connection, elsewhere)
    return found


def revise_if(
    database: Database,
    revision: HandIn,
    *,
    origin: str,
    same_as: str,
    check: Callable[[Connection], None],
    domain: str,
    clock: Clock,
) -> tuple[SubmissionId, Accepted]:
    """
    Hand in a revision and take it in, if the article still is what its author has seen.

    All in the archive's turn, so that of two revisions of the same state one is refused. What was handed in
    before and still waits is taken first, for it is part of what the article is.

    Args:
        database: Where to.
        revision: What the article is to become.
        origin: Who hands in.
        same_as: The article's identity.
        check: Raises to refuse; nothing is kept then.
        domain: Of the newsroom.
        clock: Tells the time.

    """
    with _archiving(database) as connection:
        now = clock()
        _accepted(connection, intake.received(connection, at_most=None, identity=same_as), domain=domain, now=now)
        check(connection)
        ids = handed_in(connection, [revision], origin=origin, now=now, same_as=same_as)
        some = intake.received(connection, at_most=1, ids=ids)
        return ids[0], _accepted(connection, some, domain=domain, now=now)[ids[0]]


def _taken_elsewhere(connection: Connection, ids: Sequence[SubmissionId]) -> dict[SubmissionId, Accepted]:
    rows = connection.execute(
        sa.select(submission.c.id, submission.c.state.label("ending"), article.c.id.label("article_id"))
        .add_columns(article.c.slug, article.c.state, article.c.revision)
        .join(article, article.c.identity == submission.c.identity)
        .where(submission.c.id.in_(ids), submission.c.state != SubmissionState.RECEIVED)
    )
    return {
        SubmissionId(row.id): Accepted(
            article_id=ArticleId(row.article_id),
            slug=row.slug,
            state=ArticleState(row.state),
            acceptance=_acceptance(row.ending, row.revision),
        )
        for row in rows
    }


def _acceptance(ending: str, revision: int) -> Acceptance:
    if ending == SubmissionState.UNCHANGED:
        return Acceptance.UNCHANGED
    return Acceptance.NEW if revision == 1 else Acceptance.REVISED


def _accept_some(
    database: Database, ids: Sequence[SubmissionId], *, domain: str, clock: Clock
) -> dict[SubmissionId, Accepted]:
    with database.reading() as connection:
        if not intake.received(connection, at_most=1, ids=ids):
            return {}
    with _archiving(database) as connection:
        some = intake.received(connection, at_most=AT_ONCE, ids=ids)
        return _accepted(connection, some, domain=domain, now=clock())


def _accepted(
    connection: Connection, some: Sequence[Submission], *, domain: str, now: datetime
) -> dict[SubmissionId, Accepted]:
    accepted = {each.id: accept(connection, each, domain=domain, now=now) for each in some}
    _settle(connection, accepted, now)
    return accepted


def _settle(connection: Connection, accepted: dict[SubmissionId, Accepted], now: datetime) -> None:
    unchanged = [each for each, ending in accepted.items() if ending.acceptance is Acceptance.UNCHANGED]
    changed = [each for each in accepted if each not in unchanged]
    intake.settle(connection, unchanged, SubmissionState.UNCHANGED, now=now)
    intake.settle(connection, changed, SubmissionState.ACCEPTED, now=now)


def publish_due(database: Database, *, clock: Clock) -> int:
    """Lift the embargoes that have run out; return how many."""
    due = sa.and_(article.c.state == ArticleState.EMBARGOED, article.c.published_at <= clock())
    with database.reading() as connection:
        if connection.scalar(sa.select(article.c.id).where(due).limit(1)) is None:
            return 0
    with _archiving(database) as connection:
        lifted = sa.update(article).where(due).values(state=ArticleState.PUBLISHED).returning(article.c.id)
        ids = sorted(connection.scalars(lifted))
        for each in ids:
            note_change(connection, ArticleId(each), clock())
        return len(ids)


def withdraw(database: Database, article_id: ArticleId, *, clock: Clock) -> bool:
    """Take an article off every channel; return whether it was on any. Its page answers 410 from now on."""
    return _move(database, article_id, ArticleState.WITHDRAWN, clock=clock)


def restore(database: Database, article_id: ArticleId, *, clock: Clock) -> bool:
    """Put a withdrawn article back, with its old address, date and identity; return whether it was withdrawn."""
    with database.reading() as connection:
        visible_at = connection.scalar(sa.select(article.c.published_at).where(article.c.id == article_id))
    early = visible_at is not None and visible_at > clock()
    return _move(database, article_id, ArticleState.EMBARGOED if early else ArticleState.PUBLISHED, clock=clock)


def identity_of(database: Database, article_id: ArticleId) -> str:
    """Return what a submission must carry to be a revision of this article. Raises NotFoundError."""
    with database.reading() as connection:
        found = connection.scalar(sa.select(article.c.identity).where(article.c.id == article_id))
    if found is None:
        raise NotFoundError("article", article_id)
    return str(found)


def _move(database: Database, article_id: ArticleId, state: ArticleState, *, clock: Clock) -> bool:
    with _archiving(database) as connection:
        before = connection.scalar(sa.select(article.c.state).where(article.c.id == article_id))
        if before is None:
            raise NotFoundError("article", article_id)
        if before == state:
            return False
        connection.execute(sa.update(article).where(article.c.id == article_id).values(state=state))
        note_change(connection, article_id, clock())
        did = "article withdrawn" if state is ArticleState.WITHDRAWN else "article restored"
        acts.note(connection, did, f"article {article_id}")
        return True


@contextmanager
def _archiving(database: Database) -> Iterator[Connection]:
    """
    Open the one transaction at a time that may add to the archive's changes.

    So `article_change.seq` rises in the order of commits, and a stage that keeps its place by it
    never passes over a change that became visible late.
    """
    with database.transaction() as connection:
        one_at_a_time(connection, "archive")
        yield connection
