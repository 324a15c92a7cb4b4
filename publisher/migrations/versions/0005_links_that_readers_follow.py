"""Links that readers follow, and what an edition wants of them."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_click",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("clicks", Key, nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_link_click")),
    )
    op.create_table(
        "tracked_link",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_tracked_link_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_tracked_link")),
    )
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tracking", sa.Text(), server_default="totals", nullable=False))
        batch_op.add_column(sa.Column("in_doubt", sa.Text(), server_default="send again", nullable=False))
