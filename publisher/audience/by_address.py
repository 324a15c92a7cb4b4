import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import TextIO

from publisher.audience.merge import Person

RUN = 100_000
"""People sorted in memory at once; more are sorted in files, which nobody else sees and which end with the process."""


def by_address(people: Iterable[Person], run: int = RUN) -> Iterator[Person]:
    """
    Yield people in the order of their address keys; those with the same key in the order of coming.

    Out of order, a million addresses write every page of the database's index again and again.
    """
    with ExitStack() as files:
        runs: list[Iterable[str]] = []
        lines: list[str] = []
        for place, person in zip(count(), people, strict=False):
            lines.append("\t".join((person[0], f"{place:012d}", *person[1:])) + "\n")
            if len(lines) == run:
                file = files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n"))
                runs.append(_written(file, lines))
                lines = []
        lines.sort()
        for line in heapq.merge(*runs, lines) if runs else lines:
            key, _place, *rest = line[:-1].split("\t")
            yield Person(key, *rest)


def _written(file: TextIO, lines: list[str]) -> Iterable[str]:
    """A line is a person, for addresses and cleaned names have no tab and no line break in them."""
    file.writelines(sorted(lines))
    file.seek(0)
    return file
