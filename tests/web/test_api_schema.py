"""
Everything that the API's document allows, and much that it does not, is asked of the real application.

No question may break it, and no answer may be one that the document does not name.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from publisher.editors.api_tokens import add_api_token
from publisher.editors.model import Scope
from publisher.web.api.application import make_api
from publisher.wiring import Newsroom
from tests.web.conftest import a_newsroom
from tests.web.pages import fill
from tests.web.served import served

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SLUGS = {"slug": "weekly", "email": "reader@readers.example"}
DOCUMENT: Any = schemathesis.openapi.from_dict(make_api().openapi())
OPERATIONS = [each.ok() for each in DOCUMENT.get_all_operations()]


class Program:
    """A program with a token for everything, at a newsroom with everything in it."""

    def __init__(self, address: str, token: str) -> None:
        self._address = address
        self._session = requests.Session()
        self._headers = {"Authorization": f"Bearer {token}"}

    def ask(self, case: Any) -> None:
        case.call_and_validate(
            base_url=self._address, session=self._session, headers=self._headers, checks=CHECKS, timeout=20
        )

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("schema")
    room: Newsroom = a_newsroom(Path(folder), redis_url)
    fill(room)
    token = add_api_token(room.database, name="tests", scopes=set(Scope), clock=room.now)
    room.database.close()
    with served(Path(folder), redis_url, API_RATE_PER_MINUTE="0") as address:
        found = Program(address, token)
        yield found
        found.close()


def ask_all(program: Program, operation: Any, mode: GenerationMode, number: int) -> None:
    @settings(
        max_examples=number,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            name_what_is_there(case)
        program.ask(case)

    ask()


def name_what_is_there(case: Any) -> None:
    """Let an id be one that may exist, or else nearly every question would be about nothing."""
    for name, value in case.path_parameters.items():
        case.path_parameters[name] = value % 4 + 1 if isinstance(value, int) else SLUGS.get(name, value)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_no_question_breaks_the_api(program: Program, operation: Any) -> None:
    for mode in GenerationMode:
        ask_all(program, operation, mode, 4)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_no_question_breaks_the_api_however_many(program: Program, operation: Any) -> None:
    for mode in GenerationMode:
        ask_all(program, operation, mode, 40)


def test_every_body_has_an_example_that_may_be_sent() -> None:
    document = make_api().openapi()
    for methods in document["paths"].values():
        for operation in methods.values():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None:
                named = [each for each in (body["schema"], *body["schema"].get("anyOf", ())) if "$ref" in each]
                schema = document["components"]["schemas"][named[0]["$ref"].rpartition("/")[2]]
                (example,) = schema["examples"]
                validator = fastjsonschema.compile(schema | {"components": document["components"]})
                assert validator(example)
