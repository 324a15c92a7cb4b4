import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

DUE = sa.text("due_at IS NOT NULL")

webhook_endpoint = sa.Table(
    "webhook_endpoint",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("happenings", Json, nullable=False),
    sa.Column("with_addresses", sa.Boolean, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("former_secret", sa.Text, nullable=False),
    sa.Column("former_until", Instant),
    sa.Column("is_on", sa.Boolean, nullable=False),
    sa.Column("off_reason", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("failing_since", Instant),
    sa.Column("rest_until", Instant),
    sa.Column("took_ms", sa.Integer, nullable=False),  # the last time
    # How far it has been told, in each of the tables that tell what happened.
    sa.Column("news_seq", Key, nullable=False),
    sa.Column("event_id", Key, nullable=False),
    sa.Column("yes_at", Instant, nullable=False),
    sa.Column("yes_id", Key, nullable=False),
    sa.Column("end_at", Instant, nullable=False),
    sa.Column("end_id", Key, nullable=False),
)

# What became of articles and issues. Their own tables tell how they stand, and not what has been told of them.
webhook_news = sa.Table(
    "webhook_news",
    metadata,
    sa.Column("seq", Key, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about_id", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("about_id", "kind", "at"),
    sqlite_autoincrement=True,
)

webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("endpoint_id", Key, sa.ForeignKey("webhook_endpoint.id"), nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("facts", Json, nullable=False),  # ids and what is public; addresses are looked up when it is sent
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", Instant),
    sa.Column("failures", sa.SmallInteger, nullable=False),
    sa.Column("attempts", Json, nullable=False),  # the last ones, oldest first
    sa.Column("leased_until", Instant),
    sa.Column("fence", Key, nullable=False),
    sa.UniqueConstraint("endpoint_id", "message_id"),
    sa.Index("ix_webhook_endpoint", "endpoint_id", "id"),
    sa.Index("ix_webhook_due", "endpoint_id", "due_at", sqlite_where=DUE, postgresql_where=DUE),
)
