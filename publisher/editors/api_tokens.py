import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from publisher.acts import note
from publisher.clock import Clock
from publisher.database import Database
from publisher.editors import powers, rules, store
from publisher.editors.flow import TOKEN_BYTES, hashed_token
from publisher.editors.model import ApiToken, ApiTokenId, EditorId, Scope
from publisher.errors import InputError, NotAllowedError

API_TOKEN_PREFIX = "pub_"  # noqa: S105 -- what every token begins with, so that scanners for leaked secrets know it


def add_api_token(
    database: Database,
    *,
    name: str,
    scopes: Collection[Scope],
    clock: Clock,
    lasts: timedelta | None = None,
    by: EditorId | None = None,
) -> str:
    """
    Return a new API token, `pub_…`, which is shown now and never again.

    Args:
        database: Where the tokens are.
        name: What uses it.
        scopes: What it may do.
        clock: Tells the time.
        lasts: How long; None: until it is revoked.
        by: Whose it is; nobody's is the newsroom's, made by command.

    Raises:
        InputError: It has no name or no scope.
        NotAllowedError: It would allow more than the editor may.

    """
    name = rules.one_line(name)
    if not name or not scopes:
        raise InputError("An API token needs a name and at least one scope.")
    token = API_TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    with database.transaction() as connection:
        owner = None if by is None else store.editor_with_id(connection, by)
        if owner is not None and (beyond := set(scopes) - powers.scopes_of(owner)):
            raise NotAllowedError(f"Your role is {owner.role}; its tokens cannot have the scope {min(beyond)}.")
        now = clock()
        store.add_api_token(
            connection,
            name=name,
            token_hash=hashed_token(token),
            scopes=scopes,
            now=now,
            expires_at=None if lasts is None else now + lasts,
            editor_id=by,
        )
        note(connection, "token made", f"{name}: {', '.join(sorted(set(scopes)))}")
    return token


def check_api_token(database: Database, token: str, *, clock: Clock) -> ApiToken | None:
    """
    Return what a token allows; None when it was revoked, has run out or never was ours.

    An editor's own allows what she may now: nothing once she is shut out, less after she was given a lower role.
    """
    if not token.startswith(API_TOKEN_PREFIX):
        return None
    now = clock()
    with database.reading() as connection:
        found = store.api_token_with_hash(connection, hashed_token(token), now=now)
        owner = store.editor_with_id(connection, found.editor_id) if found and found.editor_id else None
    if found and (found.last_used_at is None or now - found.last_used_at >= rules.TOKEN_USED_EVERY):
        with database.transaction() as connection:
            store.use_api_token(connection, found.id, now=now)
    if found is None or owner is None:
        return found
    allowed = found.scopes & powers.scopes_of(owner)
    return replace(found, scopes=allowed) if allowed else None


def revoke_api_token(
    database: Database, token_id: ApiTokenId, *, clock: Clock, only_of: EditorId | None = None
) -> bool:
    """End an API token at once, where asked only if it is this editor's; return whether it was in force."""
    with database.transaction() as connection:
        found = store.api_token_with_id(connection, token_id)
        if found is None or (only_of is not None and found.editor_id != only_of):
            return False
        is_revoked = store.revoke_api_token(connection, token_id, now=clock())
        if is_revoked:
            note(connection, "token revoked", f"token {token_id}: {found.name}")
        return is_revoked
