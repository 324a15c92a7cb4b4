"""Names proposed to the glossary."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "glossary_proposal",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("dismissed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_glossary_proposal")),
    )
    with op.batch_alter_table("glossary_proposal", schema=None) as batch_op:
        batch_op.create_index(
            "ix_glossary_proposal_open",
            ["articles"],
            unique=False,
            sqlite_where=sa.text("dismissed_at IS NULL"),
            postgresql_where=sa.text("dismissed_at IS NULL"),
        )

    op.create_table(
        "glossary_proposal_article",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name", "article_id", name=op.f("pk_glossary_proposal_article")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("glossary_proposal_article", schema=None) as batch_op:
        batch_op.create_index("ix_glossary_proposal_article_article", ["article_id"], unique=False)
