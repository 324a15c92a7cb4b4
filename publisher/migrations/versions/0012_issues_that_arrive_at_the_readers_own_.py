"""Issues that arrive at the readers' own time of day."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("edition", schema=None) as batch_op:
        batch_op.add_column(sa.Column("arrival", sa.Text(), server_default="together", nullable=False))

    with op.batch_alter_table("send", schema=None) as batch_op:
        batch_op.add_column(sa.Column("local_time", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("first_at", Instant(), nullable=True))
