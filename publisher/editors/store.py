from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.database import insert_or_ignore, upsert
from publisher.editors.model import ApiToken, ApiTokenId, Attempts, Editor, EditorId, OpenSession, Role, Scope
from publisher.editors.tables import (
    api_token,
    editor,
    editor_second_factor,
    editor_session,
    sign_in_attempt,
    sign_in_link,
    sign_in_step,
)

EDITOR_COLUMNS = [column for column in editor.c if column.name not in {"email_key", "password_hash"}]


@dataclass(frozen=True, kw_only=True)
class Session:
    """A time at the desk, of an editor who is not disabled."""

    editor: Editor
    began_at: datetime
    seen_at: datetime


def editors(connection: Connection) -> list[Editor]:
    """Return every editor, disabled ones too, by name."""
    return [_editor(row) for row in connection.execute(sa.select(*EDITOR_COLUMNS).order_by(editor.c.name, editor.c.id))]


def editor_with_id(connection: Connection, editor_id: EditorId) -> Editor | None:
    found = connection.execute(sa.select(*EDITOR_COLUMNS).where(editor.c.id == editor_id)).first()
    return _editor(found) if found else None


def editor_with_email(connection: Connection, email_key: str) -> tuple[Editor, str | None] | None:
    """Return an editor with the hash of the password."""
    wanted = sa.select(*EDITOR_COLUMNS, editor.c.password_hash).where(editor.c.email_key == email_key)
    found = connection.execute(wanted).first()
    return (_editor(found), found.password_hash) if found else None


def set_time_zone(connection: Connection, editor_id: EditorId, time_zone: str) -> None:
    connection.execute(sa.update(editor).where(editor.c.id == editor_id).values(time_zone=time_zone))


def add_editor(
    connection: Connection,
    *,
    email: str,
    email_key: str,
    name: str,
    role: Role,
    password_hash: str | None,
    now: datetime,
) -> EditorId | None:
    """Add an editor; None when the address is taken."""
    added = connection.scalar(
        insert_or_ignore(connection, editor)
        .values(email=email, email_key=email_key, name=name, role=role, password_hash=password_hash, created_at=now)
        .returning(editor.c.id)
    )
    return None if added is None else EditorId(added)


def change_editor(connection: Connection, editor_id: EditorId, **values: object) -> bool:
    """Set columns of an editor; return whether there is one."""
    return connection.execute(sa.update(editor).where(editor.c.id == editor_id).values(**values)).rowcount == 1


def begin_session(
    connection: Connection,
    token_hash: str,
    editor_id: EditorId,
    *,
    expires_at: datetime,
    now: datetime,
    origin: str,
    browser: str,
) -> None:
    """Begin a session, and clear away those that have run out."""
    connection.execute(sa.delete(editor_session).where(editor_session.c.expires_at <= now))
    connection.execute(
        sa.insert(editor_session).values(
            token_hash=token_hash,
            editor_id=editor_id,
            created_at=now,
            expires_at=expires_at,
            seen_at=now,
            origin=origin,
            browser=browser,
        )
    )


def session(connection: Connection, token_hash: str, *, now: datetime) -> Session | None:
    """Return a session that has not run out, of an editor who is not disabled."""
    wanted = (
        sa.select(*EDITOR_COLUMNS, editor_session.c.created_at.label("began_at"), editor_session.c.seen_at)
        .join(editor_session, editor_session.c.editor_id == editor.c.id)
        .where(editor_session.c.token_hash == token_hash, editor_session.c.expires_at > now)
        .where(editor.c.disabled_at.is_(None))
    )
    found = connection.execute(wanted).first()
    return Session(editor=_editor(found), began_at=found.began_at, seen_at=found.seen_at) if found else None


def see_session(connection: Connection, token_hash: str, *, expires_at: datetime, now: datetime) -> None:
    connection.execute(
        sa.update(editor_session)
        .where(editor_session.c.token_hash == token_hash)
        .values(seen_at=now, expires_at=expires_at)
    )


def end_session(connection: Connection, token_hash: str) -> None:
    connection.execute(sa.delete(editor_session).where(editor_session.c.token_hash == token_hash))


