"""Subjects on trial."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Json, Key

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issue", sa.Column("subject_test", Json, nullable=True))
    op.add_column("send", sa.Column("subject_split", Json, nullable=True))
    op.add_column("send", sa.Column("settles_at", Instant(), nullable=True))
    op.add_column("send", sa.Column("best_subject", sa.SmallInteger(), nullable=True))
    op.create_table(
        "issue_subject",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_subject_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "number", "language", name=op.f("pk_issue_subject")),
    )
    op.create_table(
        "send_subject",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_send_subject_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "number", "language", name=op.f("pk_send_subject")),
    )
