import hashlib
import secrets
import threading
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

import argon2
from sqlalchemy.engine import Connection

from publisher.acts import Actor, note, note_of, note_sometimes
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.editors import rules, store
from publisher.editors.model import (
    Attempts,
    Editor,
    EditorId,
    OpenSession,
    Role,
    SignedIn,
    SignInRefused,
)
from publisher.errors import ConflictError, InputError, NotFoundError

DESK, UNKNOWN = "desk", "Somebody"
"""Where sign-ins happen, and who fails at them, as the record says it."""
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
    password_hash = None if password is None else _hashed(password, rules.editor_email(email))
    with database.transaction() as connection:
        return added(connection, email=email, name=name, role=role, password_hash=password_hash, now=clock())


def added(
    connection: Connection, *, email: str, name: str, role: Role, password_hash: str | None, now: datetime
) -> EditorId:
    """Add an editor in a transaction that does more. Raises InputError, ConflictError."""
    email, name = rules.editor_email(email), rules.one_line(name)
    if not name:
        raise InputError("An editor needs a name.")
    editor_id = store.add_editor(
        connection,
        email=email,
        email_key=rules.email_key(email),
        name=name,
        role=role,
        password_hash=password_hash,
        now=now,
    )
    if editor_id is None:
        raise ConflictError("There is an editor with this address already.")
    note(connection, "editor added", f"{name}: {role}")
    return editor_id


def set_password(database: Database, editor_id: EditorId, password: str) -> None:
    """Set a new password and end all sessions, for it may be set because somebody else knew the old one."""
    with database.reading() as connection:
        email = _editor(connection, editor_id).email
    password_hash = _hashed(password, email)
    with database.transaction() as connection:
        store.change_editor(connection, editor_id, password_hash=password_hash)
        store.end_sessions_of(connection, editor_id)
        note(connection, "editor password", f"editor {editor_id}")


def change_own_password(
    database: Database, editor_id: EditorId, *, current: str, new: str, origin: str, browser: str, clock: Clock
) -> SignedIn | SignInRefused:
    """
    Set an editor's new password, end all sessions and begin a new one.

    The current password is asked for if there is one, and attempts at it are counted as those of signing in.

    Raises:
        InputError: The new password is guessed at once.

    """
    with database.reading() as connection:
        email = _editor(connection, editor_id).email
        found = store.editor_with_email(connection, rules.email_key(email))
    known = found[1] if found else None
    if known is not None:
        checked = sign_in(database, email=email, password=current, origin=origin, browser=browser, clock=clock)
        if isinstance(checked, SignInRefused):
            return checked
    set_password(database, editor_id, new)
    with database.transaction() as connection:
        return SignedIn(token=begun(connection, editor_id, clock(), origin, browser))


def sign_in(
    database: Database, *, email: str, password: str, origin: str, clock: Clock, browser: str = ""
) -> SignedIn | SignInRefused:
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
        browser: What the editor will know the session by.

    """
    key = rules.email_key(email)
    _nobodys_hash()  # made before anybody is looked for, so that the first unknown address takes no longer
    with database.transaction() as connection:
        try_again_at = counted(connection, key, origin, clock())
    if try_again_at is not None:
        return SignInRefused(try_again_at=try_again_at)
    with database.reading() as connection:
        found = store.editor_with_email(connection, key)
    editor, known = found or (None, None)
    right = _is_right(known or _nobodys_hash(), password)
    if not right or known is None or editor is None or editor.disabled_at is not None:
        with database.transaction() as connection:
            note_failure(connection, editor.id if editor else None, origin)
        return SignInRefused(try_again_at=None)
    with database.transaction() as connection:
        if store.editor_with_email(connection, key) != found:  # disabled, or given another password, while we looked
            return SignInRefused(try_again_at=None)
        store.forget_attempts(connection, key, origin)
        if _hasher.check_needs_rehash(known):
            store.change_editor(connection, editor.id, password_hash=_hasher.hash(rules.password_bytes(password)))
        return _signed_in(connection, editor.id, clock(), origin, browser)


def session_editor(database: Database, token: str, *, clock: Clock) -> Editor | None:
    """Return whose session this is, and keep it alive; None when it has ended or never was."""
    now, token_hash = clock(), hashed_token(token)
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


def sign_out(database: Database, token: str, *, of: EditorId | None = None) -> None:
    """End a session, that of an editor who says so, or one that another takes the place of."""
    with database.transaction() as connection:
        if of is not None:
            note(connection, "signed out", f"editor {of}")
        store.end_session(connection, hashed_token(token))


def sessions_of(database: Database, editor_id: EditorId, token: str, *, clock: Clock) -> list[OpenSession]:
    """Return an editor's sessions, the one that asks first, then those used last."""
    with database.reading() as connection:
        found = store.sessions_of(connection, editor_id, current=hashed_token(token), now=clock())
    return sorted(found, key=lambda each: (each.is_current, each.seen_at), reverse=True)


