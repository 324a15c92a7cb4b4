import hashlib
import secrets
import threading
from collections.abc import Collection
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

import argon2
from sqlalchemy.engine import Connection

from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.editors import rules, store
from publisher.editors.model import (
    ApiToken,
    ApiTokenId,
    Attempts,
    Editor,
    EditorId,
    Role,
    Scope,
    SignedIn,
    SignInRefused,
)
from publisher.errors import ConflictError, InputError, NotFoundError

API_TOKEN_PREFIX = "pub_"  # noqa: S105 -- what every token begins with, so that scanners for leaked secrets know it
TOKEN_BYTES = 32
VERIFICATIONS_AT_ONCE = 2
"""Each takes 64 MiB and a core for some 50 ms: strangers can only make one another wait."""

_hasher = argon2.PasswordHasher()  # RFC 9106, section 4, second recommended option
_verifying = threading.BoundedSemaphore(VERIFICATIONS_AT_ONCE)


def add_editor(
    database: Database, *, email: str, name: str, role: Role, clock: Clock, password: str | None = None
) -> EditorId:
    """
    Add an editor. Without a password, a sign-in link is the way in.

    Raises:
        InputError: The address, the name or the password cannot be used.
        ConflictError: There is an editor with this address.

    """
    email, name = rules.editor_email(email), rules.one_line(name)
    if not name:
        raise InputError("An editor needs a name.")
    password_hash = None if password is None else _hashed(password, email)
    with database.transaction() as connection:
        added = store.add_editor(
            connection,
            email=email,
            email_key=rules.email_key(email),
            name=name,
            role=role,
            password_hash=password_hash,
            now=clock(),
        )
    if added is None:
        raise ConflictError("There is an editor with this address already.")
    return added


def set_password(database: Database, editor_id: EditorId, password: str) -> None:
    """Set a new password and end all sessions, for it may be set because somebody else knew the old one."""
    with database.reading() as connection:
        email = _editor(connection, editor_id).email
    password_hash = _hashed(password, email)
    with database.transaction() as connection:
        store.change_editor(connection, editor_id, password_hash=password_hash)
        store.end_sessions_of(connection, editor_id)


def set_role(database: Database, editor_id: EditorId, role: Role) -> None:
    """Raises NotFoundError."""
    with database.transaction() as connection:
        if not store.change_editor(connection, editor_id, role=role):
            raise NotFoundError("editor", editor_id)


def disable_editor(database: Database, editor_id: EditorId, *, clock: Clock) -> None:
    """Shut an editor out at once, everywhere. Raises NotFoundError."""
    with database.transaction() as connection:
        if not store.change_editor(connection, editor_id, disabled_at=clock()):
            raise NotFoundError("editor", editor_id)
        store.end_sessions_of(connection, editor_id)


def enable_editor(database: Database, editor_id: EditorId) -> None:
    """Let a disabled editor in again. Raises NotFoundError."""
    with database.transaction() as connection:
        if not store.change_editor(connection, editor_id, disabled_at=None):
            raise NotFoundError("editor", editor_id)


def sign_in(database: Database, *, email: str, password: str, origin: str, clock: Clock) -> SignedIn | SignInRefused:
    """
    Begin a session for the right password.

    A wrong address costs the same work as a wrong password, and is answered and counted the same. The attempt
    is counted before the password is looked at, so that many at once are not many for free.

    Args:
        database: Where the editors are.
        email: As typed.
        password: As typed.
        origin: The network of the request, truncated by the caller; failures are counted for each, so nobody
            can shut an editor out from elsewhere.
        clock: Tells the time.

    """
    key = rules.email_key(email)
    _nobodys_hash()  # made before anybody is looked for, so that the first unknown address takes no longer
    with database.transaction() as connection:
        try_again_at = _count(connection, key, origin, clock())
    if try_again_at is not None:
        return SignInRefused(try_again_at=try_again_at)
    with database.reading() as connection:
        found = store.editor_with_email(connection, key)
    editor, known = found or (None, None)
    right = _is_right(known or _nobodys_hash(), password)
    if not right or known is None or editor is None or editor.disabled_at is not None:
        return SignInRefused(try_again_at=None)
    with database.transaction() as connection:
        if store.editor_with_email(connection, key) != found:  # disabled, or given another password, while we looked
            return SignInRefused(try_again_at=None)
        store.forget_attempts(connection, key, origin)
        if _hasher.check_needs_rehash(known):
            store.change_editor(connection, editor.id, password_hash=_hasher.hash(rules.password_bytes(password)))
        return SignedIn(token=_begin(connection, editor.id, clock()))


