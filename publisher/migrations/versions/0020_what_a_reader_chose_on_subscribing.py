"""What a reader chose on subscribing, and the form that a yes came by."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Json

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answers", Json, nullable=True))

    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.add_column(sa.Column("form", sa.Text(), server_default="", nullable=False))
