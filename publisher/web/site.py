from fastapi import FastAPI
from starlette.types import StatelessLifespan

from publisher.web import health, problems, static
from publisher.web.public import (
    articles,
    back_issues,
    confirm,
    feeds,
    glossary,
    home,
    lists,
    media,
    preferences,
    subscribe,
    unsubscribe,
)

ROUTERS = (
    static.router,
    health.router,
    home.router,
    articles.router,
    lists.router,
    back_issues.router,
    feeds.router,
    glossary.router,
    media.router,
    subscribe.router,
    confirm.router,
    preferences.router,
    unsubscribe.router,
)
"""The pages, in the order in which a path is looked for. A folder of pages has one router each file."""


def make_site(lifespan: StatelessLifespan[FastAPI]) -> FastAPI:
    """Return the application with every page for people: public ones and the desk."""
    site = FastAPI(
        title="Publisher",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # one-click unsubscribing must never be redirected (RFC 8058, section 3.1)
        lifespan=lifespan,
    )
    for router in ROUTERS:
        site.include_router(router)
    problems.answer_with_pages(site)
    return site