def session_editor(database: Database, token: str, *, clock: Clock) -> Editor | None:
    """Return whose session this is, and keep it alive; None when it has ended or never was."""
    now, token_hash = clock(), _hash(token)
    with database.reading() as connection:
        found = store.session(connection, token_hash, now=now)
    if found is None:
        return None
    if now - found.seen_at >= rules.SEEN_EVERY:
        with database.transaction() as connection:
            ends_at = rules.session_ends_at(found.began_at, now)
            store.see_session(connection, token_hash, expires_at=ends_at, now=now)
    return found.editor


def choose_time_zone(database: Database, editor_id: EditorId, time_zone: str) -> None:
    """Keep the time zone in which an editor reads times; empty: the house's. Raises InputError."""
    if time_zone and time_zone not in available_timezones():
        raise InputError("There is no such time zone; choose one from the list.", "time_zone")
    with database.transaction() as connection:
        store.set_time_zone(connection, editor_id, time_zone)


def sign_out(database: Database, token: str) -> None:
    """End a session; the second time nothing happens."""
    with database.transaction() as connection:
        store.end_session(connection, _hash(token))


def make_sign_in_link(database: Database, editor_id: EditorId, *, clock: Clock) -> str:
    """
    Return a token that signs an editor in once, within 15 minutes.

    Raises:
        NotFoundError: No such editor.
        ConflictError: The editor is disabled.

    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with database.transaction() as connection:
        if _editor(connection, editor_id).disabled_at is not None:
            raise ConflictError("This editor is disabled.")
        now = clock()
        store.add_link(connection, _hash(token), editor_id, expires_at=now + rules.LINK_LIFE, now=now)
    return token


def use_sign_in_link(database: Database, token: str, *, clock: Clock) -> SignedIn | None:
    """Begin a session for a link's token; None when it is used, too old or not ours."""
    with database.transaction() as connection:
        now = clock()
        editor_id = store.use_link(connection, _hash(token), now=now)
        return None if editor_id is None else SignedIn(token=_begin(connection, editor_id, now))


def add_api_token(database: Database, *, name: str, scopes: Collection[Scope], clock: Clock) -> str:
    """Return a new API token, `pub_…`, which is shown now and never again. Raises InputError."""
    name = rules.one_line(name)
    if not name or not scopes:
        raise InputError("An API token needs a name and at least one scope.")
    token = API_TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    with database.transaction() as connection:
        store.add_api_token(connection, name=name, token_hash=_hash(token), scopes=set(scopes), now=clock())
    return token


def check_api_token(database: Database, token: str, *, clock: Clock) -> ApiToken | None:
    """Return what a token allows; None when it was revoked or never ours."""
    if not token.startswith(API_TOKEN_PREFIX):
        return None
    now = clock()
    with database.reading() as connection:
        found = store.api_token_with_hash(connection, _hash(token))
    if found and (found.last_used_at is None or now - found.last_used_at >= rules.TOKEN_USED_EVERY):
        with database.transaction() as connection:
            store.use_api_token(connection, found.id, now=now)
    return found


def revoke_api_token(database: Database, token_id: ApiTokenId, *, clock: Clock) -> bool:
    """End an API token at once; return whether it was in force."""
    with database.transaction() as connection:
        return store.revoke_api_token(connection, token_id, now=clock())


def _count(connection: Connection, key: str, origin: str, now: datetime) -> datetime | None:
    """Count an attempt as failed until it succeeds; or return when it would count, and count nothing."""
    one_at_a_time(connection, f"sign in: {key}")
    store.forget_attempts_before(connection, now - rules.FORGET_FAILURES)
    before = store.attempts(connection, key, origin)
    try_again_at = rules.may_try_at(before, now)
    if try_again_at > now:
        return try_again_at
    failures = rules.failures_that_count(before, now) + 1
    store.record_attempt(connection, key, origin, Attempts(failures=failures, last_at=now))
    return None


def _editor(connection: Connection, editor_id: EditorId) -> Editor:
    found = store.editor_with_id(connection, editor_id)
    if found is None:
        raise NotFoundError("editor", editor_id)
    return found


def _begin(connection: Connection, editor_id: EditorId, now: datetime) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    store.begin_session(connection, _hash(token), editor_id, expires_at=rules.session_ends_at(now, now), now=now)
    return token


def _hash(token: str) -> str:
    """Tokens are 256 random bits, so a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _hashed(password: str, email: str) -> str:
    rules.check_password(password, email=email)
    return _hasher.hash(rules.password_bytes(password))


def _is_right(password_hash: str, password: str) -> bool:
    with _verifying:
        try:
            return _hasher.verify(password_hash, rules.password_bytes(password[: rules.PASSWORD_AT_MOST + 1]))
        except argon2.exceptions.VerificationError:
            return False


@cache
def _nobodys_hash() -> str:
    """What the password of an unknown editor is compared with."""
    return _hasher.hash(secrets.token_bytes(TOKEN_BYTES))
