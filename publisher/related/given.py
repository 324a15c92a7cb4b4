"""Values handed to the database as a table, in one parameter: one statement for any number of rows."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Connection


def given(connection: Connection, columns: Sequence[sa.Column[Any]], rows: Sequence[Sequence[int]]) -> sa.FromClause:
    """
    Return a table with these whole numbers, its columns named and typed as those given.

    Ten times as fast as a parameter for each value, and without a limit on their number.
    """
    if connection.dialect.name == "sqlite":
        return _json_rows(columns, rows)
    lists = [list(values) for values in zip(*rows, strict=True)] or [[] for _ in columns]
    arrays = [sa.literal(values, ARRAY(column.type)) for column, values in zip(columns, lists, strict=True)]
    named = [sa.column(column.name, column.type) for column in columns]
    return sa.func.unnest(*arrays).table_valued(*named).render_derived("given")


def among(connection: Connection, column: sa.Column[Any], values: Sequence[int]) -> sa.ColumnElement[bool]:
    """Return the condition that a column holds one of many values."""
    return column.in_(sa.select(given(connection, [column], [(value,) for value in values])))


def _json_rows(columns: Sequence[sa.Column[Any]], rows: Sequence[Sequence[int]]) -> sa.FromClause:
    text = sa.literal(json.dumps(rows, separators=(",", ":")))
    row = sa.func.json_each(text).table_valued("value").c.value
    values = [
        sa.func.json_extract(row, f"$[{place}]", type_=column.type).label(column.name)
        for place, column in enumerate(columns)
    ]
    return sa.select(*values).subquery("given")
