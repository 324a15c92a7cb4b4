import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

send = sa.Table(
    "send",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("mailing_list_id", Key, sa.ForeignKey("mailing_list.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),  # the compiled message
    sa.Column("stale_at", Instant, nullable=False),
    sa.Column("resend_uncertain", sa.Boolean, nullable=False),
    sa.Column("planned_to", Key, nullable=False),  # the last subscription that has its delivery
    sa.Column("planned", Key, nullable=False),  # deliveries so far; the last one's seq
    sa.Column("is_planned", sa.Boolean, nullable=False),
    sa.Column("failures_in_row", sa.Integer, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("finished_at", Instant),
    sa.Column("local_time", sa.Text),  # a cadence, where each reader gets it at its time of day by his own clock
    sa.Column("first_at", Instant),  # then nobody gets it before this
    sa.Column("conditions", Json),  # of the segment it goes to, as they were when it was opened
    sa.Column("subject_split", Json),  # which readers get which subject of a test, and how many these are
    sa.Column("settles_at", Instant),  # when the best subject of a test is chosen; the rest waits for it
    sa.Column("best_subject", sa.SmallInteger),  # its number; null: not chosen yet
    sa.Column("figures_at", Instant),  # when the figures of its report were worked out; null: not, or no longer true
    sa.Index(
        "ix_send_open",
        "issue_id",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
    sa.Index("ix_send_finished", "finished_at"),
)

send_translation = sa.Table(
    "send_translation",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),  # of the furniture
    sa.Column("message", sa.LargeBinary, nullable=False),  # the compiled message
)

send_subject = sa.Table(
    "send_subject",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),  # of the subject on trial, from 1
    sa.Column("language", sa.Text, primary_key=True),  # of the furniture; empty: the edition's
    sa.Column("message", sa.LargeBinary, nullable=False),  # the compiled message
)

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("first_seq", Key, nullable=False),
    sa.Column("last_seq", Key, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", Instant),
    sa.Column("owner", sa.Text),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("leased_until", Instant),
    sa.Column("tally", Json),  # how many of its deliveries stood where when it was last given back
    sa.Column("tallied_fence", sa.Integer),  # the fence then; under another one the tally holds no longer
    sa.Index(
        "ix_batch_open",
        "issue_id",
        "number",
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    ),
)

# No index on state: two updates a row over a million would take half as long again (facts on queues).
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("seq", Key, primary_key=True, autoincrement=False),
    sa.Column("subscription_id", Key, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("doubts", sa.SmallInteger, nullable=False),  # attempts whose answer never came
    sa.Column("due_at", Instant),
    sa.Column("tried_at", Instant),
    sa.Column("code", sa.Integer),
    sa.Column("reason", sa.Text),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": 70},
)

tracked_link = sa.Table(
    "tracked_link",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # its place in the letter, from 1
    sa.Column("url", sa.Text, nullable=False),
)

# What a report shows of a send, worked out by a worker: nobody waits while a million deliveries are counted.
send_figure = sa.Table(
    "send_figure",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("send.issue_id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("sent", Key, nullable=False),
    sa.Column("failed", Key, nullable=False),
)

notice = sa.Table(
    "notice",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("subscription_id", Key, nullable=False),
    sa.Column("asked_at", Instant, nullable=False),  # of a welcome: when the reader said yes
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("due_at", Instant),
    sa.Column("tried_at", Instant),
    sa.Column("reason", sa.Text),
    sa.Column("kind", sa.Text, nullable=False, server_default="confirmation"),
    sa.UniqueConstraint("subscription_id", "asked_at"),
    sa.Index("ix_notice_kind", "kind", "asked_at"),
    sa.Index(
        "ix_notice_open",
        "due_at",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    ),
)
