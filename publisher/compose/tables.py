import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

edition = sa.Table(
    "edition",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("mailing_list_id", Key, sa.ForeignKey("mailing_list.id"), nullable=False),
    sa.Column("cadence", sa.Text),  # the text form that `cadence.parse` reads
    sa.Column("topics", Json, nullable=False),
    sa.Column("languages", Json, nullable=False),
    sa.Column("at_least", sa.Integer, nullable=False),
    sa.Column("at_most", sa.Integer, nullable=False),
    sa.Column("approval", sa.Text, nullable=False),
    sa.Column("stale_after_s", sa.Integer, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("accent", sa.Text, nullable=False),
    sa.Column("footer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("slot_done_at", Instant, nullable=False),  # every slot up to here has been dealt with
    sa.Column("tracking", sa.Text, nullable=False, server_default="totals"),
    sa.Column("in_doubt", sa.Text, nullable=False, server_default="send again"),
    sa.Column("logo", sa.Text, nullable=False, server_default=""),
    sa.Column("arrival", sa.Text, nullable=False, server_default="together"),
    sa.Column("segment_id", Key),
)

issue = sa.Table(
    "issue",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("edition_id", Key, sa.ForeignKey("edition.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("window_start", Instant),
    sa.Column("window_end", Instant),
    sa.Column("slot_at", Instant),
    sa.Column("alert_article_id", Key, sa.ForeignKey("article.id")),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("introduction", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("approved_at", Instant),
    sa.Column("goes_at", Instant),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("subject_test", Json),  # other subjects, share and hours
    sa.UniqueConstraint("edition_id", "number"),
    sa.UniqueConstraint("edition_id", "slot_at"),  # a slot makes one issue, whoever ticks
    sa.UniqueConstraint("edition_id", "alert_article_id"),  # an article alerts once
    sa.Index("ix_issue_state", "state", "id"),
    sa.Index("ix_issue_approved_at", "approved_at"),  # the calendar
)

issue_article = sa.Table(
    "issue_article",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True),
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), nullable=False),
    sa.Index("ix_issue_article_article", "article_id"),
)

issue_rendering = sa.Table(
    "issue_rendering",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("web_html", sa.Text, nullable=False),
    sa.Column("rendered_at", Instant, nullable=False),
    sa.Column("reader", sa.Text, nullable=False, server_default="reader"),  # what one without a name is called
)

issue_translation = sa.Table(
    "issue_translation",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("language", sa.Text, primary_key=True),  # of the furniture
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("reader", sa.Text, nullable=False),
)

issue_subject = sa.Table(
    "issue_subject",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("number", sa.SmallInteger, primary_key=True, autoincrement=False),  # of the subject on trial, from 1
    sa.Column("language", sa.Text, primary_key=True),  # of the furniture; empty: the edition's
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("preheader", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("reader", sa.Text, nullable=False),
)

moved_slot = sa.Table(
    "moved_slot",
    metadata,
    sa.Column("edition_id", Key, sa.ForeignKey("edition.id"), primary_key=True, autoincrement=False),
    sa.Column("slot_at", Instant, primary_key=True),  # as the cadence gives it
    sa.Column("moved_to", Instant),  # null: left out
)
