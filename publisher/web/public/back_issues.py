from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup
from sqlalchemy.engine import Connection

from publisher.archive import store as archive
from publisher.compose import flow
from publisher.compose import store as compose
from publisher.compose.model import Edition, EditionKind, Issue, IssueId, IssueState
from publisher.errors import NotFoundError
from publisher.syndication.model import FeedKey, FeedKind
from publisher.web.pages import kept_page
from publisher.web.parts import IdInPath, IdInQuery, Room
from publisher.web.public.frame import frame
from publisher.web.shelf import OnShelf

router = APIRouter()

IN_INDEX = 4
ON_A_PAGE = 30


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A back issue with the edition it belongs to."""

    edition: Edition
    issue: Issue

    @property
    def path(self) -> str:
        return f"/issues/{self.edition.slug}/{self.issue.number}"


@router.get("/issues", include_in_schema=False)
def editions(request: Request, room: Room, shelf: OnShelf) -> Response:
    with room.database.reading() as connection:
        found = [(each, _issues(connection, each, at_most=IN_INDEX)) for each in compose.editions(connection)]
        values = {"editions": [(edition, issues) for edition, issues in found if issues or edition.is_active]}
        values |= frame(connection, room, shelf)
    return kept_page(request, room, "web/editions.html", **values)


@router.get("/issues/{edition_slug}", include_in_schema=False)
def issues(request: Request, room: Room, shelf: OnShelf, edition_slug: str, before: IdInQuery = None) -> Response:
    with room.database.reading() as connection:
        edition = _edition(connection, edition_slug)
        found = _issues(connection, edition, at_most=ON_A_PAGE + 1, before=before)
        values = {
            "edition": edition,
            "issues": found[:ON_A_PAGE],
            "next_before": found[ON_A_PAGE - 1].issue.id if len(found) > ON_A_PAGE else None,
            "is_first": before is None,
            **frame(connection, room, shelf, _feed(edition)),
        }
    return kept_page(request, room, "web/issues.html", **values)


@router.get("/issues/{edition_slug}/{number}", include_in_schema=False)
def issue(request: Request, room: Room, shelf: OnShelf, edition_slug: str, number: IdInPath) -> Response:
    with room.database.reading() as connection:
        edition = _edition(connection, edition_slug)
        found = compose.back_issue(connection, edition_slug, number)
        if found is None:
            raise HTTPException(404)
        rendering = flow.as_it_may_be_shown(connection, room.settings, found)
        if rendering is None:
            raise HTTPException(410, "What this issue carried has been withdrawn.")
        values = {
            "edition": edition,
            "issue": found,
            "rendering": rendering,
            "inside": Markup(rendering.web_html),  # noqa: S704 -- made by our own templates from clean articles
            "newer": compose.back_issue(connection, edition_slug, number + 1),
            "older": compose.back_issue(connection, edition_slug, number - 1),
            **frame(connection, room, shelf, _feed(edition)),
        }
    return kept_page(request, room, "web/issue.html", **values)


def newest_of_each(connection: Connection) -> list[Shown]:
    """Return the newest issue of each edition that collects articles; an alert is only its one article again."""
    collecting = [each for each in compose.editions(connection) if each.kind is not EditionKind.ALERT]
    return [issue for edition in collecting for issue in _issues(connection, edition, at_most=1)]


def _edition(connection: Connection, slug: str) -> Edition:
    try:
        return compose.edition_named(connection, slug)
    except NotFoundError:
        raise HTTPException(404) from None


def _issues(connection: Connection, edition: Edition, *, at_most: int, before: int | None = None) -> list[Shown]:
    found = compose.issues(
        connection,
        at_most=at_most,
        edition_id=edition.id,
        states=(IssueState.APPROVED,),
        before=IssueId(before) if before is not None else None,
    )
    visible = archive.visible(connection, [each for issue in found for each in issue.article_ids])
    return [Shown(edition=edition, issue=each) for each in found if visible.intersection(each.article_ids)]


def _feed(edition: Edition) -> FeedKey:
    return FeedKey(kind=FeedKind.EDITION, slug=edition.slug)
