import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

source = sa.Table(
    "source",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("url", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("every_s", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("polled_at", Instant),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("problem", sa.Text),
    sa.Column("topics", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

submission = sa.Table(
    "submission",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("origin", sa.Text, nullable=False),  # "desk", "api", "cli", "source:7": scopes the external id
    sa.Column("identity", sa.Text, nullable=False),  # same identity, same article
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("draft", Json, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("settled_at", Instant),
    sa.Column("problem", sa.Text),
    sa.Index(
        "ix_submission_received",
        "id",
        sqlite_where=sa.text("state = 'received'"),
        postgresql_where=sa.text("state = 'received'"),
    ),
    sa.Index("ix_submission_identity", "identity"),
    sa.Index("ix_submission_origin", "origin", "identity"),
)

picture = sa.Table(
    "picture",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # hash of the bytes, with a suffix
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("stored_at", Instant, nullable=False),
)
