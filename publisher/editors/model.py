from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

EditorId = NewType("EditorId", int)
ApiTokenId = NewType("ApiTokenId", int)


class Role(StrEnum):
    """What an editor may do; each may do what the one before may."""

    EDITOR = "editor"
    """Hand in articles, lay out issues."""
    CHIEF = "chief"
    """Approve and send issues, lead the mailing lists and the editors."""
    OPERATOR = "operator"
    """Run the newsroom: API tokens, transports."""

    def includes(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Scope(StrEnum):
    """What a program may do with an API token."""

    READ = "read"
    """See articles, issues, the glossary and how the newsroom stands; nobody's address."""
    READ_SUBSCRIBERS = "subscribers:read"
    """See subscribers, suppressions, and who got what."""
    ARTICLES = "articles"
    """Hand in and withdraw articles."""
    SUBSCRIBERS = "subscribers"
    """Add and end subscriptions."""
    ISSUES = "issues"
    """Lay out, approve and send issues."""
    WEBHOOKS = "webhooks"
    """Say which addresses elsewhere are told of what happens."""


@dataclass(frozen=True, kw_only=True)
class Editor:
    """A person who may sign in to the desk."""

    id: EditorId
    email: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    time_zone: str = ""
    """In which the desk's times are read; empty: the house's."""


@dataclass(frozen=True, kw_only=True)
class OpenSession:
    """A place where an editor is signed in, as she sees it."""

    key: str
    """Names it in a form; it is no key to the desk."""
    began_at: datetime
    seen_at: datetime
    """To a few minutes."""
    origin: str
    browser: str
    is_current: bool


@dataclass(frozen=True, kw_only=True)
class ApiToken:
    """A program's right to use the API; the token itself is shown once and kept nowhere."""

    id: ApiTokenId
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None
    expires_at: datetime | None = None
    editor_id: EditorId | None = None
    """Whose it is; what it allows is never more than that editor may. Nobody's: the newsroom's."""


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """How often a sign-in failed of late, for one address from one network."""

    failures: int
    last_at: datetime


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """The session has begun."""

    token: str = field(repr=False)
    """For a cookie; we keep only its hash."""
    needs_code: bool = False
    """It is no session yet: the code of the second factor is still to come."""


@dataclass(frozen=True, kw_only=True)
class SignInRefused:
    """Wrong address or password, or too many of those; which of them is not told apart."""

    try_again_at: datetime | None
    """When the next attempt counts; None: at once."""
