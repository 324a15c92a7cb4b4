"""Slots that were moved once, or left out."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "moved_slot",
        sa.Column("edition_id", Key, autoincrement=False, nullable=False),
        sa.Column("slot_at", Instant(), nullable=False),
        sa.Column("moved_to", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_moved_slot_edition_id")),
        sa.PrimaryKeyConstraint("edition_id", "slot_at", name=op.f("pk_moved_slot")),
    )
