"""What a webhook says: ids and what is public anyway; no text, and no address."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.archive.model import ArticleId
from publisher.audience.tables import mailing_list, subscription
from publisher.compose import store as compose
from publisher.compose.model import IssueId
from publisher.dispatch import ledger
from publisher.webhooks.model import Happening
from publisher.webhooks.rules import written

Facts = dict[str, Any]
OF_ARTICLES = (Happening.ARTICLE_PUBLISHED, Happening.ARTICLE_WITHDRAWN)


def of_news(connection: Connection, news: Sequence[Any], base_url: str) -> dict[int, Facts]:
    """Return the facts of news about articles and issues, by its seq."""
    ids = [ArticleId(row.about_id) for row in news if row.kind in OF_ARTICLES]
    leads = archive.leads(connection, ids)
    found: dict[int, Facts] = {}
    for row in news:
        if row.kind not in OF_ARTICLES:
            found[row.seq] = _of_issue(connection, IssueId(row.about_id), row.kind, base_url)
        elif lead := leads.get(ArticleId(row.about_id)):
            found[row.seq] = {
                "article_id": lead.id,
                "uri": lead.uri,
                "external_id": lead.external_id,
                "url": f"{base_url}/articles/{lead.slug}",
                "title": lead.title,
                "language": lead.language,
                "revision": lead.revision,
                "published_at": written(lead.published_at),
            }
    return found


def of_subscriptions(connection: Connection, ids: Sequence[int]) -> Mapping[int, Facts]:
    """Return the facts of subscriptions, by id."""
    wanted = (
        sa.select(subscription.c.id, subscription.c.subscriber_id, mailing_list.c.slug)
        .join(mailing_list, mailing_list.c.id == subscription.c.mailing_list_id)
        .where(subscription.c.id.in_(ids))
    )
    return {
        row.id: {"subscriber_id": row.subscriber_id, "mailing_list": row.slug} for row in connection.execute(wanted)
    }


def of_event(row: Any) -> Facts:
    """Return the facts of a delivery event; what a server wrote may hold an address, so it stays here."""
    return {
        "issue_id": row.issue_id,
        "delivery": row.seq,
        "subscriber_id": row.subscriber_id,
        "status": row.status,
        "is_permanent": row.is_dead,
    }


def _of_issue(connection: Connection, issue_id: IssueId, kind: str, base_url: str) -> Facts:
    found = compose.issue_of(connection, issue_id)
    edition = compose.edition_of(connection, found.edition_id)
    facts: Facts = {
        "issue_id": found.id,
        "edition": edition.slug,
        "number": found.number,
        "subject": found.subject,
        "url": f"{base_url}/issues/{edition.slug}/{found.number}",
        "article_ids": list(found.article_ids),
    }
    if kind == Happening.ISSUE_SENT:
        facts["deliveries"] = {state.value: number for state, number in ledger.counts(connection, issue_id).items()}
    return facts
