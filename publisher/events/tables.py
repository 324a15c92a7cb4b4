import sqlalchemy as sa

from publisher.database import Instant, Key, metadata

link_click = sa.Table(
    "link_click",
    metadata,
    sa.Column("issue_id", Key, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("clicks", Key, nullable=False),
    sa.Column("first_at", Instant, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
)

# No foreign keys: what is told to us may be about an issue that we do not know, and is kept all the same.
delivery_event = sa.Table(
    "delivery_event",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("provider_event_id", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("issue_id", Key, nullable=False),
    sa.Column("seq", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("address", sa.Text, nullable=False),  # as the provider names it; emptied when it is applied
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("is_dead", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.Text, nullable=False),
    sa.Column("subscriber_id", Key),  # whose delivery it was; null until it is applied, or where it is nobody's
    sa.Column("applied_at", Instant),
    sa.UniqueConstraint("provider", "provider_event_id"),
    sa.Index("ix_delivery_event_delivery", "issue_id", "seq"),
    sa.Index(
        "ix_delivery_event_open",
        "id",
        sqlite_where=sa.text("applied_at IS NULL"),
        postgresql_where=sa.text("applied_at IS NULL"),
    ),
    sa.Index(
        "ix_delivery_event_subscriber",
        "subscriber_id",
        "at",
        sqlite_where=sa.text("subscriber_id IS NOT NULL"),
        postgresql_where=sa.text("subscriber_id IS NOT NULL"),
    ),
)
