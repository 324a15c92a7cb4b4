"""What a report shows: tallies of batches, figures of a send; an editor's own time zone; articles by their source."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Json, Key

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tally", Json, nullable=True))
        batch_op.add_column(sa.Column("tallied_fence", sa.Integer(), nullable=True))
    with op.batch_alter_table("send", schema=None) as batch_op:
        batch_op.add_column(sa.Column("figures_at", Instant(), nullable=True))
    with op.batch_alter_table("editor", schema=None) as batch_op:
        batch_op.add_column(sa.Column("time_zone", sa.Text(), server_default="", nullable=False))
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index("ix_submission_origin", ["origin", "identity"], unique=False)
    op.create_table(
        "send_figure",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("sent", Key, nullable=False),
        sa.Column("failed", Key, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_send_figure_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "kind", "place", name=op.f("pk_send_figure")),
    )
