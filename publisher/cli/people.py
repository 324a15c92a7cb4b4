import getpass
import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from publisher.cli.show import AsJson, print_json, show
from publisher.errors import InputError, NotFoundError

editors = typer.Typer(no_args_is_help=True)
tokens = typer.Typer(no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="Id or email address.")]


@editors.command("add")
def add_editor(
    email: Annotated[str, typer.Argument(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Made from the address if left out.")] = "",
    role: Annotated[str, typer.Option(help="editor, chief or operator; the first one is an operator.")] = "",
    link: Annotated[
        bool, typer.Option("--link", help="Print a sign-in link instead of asking for a password.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add an editor. Asks for a password, or reads it from standard input where that is no terminal."""
    from publisher.editors import flow, rules, store
    from publisher.editors.model import Role
    from publisher.wiring import newsroom

    if role and role not in set(Role):
        raise InputError(f"{role!r} is no role; there are {', '.join(Role)}.")
    room = newsroom()
    with room.database.reading() as connection:
        is_first = not store.editors(connection)
    address = rules.editor_email(email)
    chosen = Role(role) if role else Role.OPERATOR if is_first else Role.EDITOR
    password = None if link else _ask_password()
    shown = name or address.partition("@")[0].replace(".", " ").title()
    editor_id = flow.add_editor(
        room.database, email=address, name=shown, role=chosen, password=password, clock=room.now
    )
    row = {"id": editor_id, "email": address, "name": shown, "role": chosen.value}
    if link:
        row["link"] = _link(room, editor_id)
    _print_editor(row, as_json=as_json)


@editors.command("list")
def list_editors(as_json: AsJson = False) -> None:
    """List the editors."""
    from publisher.editors import store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = store.editors(connection)
    show(
        (
            {
                "id": each.id,
                "email": each.email,
                "name": each.name,
                "role": each.role.value,
                "created_at": each.created_at,
                "disabled_at": each.disabled_at,
            }
            for each in found
        ),
        as_json=as_json,
        empty="There is no editor. Add one: publisher editor add you@example.org",
    )


@editors.command("link")
def link_editor(
    editor: Annotated[str, typer.Argument(help="Id or email address; the first operator if left out.")] = "",
) -> None:
    """Print a link that signs an editor in once, within 15 minutes; for a forgotten password."""
    from publisher.wiring import newsroom

    room = newsroom()
    print(_link(room, _editor_id(room, editor) if editor else _first_operator(room)))


@editors.command("password")
def change_password(editor: Who) -> None:
    """Set a new password; every session of this editor ends."""
    from publisher.editors.flow import set_password
    from publisher.wiring import newsroom

    room = newsroom()
    editor_id = _editor_id(room, editor)
    set_password(room.database, editor_id, _ask_password())
    print(f"{editor_id:>6}  has a new password")


@editors.command("role")
def change_role(
    editor: Who,
    role: Annotated[str, typer.Argument(help="editor, chief or operator")],
) -> None:
    """Give an editor another role."""
    from publisher.editors.model import Role
    from publisher.editors.staff import set_role
    from publisher.wiring import newsroom

    if role not in set(Role):
        raise InputError(f"{role!r} is no role; there are {', '.join(Role)}.")
    room = newsroom()
    editor_id = _editor_id(room, editor)
    set_role(room.database, editor_id, Role(role))
    print(f"{editor_id:>6}  {role}")


@editors.command("disable")
def disable(editor: Who) -> None:
    """Shut an editor out at once, everywhere."""
    from publisher.editors.staff import disable_editor
    from publisher.wiring import newsroom

    room = newsroom()
    editor_id = _editor_id(room, editor)
    disable_editor(room.database, editor_id, clock=room.now)
    print(f"{editor_id:>6}  disabled")


@editors.command("enable")
def enable(editor: Who) -> None:
    """Let a disabled editor in again."""
    from publisher.editors.staff import enable_editor
    from publisher.wiring import newsroom

    room = newsroom()
    editor_id = _editor_id(room, editor)
    enable_editor(room.database, editor_id)
    print(f"{editor_id:>6}  enabled")


@editors.command("reset-code")
def reset_code(editor: Who) -> None:
    """Take a lost second factor away; signing in needs the password or a link alone again."""
    from publisher.editors.second_factor import reset
    from publisher.wiring import newsroom

    room = newsroom()
    editor_id = _editor_id(room, editor)
    was_on = reset(room.database, editor_id)
    print(f"{editor_id:>6}  {'has no second factor any more' if was_on else 'had no second factor'}")


@tokens.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="What uses it, such as 'CMS'.")],
    scope: Annotated[
        list[str],
        typer.Option("--scope", help="read, subscribers:read, articles, subscribers, issues or webhooks."),
    ] = [],
    days: Annotated[int, typer.Option(min=0, max=3_650, help="Runs out after so many; 0: never.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a key to the API and print it, once: we keep only its hash. Without --scope it may hand in articles."""
    from publisher.editors.api_tokens import add_api_token
    from publisher.editors.model import Scope
    from publisher.wiring import newsroom

    wanted = scope or [Scope.READ.value, Scope.ARTICLES.value]
    for each in wanted:
        if each not in set(Scope):
            raise InputError(f"{each!r} is no scope; there are {', '.join(Scope)}.")
    room = newsroom()
    token = add_api_token(
        room.database,
        name=name,
        scopes=[Scope(each) for each in wanted],
        lasts=timedelta(days=days) if days else None,
        clock=room.now,
    )
    if as_json:
        print_json({"name": name, "scopes": sorted(set(wanted)), "token": token})
    else:
        print(token)


@tokens.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """List the keys to the API, newest first; the keys themselves are kept nowhere."""
    from publisher.editors import store
    from publisher.wiring import newsroom

    with newsroom().database.reading() as connection:
        found = store.api_tokens(connection)
    show(
        (
            {
                "id": each.id,
                "name": each.name,
                "scopes": sorted(scope.value for scope in each.scopes),
                "created_at": each.created_at,
                "last_used_at": each.last_used_at,
                "expires_at": each.expires_at,
                "revoked_at": each.revoked_at,
            }
            for each in found
        ),
        as_json=as_json,
        empty="There is no token. Make one: publisher token add CMS --scope articles",
    )


@tokens.command("revoke")
def revoke(token: Annotated[int, typer.Argument(help="Id, as `publisher token list` shows it.")]) -> None:
    """End a key to the API at once."""
    from publisher.editors.api_tokens import revoke_api_token
    from publisher.editors.model import ApiTokenId
    from publisher.wiring import newsroom

    room = newsroom()
    if not revoke_api_token(room.database, ApiTokenId(token), clock=room.now):
        raise NotFoundError("token in force with the id", token)
    print(f"{token:>6}  revoked")


def _ask_password() -> str:
    """Ask twice without echo; where nobody types, take the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password (12 characters or more): ")
    if getpass.getpass("The same again: ") != password:
        raise InputError("The two passwords are not the same.")
    return password


def _link(room: Any, editor_id: Any) -> str:
    from publisher.editors.flow import make_sign_in_link

    return f"{room.settings.base_url}/desk/sign-in/{make_sign_in_link(room.database, editor_id, clock=room.now)}"


def _editor_id(room: Any, name: str) -> Any:
    from publisher.editors import rules, store

    with room.database.reading() as connection:
        for each in store.editors(connection):
            if str(each.id) == name or rules.email_key(each.email) == rules.email_key(name):
                return each.id
    raise NotFoundError("editor", name)


def _first_operator(room: Any) -> Any:
    from publisher.editors import store
    from publisher.editors.model import Role

    with room.database.reading() as connection:
        found = store.editors(connection)
    ids = [each.id for each in found if each.role is Role.OPERATOR and each.disabled_at is None]
    if not ids:
        raise NotFoundError("editor with the role", Role.OPERATOR.value)
    return min(ids)


def _print_editor(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    print(f"{row['id']:>6}  {row['email']} ({row['role']})")
    if "link" in row:
        print(f"Signs in once, within 15 minutes: {row['link']}")
