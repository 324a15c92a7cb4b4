"""Letters of welcome."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.Text(), server_default="confirmation", nullable=False))
        batch_op.create_index("ix_notice_kind", ["kind", "asked_at"])
    op.create_index(
        "ix_consent_form",
        "consent",
        ["at"],
        sqlite_where=sa.text("how = 'form'"),
        postgresql_where=sa.text("how = 'form'"),
    )
