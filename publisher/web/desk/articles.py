from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from starlette.datastructures import FormData

from publisher.archive import flow, search, store
from publisher.archive.model import ArticleId, ArticleState
from publisher.bell import Job
from publisher.compose import store as compose
from publisher.errors import ConflictError, InputError, NotFoundError, PublisherError
from publisher.related import flow as related
from publisher.related.store import choices
from publisher.web.cursors import Place, cursor_after, place_of
from publisher.web.desk import article_links
from publisher.web.desk.issue import sentence
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field, fields, number_in
from publisher.wiring import Newsroom

router = APIRouter()

ON_A_PAGE = 30
FOUND_AT_MOST = 100
GONE_ON = "The links were decided anew after you opened this page. Look at what they are now."

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
    return _page(request, room, seat, ArticleId(article_id))


@router.post("/desk/articles/{article_id}/links", include_in_schema=False)
def arrange(request: Request, room: Room, seat: Sender, form: Form, article_id: IdInPath) -> Response:
    """Pin, ban and order the links below an article; what cannot be is said, and nothing changes."""
    mine, typed = ArticleId(article_id), _typed(form)
    with room.database.reading() as connection:
        seen = article_links.version(choices(connection, mine))
    if field(form, "version") != seen:
        return _page(request, room, seat, mine, status=409, problem=ConflictError(GONE_ON))
    try:
        with room.database.reading() as connection:
            another = article_links.article_meant(connection, field(form, "another"))
        wanted = article_links.decided(typed, another)
        related.arrange(room.database, mine, pinned=wanted.pinned, banned=wanted.banned, clock=room.now)
    except PublisherError as problem:
        return _page(
            request, room, seat, mine, status=422, problem=problem, typed=typed, another=field(form, "another")
        )
    return go(seat, f"/desk/articles/{article_id}", Said.ARRANGED)


def _page(
    request: Request,
    room: Newsroom,
    seat: Seat,
    article_id: ArticleId,
    *,
    status: int = 200,
    problem: PublisherError | None = None,
    typed: dict[ArticleId, tuple[str, str]] | None = None,
    another: str = "",
) -> Response:
    with room.database.reading() as connection:
        found = store.articles(connection, [article_id]).get(article_id)
        if found is None:
            raise NotFoundError("article", article_id)
        values: dict[str, Any] = {
            "article": found,
            "links": article_links.rows_of(connection, found.id),
            "version": article_links.version(choices(connection, found.id)),
            "issues": shown_issues(connection, compose.issues_with(connection, found.id)),
        }
    values |= {"problem": sentence(problem), "typed": typed or {}, "another": another, "is_typed": problem is not None}
    return desk_page(request, room, seat, "desk/article.html", status=status, **values)


def _typed(form: FormData) -> dict[ArticleId, tuple[str, str]]:
    """Return the links of a form, with what is decided about each and its place."""
    ids = [ArticleId(number) for each in fields(form, "link") if (number := number_in(each))]
    return {each: (field(form, f"decision-{each}"), field(form, f"place-{each}")) for each in ids}


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
