"""Where sessions were begun, second factors, whose API tokens are, and who did what."""

import sqlalchemy as sa
from alembic import op

from publisher.database import Instant, Key

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editor_session", sa.Column("origin", sa.Text(), server_default="", nullable=False))
    op.add_column("editor_session", sa.Column("browser", sa.Text(), server_default="", nullable=False))
    op.add_column("api_token", sa.Column("expires_at", Instant(), nullable=True))
    op.add_column("api_token", sa.Column("editor_id", Key, nullable=True))
    op.add_column("api_token", sa.Column("shows_subscribers", sa.Boolean(), nullable=True))
    op.create_index("ix_api_token_editor", "api_token", ["editor_id"], unique=False)
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
    op.create_table(
        "editor_second_factor",
        sa.Column("editor_id", Key, autoincrement=False, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("last_step", Key, nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_editor_second_factor_editor_id")),
        sa.PrimaryKeyConstraint("editor_id", name=op.f("pk_editor_second_factor")),
    )
    op.create_table(
        "editor_recovery_code",
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("editor_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_editor_recovery_code_editor_id")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_editor_recovery_code")),
    )
    op.create_index("ix_editor_recovery_code_editor", "editor_recovery_code", ["editor_id"], unique=False)
    op.create_table(
        "sign_in_step",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("editor_id", Key, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_sign_in_step_editor_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_step")),
    )
