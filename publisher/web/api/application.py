from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from publisher.web import problems
from publisher.web.api import (
    article_imports,
    articles,
    audience,
    editions,
    glossary,
    imports,
    issues,
    metrics,
    proposals,
    reference,
    segments,
    sources,
    webhooks,
)
from publisher.web.api.article_forms import ArticleForm
from publisher.web.api.examples import EXAMPLES
from publisher.web.api.forms import ProblemForm
from publisher.web.api.keys import HEADER
from publisher.web.api.rate import LEFT_FIELD, POLICY_FIELD

OPENAPI_URL = "/api/openapi.json"
DESCRIPTION = (
    "Hand in articles, lay out and send issues, lead mailing lists. Every call needs a token, made by "
    "`publisher token add`, as `Authorization: Bearer pub_…`. Every error is problem JSON (RFC 9457). "
    "A POST may carry an `Idempotency-Key`: sent again, it is answered again and not done again. "
    "`RateLimit` in every answer tells how often the token may still ask; 429 comes with `Retry-After`."
)
PROBLEM = {
    "description": "What went wrong.",
    "content": {problems.PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemForm"}}},
}
PROBLEMS = ("400", "401", "403", "404", "409", "412", "413", "415", "422", "502", "503")
RATE_FIELDS = {
    POLICY_FIELD: {
        "description": "How often this token may ask: `q` times within `w` seconds.",
        "schema": {"type": "string"},
        "example": '"token";q=1200;w=60',
    },
    LEFT_FIELD: {
        "description": "How often this token may still ask: `r` times within the next `t` seconds.",
        "schema": {"type": "string"},
        "example": '"token";r=1183;t=42',
    },
}
"""Of draft-ietf-httpapi-ratelimit-headers-10."""
TOO_OFTEN = {
    **PROBLEM,
    "description": "This token has asked too often; it may again when Retry-After says.",
    "headers": {"Retry-After": {"description": "In so many seconds.", "schema": {"type": "integer", "minimum": 1}}},
}
KEY_PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": (
        "Your own name for this request, such as a UUID. Sent again within 24 hours it is answered again, and not done "
        "again. 409: the first is still at work. 422: the key stands for another request."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-\\[\\]-~]+$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
NAMED_BY_HAND: tuple[type[BaseModel], ...] = (ArticleForm, ProblemForm)
"""Forms that no endpoint's signature shows: one is read by intake, the other sent by the error handlers."""


def make_api() -> FastAPI:
    """Return the application that programs speak to; every error of it is problem JSON."""
    api = FastAPI(
        title="Publisher",
        version="1",
        description=DESCRIPTION,
        openapi_url=OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    version_1 = APIRouter(prefix="/api/v1")
    resources = (
        articles.router,
        article_imports.router,
        glossary.router,
        issues.router,
        editions.router,
        sources.router,
        segments.router,
    )
    people = (audience.subscribers, imports.router, audience.mailing_lists, audience.suppressions)
    for router in (*resources, proposals.router, webhooks.router, *people):
        version_1.include_router(router)
    api.include_router(version_1)
    api.include_router(reference.router)
    api.include_router(metrics.router)
    problems.answer_with_json(api)
    api.openapi = lambda: _openapi(api)  # type: ignore[method-assign]  # as FastAPI's documentation says
    return api


def _openapi(api: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the forms that FastAPI cannot see; made once."""
    if api.openapi_schema is None:
        found = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        _, named = models_json_schema(
            [(form, "validation") for form in NAMED_BY_HAND], ref_template="#/components/schemas/{model}"
        )
        schemas = found["components"]["schemas"]
        found["components"]["headers"] = RATE_FIELDS
        schemas.update(named["$defs"])
        for name, example in EXAMPLES.items():
            schemas[name]["examples"] = [example]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for methods in found["paths"].values():
            for method, operation in methods.items():
                operation["responses"] |= dict.fromkeys(PROBLEMS, PROBLEM) | {"429": TOO_OFTEN}
                for status, response in operation["responses"].items():
                    fields = {name: {"$ref": f"#/components/headers/{name}"} for name in RATE_FIELDS}
                    operation["responses"][status] = response | {"headers": response.get("headers", {}) | fields}
                if method == "post":
                    operation.setdefault("parameters", []).append(KEY_PARAMETER)
        api.openapi_schema = found
    return api.openapi_schema
