"""Webhooks to others, and requests of programs that carry a key."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Json, Key

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", Key, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("happenings", Json, nullable=False),
        sa.Column("with_addresses", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("former_secret", sa.Text(), nullable=False),
        sa.Column("former_until", Instant(), nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("off_reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.Column("rest_until", Instant(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.Column("news_seq", Key, nullable=False),
        sa.Column("event_id", Key, nullable=False),
        sa.Column("yes_at", Instant(), nullable=False),
        sa.Column("yes_id", Key, nullable=False),
        sa.Column("end_at", Instant(), nullable=False),
        sa.Column("end_id", Key, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_table(
        "webhook_news",
        sa.Column("seq", Key, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about_id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_webhook_news")),
        sa.UniqueConstraint("about_id", "kind", "at", name=op.f("uq_webhook_news_about_id_kind_at")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "webhook",
        sa.Column("id", Key, nullable=False),
        sa.Column("endpoint_id", Key, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("failures", sa.SmallInteger(), nullable=False),
        sa.Column("attempts", Json, nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("fence", Key, nullable=False),
        sa.ForeignKeyConstraint(["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_webhook_endpoint_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("endpoint_id", "message_id", name=op.f("uq_webhook_endpoint_id_message_id")),
    )
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.create_index(
            "ix_webhook_due",
            ["endpoint_id", "due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index("ix_webhook_endpoint", ["endpoint_id", "id"], unique=False)

    with op.batch_alter_table("send", schema=None) as batch_op:
        batch_op.create_index("ix_send_finished", ["finished_at"], unique=False)

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(
            "ix_subscription_ended",
            ["ended_at", "id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        )

    op.create_table(
        "api_call",
        sa.Column("token_id", Key, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", Json, nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["token_id"], ["api_token.id"], name=op.f("fk_api_call_token_id")),
        sa.PrimaryKeyConstraint("token_id", "key", name=op.f("pk_api_call")),
    )
    with op.batch_alter_table("api_call", schema=None) as batch_op:
        batch_op.create_index("ix_api_call_started", ["started_at"], unique=False)
