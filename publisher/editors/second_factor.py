"""
A second factor of signing in: codes of an app (RFC 6238), and ten recovery codes for the day it is lost.

The app's secret is kept encrypted with the newsroom's key: who reads the database alone makes no codes with it.
"""

import base64
import hashlib
import re
import secrets
from datetime import datetime

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken as WrongCode
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy.engine import Connection

from publisher.acts import note
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time, upsert
from publisher.editors import flow, powers, store
from publisher.editors.model import Editor, EditorId, SignedIn, SignInRefused
from publisher.editors.tables import editor_recovery_code, editor_second_factor
from publisher.errors import ConflictError, NotAllowedError, NotFoundError

SECRET_BYTES = 20  # RFC 4226, section 4, R6: 160 bits recommended
DIGITS, STEP_S = 6, 30  # what every app takes without being asked
STEPS_ASIDE = (0, -1, 1)
"""A clock may be half a minute wrong (RFC 6238, section 5.2: at most one step back; one ahead is for fast phones)."""
RECOVERY_CODES, RECOVERY_BYTES = 10, 10


def address_for_app(database: Database, editor: Editor, *, site_name: str, secret_key: str) -> str:
    """
    Return the `otpauth:` address that an app scans; the same one until it is confirmed.

    Raises:
        ConflictError: The second factor is set up already; its secret is shown no more.

    """
    with database.transaction() as connection:
        one_at_a_time(connection, f"second factor: {editor.id}")
        found = _row(connection, editor.id)
        if found is not None and found.confirmed_at is not None:
            raise ConflictError("The second factor is set up already.")
        secret = _opened(found.secret, secret_key) if found else None
        if secret is None:
            secret = secrets.token_bytes(SECRET_BYTES)
            values = {"secret": _box(secret_key).encrypt(secret).decode(), "confirmed_at": None, "last_step": 0}
            insert = upsert(connection, editor_second_factor).values(editor_id=editor.id, **values)
            connection.execute(insert.on_conflict_do_update(index_elements=["editor_id"], set_=values))
    return _app(secret).get_provisioning_uri(editor.email, site_name)


def confirm(
    database: Database, editor_id: EditorId, code: str, *, secret_key: str, clock: Clock
) -> list[str] | SignInRefused:
    """Set the second factor up with a first code; return the recovery codes, which are shown now and never again."""
    refused = _count(database, editor_id, clock)
    if refused is not None:
        return refused
    with database.transaction() as connection:
        found, now = _row(connection, editor_id), clock()
        if (
            found is None
            or found.confirmed_at is not None
            or not _is_app_code(connection, found, code, secret_key, now)
        ):
            return SignInRefused(try_again_at=None)
        ours = editor_second_factor.c.editor_id == editor_id
        connection.execute(sa.update(editor_second_factor).where(ours).values(confirmed_at=now))
        _forget_count(connection, editor_id)
        note(connection, "second factor set up", f"editor {editor_id}")
        return _new_recovery_codes(connection, editor_id)


def sign_in(
    database: Database, step: str, code: str, *, secret_key: str, origin: str, browser: str, clock: Clock
) -> SignedIn | SignInRefused | None:
    """
    Begin a session for the right code after the right password; None when that was too long ago.

    Wrong codes are counted for the editor, wherever they come from: a million networks do not guess six digits either.
    """
    with database.reading() as connection:
        editor_id = store.step(connection, flow.hashed_token(step), now=clock())
    if editor_id is None:
        return None
    refused = _count(database, editor_id, clock)
    if refused is not None:
        return refused
    with database.transaction() as connection:
        if not _is_right(connection, editor_id, code, secret_key, clock()):
            flow.note_failure(connection, editor_id, origin)
            return SignInRefused(try_again_at=None)
        if not store.end_step(connection, flow.hashed_token(step), now=clock()):
            return None
        _forget_count(connection, editor_id)
        flow.note_sign_in(connection, editor_id, origin)
        return SignedIn(token=flow.begun(connection, editor_id, clock(), origin, browser))


def turn_off(
    database: Database, editor_id: EditorId, code: str, *, secret_key: str, clock: Clock
) -> bool | SignInRefused:
    """Let an editor sign in with the password alone again, for a right code; return whether it was on."""
    refused = _count(database, editor_id, clock)
    if refused is not None:
        return refused
    with database.transaction() as connection:
        if not _is_right(connection, editor_id, code, secret_key, clock()):
            return SignInRefused(try_again_at=None)
        _forget_count(connection, editor_id)
        return _remove(connection, editor_id)


