"""Imports of readers at the desk."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Json, Key

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscriber_import",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mailing_list_id", Key, nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", Key, nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("report", Json, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber_import")),
    )
    with op.batch_alter_table("subscriber_import", schema=None) as batch_op:
        batch_op.create_index(
            "ix_subscriber_import_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        )
