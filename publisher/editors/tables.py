import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

editor = sa.Table(
    "editor",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text),  # none: signs in by link only
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("disabled_at", Instant),
    sa.Column("time_zone", sa.Text, nullable=False, server_default=""),  # empty: the house's
)

# Of sessions, links and API tokens we keep the SHA-256 only: who reads the database cannot sign in with it.
editor_session = sa.Table(
    "editor_session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Column("browser", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_editor_session_editor", "editor_id"),
)

editor_calendar = sa.Table(
    "editor_calendar",
    metadata,
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), primary_key=True, autoincrement=False),
    sa.Column("key_hash", sa.Text, nullable=False, unique=True),
)

sign_in_link = sa.Table(
    "sign_in_link",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
)

sign_in_attempt = sa.Table(
    "sign_in_attempt",
    metadata,
    sa.Column("email_key", sa.Text, primary_key=True),
    sa.Column("origin", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False),
    sa.Index("ix_sign_in_attempt_last", "last_at"),
)

api_token = sa.Table(
    "api_token",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_used_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("expires_at", Instant),
    sa.Column("editor_id", Key),  # whose it is; none: the newsroom's
    # A scope of its own, but no word in `scopes`, which a server of the release before could not read. None: made by
    # that one, whose `read` shows subscribers, and goes on to do so.
    sa.Column("shows_subscribers", sa.Boolean),
    sa.Index("ix_api_token_editor", "editor_id"),
)

editor_second_factor = sa.Table(
    "editor_second_factor",
    metadata,
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), primary_key=True, autoincrement=False),
    sa.Column("secret", sa.Text, nullable=False),  # encrypted with the newsroom's key
    sa.Column("confirmed_at", Instant),
    sa.Column("last_step", Key, nullable=False),  # of 30 seconds since 1970; a code of it or before is worth nothing
)

editor_recovery_code = sa.Table(
    "editor_recovery_code",
    metadata,
    sa.Column("code_hash", sa.Text, primary_key=True),
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), nullable=False),
    sa.Index("ix_editor_recovery_code_editor", "editor_id"),
)

# The password was right, and the code is still to come. No session: a server of the release before knows only those.
sign_in_step = sa.Table(
    "sign_in_step",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),
    sa.Column("editor_id", Key, sa.ForeignKey("editor.id"), nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)

# What programs asked with an Idempotency-Key, and what they were answered; forgotten after a day.
api_call = sa.Table(
    "api_call",
    metadata,
    sa.Column("token_id", Key, sa.ForeignKey("api_token.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("status", sa.Integer),  # null: not answered yet, or never
    sa.Column("headers", Json),
    sa.Column("body", sa.LargeBinary),
    sa.Index("ix_api_call_started", "started_at"),
)
