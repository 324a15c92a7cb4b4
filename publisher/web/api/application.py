from fastapi import FastAPI

from publisher.web import problems

OPENAPI_URL = "/api/openapi.json"


def make_api() -> FastAPI:
    """Return the application that programs speak to; every error of it is problem JSON."""
    api = FastAPI(
        title="Publisher",
        version="1",
        openapi_url=OPENAPI_URL,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.answer_with_json(api)
    return api
