import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def show(rows: Iterable[Mapping[str, Any]], *, as_json: bool, empty: str) -> None:
    """Print rows as JSON or as a table; `empty` is what to say, and to do next, where there is none."""
    found = [dict(row) for row in rows]
    if as_json:
        print_json(found)
    elif not found:
        print(empty)
    else:
        _print_table(found)


def show_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Print one thing, a line for each of its parts."""
    if as_json:
        print_json(dict(row))
        return
    width = max(len(name) for name in row)
    for name, value in row.items():
        print(f"{name.replace('_', ' '):<{width}}  {_text(value)}")


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, default=_plain)
    print()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    lines = [[name.replace("_", " ") for name in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    if not sys.stdout.isatty():
        # A program reads it, or a file: nothing is folded, however wide it gets.
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*lines[0], box=None, pad_edge=False, header_style="bold")
    for line in lines[1:]:
        table.add_row(*line)
    Console(markup=False, highlight=False).print(table)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return "" if value is None else str(value)
