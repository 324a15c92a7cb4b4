"""WebSub."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "websub_ping",
        sa.Column("id", Key, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_websub_ping")),
        sa.UniqueConstraint("hub", "url", name=op.f("uq_websub_ping_hub_url")),
    )
    with op.batch_alter_table("websub_ping", schema=None) as batch_op:
        batch_op.create_index(
            "ix_websub_ping_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.create_table(
        "websub_request",
        sa.Column("id", Key, nullable=False),
        sa.Column("feed_id", Key, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("lease_s", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_websub_request_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_websub_request")),
        sa.UniqueConstraint("feed_id", "format", "callback", name=op.f("uq_websub_request_feed_id_format_callback")),
    )
    with op.batch_alter_table("websub_request", schema=None) as batch_op:
        batch_op.create_index(
            "ix_websub_request_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )

    op.create_table(
        "websub_subscription",
        sa.Column("id", Key, nullable=False),
        sa.Column("feed_id", Key, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_websub_subscription_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_websub_subscription")),
        sa.UniqueConstraint(
            "feed_id", "format", "callback", name=op.f("uq_websub_subscription_feed_id_format_callback")
        ),
    )
    with op.batch_alter_table("websub_subscription", schema=None) as batch_op:
        batch_op.create_index(
            "ix_websub_subscription_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_websub_subscription_lease_until"), ["lease_until"], unique=False)
