"""Who works at the desk: invited, given a role, shut out. `by` is who does it; nobody is the command line."""

from sqlalchemy.engine import Connection

from publisher import acts
from publisher.clock import Clock
from publisher.database import Database, one_at_a_time
from publisher.editors import flow, powers, rules, store
from publisher.editors.model import Editor, EditorId, Role
from publisher.errors import ConflictError, NotAllowedError, NotFoundError


def invite(database: Database, *, by: EditorId, email: str, name: str, role: Role, clock: Clock) -> tuple[Editor, str]:
    """
    Add an editor; return her with the token of a link that signs in once, within a week.

    Raises:
        InputError: The address or the name cannot be used.
        ConflictError: There is an editor with this address.
        NotAllowedError: The role is above that of who invites.

    """
    with database.transaction() as connection:
        _look_at(connection, by, role)
        editor_id = flow.added(connection, email=email, name=name, role=role, password_hash=None, now=clock())
        token = flow.added_link(connection, editor_id, life=rules.INVITATION_LIFE, now=clock())
        return _editor(connection, editor_id), token


def make_link(database: Database, editor_id: EditorId, *, by: EditorId, clock: Clock) -> str:
    """Return the token of a new link, for an invitation that ran out or a forgotten password."""
    with database.transaction() as connection:
        _look_at(connection, by, _editor(connection, editor_id).role)
        return flow.added_link(connection, editor_id, life=rules.LINK_LIFE, now=clock())


def set_role(database: Database, editor_id: EditorId, role: Role, *, by: EditorId | None = None) -> None:
    """
    Give an editor another role.

    Raises:
        NotFoundError: No such editor.
        ConflictError: Nobody would be left with the powers of this one.
        NotAllowedError: One of the roles is above that of who gives it.

    """
    with database.transaction() as connection:
        found = _locked(connection, editor_id)
        _look_at(connection, by, found.role, role)
        if not role.includes(found.role):
            _keep_one(connection, found)
        store.change_editor(connection, editor_id, role=role)
        acts.note(connection, "editor role", f"{found.name}: {role}")


def disable_editor(database: Database, editor_id: EditorId, *, clock: Clock, by: EditorId | None = None) -> None:
    """Shut an editor out at once, everywhere. Raises NotFoundError, ConflictError, NotAllowedError."""
    with database.transaction() as connection:
        found = _locked(connection, editor_id)
        _look_at(connection, by, found.role)
        _keep_one(connection, found)
        store.change_editor(connection, editor_id, disabled_at=clock())
        store.end_sessions_of(connection, editor_id)
        acts.note(connection, "editor disabled", found.name)


def enable_editor(database: Database, editor_id: EditorId, *, by: EditorId | None = None) -> None:
    """Let a disabled editor in again. Raises NotFoundError, NotAllowedError."""
    with database.transaction() as connection:
        found = _locked(connection, editor_id)
        _look_at(connection, by, found.role)
        store.change_editor(connection, editor_id, disabled_at=None)
        acts.note(connection, "editor enabled", found.name)


def _locked(connection: Connection, editor_id: EditorId) -> Editor:
    """Return an editor while nobody else changes one: two chiefs must not shut each other out at the same time."""
    one_at_a_time(connection, "editors")
    return _editor(connection, editor_id)


def _look_at(connection: Connection, by: EditorId | None, *roles: Role) -> None:
    if by is None:
        return
    leader = _editor(connection, by)
    if above := [role for role in roles if not powers.may_lead(leader, role)]:
        raise NotAllowedError(f"Your role is {leader.role}; it may not do this to the role of {above[0]}.")


def _keep_one(connection: Connection, found: Editor) -> None:
    if powers.is_last(found, store.editors(connection)):
        raise ConflictError(f"This is the last {found.role}. Give somebody else the role first.")


def _editor(connection: Connection, editor_id: EditorId) -> Editor:
    found = store.editor_with_id(connection, editor_id)
    if found is None:
        raise NotFoundError("editor", editor_id)
    return found
