"""Issues that wait for their time."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("issue", schema=None) as batch_op:
        batch_op.add_column(sa.Column("goes_at", Instant(), nullable=True))
