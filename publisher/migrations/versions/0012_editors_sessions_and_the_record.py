"""Where sessions were begun, and who did what."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editor_session", sa.Column("origin", sa.Text(), server_default="", nullable=False))
    op.add_column("editor_session", sa.Column("browser", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "act",
        sa.Column("id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("editor_id", Key, nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act")),
    )
    op.create_index("ix_act_editor", "act", ["editor_id", "id"], unique=False)
    op.create_index("ix_act_did", "act", ["did", "id"], unique=False)
    op.create_index("ix_act_at", "act", ["at"], unique=False)
