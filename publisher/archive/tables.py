import sqlalchemy as sa

from publisher.database import Instant, Json, Key, metadata

OPEN = sa.text("dismissed_at IS NULL")

article = sa.Table(
    "article",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("identity", sa.Text, nullable=False, unique=True),  # the submission's identity
    sa.Column("uri", sa.Text, nullable=False, unique=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("image", Json),
    sa.Column("importance", sa.SmallInteger, nullable=False),
    sa.Column("canonical_url", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),  # sections, guide, teasers
    sa.Column("accepted_at", Instant, nullable=False),
    sa.Index("ix_article_state_published", "state", "published_at", "id"),
    sa.Index("ix_article_language_published", "language", "published_at", "id"),
)

article_revision = sa.Table(
    "article_revision",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True),
    sa.Column("draft", Json, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

former_slug = sa.Table(
    "former_slug",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), nullable=False),
)

author = sa.Table(
    "author",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)

topic = sa.Table(
    "topic",
    metadata,
    sa.Column("id", Key, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
)

article_author = sa.Table(
    "article_author",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True),
    sa.Column("author_id", Key, sa.ForeignKey("author.id"), nullable=False),
    sa.Index("ix_article_author_author", "author_id", "article_id"),
)

article_topic = sa.Table(
    "article_topic",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), primary_key=True),
    sa.Column("position", sa.SmallInteger, primary_key=True),
    sa.Column("topic_id", Key, sa.ForeignKey("topic.id"), nullable=False),
    sa.Index("ix_article_topic_topic", "topic_id", "article_id"),
)

article_change = sa.Table(
    "article_change",
    metadata,
    sa.Column("seq", Key, primary_key=True),
    sa.Column("article_id", Key, sa.ForeignKey("article.id"), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

glossary_term = sa.Table(
    "glossary_term",
    metadata,
    sa.Column("slug", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hangul", sa.Text, nullable=False),
    sa.Column("romanisation", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("explanation", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("aliases", Json, nullable=False),
    sa.Column("case_sensitive", sa.Boolean, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

glossary_proposal = sa.Table(
    "glossary_proposal",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("articles", sa.Integer, nullable=False),  # rows of it in the next table
    sa.Column("dismissed_at", Instant),  # an editor said that it is no term
    sa.Index("ix_glossary_proposal_open", "articles", sqlite_where=OPEN, postgresql_where=OPEN),
)

glossary_proposal_article = sa.Table(
    "glossary_proposal_article",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("article_id", Key, primary_key=True, autoincrement=False),
    sa.Index("ix_glossary_proposal_article_article", "article_id"),
    sqlite_with_rowid=False,
)
