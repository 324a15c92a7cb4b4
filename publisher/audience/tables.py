import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

EmailKey = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Type of an address made comparable; ordered by bytes, so that an index finds addresses by their beginning."""

# No foreign keys here: PostgreSQL checks each of them for each row by a query of its own, which makes an import of a
# million subscribers, three keys a row, take half as long again. Only this stage writes these tables, it takes every
# id that it writes from the row itself, and it deletes none; a consent may outlive its subscription, being a proof.

mailing_list = sa.Table(
    "mailing_list",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

subscriber = sa.Table(
    "subscriber",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", EmailKey, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("clicked_at", Instant),  # the last link followed in an edition that tells by whom
    sa.Index("ix_subscriber_language", "language"),
)

lowered_name = sa.func.lower(subscriber.c.name)
sa.Index(  # readers by the beginning of their name, by bytes in both databases
    "ix_subscriber_name", lowered_name.label("lowered"), postgresql_ops={"lowered": "text_pattern_ops"}
)
is_known = subscriber.c.email != ""
"""Who has been erased keeps a number, and nothing else."""

subscriber_topic = sa.Table(
    "subscriber_topic",
    metadata,
    sa.Column("subscriber_id", Key, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.Text, primary_key=True),  # a slug
    sqlite_with_rowid=False,
)

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("mailing_list_id", Key, nullable=False),
    sa.Column("subscriber_id", Key, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_at", Instant),
    sa.Column("asked_from", sa.Text, nullable=False, server_default=""),
    sa.Column("confirmed_at", Instant),
    sa.Column("ended_at", Instant),
    sa.Column("paused_until", Instant),
    sa.Column("answers", Json),  # what was chosen on asking; only while it waits
    # The subscriber stands first, so that the same index finds all subscriptions of one.
    sa.UniqueConstraint("subscriber_id", "mailing_list_id"),
    sa.Index(  # the plan of an issue walks this one, by id
        "ix_subscription_confirmed",
        "mailing_list_id",
        "id",
        sqlite_where=sa.text("state = 'confirmed'"),
        postgresql_where=sa.text("state = 'confirmed'"),
    ),
    sa.Index(  # who has gone, for those who are told of it
        "ix_subscription_ended",
        "ended_at",
        "id",
        sqlite_where=sa.text("ended_at IS NOT NULL"),
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    ),
    sa.Index(  # confirmations to send
        "ix_subscription_pending",
        "asked_at",
        "subscriber_id",
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    ),
)

is_confirmed = subscription.c.state == sa.literal_column("'confirmed'")
is_pending = subscription.c.state == sa.literal_column("'pending'")
"""Conditions with the state in the statement's text: only then does SQLite use the indexes above."""

consent = sa.Table(
    "consent",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("subscription_id", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("wording", sa.Text, nullable=False),
    sa.Column("form", sa.Text, nullable=False, server_default=""),
    sa.Index("ix_consent_subscription", "subscription_id"),
    sa.Index(  # readers to welcome
        "ix_consent_form", "at", sqlite_where=sa.text("how = 'form'"), postgresql_where=sa.text("how = 'form'")
    ),
)
is_by_form = consent.c.how == sa.literal_column("'form'")

segment = sa.Table(
    "segment",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("conditions", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)

suppression = sa.Table(
    "suppression",
    metadata,
    sa.Column("email_key", EmailKey, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
)

of_erased = sa.and_(suppression.c.email_key >= "erased:", suppression.c.email_key < "erased;")
"""Suppressions of erased readers, under a hash: no address has a colon, or anything between it and a semicolon."""

subscriber_import = sa.Table(
    "subscriber_import",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),  # of the file
    sa.Column("mailing_list_id", Key, nullable=False),
    sa.Column("is_confirmed", sa.Boolean, nullable=False),
    sa.Column("wording", sa.Text, nullable=False),  # for the consents
    sa.Column("content", sa.LargeBinary),  # null once it has been taken in: addresses stand in it
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rows", Key, nullable=False),
    sa.Column("begun", sa.Integer, nullable=False),
    sa.Column("report", Json),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Index(
        "ix_subscriber_import_open",
        "id",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
)