def reset(database: Database, editor_id: EditorId, *, by: EditorId | None = None) -> bool:
    """
    Take the second factor from an editor who has lost it; return whether there was one.

    Nobody resets her own in this way: it takes a code, or somebody else. `by` nobody is the command line.

    Raises:
        NotFoundError: No such editor.
        NotAllowedError: The role of who asks is below this one's, or it is herself.

    """
    with database.transaction() as connection:
        found = store.editor_with_id(connection, editor_id)
        if found is None:
            raise NotFoundError("editor", editor_id)
        leader = None if by is None else store.editor_with_id(connection, by)
        if by is not None and (leader is None or by == editor_id or not powers.may_lead(leader, found.role)):
            raise NotAllowedError("You may not reset this second factor. Your own takes a code of it.")
        return _remove(connection, editor_id)


def is_on(connection: Connection, editor_id: EditorId) -> bool:
    return store.has_second_factor(connection, editor_id)


def recovery_codes_left(connection: Connection, editor_id: EditorId) -> int:
    ours = editor_recovery_code.c.editor_id == editor_id
    return connection.scalar(sa.select(sa.func.count()).select_from(editor_recovery_code).where(ours)) or 0


def _is_right(connection: Connection, editor_id: EditorId, code: str, secret_key: str, now: datetime) -> bool:
    found = _row(connection, editor_id)
    if found is None or found.confirmed_at is None:
        return False
    return _is_app_code(connection, found, code, secret_key, now) or _is_recovery_code(connection, editor_id, code)


def _is_app_code(connection: Connection, row: sa.Row, code: str, secret_key: str, now: datetime) -> bool:  # type: ignore[type-arg]
    """Tell whether a code is right and later than every one before; it is used up with that (RFC 6238, section 5.2)."""
    secret, digits = _opened(row.secret, secret_key), re.sub(r"\s", "", code)
    if secret is None or not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits, re.ASCII):
        return False
    this = int(now.timestamp()) // STEP_S
    step = next((this + each for each in STEPS_ASIDE if _is_of_step(secret, digits, this + each)), None)
    if step is None:
        return False
    later = (editor_second_factor.c.editor_id == row.editor_id, editor_second_factor.c.last_step < step)
    return connection.execute(sa.update(editor_second_factor).where(*later).values(last_step=step)).rowcount == 1


def _is_of_step(secret: bytes, digits: str, step: int) -> bool:
    try:
        _app(secret).verify(digits.encode(), step * STEP_S)
    except WrongCode:
        return False
    return True


def _is_recovery_code(connection: Connection, editor_id: EditorId, code: str) -> bool:
    """Tell whether this is one of the ten, and use it up."""
    ours = (editor_recovery_code.c.editor_id == editor_id, editor_recovery_code.c.code_hash == _recovery_hash(code))
    return connection.execute(sa.delete(editor_recovery_code).where(*ours)).rowcount == 1


def _new_recovery_codes(connection: Connection, editor_id: EditorId) -> list[str]:
    made = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    connection.execute(sa.delete(editor_recovery_code).where(editor_recovery_code.c.editor_id == editor_id))
    rows = [{"editor_id": editor_id, "code_hash": _recovery_hash(each)} for each in made]
    connection.execute(sa.insert(editor_recovery_code), rows)
    return ["-".join(each[start : start + 4] for start in range(0, len(each), 4)) for each in made]


def _remove(connection: Connection, editor_id: EditorId) -> bool:
    connection.execute(sa.delete(editor_recovery_code).where(editor_recovery_code.c.editor_id == editor_id))
    gone = connection.execute(sa.delete(editor_second_factor).where(editor_second_factor.c.editor_id == editor_id))
    _forget_count(connection, editor_id)
    if gone.rowcount:
        note(connection, "second factor removed", f"editor {editor_id}")
    return gone.rowcount == 1


def _count(database: Database, editor_id: EditorId, clock: Clock) -> SignInRefused | None:
    with database.transaction() as connection:
        try_again_at = flow.counted(connection, _counter(editor_id), "", clock())
    return None if try_again_at is None else SignInRefused(try_again_at=try_again_at)


def _forget_count(connection: Connection, editor_id: EditorId) -> None:
    store.forget_attempts(connection, _counter(editor_id), "")


def _counter(editor_id: EditorId) -> str:
    return f"code of {editor_id}"


def _row(connection: Connection, editor_id: EditorId) -> sa.Row | None:  # type: ignore[type-arg]
    wanted = sa.select(editor_second_factor).where(editor_second_factor.c.editor_id == editor_id)
    return connection.execute(wanted).first()


def _app(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 -- as HMAC it holds, and apps know no other (RFC 6238)


def _box(secret_key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second factor " + secret_key.encode()).digest()))


def _opened(secret: str, secret_key: str) -> bytes | None:
    """Return an app's secret; None after the newsroom's key was changed: then it has to be reset."""
    try:
        return _box(secret_key).decrypt(secret.encode())
    except InvalidToken:
        return None


def _recovery_hash(code: str) -> str:
    """80 random bits: a plain hash is enough."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).lower().encode("utf-8", "surrogatepass")).hexdigest()
