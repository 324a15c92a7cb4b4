import sqlalchemy as sa

from publisher.archive.tables import article
from publisher.compose.tables import issue
from publisher.database import Instant, Json, Key, metadata

feed = sa.Table(
    "feed",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("slug", sa.Text, nullable=False),
    sa.Column("uri", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("last_place", sa.Integer, nullable=False),
    sa.Column("rank", sa.SmallInteger, nullable=False),  # which is rendered first
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("due_at", Instant),  # since when its documents are behind; null: they are not
    sa.Column("rendered_at", Instant),
    sa.UniqueConstraint("kind", "slug"),
)
sa.Index(
    "ix_feed_due",
    feed.c.rank,
    feed.c.due_at,
    sqlite_where=feed.c.due_at.is_not(None),
    postgresql_where=feed.c.due_at.is_not(None),
)

feed_entry = sa.Table(
    "feed_entry",
    metadata,
    sa.Column("feed_id", Key, sa.ForeignKey("feed.id"), primary_key=True),
    sa.Column("entry_id", Key, primary_key=True),  # an article; an issue in feeds of issues
    sa.Column("at", Instant, nullable=False),
    sa.Column("place", sa.Integer),  # see rules.py
    sa.Index("ix_feed_entry_place", "feed_id", "place"),
    sa.Index("ix_feed_entry_entry", "entry_id"),
)

feed_document = sa.Table(
    "feed_document",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("feed_id", Key, sa.ForeignKey("feed.id"), nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("archive", sa.Integer, nullable=False),  # 0: the subscription document
    sa.Column("etag", sa.Text, nullable=False),  # of the plain bytes, without quotes
    sa.Column("modified_s", sa.BigInteger, nullable=False),  # seconds since 1970: HTTP dates have no fractions
    sa.Column("length_bytes", sa.Integer, nullable=False),
    sa.Column("made_for", sa.Text, nullable=False),  # the site's fingerprint
    sa.Column("is_current", sa.Boolean, nullable=False),  # no: make it again when it is asked for
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("feed_id", "archive", "format"),
    sa.Index("ix_feed_document_generation", "generation"),
)

feed_body = sa.Table(
    "feed_body",
    metadata,
    sa.Column("document_id", Key, sa.ForeignKey("feed_document.id"), primary_key=True),
    sa.Column("encoding", sa.Text, primary_key=True),
    sa.Column("bytes", sa.LargeBinary, nullable=False),
)

feed_mention = sa.Table(
    "feed_mention",
    metadata,
    sa.Column("feed_id", Key, sa.ForeignKey("feed.id"), primary_key=True),
    sa.Column("archive", sa.Integer, primary_key=True),
    sa.Column("article_id", Key, primary_key=True),  # an entry of that document links to it
    sa.Index("ix_feed_mention_article", "article_id"),
)

entry_links = sa.Table(
    "entry_links",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey(article.c.id), primary_key=True, autoincrement=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("target_ids", Json, nullable=False),
)

feed_move = sa.Table(
    "feed_move",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("to_slug", sa.Text, nullable=False),
    sa.Column("moved_at", Instant, nullable=False),
)

syndicated_issue = sa.Table(
    "syndicated_issue",
    metadata,
    sa.Column("issue_id", Key, sa.ForeignKey("issue.id"), primary_key=True),
    sa.Column("uri", sa.Text, nullable=False, unique=True),
    sa.Column("approved_at", Instant, nullable=False, index=True),
)
sa.Index("ix_issue_approved", issue.c.approved_at)  # by which we look for new ones

feed_generation = sa.Table(
    "feed_generation",
    metadata,
    sa.Column("id", Key, primary_key=True),  # one row
    sa.Column("value", sa.BigInteger, nullable=False),
)
"""
Counts the transactions that changed a document. Each takes the row's lock until it commits, so the
numbers rise in the order of commits and a web process misses nothing by asking for higher ones.
"""
