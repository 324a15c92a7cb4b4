"""What goes wrong, said to people as a page and to programs as problem JSON (RFC 9457)."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException

from publisher.errors import (
    ConflictError,
    DatabaseBusyError,
    FetchError,
    InputError,
    LeaseLostError,
    NotAllowedError,
    NotFoundError,
    PublisherError,
    TransportError,
)
from publisher.web.pages import page

log = structlog.get_logger()

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = "5"
ONE_SLASH_TOO_MANY = re.compile(r"/(?!feeds/)[A-Za-z0-9][A-Za-z0-9/_-]*[A-Za-z0-9]/")
"""Nothing that a browser could take for the name of another site; pages of feeds do end in a slash."""
STATUS = {
    NotFoundError: 404,
    ConflictError: 409,
    NotAllowedError: 403,
    InputError: 422,
    LeaseLostError: 409,
    FetchError: 502,
    TransportError: 502,
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What an answer says went wrong."""

    status: int
    detail: str = ""
    errors: Sequence[Mapping[str, str]] = ()
    """Of a validation, each with `where` and `problem`."""
    headers: Mapping[str, str] | None = None
    reference: str = ""

    @property
    def title(self) -> str:
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"


def problem_of(error: Exception) -> Problem:
    """Return what an error means to who asked; an unexpected one gets a reference that the log has too."""
    match error:
        case HTTPException():
            detail = "" if error.detail == Problem(status=error.status_code).title else error.detail
            return Problem(status=error.status_code, detail=detail, headers=error.headers)
        case RequestValidationError():
            return _invalid(error)
        case InputError():
            errors = [{"where": where, "problem": problem} for where, problem in error.faults.items()]
            return Problem(status=422, detail=str(error), errors=errors)
        case PublisherError() if status := next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 0):
            return Problem(status=status, detail=str(error))
        case OperationalError() | NoConnectionError() | DatabaseBusyError() | DBAPIError(connection_invalidated=True):
            return _unavailable(error)
    return _refused(error) if isinstance(error, DataError | OverflowError) else _unexpected(error)


def _refused(error: Exception) -> Problem:
    """Answer what no column holds: PostgreSQL refuses a text with NUL (DataError), SQLite an integer above 2**63."""
    log.warning("value_refused", reason=str(getattr(error, "orig", None) or error))
    return Problem(status=422, detail="It has a character or a number that no database can hold.")


def _unavailable(error: Exception) -> Problem:
    log.warning("database_unavailable", reason=str(getattr(error, "orig", None) or error))
    detail = "The database does not answer just now; please try again in a moment."
    return Problem(status=503, detail=detail, headers={"Retry-After": RETRY_AFTER_S})


def _unexpected(error: Exception) -> Problem:
    reference = secrets.token_hex(4)
    log.error("unexpected_error", reference=reference, exc_info=error)
    return Problem(status=500, detail=f"Something went wrong here. Reference: {reference}.", reference=reference)


def as_json(problem: Problem) -> JSONResponse:
    """Return a problem as RFC 9457 writes it; `about:blank` says that the status tells its kind (section 4.2.1)."""
    content: dict[str, Any] = {"type": "about:blank", "title": problem.title, "status": problem.status}
    if problem.detail:
        content["detail"] = problem.detail
    if problem.errors:
        content["errors"] = [dict(each) for each in problem.errors]
    if problem.reference:
        content["reference"] = problem.reference
    headers = {"Cache-Control": "no-store", **(problem.headers or {})}
    return JSONResponse(content, status_code=problem.status, headers=headers, media_type=PROBLEM_JSON)


def answer_with_json(app: FastAPI) -> None:
    """Let an application answer every error with problem JSON."""

    async def handle(_request: Request, error: Exception) -> Response:
        return as_json(problem_of(error))

    _handle_all(app, handle)


def answer_with_pages(app: FastAPI) -> None:
    """Let an application answer every error with a page for people."""

    async def handle(request: Request, error: Exception) -> Response:
        if elsewhere := _elsewhere(request, error):
            return elsewhere
        problem = problem_of(HTTPException(HTTPStatus.NOT_FOUND) if _names_nothing(error) else error)
        is_desk = f"{request.scope['path']}/".startswith("/desk/")
        template = "desk/problem.html" if is_desk else "web/problem.html"
        answer = page(request, request.app.state.room, template, status=problem.status, problem=problem)
        answer.headers.update(problem.headers or {})
        return answer

    _handle_all(app, handle)


def _handle_all(app: FastAPI, handle: Any) -> None:
    for kind in (HTTPException, RequestValidationError, PublisherError, Exception):
        app.add_exception_handler(kind, handle)


def _names_nothing(error: Exception) -> bool:
    """Tell whether a part of the path cannot be what it stands for, such as a number; to people that is a 404."""
    return isinstance(error, RequestValidationError) and any(each["loc"][:1] == ("path",) for each in error.errors())


def _elsewhere(request: Request, error: Exception) -> Response | None:
    """Return the way that an error itself points out, or to the same address without its last slash."""
    if isinstance(error, HTTPException) and (way := (error.headers or {}).get("Location")):
        return RedirectResponse(way, status_code=error.status_code)
    path = request.scope["path"]
    is_lost = isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND
    if not is_lost or request.method != "GET" or not ONE_SLASH_TOO_MANY.fullmatch(path):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{path[:-1]}{query}", status_code=308)


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"where": ".".join(str(part) for part in each["loc"]), "problem": str(each["msg"])} for each in error.errors()
    ]
    first = errors[0] if errors else {"where": "request", "problem": "It is not valid."}
    return Problem(status=422, detail=f"{first['where']}: {first['problem']}", errors=errors)