def end_session_of(database: Database, editor_id: EditorId, key: str) -> None:
    """End one of an editor's own sessions; that of somebody else stays as it is."""
    with database.transaction() as connection:
        if store.end_session_of(connection, editor_id, key):
            note(connection, "session ended", f"editor {editor_id}")


def end_other_sessions(database: Database, editor_id: EditorId, token: str) -> None:
    """End all of an editor's sessions but the one that asks."""
    with database.transaction() as connection:
        store.end_sessions_of(connection, editor_id, but=hashed_token(token))
        note(connection, "other sessions ended", f"editor {editor_id}")


def make_sign_in_link(database: Database, editor_id: EditorId, *, clock: Clock) -> str:
    """
    Return a token that signs an editor in once, within 15 minutes.

    Raises:
        NotFoundError: No such editor.
        ConflictError: The editor is disabled.

    """
    with database.transaction() as connection:
        return added_link(connection, editor_id, life=rules.LINK_LIFE, now=clock())


def added_link(connection: Connection, editor_id: EditorId, *, life: timedelta, now: datetime) -> str:
    """Make a sign-in link in a transaction that does more. Raises NotFoundError, ConflictError."""
    found = _editor(connection, editor_id)
    if found.disabled_at is not None:
        raise ConflictError("This editor is disabled.")
    token = secrets.token_urlsafe(TOKEN_BYTES)
    store.add_link(connection, hashed_token(token), editor_id, expires_at=now + life, now=now)
    note(connection, "sign-in link made", found.name)
    return token


def use_sign_in_link(
    database: Database, token: str, *, clock: Clock, origin: str = "", browser: str = ""
) -> SignedIn | None:
    """Begin a session for a link's token; None when it is used, too old or not ours."""
    with database.transaction() as connection:
        now = clock()
        editor_id = store.use_link(connection, hashed_token(token), now=now)
        return None if editor_id is None else _signed_in(connection, editor_id, now, origin, browser)


def counted(connection: Connection, key: str, origin: str, now: datetime) -> datetime | None:
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


def _signed_in(connection: Connection, editor_id: EditorId, now: datetime, origin: str, browser: str) -> SignedIn:
    """Begin a session, or the wait for the code where an editor has a second factor."""
    if not store.has_second_factor(connection, editor_id):
        note_sign_in(connection, editor_id, origin)
        return SignedIn(token=begun(connection, editor_id, now, origin, browser))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    store.begin_step(connection, hashed_token(token), editor_id, expires_at=now + rules.STEP_LIFE, now=now)
    return SignedIn(token=token, needs_code=True)


def note_sign_in(connection: Connection, editor_id: EditorId, origin: str) -> None:
    """Put a sign-in into the record, as done by who signs in."""
    who = _editor(connection, editor_id).name
    note_of(
        connection, Actor(via=DESK, who=who, editor_id=editor_id, origin=origin), "signed in", f"editor {editor_id}"
    )


def note_failure(connection: Connection, editor_id: EditorId | None, origin: str) -> None:
    """Put a failure into the record, at most once an hour for each editor and network; a stranger's address never."""
    thing = "an address of nobody" if editor_id is None else f"editor {editor_id}"
    somebody = Actor(via=DESK, who=UNKNOWN, origin=origin)
    note_sometimes(connection, somebody, "sign-in failed", thing, every=rules.FAILURES_NOTED_EVERY)


def begun(connection: Connection, editor_id: EditorId, now: datetime, origin: str, browser: str) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    ends_at = rules.session_ends_at(now, now)
    store.begin_session(
        connection, hashed_token(token), editor_id, expires_at=ends_at, now=now, origin=origin, browser=browser
    )
    return token


def hashed_token(token: str) -> str:
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
