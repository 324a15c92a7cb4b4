"""Delivery events."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_event",
        sa.Column("id", Key, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_event_id", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("seq", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_dead", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("subscriber_id", Key, nullable=True),
        sa.Column("applied_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_event")),
        sa.UniqueConstraint("provider", "provider_event_id", name=op.f("uq_delivery_event_provider_provider_event_id")),
    )
    with op.batch_alter_table("delivery_event", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_event_delivery", ["issue_id", "seq"], unique=False)
        batch_op.create_index(
            "ix_delivery_event_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("applied_at IS NULL"),
            postgresql_where=sa.text("applied_at IS NULL"),
        )
        batch_op.create_index(
            "ix_delivery_event_subscriber",
            ["subscriber_id", "at"],
            unique=False,
            sqlite_where=sa.text("subscriber_id IS NOT NULL"),
            postgresql_where=sa.text("subscriber_id IS NOT NULL"),
        )
