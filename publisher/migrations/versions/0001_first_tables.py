"""First tables."""

import sqlalchemy as sa
from alembic import op

from publisher.archive import search
from publisher.database import Instant, Json, Key

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_table(
        "article",
        sa.Column("id", Key, nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("image", Json, nullable=True),
        sa.Column("importance", sa.SmallInteger(), nullable=False),
        sa.Column("canonical_url", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("identity", name=op.f("uq_article_identity")),
        sa.UniqueConstraint("slug", name=op.f("uq_article_slug")),
        sa.UniqueConstraint("uri", name=op.f("uq_article_uri")),
    )
    op.create_index("ix_article_language_published", "article", ["language", "published_at", "id"], unique=False)
    op.create_index("ix_article_state_published", "article", ["state", "published_at", "id"], unique=False)
    op.create_table(
        "author",
        sa.Column("id", Key, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_author")),
        sa.UniqueConstraint("name", name=op.f("uq_author_name")),
        sa.UniqueConstraint("slug", name=op.f("uq_author_slug")),
    )
    op.create_table(
        "consent",
        sa.Column("id", Key, nullable=False),
        sa.Column("subscription_id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_subscription", "consent", ["subscription_id"], unique=False)
    op.create_table(
        "editor",
        sa.Column("id", Key, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editor")),
        sa.UniqueConstraint("email_key", name=op.f("uq_editor_email_key")),
    )
    op.create_table(
        "feed",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_place", sa.Integer(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("rendered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("kind", "slug", name=op.f("uq_feed_kind_slug")),
        sa.UniqueConstraint("uri", name=op.f("uq_feed_uri")),
    )
    op.create_index(
        "ix_feed_due",
        "feed",
        ["rank", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "feed_generation",
        sa.Column("id", Key, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_generation")),
    )
    op.create_table(
        "feed_move",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("to_slug", sa.Text(), nullable=False),
        sa.Column("moved_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "slug", name=op.f("pk_feed_move")),
    )
    op.create_table(
        "glossary_term",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hangul", sa.Text(), nullable=False),
        sa.Column("romanisation", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("aliases", Json, nullable=False),
        sa.Column("case_sensitive", sa.Boolean(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_glossary_term")),
    )
    op.create_table(
        "mailing_list",
        sa.Column("id", Key, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailing_list")),
        sa.UniqueConstraint("slug", name=op.f("uq_mailing_list_slug")),
    )
    op.create_table(
        "notice",
        sa.Column("id", Key, nullable=False),
        sa.Column("subscription_id", Key, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("subscription_id", "asked_at", name=op.f("uq_notice_subscription_id_asked_at")),
    )
    op.create_index(
        "ix_notice_open",
        "notice",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "picture",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_picture")),
    )
    op.create_table(
        "posting",
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("term", "article_id", name=op.f("pk_posting")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "related_name",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "article_id", name=op.f("pk_related_name")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_related_name_article", "related_name", ["article_id"], unique=False)
    op.create_table(
        "related_teaser",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "article_id", name=op.f("pk_related_teaser")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_related_teaser_article", "related_teaser", ["article_id"], unique=False)
    op.create_table(
        "sign_in_attempt",
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", "origin", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_last", "sign_in_attempt", ["last_at"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", Key, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("every_s", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("polled_at", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("topics", Json, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("url", name=op.f("uq_source_url")),
    )
    op.create_table(
        "stage_turn",
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("rung_again", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("stage", name=op.f("pk_stage_turn")),
    )
    op.create_table(
        "submission",
        sa.Column("id", Key, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("draft", Json, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
    )
    op.create_index("ix_submission_identity", "submission", ["identity"], unique=False)
    op.create_index(
        "ix_submission_received",
        "submission",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'received'"),
        postgresql_where=sa.text("state = 'received'"),
    )
    op.create_table(
        "subscriber",
        sa.Column("id", Key, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("email_key", name=op.f("uq_subscriber_email_key")),
    )
    op.create_table(
        "subscription",
        sa.Column("id", Key, nullable=False),
        sa.Column("mailing_list_id", Key, nullable=False),
        sa.Column("subscriber_id", Key, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("asked_from", sa.Text(), server_default="", nullable=False),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint(
            "subscriber_id", "mailing_list_id", name=op.f("uq_subscription_subscriber_id_mailing_list_id")
        ),
    )
    op.create_index(
        "ix_subscription_confirmed",
        "subscription",
        ["mailing_list_id", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'confirmed'"),
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(
        "ix_subscription_pending",
        "subscription",
        ["asked_at", "subscriber_id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "suppression",
        sa.Column("email_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", name=op.f("pk_suppression")),
    )
    op.create_table(
        "term_frequency",
        sa.Column("term", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("posted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_term_frequency")),
    )
    op.create_table(
        "topic",
        sa.Column("id", Key, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("slug", name=op.f("uq_topic_slug")),
    )
    op.create_table(
        "article_author",
        sa.Column("article_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_author_article_id")),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=op.f("fk_article_author_author_id")),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_article_author")),
    )
    op.create_index("ix_article_author_author", "article_author", ["author_id", "article_id"], unique=False)
    op.create_table(
        "article_change",
        sa.Column("seq", Key, nullable=False),
        sa.Column("article_id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_change_article_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_article_change")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "article_revision",
        sa.Column("article_id", Key, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("draft", Json, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_revision_article_id")),
        sa.PrimaryKeyConstraint("article_id", "revision", name=op.f("pk_article_revision")),
    )
    op.create_table(
        "article_topic",
        sa.Column("article_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("topic_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_article_topic_article_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_article_topic_topic_id")),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_article_topic")),
    )
    op.create_index("ix_article_topic_topic", "article_topic", ["topic_id", "article_id"], unique=False)
    op.create_table(
        "edition",
        sa.Column("id", Key, nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("mailing_list_id", Key, nullable=False),
        sa.Column("cadence", sa.Text(), nullable=True),
        sa.Column("topics", Json, nullable=False),
        sa.Column("languages", Json, nullable=False),
        sa.Column("at_least", sa.Integer(), nullable=False),
        sa.Column("at_most", sa.Integer(), nullable=False),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("stale_after_s", sa.Integer(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("accent", sa.Text(), nullable=False),
        sa.Column("footer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("slot_done_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["mailing_list_id"], ["mailing_list.id"], name=op.f("fk_edition_mailing_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("slug", name=op.f("uq_edition_slug")),
    )
    op.create_table(
        "editor_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("editor_id", Key, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_editor_session_editor_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_editor_session")),
    )
    op.create_index("ix_editor_session_editor", "editor_session", ["editor_id"], unique=False)
    op.create_table(
        "feed_document",
        sa.Column("id", Key, nullable=False),
        sa.Column("feed_id", Key, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("archive", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("modified_s", sa.BigInteger(), nullable=False),
        sa.Column("length_bytes", sa.Integer(), nullable=False),
        sa.Column("made_for", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_feed_document_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_document")),
        sa.UniqueConstraint("feed_id", "archive", "format", name=op.f("uq_feed_document_feed_id_archive_format")),
    )
    op.create_index("ix_feed_document_generation", "feed_document", ["generation"], unique=False)
    op.create_table(
        "feed_entry",
        sa.Column("feed_id", Key, nullable=False),
        sa.Column("entry_id", Key, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_feed_entry_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "entry_id", name=op.f("pk_feed_entry")),
    )
    op.create_index("ix_feed_entry_entry", "feed_entry", ["entry_id"], unique=False)
    op.create_index("ix_feed_entry_place", "feed_entry", ["feed_id", "place"], unique=False)
    op.create_table(
        "feed_mention",
        sa.Column("feed_id", Key, nullable=False),
        sa.Column("archive", sa.Integer(), nullable=False),
        sa.Column("article_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_feed_mention_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "archive", "article_id", name=op.f("pk_feed_mention")),
    )
    op.create_index("ix_feed_mention_article", "feed_mention", ["article_id"], unique=False)
    op.create_table(
        "entry_links",
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("target_ids", Json, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_entry_links_article_id")),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_entry_links")),
    )
    op.create_table(
        "former_slug",
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("article_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_former_slug_article_id")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_former_slug")),
    )
    op.create_table(
        "related_choice",
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.Column("target_id", Key, autoincrement=False, nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("chosen_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_related_choice_article_id")),
        sa.ForeignKeyConstraint(["target_id"], ["article.id"], name=op.f("fk_related_choice_target_id")),
        sa.PrimaryKeyConstraint("article_id", "target_id", name=op.f("pk_related_choice")),
    )
    op.create_table(
        "related_link",
        sa.Column("article_id", Key, autoincrement=False, nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("target_id", Key, nullable=False),
        sa.Column("score", sa.Float(precision=53), nullable=False),
        sa.Column("reason", Json, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_related_link_article_id")),
        sa.ForeignKeyConstraint(["target_id"], ["article.id"], name=op.f("fk_related_link_target_id")),
        sa.PrimaryKeyConstraint("article_id", "position", name=op.f("pk_related_link")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_related_link_target", "related_link", ["target_id"], unique=False)
    op.create_table(
        "related_signature",
        sa.Column("article_id", Key, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("posted", sa.SmallInteger(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_related_signature_article_id")),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_related_signature")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("editor_id", Key, nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["editor_id"], ["editor.id"], name=op.f("fk_sign_in_link_editor_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "feed_body",
        sa.Column("document_id", Key, nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["feed_document.id"], name=op.f("fk_feed_body_document_id")),
        sa.PrimaryKeyConstraint("document_id", "encoding", name=op.f("pk_feed_body")),
    )
    op.create_table(
        "issue",
        sa.Column("id", Key, nullable=False),
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("window_start", Instant(), nullable=True),
        sa.Column("window_end", Instant(), nullable=True),
        sa.Column("slot_at", Instant(), nullable=True),
        sa.Column("alert_article_id", Key, nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_article_id"], ["article.id"], name=op.f("fk_issue_alert_article_id")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_issue_edition_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue")),
        sa.UniqueConstraint("edition_id", "alert_article_id", name=op.f("uq_issue_edition_id_alert_article_id")),
        sa.UniqueConstraint("edition_id", "number", name=op.f("uq_issue_edition_id_number")),
        sa.UniqueConstraint("edition_id", "slot_at", name=op.f("uq_issue_edition_id_slot_at")),
    )
    op.create_index("ix_issue_approved", "issue", ["approved_at"], unique=False)
    op.create_index("ix_issue_state", "issue", ["state", "id"], unique=False)
    op.create_table(
        "issue_article",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("article_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_issue_article_article_id")),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_article_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "position", name=op.f("pk_issue_article")),
    )
    op.create_index("ix_issue_article_article", "issue_article", ["article_id"], unique=False)
    op.create_table(
        "issue_rendering",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("web_html", sa.Text(), nullable=False),
        sa.Column("rendered_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_issue_rendering_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_issue_rendering")),
    )
    op.create_table(
        "send",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("mailing_list_id", Key, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("stale_at", Instant(), nullable=False),
        sa.Column("resend_uncertain", sa.Boolean(), nullable=False),
        sa.Column("planned_to", Key, nullable=False),
        sa.Column("planned", Key, nullable=False),
        sa.Column("is_planned", sa.Boolean(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_send_issue_id")),
        sa.ForeignKeyConstraint(["mailing_list_id"], ["mailing_list.id"], name=op.f("fk_send_mailing_list_id")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_send")),
    )
    op.create_index(
        "ix_send_open",
        "send",
        ["issue_id"],
        unique=False,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "syndicated_issue",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("approved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issue.id"], name=op.f("fk_syndicated_issue_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_syndicated_issue")),
        sa.UniqueConstraint("uri", name=op.f("uq_syndicated_issue_uri")),
    )
    op.create_index(op.f("ix_syndicated_issue_approved_at"), "syndicated_issue", ["approved_at"], unique=False)
    op.create_table(
        "batch",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_seq", Key, nullable=False),
        sa.Column("last_seq", Key, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_batch_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "number", name=op.f("pk_batch")),
    )
    op.create_index(
        "ix_batch_open",
        "batch",
        ["issue_id", "number"],
        unique=False,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "delivery",
        sa.Column("issue_id", Key, nullable=False),
        sa.Column("seq", Key, autoincrement=False, nullable=False),
        sa.Column("subscription_id", Key, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("doubts", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["send.issue_id"], name=op.f("fk_delivery_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "seq", name=op.f("pk_delivery")),
        postgresql_with={"fillfactor": 70},
        sqlite_with_rowid=False,
    )
    search.create(op.get_bind())
