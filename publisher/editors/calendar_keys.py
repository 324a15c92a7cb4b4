"""Keys to an editor's calendar as other programs read it: one each, kept as a hash, made anew at will."""

import secrets

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.database import Database
from publisher.editors import store
from publisher.editors.flow import TOKEN_BYTES, hashed_token
from publisher.editors.model import Editor, EditorId
from publisher.editors.tables import editor_calendar


def make_calendar_key(database: Database, editor_id: EditorId) -> str:
    """Return a new key to an editor's calendar; the one before it opens nothing any more."""
    key = secrets.token_urlsafe(TOKEN_BYTES)
    with database.transaction() as connection:
        connection.execute(sa.delete(editor_calendar).where(editor_calendar.c.editor_id == editor_id))
        connection.execute(sa.insert(editor_calendar).values(editor_id=editor_id, key_hash=hashed_token(key)))
    return key


def has_calendar_key(connection: Connection, editor_id: EditorId) -> bool:
    wanted = sa.select(editor_calendar.c.editor_id).where(editor_calendar.c.editor_id == editor_id)
    return connection.execute(wanted).first() is not None


def calendar_reader(connection: Connection, key: str) -> Editor | None:
    """Return whose calendar a key opens; None: nobody's, or somebody's who is shut out."""
    wanted = sa.select(editor_calendar.c.editor_id).where(editor_calendar.c.key_hash == hashed_token(key))
    editor_id = connection.scalar(wanted)
    found = store.editor_with_id(connection, EditorId(editor_id)) if editor_id is not None else None
    return found if found and found.disabled_at is None else None
