"""
What became of articles and issues, written down once: from there each endpoint is told.

Their tables tell how they stand now. Whether an article that changed was published by that, or was so before, is
known only to whoever remembers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId, ArticleState, Change
from publisher.compose.model import IssueState
from publisher.compose.tables import issue
from publisher.database import Database, insert_or_ignore
from publisher.dispatch.model import SendState
from publisher.dispatch.tables import send
from publisher.turn import Turn, place
from publisher.webhooks.model import Happening
from publisher.webhooks.tables import webhook_news

STAGE = "webhooks"
READ_AFTER = "relate"
CHANGES_AT_ONCE = 200
LATE_COMMITS = timedelta(hours=1)
"""So far back we look for issues that another transaction let go late."""
NO_NEWS_AFTER = timedelta(days=30)
"""An article that was published so long before it came to us is told to nobody: an archive has moved in."""
OF_ARTICLES = (Happening.ARTICLE_PUBLISHED, Happening.ARTICLE_WITHDRAWN)
HAPPENING = {
    ArticleState.PUBLISHED: Happening.ARTICLE_PUBLISHED,
    ArticleState.WITHDRAWN: Happening.ARTICLE_WITHDRAWN,
}
Row = Mapping[str, Any]


def note_some(database: Database, turn: Turn, now: datetime) -> bool:
    """Write down what became of the next articles and issues; return whether there may be more."""
    with database.reading() as connection:
        changes = _changes(connection)
        rows = [*_of_articles(connection, changes), *_of_issues(connection, now)]
    if changes or rows:
        with database.transaction() as connection:
            if changes:
                turn.advance(connection, changes[-1].seq)
            else:
                turn.hold(connection)
            if rows:
                connection.execute(insert_or_ignore(connection, webhook_news), rows)
    return len(changes) == CHANGES_AT_ONCE


def is_any(connection: Connection, now: datetime) -> bool:
    """Tell whether there is something to write down."""
    return bool(_changes(connection)) or bool(_of_issues(connection, now))


def _changes(connection: Connection) -> list[Change]:
    up_to = place(connection, READ_AFTER)
    return archive.changes(connection, after=place(connection, STAGE), at_most=CHANGES_AT_ONCE, up_to=up_to)


def _of_articles(connection: Connection, changes: Sequence[Change]) -> list[Row]:
    """Return what is new of articles; who was handed in, withdrawn and put back within one look was published."""
    last = {change.article_id: change.at for change in changes}
    known = _last_news(connection, list(last))
    found = [
        (HAPPENING[lead.state], lead.id)
        for lead in archive.leads(connection, last).values()
        if lead.state in HAPPENING and (lead.id in known or lead.published_at > last[lead.id] - NO_NEWS_AFTER)
    ]
    return [
        _row(happening, article_id, last[article_id])
        for happening, article_id in found
        if known.get(article_id, Happening.ARTICLE_WITHDRAWN) != happening
    ]


def _last_news(connection: Connection, ids: Sequence[ArticleId]) -> dict[ArticleId, str]:
    """Return what was last written down of articles; one that nothing was written of was never published."""
    wanted = sa.select(webhook_news.c.about_id, webhook_news.c.kind).where(
        webhook_news.c.about_id.in_(ids), webhook_news.c.kind.in_([each.value for each in OF_ARTICLES])
    )
    return {ArticleId(row.about_id): row.kind for row in connection.execute(wanted.order_by(webhook_news.c.seq))}


def _of_issues(connection: Connection, now: datetime) -> list[Row]:
    since = now - LATE_COMMITS
    approved = sa.select(issue.c.id, issue.c.approved_at.label("at")).where(
        issue.c.state == IssueState.APPROVED, issue.c.approved_at > since
    )
    sent = sa.select(send.c.issue_id.label("id"), send.c.finished_at.label("at")).where(
        send.c.finished_at > since, send.c.state == SendState.SENT
    )
    rows = [_row(Happening.ISSUE_APPROVED, row.id, row.at) for row in connection.execute(approved)]
    rows += [_row(Happening.ISSUE_SENT, row.id, row.at) for row in connection.execute(sent)]
    ids = [row["about_id"] for row in rows]
    kinds = (Happening.ISSUE_APPROVED.value, Happening.ISSUE_SENT.value)
    wanted = sa.select(webhook_news).where(webhook_news.c.about_id.in_(ids), webhook_news.c.kind.in_(kinds))
    known = {(row.about_id, row.kind, row.at) for row in connection.execute(wanted)}
    return [row for row in rows if (row["about_id"], row["kind"], row["at"]) not in known]


def _row(happening: Happening, about_id: int, at: datetime) -> Row:
    return {"kind": happening.value, "about_id": about_id, "at": at}
