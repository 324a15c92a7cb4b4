"""${message}."""

import sqlalchemy as sa
from alembic import op
% if down_revision is None:
from publisher.archive import search
% endif
${imports}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades}
% if down_revision is None:
    search.create(op.get_bind())
% endif
