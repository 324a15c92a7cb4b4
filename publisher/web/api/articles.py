import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from publisher.archive import flow as archive_flow
from publisher.archive import search
from publisher.archive import store as archive
from publisher.archive.accept import Acceptance
from publisher.archive.model import ArticleId, ArticleState
from publisher.bell import Job
from publisher.errors import NotFoundError, SubmissionError
from publisher.intake.fields import text
from publisher.intake.flow import HandIn, hand_in
from publisher.intake.json import read_values
from publisher.intake.left_out import left_out
from publisher.intake.model import Draft, Image, SubmissionId
from publisher.intake.read import read
from publisher.intake.tables import picture
from publisher.related import flow as related
from publisher.related.model import Choice
from publisher.related.shown import links_shown
from publisher.related.store import choices
from publisher.web.api.access import (
    ARTICLE_TYPES,
    MAY_READ_ARTICLES,
    MAY_WRITE_ARTICLES,
    ONLY_ARTICLES,
    ONLY_JSON,
    media_type_of,
)
from publisher.web.api.article_forms import (
    READ_ONLY,
    ArticleForm,
    Articles,
    ArticleShown,
    ArticleTaken,
    ArticleWhole,
    LinksForm,
    LinksShown,
    Waiting,
    related_shown,
    shown,
    whole,
)
from publisher.web.api.matching import TAGGED, IfMatch, Match, etag
from publisher.web.cursors import cursor_after, place_of
from publisher.web.parts import Body, IdInPath, Room
from publisher.wiring import Newsroom

log = structlog.get_logger()
router = APIRouter(prefix="/articles", tags=["Articles"])

ORIGIN = "api"
NAME = "article"
Limit = Annotated[int, Query(ge=1, le=100, description="How many.")]
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "At most 5 MB. Markdown may begin with YAML front matter of the same fields.",
        "content": {
            media_type: {"schema": {"$ref": f"#/components/schemas/{ArticleForm.__name__}"}}
            if media_type == "application/json"
            else {"schema": {"type": "string"}}
            for media_type in ARTICLE_TYPES
        },
    }
}


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What became of an article that was handed in; without an article it waits for the archive."""

    submission_id: SubmissionId
    acceptance: Acceptance | None = None
    article_id: ArticleId | None = None


@router.post(
    "",
    status_code=201,
    response_model=ArticleTaken,
    responses={200: {"model": ArticleTaken}, 202: {"model": Waiting}},
    dependencies=[MAY_WRITE_ARTICLES, ONLY_ARTICLES],
    openapi_extra=REQUEST_BODY,
)
def hand_in_article(request: Request, room: Room, data: Body) -> JSONResponse:
    """
    Hand in an article.

    201: it is new. 200: it revised the article with the same `external_id`, or changed nothing; `result` says which.
    202: it is safe, and the archive will take it by itself.
    """
    media_type = media_type_of(request)
    return _answer(room, _take(room, _draft(room, data, media_type)), _note(data, media_type))


@router.get("", response_model=Articles, dependencies=[MAY_READ_ARTICLES])
def list_articles(
    *,
    room: Room,
    state: ArticleState | None = None,
    topic: Annotated[str, Query(description="Slug.")] = "",
    author: Annotated[str, Query(description="Slug.")] = "",
    language: str = "",
    q: Annotated[str, Query(max_length=200, description="Only with all these words; best first, and one page.")] = "",
    limit: Limit = 50,
    cursor: str = "",
) -> dict[str, Any]:
    """List articles, newest first: of every state, unless one is named."""
    if q.strip():
        return _found(room, q, state, limit)
    place = place_of(cursor)
    with room.database.reading() as connection:
        found = archive.listed(
            connection,
            at_most=limit + 1,
            state=state,
            topic_slug=topic,
            author_slug=author,
            language=language,
            after=place,
        )
    data = [shown(lead, room.settings) for lead in found[:limit]]
    return {"data": data, "next": cursor_after(found[limit - 1]) if len(found) > limit else None}


@router.get("/{article_id}", response_model=ArticleWhole, responses={200: TAGGED}, dependencies=[MAY_READ_ARTICLES])
def show_article(room: Room, article_id: IdInPath, response: Response) -> dict[str, Any]:
    """Show an article, whatever its state. The ETag is that of its revision."""
    with room.database.reading() as connection:
        found = _whole(connection, room, ArticleId(article_id))
    response.headers["ETag"] = _tag(found)
    return found


@router.put(
    "/{article_id}",
    response_model=ArticleTaken,
    responses={202: {"model": Waiting}},
    dependencies=[MAY_WRITE_ARTICLES, ONLY_ARTICLES],
    openapi_extra=REQUEST_BODY,
)
def revise_article(request: Request, room: Room, article_id: IdInPath, data: Body, match: IfMatch) -> JSONResponse:
    """Replace an article's content; id, address and date stay. What GET answers may be sent back, changed."""
    identity = archive_flow.identity_of(room.database, ArticleId(article_id))
    media_type = media_type_of(request)
    draft, note = _draft(room, data, media_type), _note(data, media_type)
    if not match.tags:
        return _answer(room, _take(room, draft, same_as=identity), note)
    return _answer(room, _take_if(room, draft, identity, ArticleId(article_id), match), note)


