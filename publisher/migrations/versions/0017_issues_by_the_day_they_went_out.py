"""Issues by the day they went out, for the calendar."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_issue_approved_at", "issue", ["approved_at"])
