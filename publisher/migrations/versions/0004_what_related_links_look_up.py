"""What related links look up."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Signatures are made of the articles: the stage makes them anew, from its first change on.
    op.execute("DELETE FROM related_signature")
    op.execute("DELETE FROM posting")
    op.execute("DELETE FROM term_frequency")
    op.execute("DELETE FROM related_name")
    op.execute("DELETE FROM related_teaser")
    op.execute("UPDATE stage_turn SET seq = 0 WHERE stage = 'relate'")
    with op.batch_alter_table("related_signature", schema=None) as batch_op:
        batch_op.add_column(sa.Column("language", sa.Text(), nullable=False))
        batch_op.add_column(sa.Column("published_at", Instant(), nullable=False))