@router.delete("/{article_id}", response_model=ArticleShown, dependencies=[MAY_WRITE_ARTICLES])
def withdraw_article(room: Room, article_id: IdInPath) -> dict[str, Any]:
    """Take an article off every channel; its page answers 410 from now on. The second time changes nothing."""
    if archive_flow.withdraw(room.database, ArticleId(article_id), clock=room.now):
        room.bell.ring(Job.RELATE)
    with room.database.reading() as connection:
        return shown(archive.leads(connection, [ArticleId(article_id)])[ArticleId(article_id)], room.settings)


@router.post("/{article_id}/restore", response_model=ArticleShown, dependencies=[MAY_WRITE_ARTICLES])
def restore_article(room: Room, article_id: IdInPath) -> dict[str, Any]:
    """Put a withdrawn article back on every channel. The second time changes nothing."""
    if archive_flow.restore(room.database, ArticleId(article_id), clock=room.now):
        room.bell.ring(Job.RELATE)
    with room.database.reading() as connection:
        return shown(archive.leads(connection, [ArticleId(article_id)])[ArticleId(article_id)], room.settings)


@router.get("/{article_id}/links", response_model=LinksShown, responses={200: TAGGED}, dependencies=[MAY_READ_ARTICLES])
def show_links(room: Room, article_id: IdInPath, response: Response) -> dict[str, Any]:
    """Show what an editor decided about the links below an article, and what a reader sees."""
    with room.database.reading() as connection:
        response.headers["ETag"] = _links_tag(connection, ArticleId(article_id))
        return _links(connection, room, ArticleId(article_id))


@router.put(
    "/{article_id}/links",
    response_model=LinksShown,
    responses={200: TAGGED},
    dependencies=[MAY_WRITE_ARTICLES, ONLY_JSON],
)
def arrange_links(
    room: Room, article_id: IdInPath, form: LinksForm, match: IfMatch, response: Response
) -> dict[str, Any]:
    """Pin and ban links below an article, in the place of all that was decided before."""
    pinned, banned = [[ArticleId(each) for each in ids] for ids in (form.pinned, form.banned)]
    related.arrange(
        room.database,
        ArticleId(article_id),
        pinned=pinned,
        banned=banned,
        clock=room.now,
        check=lambda connection: match.check(_links_tag(connection, ArticleId(article_id))),
    )
    with room.database.reading() as connection:
        response.headers["ETag"] = _links_tag(connection, ArticleId(article_id))
        return _links(connection, room, ArticleId(article_id))


def _found(room: Newsroom, query: str, state: ArticleState | None, limit: int) -> dict[str, Any]:
    with room.database.reading() as connection:
        ids = search.find(connection, query, at_most=limit, states=[state] if state else list(ArticleState))
        found = archive.leads(connection, ids)
    return {"data": [shown(lead, room.settings) for lead in found.values()], "next": None}


# --- from the request to a draft


def _draft(room: Newsroom, data: bytes, media_type: str) -> Draft:
    """Return what a body holds; what is wrong is said with its place in the body. Raises SubmissionError."""
    name = ARTICLE_TYPES[media_type]
    try:
        if media_type != "application/json":
            return read(data, name=name, base_url=room.settings.base_url)
        return _draft_of_json(room, data)
    except SubmissionError as error:
        where = error.where.removeprefix(name).removeprefix(", ")
        raise SubmissionError(error.problem, where or NAME) from None


def _draft_of_json(room: Newsroom, data: bytes) -> Draft:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return read(data, name=ARTICLE_TYPES["application/json"])  # says what is wrong with it
    if not isinstance(values, dict):
        return read_values(values)
    values = {name: value for name, value in values.items() if name not in READ_ONLY}
    ours = _picture_of_ours(room, values.get("image"))
    draft = read_values(values | ({"image": None} if ours else {}), base_url=room.settings.base_url)
    return replace(draft, image=ours) if ours else draft


