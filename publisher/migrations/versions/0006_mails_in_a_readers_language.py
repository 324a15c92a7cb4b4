"""Mails with the furniture in a reader's language, and an edition's logo."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Key

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issue_translation",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_translation_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "language", name=op.f("pk_issue_translation")),
    )
    op.create_table(
        "send_translation",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_send_translation_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "language", name=op.f("pk_send_translation")),
    )
    with op.batch_alter_table("issue_rendering", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reader", sa.Text(), server_default="reader", nullable=False))
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("logo", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_subscriber_language", "subscriber", ["language"])
