"""Calendars for other programs."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Key

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "editor_calendar",
        sa.Column("editor_id", Key, autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_editor_calendar_editor_id")),
        sa.PrimaryKeyConstraint("editor_id", name=op.f("pk_editor_calendar")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_editor_calendar_key_hash")),
    )