def _picture_of_ours(room: Newsroom, given: Any) -> Image | None:
    """Return the picture that an article has from us already, so that what GET answered can be sent back."""
    fields = {"url": given} if isinstance(given, str) else given
    if not isinstance(fields, dict) or not isinstance(fields.get("url"), str):
        return None
    path = fields["url"].removeprefix(room.settings.base_url)
    with room.database.reading() as connection:
        found = connection.execute(sa.select(picture).where(picture.c.name == path.removeprefix("/media/"))).first()
    if found is None or not path.startswith("/media/"):
        return None
    alt, credit = text(fields.get("alt"), "image.alt"), text(fields.get("credit"), "image.credit")
    return Image(url=path, alt=alt, credit=credit, width=found.width, height=found.height)


def _note(data: bytes, media_type: str) -> str:
    return left_out(data, name=ARTICLE_TYPES[media_type])


# --- from the draft to the archive


def _take(room: Newsroom, draft: Draft, same_as: str | None = None) -> Ending:
    """Put a draft on disk, and into the archive at once; once it is on disk nothing can lose it."""
    (submission_id,) = hand_in(room.database, [HandIn(draft=draft)], origin=ORIGIN, clock=room.now, same_as=same_as)
    try:
        accepted = archive_flow.accept_these(
            room.database, [submission_id], domain=room.settings.domain, clock=room.now
        )[submission_id]
    except SQLAlchemyError as problem:
        log.warning("accepted_later", submission=submission_id, reason=type(problem).__name__)
        room.bell.ring(Job.ACCEPT)
        return Ending(submission_id=submission_id)
    room.bell.ring(Job.RELATE)
    return Ending(submission_id=submission_id, acceptance=accepted.acceptance, article_id=accepted.article_id)


def _take_if(room: Newsroom, draft: Draft, identity: str, article_id: ArticleId, match: Match) -> Ending:
    """Take a revision made from a state that was seen, at once or not at all."""
    submission_id, accepted = archive_flow.revise_if(
        room.database,
        HandIn(draft=draft),
        origin=ORIGIN,
        same_as=identity,
        check=lambda connection: match.check(_tag(_whole(connection, room, article_id))),
        domain=room.settings.domain,
        clock=room.now,
    )
    room.bell.ring(Job.RELATE)
    return Ending(submission_id=submission_id, acceptance=accepted.acceptance, article_id=accepted.article_id)


# --- and to the answer


def _answer(room: Newsroom, ending: Ending, note: str) -> JSONResponse:
    try:
        taken = _taken(room, ending, note)
    except SQLAlchemyError as problem:
        log.warning("shown_later", submission=ending.submission_id, reason=type(problem).__name__)
        taken = None
    if taken is None:
        waiting = Waiting(submission=ending.submission_id)
        return JSONResponse(waiting.model_dump(), status_code=202)
    status = 201 if ending.acceptance is Acceptance.NEW else 200
    headers = {"Location": f"/api/v1/articles/{taken.id}", "ETag": _tag(vars(taken))}
    return JSONResponse(taken.model_dump(mode="json"), status_code=status, headers=headers)


def _tag(found: Mapping[str, Any]) -> str:
    """Return the entity tag of a revision: what is related to an article changes by itself."""
    return etag({name: found[name] for name in ("id", "revision", "state")})


def _taken(room: Newsroom, ending: Ending, note: str) -> ArticleTaken | None:
    if ending.article_id is None or ending.acceptance is None:
        return None
    with room.database.reading() as connection:
        values = _whole(connection, room, ending.article_id)
    return ArticleTaken.model_validate(values | {"result": ending.acceptance.value, "note": note})


def _links_tag(connection: Connection, article_id: ArticleId) -> str:
    """Return the entity tag of what was decided; what the rules choose changes by itself."""
    decided = choices(connection, article_id)
    return etag({"id": article_id, "decided": [[each, choice] for each, choice in decided.items()]})


def _links(connection: Connection, room: Newsroom, article_id: ArticleId) -> dict[str, Any]:
    if article_id not in archive.leads(connection, [article_id]):
        raise NotFoundError(NAME, article_id)
    decided = choices(connection, article_id)
    return {
        "pinned": [each for each, choice in decided.items() if choice is Choice.PINNED],
        "banned": [each for each, choice in decided.items() if choice is Choice.BANNED],
        "shown": related_shown(links_shown(connection, [article_id])[article_id], room.settings),
    }


def _whole(connection: Connection, room: Newsroom, article_id: ArticleId) -> dict[str, Any]:
    found = archive.articles(connection, [article_id]).get(article_id)
    if found is None:
        raise NotFoundError(NAME, article_id)
    return whole(found, links_shown(connection, [article_id]).get(article_id, ()), room.settings)
