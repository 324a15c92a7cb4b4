"""The reference of the API, for people: one page made from the OpenAPI document, with nothing from elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from publisher.web.pages import kept_page
from publisher.web.parts import Room

router = APIRouter()

KINDS = {"string": "text", "integer": "number", "boolean": "true or false"}
METHODS = ("get", "post", "put", "delete")
Schema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """A parameter, or a field of a body."""

    name: str
    kind: str
    note: str
    is_required: bool


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that a program can do."""

    method: str
    path: str
    title: str
    text: str
    parameters: tuple[Row, ...]
    body_types: tuple[str, ...]
    fields: tuple[Row, ...]
    answers: tuple[tuple[str, str], ...]
    """Status and what comes with it."""

    @property
    def anchor(self) -> str:
        return f"{self.method}-{self.path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}"


@router.get("/api/docs", include_in_schema=False)
def reference(request: Request, room: Room) -> Response:
    document = request.app.openapi()
    return kept_page(request, room, "web/api.html", groups=_groups(document), shapes=_shapes(document))


def _groups(document: Schema) -> list[tuple[str, list[Operation]]]:
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                found.setdefault(operation["tags"][0], []).append(_operation(document, path, method, operation))
    return list(found.items())


def _operation(document: Schema, path: str, method: str, operation: Schema) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("schema")
    text = operation.get("description", "")
    return Operation(
        method=method.upper(),
        path=path,
        title=text.split("\n")[0] or operation["summary"],
        text="\n".join(text.split("\n")[1:]).strip(),
        parameters=tuple(_parameter(document, each) for each in operation.get("parameters", ())),
        body_types=tuple(content),
        fields=tuple(_fields(document, _resolved(document, body))) if body else (),
        answers=tuple(_answers(document, operation)),
    )


def _parameter(document: Schema, found: Schema) -> Row:
    note = found.get("description") or found["schema"].get("description", "")
    return Row(
        name=found["name"], kind=_kind(document, found["schema"]), note=note, is_required=found.get("required", False)
    )


def _answers(document: Schema, operation: Schema) -> Iterator[tuple[str, str]]:
    for status, answer in sorted(operation["responses"].items()):
        schemas = [each["schema"] for each in answer.get("content", {}).values() if "schema" in each]
        yield status, _kind(document, schemas[0]) if schemas else ""


def _shapes(document: Schema) -> list[tuple[str, str, list[Row]]]:
    """Return every form that an answer or a body has, by name."""
    schemas = document["components"]["schemas"]
    return [
        (name, schema.get("description", ""), list(_fields(document, schema)))
        for name, schema in sorted(schemas.items())
        if "properties" in schema
    ]


def _fields(document: Schema, schema: Schema) -> Iterator[Row]:
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        yield Row(name=name, kind=_kind(document, each), note=each.get("description", ""), is_required=name in required)


def _resolved(document: Schema, schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = document["components"]["schemas"][_name(schema["$ref"])]
    return found


def _kind(document: Schema, schema: Schema) -> str:
    """Return a type as people write it: text, number, list of SectionForm, ImageForm or null."""
    if "$ref" in schema:
        meant = _resolved(document, schema)
        return _kind(document, meant) if "enum" in meant else _name(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(document, each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(document, schema['items'])}"
    return "instant" if schema.get("format") == "date-time" else KINDS.get(kind, str(kind))


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]
