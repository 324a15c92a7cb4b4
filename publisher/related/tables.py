import sqlalchemy as sa

from publisher.archive.tables import article
from publisher.database import Instant, Json, Key, metadata

related_signature = sa.Table(
    "related_signature",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey(article.c.id), primary_key=True),
    sa.Column("digest", sa.LargeBinary),  # of the text it was made of; NULL: withdrawn, but its words are counted
    sa.Column("language", sa.Text, nullable=False),  # this and the next as the article has them, to be read at once
    sa.Column("published_at", Instant, nullable=False),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("posted", sa.SmallInteger, nullable=False),  # so many of its first terms are in `posting`
    sa.Column("sketch", sa.LargeBinary, nullable=False),
    sa.Column("embedding", sa.LargeBinary),  # NULL where no sentence model read it
)

posting = sa.Table(
    "posting",
    metadata,
    sa.Column("term", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("article_id", Key, primary_key=True, autoincrement=False),
    sa.Column("weight", sa.SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

term_frequency = sa.Table(
    "term_frequency",
    metadata,
    sa.Column("term", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("articles", sa.Integer, nullable=False),
    sa.Column("posted", sa.Integer, nullable=False),
)

related_name = sa.Table(
    "related_name",
    metadata,
    sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),  # of a title, slug or address
    sa.Column("article_id", Key, primary_key=True, autoincrement=False),
    sa.Index("ix_related_name_article", "article_id"),
    sqlite_with_rowid=False,
)

related_teaser = sa.Table(
    "related_teaser",
    metadata,
    sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),  # of what the article's teaser names
    sa.Column("article_id", Key, primary_key=True, autoincrement=False),
    sa.Index("ix_related_teaser_article", "article_id"),
    sqlite_with_rowid=False,
)

related_link = sa.Table(
    "related_link",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey(article.c.id), primary_key=True, autoincrement=False),
    sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("target_id", Key, sa.ForeignKey(article.c.id), nullable=False),
    sa.Column("score", sa.Float(53), nullable=False),
    sa.Column("reason", Json, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Index("ix_related_link_target", "target_id"),
    sqlite_with_rowid=False,
)

related_choice = sa.Table(
    "related_choice",
    metadata,
    sa.Column("article_id", Key, sa.ForeignKey(article.c.id), primary_key=True, autoincrement=False),
    sa.Column("target_id", Key, sa.ForeignKey(article.c.id), primary_key=True, autoincrement=False),
    sa.Column("choice", sa.Text, nullable=False),
    sa.Column("chosen_at", Instant, nullable=False),
    sa.Column("place", sa.SmallInteger, nullable=False, server_default="0"),  # of a pinned one, among those
)
