from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response

from publisher.archive import flow, search, store
from publisher.archive.model import ArticleId, ArticleState
from publisher.bell import Job
from publisher.compose import store as compose
from publisher.errors import InputError, NotFoundError, SubmissionError
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.read import read
from publisher.related.store import links_of
from publisher.web.cursors import Place, cursor_after, place_of
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.seat import AtDesk, Sender, desk_page, go
from publisher.web.parts import Form, Room, field

router = APIRouter()

ON_A_PAGE = 30
NAMES = {"text": "article.txt", "markdown": "article.md", "html": "article.html"}


@router.get("/desk/articles", include_in_schema=False)
def articles(  # noqa: PLR0917 -- FastAPI fills them by name
    request: Request,
    room: Room,
    seat: AtDesk,
    q: Annotated[str, Query(max_length=200)] = "",
    state: str = "",
    after: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show the archive, newest first, or what is found in it."""
    wanted = ArticleState(state) if state in set(ArticleState) else None
    with room.database.reading() as connection:
        if q.strip():
            ids = search.find(connection, q, at_most=ON_A_PAGE)
            found = list(store.leads(connection, ids).values())
        else:
            found = store.listed(connection, at_most=ON_A_PAGE + 1, state=wanted, after=_place(after))
    more = cursor_after(found[ON_A_PAGE - 1]) if len(found) > ON_A_PAGE else ""
    values: dict[str, Any] = {
        "articles": found[:ON_A_PAGE],
        "query": q,
        "state": state,
        "states": list(ArticleState),
        "more": more,
    }
    return desk_page(request, room, seat, "desk/articles.html", **values)


@router.get("/desk/articles/new", include_in_schema=False)
def new_article(request: Request, room: Room, seat: AtDesk) -> Response:
    return desk_page(request, room, seat, "desk/new_article.html", problem="", text="", form="text")


@router.post("/desk/articles/new", include_in_schema=False)
def hand_in_article(request: Request, room: Room, seat: Sender, form: Form) -> Response:
    """Take an article as typed or pasted; what is wrong with it is said above the text, which stays."""
    text, kind = field(form, "text"), field(form, "form")
    try:
        draft = read(text.replace("\r\n", "\n").encode(), name=NAMES.get(kind, NAMES["text"]))
    except SubmissionError as problem:
        values = {"problem": problem.problem, "text": text, "form": kind}
        return desk_page(request, room, seat, "desk/new_article.html", status=422, **values)
    ids = hand_in(room.database, [HandIn(draft=draft)], origin="desk", clock=room.now)
    accepted = flow.accept_these(room.database, ids, domain=room.settings.domain, clock=room.now)
    room.bell.ring(Job.RELATE)
    if not accepted:
        return go("/desk/articles", "Handed in; it will be here in a moment.")
    ending = accepted[ids[0]]
    return go(f"/desk/articles/{ending.article_id}", f"Handed in: {ending.acceptance}.")


@router.get("/desk/articles/{article_id}", include_in_schema=False)
def article(request: Request, room: Room, seat: AtDesk, article_id: int) -> Response:
    """Show one article with its links and where it was published."""
    with room.database.reading() as connection:
        found = store.articles(connection, [ArticleId(article_id)]).get(ArticleId(article_id))
        if found is None:
            raise NotFoundError("article", article_id)
        values: dict[str, Any] = {
            "article": found,
            "related": links_of(connection, [found.id]).get(found.id, ()),
            "issues": shown_issues(connection, compose.issues_with(connection, found.id)),
        }
    return desk_page(request, room, seat, "desk/article.html", **values)


@router.post("/desk/articles/{article_id}/withdraw", include_in_schema=False)
def withdraw(room: Room, _seat: Sender, article_id: int) -> Response:
    flow.withdraw(room.database, ArticleId(article_id), clock=room.now)
    room.bell.ring(Job.RELATE)
    return go(f"/desk/articles/{article_id}", "Withdrawn from every channel.")


@router.post("/desk/articles/{article_id}/restore", include_in_schema=False)
def restore(room: Room, _seat: Sender, article_id: int) -> Response:
    flow.restore(room.database, ArticleId(article_id), clock=room.now)
    room.bell.ring(Job.RELATE)
    return go(f"/desk/articles/{article_id}", "Put back on every channel.")


def _place(after: str) -> Place | None:
    try:
        return place_of(after)
    except InputError:
        raise HTTPException(404) from None
