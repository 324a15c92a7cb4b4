from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from publisher.archive import flow, search, store
from publisher.archive.model import ArticleId, ArticleState
from publisher.bell import Job
from publisher.compose import store as compose
from publisher.errors import InputError, NotFoundError
from publisher.related.shown import links_shown
from publisher.web.cursors import Place, cursor_after, place_of
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Sender, desk_page, go
from publisher.web.parts import IdInPath, Room

router = APIRouter()

ON_A_PAGE = 30
FOUND_AT_MOST = 100

Words = Annotated[str, Query(max_length=200)]


@router.get("/desk/articles", include_in_schema=False)
def articles(  # noqa: PLR0917 -- FastAPI fills them by name
    request: Request,
    room: Room,
    seat: AtDesk,
    q: Words = "",
    state: str = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show the archive, newest first, or what is found in it, best first."""
    wanted = ArticleState(state) if state in set(ArticleState) else None
    more = ""
    with room.database.reading() as connection:
        if q.strip():
            states = [wanted] if wanted else list(ArticleState)
            ids = search.find(connection, q, at_most=FOUND_AT_MOST, states=states)
            found = list(store.leads(connection, ids).values())
        else:
            found = store.listed(connection, at_most=ON_A_PAGE + 1, state=wanted, after=_place(after))
            more = cursor_after(found[ON_A_PAGE - 1]) if len(found) > ON_A_PAGE else ""
            found = found[:ON_A_PAGE]
    values: dict[str, Any] = {
        "articles": found,
        "query": q.strip(),
        "state": wanted,
        "states": list(ArticleState),
        "more": more,
        "is_first": not after,
        "found_at_most": FOUND_AT_MOST,
    }
    return desk_page(request, room, seat, "desk/articles.html", **values)


@router.get("/desk/articles/{article_id}", include_in_schema=False)
def article(request: Request, room: Room, seat: AtDesk, article_id: IdInPath) -> Response:
    """Show one article with its links and where it was published."""
    with room.database.reading() as connection:
        found = store.articles(connection, [ArticleId(article_id)]).get(ArticleId(article_id))
        if found is None:
            raise NotFoundError("article", article_id)
        values: dict[str, Any] = {
            "article": found,
            "related": links_shown(connection, [found.id]).get(found.id, ()),
            "issues": shown_issues(connection, compose.issues_with(connection, found.id)),
        }
    return desk_page(request, room, seat, "desk/article.html", **values)


@router.post("/desk/articles/{article_id}/withdraw", include_in_schema=False)
def withdraw(room: Room, seat: Sender, article_id: IdInPath) -> Response:
    flow.withdraw(room.database, ArticleId(article_id), clock=room.now)
    room.bell.ring(Job.RELATE)
    return go(seat, f"/desk/articles/{article_id}", Said.WITHDRAWN)


@router.post("/desk/articles/{article_id}/restore", include_in_schema=False)
def restore(room: Room, seat: Sender, article_id: IdInPath) -> Response:
    flow.restore(room.database, ArticleId(article_id), clock=room.now)
    room.bell.ring(Job.RELATE)
    return go(seat, f"/desk/articles/{article_id}", Said.RESTORED)


def _place(after: str) -> Place | None:
    try:
        return place_of(after)
    except InputError:
        raise HTTPException(404) from None
