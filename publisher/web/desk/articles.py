from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from publisher.archive import flow, store
from publisher.archive.model import ArticleId
from publisher.bell import Job
from publisher.compose import flow as compose_flow
from publisher.compose import store as compose
from publisher.errors import ConflictError, NotFoundError, PublisherError
from publisher.related import flow as related
from publisher.related.store import choices
from publisher.syndication.discovery import feeds_with
from publisher.web.desk import article_links
from publisher.web.desk.archive import origin_of
from publisher.web.desk.issue import sentence
from publisher.web.desk.issues import shown_issues
from publisher.web.desk.previews import filled, framed
from publisher.web.desk.said import Said
from publisher.web.desk.seat import AtDesk, Seat, Sender, desk_page, go
from publisher.web.parts import Form, IdInPath, Room, field, fields, number_in
from publisher.wiring import Newsroom

router = APIRouter()

GONE_ON = "The links were decided anew after you opened this page. Look at what they are now."


@router.get("/desk/articles/{article_id}/mail", include_in_schema=False)
def mail(room: Room, _seat: AtDesk, article_id: IdInPath, edition: str) -> Response:
    """Return how the article alone looks in a mail of an edition, for a frame that can do nothing."""
    rendering = compose_flow.preview_article(
        room.database, room.settings, edition, ArticleId(article_id), clock=room.now
    )
    return framed(filled(rendering.html, rendering, room), room)


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
            "feeds": feeds_with(connection, found.id, room.site),
            "origin": origin_of(connection, found.id),
            "editions": compose.editions(connection, active_only=True),
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