def end_session_of(connection: Connection, editor_id: EditorId, token_hash: str) -> bool:
    """End a session if it is this editor's; return whether it was."""
    ours = (editor_session.c.token_hash == token_hash, editor_session.c.editor_id == editor_id)
    return connection.execute(sa.delete(editor_session).where(*ours)).rowcount == 1


def end_sessions_of(connection: Connection, editor_id: EditorId, *, but: str = "") -> None:
    """End every session of an editor but one, and every link that would begin one."""
    others = (editor_session.c.editor_id == editor_id, editor_session.c.token_hash != but)
    connection.execute(sa.delete(editor_session).where(*others))
    connection.execute(sa.delete(sign_in_link).where(sign_in_link.c.editor_id == editor_id))
    connection.execute(sa.delete(sign_in_step).where(sign_in_step.c.editor_id == editor_id))


def has_second_factor(connection: Connection, editor_id: EditorId) -> bool:
    """Tell whether an editor has one, confirmed by a first code."""
    ours = (editor_second_factor.c.editor_id == editor_id, editor_second_factor.c.confirmed_at.is_not(None))
    return connection.scalar(sa.select(editor_second_factor.c.editor_id).where(*ours)) is not None


def begin_step(
    connection: Connection, token_hash: str, editor_id: EditorId, *, expires_at: datetime, now: datetime
) -> None:
    """Keep that the password was right, and clear away those that have run out."""
    connection.execute(sa.delete(sign_in_step).where(sign_in_step.c.expires_at <= now))
    values = {"token_hash": token_hash, "editor_id": editor_id, "expires_at": expires_at}
    connection.execute(sa.insert(sign_in_step).values(values))


def step(connection: Connection, token_hash: str, *, now: datetime) -> EditorId | None:
    """Return whose password was right a short while ago; None for an editor who is disabled."""
    wanted = sa.select(sign_in_step.c.editor_id).join(editor, editor.c.id == sign_in_step.c.editor_id)
    ours = (sign_in_step.c.token_hash == token_hash, sign_in_step.c.expires_at > now, editor.c.disabled_at.is_(None))
    found = connection.scalar(wanted.where(*ours))
    return None if found is None else EditorId(found)


def end_step(connection: Connection, token_hash: str, *, now: datetime) -> bool:
    """Use a step up; return whether it was still there, of an editor who is not disabled."""
    if step(connection, token_hash, now=now) is None:
        return False
    return connection.execute(sa.delete(sign_in_step).where(sign_in_step.c.token_hash == token_hash)).rowcount == 1


def sessions_of(connection: Connection, editor_id: EditorId, *, current: str, now: datetime) -> list[OpenSession]:
    wanted = sa.select(editor_session).where(editor_session.c.editor_id == editor_id, editor_session.c.expires_at > now)
    return [
        OpenSession(
            key=row.token_hash,
            began_at=row.created_at,
            seen_at=row.seen_at,
            origin=row.origin,
            browser=row.browser,
            is_current=row.token_hash == current,
        )
        for row in connection.execute(wanted)
    ]


def add_link(
    connection: Connection, token_hash: str, editor_id: EditorId, *, expires_at: datetime, now: datetime
) -> None:
    """Add a sign-in link, and clear away those that have run out."""
    connection.execute(sa.delete(sign_in_link).where(sign_in_link.c.expires_at <= now))
    connection.execute(
        sa.insert(sign_in_link).values(token_hash=token_hash, editor_id=editor_id, expires_at=expires_at)
    )


def use_link(connection: Connection, token_hash: str, *, now: datetime) -> EditorId | None:
    """Use up a link and return whose it is; None for the second time, too late, or an editor who is disabled."""
    enabled = sa.select(editor.c.id).where(editor.c.disabled_at.is_(None))
    used = connection.scalar(
        sa.update(sign_in_link)
        .where(sign_in_link.c.token_hash == token_hash)
        .where(sign_in_link.c.used_at.is_(None), sign_in_link.c.expires_at > now)
        .where(sign_in_link.c.editor_id.in_(enabled))
        .values(used_at=now)
        .returning(sign_in_link.c.editor_id)
    )
    return None if used is None else EditorId(used)


