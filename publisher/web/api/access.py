from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from publisher import acts
from publisher.audience.rules import origin_truncated
from publisher.editors import powers, store
from publisher.editors.api_tokens import check_api_token
from publisher.editors.model import ApiToken, Role, Scope
from publisher.web.api.rate import counter_of
from publisher.web.parts import Origin, Room
from publisher.wiring import Newsroom

_bearer = HTTPBearer(auto_error=False, description="A token made by `publisher token add`.")
INSUFFICIENT = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def _with(*scopes: Scope, role: Role = Role.EDITOR) -> Any:
    """
    Return a dependency that lets a request pass whose token has one of these scopes.

    Args:
        scopes: Any of them is enough.
        role: What an editor's own token takes besides: she may do no more through it than at the desk.

    """

    def check(request: Request, room: Room, bearer: Bearer) -> ApiToken:
        token = check_api_token(room.database, bearer.credentials, clock=room.now) if bearer else None
        if token is None:
            detail = "Send a valid token: Authorization: Bearer pub_…"
            raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
        counter_of(request.scope)(token.id)
        if token.scopes.isdisjoint(scopes):
            detail = f"This token may not do that; it needs the scope {' or '.join(sorted(scopes))}."
            raise HTTPException(403, detail, headers=INSUFFICIENT)
        _ask_owner_for(role, token, room)
        return token

    async def act(token: Annotated[ApiToken, Depends(check)], origin: Origin) -> None:
        """Let what follows be noted as the token's; not in a thread, which would say so to itself alone."""
        acts.begin(acts.Actor(via="api", who=token.name, editor_id=token.editor_id, origin=origin_truncated(origin)))

    return Depends(act)


def _ask_owner_for(role: Role, token: ApiToken, room: Newsroom) -> None:
    """Refuse what the editor whose token this is may not do; the newsroom's own may all that its scopes say."""
    if token.editor_id is None or role is Role.EDITOR:
        return
    with room.database.reading() as connection:
        owner = store.editor_with_id(connection, token.editor_id)
    if owner is None or not owner.role.includes(role):
        raise HTTPException(
            403, f"This takes the role of {role}, which the token's owner has not.", headers=INSUFFICIENT
        )


MAY_READ_METRICS = _with(Scope.READ)
MAY_READ_ARTICLES = _with(Scope.READ, Scope.ARTICLES)
MAY_WRITE_ARTICLES = _with(Scope.ARTICLES)
MAY_LEAD_SOURCES = _with(Scope.ARTICLES, role=powers.SOURCES)
MAY_READ_ISSUES = _with(Scope.READ, Scope.ISSUES)
MAY_WRITE_ISSUES = _with(Scope.ISSUES)
MAY_READ_LISTS = _with(Scope.READ, Scope.READ_SUBSCRIBERS, Scope.SUBSCRIBERS)
MAY_READ_SUBSCRIBERS = _with(Scope.READ_SUBSCRIBERS, Scope.SUBSCRIBERS)
MAY_LEAD_WEBHOOKS = _with(Scope.WEBHOOKS)
MAY_WRITE_SUBSCRIBERS = _with(Scope.SUBSCRIBERS)


def media_type_of(request: Request) -> str:
    """Return a request's media type in small letters, without parameters."""
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _only(*media_types: str) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        found = media_type_of(request)
        if found not in media_types:
            said = f"This is {found}" if found else "The header Content-Type is missing"
            raise HTTPException(415, f"{said}; send {' or '.join(media_types)}.")

    return check


ONLY_JSON = Depends(_only("application/json"))
ONLY_EXPORTS = Depends(_only("application/json", "application/xml", "text/xml"))
ONLY_CSV = Depends(_only("text/csv"))
ARTICLE_TYPES = {
    "application/json": "article.json",
    "text/markdown": "article.md",
    "text/plain": "article.txt",
    "text/html": "article.html",
}
"""What an article may come as, with the file name that tells our readers the same."""
ONLY_ARTICLES = Depends(_only(*ARTICLE_TYPES))
