"""
Who may do what at the desk, in one place: a power is the least role that has it.

An editor writes; a chief sends, and leads the editors; an operator may do everything. Nobody gives a role that is
above his own, or changes somebody who stands above him.
"""

from collections.abc import Iterable

from publisher.editors.model import Editor, Role, Scope

WRITING = Role.EDITOR
"""Hand in articles, draft and lay out issues, keep the glossary."""
SENDING = Role.CHIEF
"""Approve, cancel, pause, resume and retry what goes to readers."""
EDITIONS = Role.CHIEF
"""Change what is published again and again."""
AUDIENCE = Role.CHIEF
"""Keep subscribers, suppressions, mailing lists and segments, and erase readers."""
SOURCES = Role.CHIEF
"""Say which newsrooms' feeds are read."""
EDITORS = Role.CHIEF
"""Invite editors, give them roles, shut them out."""
RECORD = Role.CHIEF
"""Read who did what."""
TOKENS = Role.OPERATOR
"""See and revoke everybody's API tokens, and make some that outlive an editor. One's own are everybody's."""
SCOPES = {
    Scope.READ: Role.EDITOR,
    Scope.ARTICLES: Role.EDITOR,
    Scope.ISSUES: SENDING,
    Scope.SUBSCRIBERS: Role.CHIEF,
    Scope.READ_SUBSCRIBERS: Role.CHIEF,
    Scope.WEBHOOKS: Role.OPERATOR,
}
"""What a program may do for an editor: no more than she may herself."""


def may_lead(editor: Editor, other: Role) -> bool:
    """Tell whether an editor may invite or change those with a role."""
    return editor.disabled_at is None and editor.role.includes(EDITORS) and editor.role.includes(other)


def roles_to_give(editor: Editor) -> list[Role]:
    return [role for role in Role if may_lead(editor, role)]


def scopes_of(editor: Editor) -> frozenset[Scope]:
    """Return what an editor's own tokens may do at most: nothing once she is shut out."""
    if editor.disabled_at is not None:
        return frozenset()
    return frozenset(scope for scope, role in SCOPES.items() if editor.role.includes(role))


def is_last(editor: Editor, everybody: Iterable[Editor]) -> bool:
    """Tell whether nobody else at the desk has the powers of this chief or operator."""
    if editor.role is Role.EDITOR or editor.disabled_at is not None:
        return False
    others = (each for each in everybody if each.id != editor.id and each.disabled_at is None)
    return not any(each.role.includes(editor.role) for each in others)
