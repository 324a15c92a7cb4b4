from typing import Any

import sqlalchemy as sa

from publisher.database import Instant, Key, metadata


def _errand(name: str) -> list[sa.Column[Any] | sa.Index]:
    """Return the columns of an errand to another server: when it is due, how it has gone so far, who is on it."""
    due = sa.Column("due_at", Instant)  # null: nothing to do
    return [
        due,
        sa.Column("wanted", sa.BigInteger, nullable=False),  # counts what has come up; moves while one is on the way
        sa.Column("failures", sa.SmallInteger, nullable=False),  # in a row
        sa.Column("failing_since", Instant),
        sa.Column("took_ms", sa.Integer, nullable=False),  # the last time
        sa.Column("leased_until", Instant),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Index(
            f"ix_{name}_due",
            due,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        ),
    ]


websub_subscription = sa.Table(
    "websub_subscription",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("feed_id", Key, sa.ForeignKey("feed.id"), nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("callback", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("lease_until", Instant, nullable=False, index=True),
    *_errand("websub_subscription"),
    sa.UniqueConstraint("feed_id", "format", "callback"),
)

websub_request = sa.Table(
    "websub_request",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("feed_id", Key, sa.ForeignKey("feed.id"), nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("callback", sa.Text, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("lease_s", sa.Integer, nullable=False),
    *_errand("websub_request"),
    sa.UniqueConstraint("feed_id", "format", "callback"),
)

websub_ping = sa.Table(
    "websub_ping",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("hub", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    *_errand("websub_ping"),
    sa.UniqueConstraint("hub", "url"),
)
