"""How tables are compared with a database, and how a new migration writes them down."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext

from publisher.database import Instant, Json, Key

SEARCH = "article_search"
"""The index of the full-text search; each database has its own, made by publisher/archive/search.py."""


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Pass over the full-text search with the tables that SQLite makes beside it."""
    return not (kind == "table" and name is not None and name.startswith(SEARCH))


def written(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write our own types by their names, so that a migration means the same in both databases."""
    if kind == "type":
        name = "Key" if item is Key else "Json" if item is Json else "Instant" if isinstance(item, Instant) else None
        if name:
            context.imports.add(f"from publisher.database import {name}")
            return f"{name}()" if name == "Instant" else name
    return False