def attempts(connection: Connection, email_key: str, origin: str) -> Attempts | None:
    found = connection.execute(
        sa.select(sign_in_attempt.c.failures, sign_in_attempt.c.last_at).where(
            sign_in_attempt.c.email_key == email_key, sign_in_attempt.c.origin == origin
        )
    ).first()
    return Attempts(failures=found.failures, last_at=found.last_at) if found else None


def record_attempt(connection: Connection, email_key: str, origin: str, found: Attempts) -> None:
    values = {"failures": found.failures, "last_at": found.last_at}
    connection.execute(
        upsert(connection, sign_in_attempt)
        .values(email_key=email_key, origin=origin, **values)
        .on_conflict_do_update(index_elements=["email_key", "origin"], set_=values)
    )


def forget_attempts(connection: Connection, email_key: str, origin: str) -> None:
    connection.execute(
        sa.delete(sign_in_attempt).where(sign_in_attempt.c.email_key == email_key, sign_in_attempt.c.origin == origin)
    )


def forget_attempts_before(connection: Connection, instant: datetime) -> None:
    connection.execute(sa.delete(sign_in_attempt).where(sign_in_attempt.c.last_at <= instant))


def api_tokens(connection: Connection) -> list[ApiToken]:
    """Return every API token, revoked ones too, newest first."""
    return [_api_token(row) for row in connection.execute(sa.select(api_token).order_by(api_token.c.id.desc()))]


def api_tokens_of(connection: Connection, editor_id: EditorId) -> list[ApiToken]:
    """Return an editor's own tokens, newest first."""
    wanted = sa.select(api_token).where(api_token.c.editor_id == editor_id).order_by(api_token.c.id.desc())
    return [_api_token(row) for row in connection.execute(wanted)]


def api_token_with_id(connection: Connection, token_id: ApiTokenId) -> ApiToken | None:
    found = connection.execute(sa.select(api_token).where(api_token.c.id == token_id)).first()
    return _api_token(found) if found else None


def add_api_token(
    connection: Connection,
    *,
    name: str,
    token_hash: str,
    scopes: Iterable[Scope],
    now: datetime,
    expires_at: datetime | None = None,
    editor_id: EditorId | None = None,
) -> ApiTokenId:
    wanted = set(scopes)
    row = {
        "name": name,
        "token_hash": token_hash,
        "scopes": sorted(wanted - {Scope.READ_SUBSCRIBERS}),
        "shows_subscribers": Scope.READ_SUBSCRIBERS in wanted,
        "created_at": now,
        "expires_at": expires_at,
        "editor_id": editor_id,
    }
    added = connection.scalar(sa.insert(api_token).values(row).returning(api_token.c.id))
    return ApiTokenId(cast("int", added))


def api_token_with_hash(connection: Connection, token_hash: str, *, now: datetime) -> ApiToken | None:
    """Return a token that was neither revoked nor has run out."""
    in_force = (api_token.c.revoked_at.is_(None), sa.func.coalesce(api_token.c.expires_at > now, sa.true()))
    found = connection.execute(sa.select(api_token).where(api_token.c.token_hash == token_hash, *in_force)).first()
    return _api_token(found) if found else None


def use_api_token(connection: Connection, token_id: ApiTokenId, *, now: datetime) -> None:
    connection.execute(sa.update(api_token).where(api_token.c.id == token_id).values(last_used_at=now))


def revoke_api_token(connection: Connection, token_id: ApiTokenId, *, now: datetime) -> bool:
    """Revoke a token; return whether it was in force."""
    revoked = connection.execute(
        sa.update(api_token).where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return revoked.rowcount == 1


def _editor(row: Any) -> Editor:
    return Editor(
        id=EditorId(row.id),
        email=row.email,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        time_zone=row.time_zone,
    )


def _api_token(row: Any) -> ApiToken:
    scopes = {Scope(each) for each in row.scopes}
    if row.shows_subscribers or (row.shows_subscribers is None and Scope.READ in scopes):
        scopes.add(Scope.READ_SUBSCRIBERS)
    return ApiToken(
        id=ApiTokenId(row.id),
        name=row.name,
        scopes=frozenset(scopes),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        expires_at=row.expires_at,
        editor_id=None if row.editor_id is None else EditorId(row.editor_id),
    )
