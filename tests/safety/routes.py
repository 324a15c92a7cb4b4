"""Every address of the application, from its own table of routes: a new one cannot be forgotten."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from publisher.web.api.application import make_api
from publisher.web.site import ROUTERS
from publisher.web.webhooks import make_webhooks

SLUGS = {
    "/articles": "all-about-jeonse-deposits-0",
    "/topics": "food",
    "/authors": "kim-minji",
    "/desk/calendar/slots": "weekly",
    "/desk/editions": "weekly",
    "/desk/mailing-lists": "readers",
    "/desk/segments": "abroad",
    "/desk/glossary": "jeonse",
    "/api/v1/editions": "weekly",
    "/api/v1/segments": "abroad",
    "/api/v1/glossary": "jeonse",
}
THERE = {
    "code": "en",
    "edition_slug": "weekly",
    "number": "1",
    "rest": "all.atom",
    "where": "x",
    "word": "cancel",
    "email": "eve@readers.example",
    "name": "none",
    "token": "none",
    "tokens": "none",
    "reader": "none",
    "key": "none",
}
"""What stands for a parameter that names something; ids are 1."""


@dataclass(frozen=True, order=True)
class Route:
    """One method at one address."""

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        return [each.partition("}")[0].removesuffix(":path") for each in self.path.split("{")[1:]]

    def filled(self, value: str = "") -> str:
        """Return the address with the same value for every parameter, or of things that are there."""
        found = self.path.replace(":path}", "}")
        for each in self.parameters:
            found = found.replace(f"{{{each}}}", value or self._there(each))
        return found

    def _there(self, parameter: str) -> str:
        if parameter == "slug":
            return next(slug for start, slug in SLUGS.items() if self.path.startswith(f"{start}/"))
        return "1" if parameter.endswith("_id") else THERE[parameter]


def all_routes() -> list[Route]:
    pages = [route for router in ROUTERS for route in router.routes]
    return sorted({*_routes(pages), *_routes(make_api().routes), *_routes(make_webhooks().routes)})


def _routes(given: Sequence[Any], prefix: str = "") -> Iterator[Route]:
    for each in given:
        inner = getattr(each, "original_router", None)
        if inner is not None:
            yield from _routes(inner.routes, prefix + each.include_context.prefix)
        else:
            for method in each.methods - {"HEAD"}:
                yield Route(path=prefix + each.path, method=method)
